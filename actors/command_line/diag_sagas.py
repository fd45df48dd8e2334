"""`muxsaga diag sagas`: the newest sagas of a log file; no launcher need run."""

import json
from argparse import Namespace
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from actors.command_line.command_error import CommandError
from actors.command_line.option_types import count_from
from actors.command_line.parsers import Subparsers, add_command
from actors.command_line.wall_time import wall_time
from actors.sqlite_read_only import LogUnreadableError
from actors.sqlite_saga_list import NEWEST, newest_sagas

EXAMPLES = """\
examples:
  muxsaga diag sagas log.sqlite
  muxsaga diag sagas log.sqlite --json | jq '.[] | select(.state == "open")'
"""


def add_diag_sagas(topics: Subparsers) -> None:
    """Add the command."""
    summary = "show the newest sagas of a log file"
    parser = add_command(topics, "sagas", summary, EXAMPLES, execute)
    parser.add_argument("log", type=Path, metavar="FILE", help="the launcher's --log")
    parser.add_argument(
        "--newest",
        type=count_from(1),
        default=NEWEST,
        metavar="N",
        help="how many (default: %(default)s)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def execute(options: Namespace) -> int:
    """Print them, the newest first."""
    try:
        sagas = newest_sagas(options.log, options.newest)
    except LogUnreadableError as error:
        raise CommandError(str(error)) from error
    if options.json:
        print(json.dumps(sagas))  # noqa: T201
    else:
        for saga in sagas:
            print("\n".join(saga_lines(saga)))  # noqa: T201
    return 0


def saga_lines(saga: Mapping[str, Any]) -> Iterator[str]:
    """Give a saga's lines, for people."""
    inputs = ", ".join(f"{name}={value}" for name, value in saga["input"].items())
    said = [f"{saga['saga_id']}  {saga['name']}({inputs})  {saga['state']}"]
    said.append(f"from {wall_time(saga['opened_at'])}")
    if saga["closed_at"] is not None:
        said.append(f"to {wall_time(saga['closed_at'])}")
    if saga["failure"] or saga["result"]:
        said.append(saga["failure"] or saga["result"])
    yield "  ".join(said)
    for step in saga["steps"]:
        what = f"    step {step['step']}  {step['command']} to {step['target']}  {step['state']}"
        yield f"{what}  {step['failure']}" if step["failure"] else what
    if saga["awaited"] is not None:
        word = "waits" if saga["state"] == "open" else "waited"
        yield f"    {word} for {saga['awaited']}"
