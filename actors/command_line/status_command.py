"""`muxsaga status`: what the launcher is doing, asked once."""

import json
from argparse import Namespace
from collections.abc import Mapping
from typing import Any

from actors.command_line.command_error import CommandError
from actors.command_line.option_types import seconds
from actors.command_line.parsers import Subparsers, add_command
from actors.command_line.places import add_launcher_place, launcher_endpoints
from transport.zeromq.query_client import QueryError, QueryTimeoutError, ask_status

EXAMPLES = """\
examples:
  muxsaga status
  muxsaga status --json | jq .hosts
  muxsaga status --tcp 192.0.2.7:7400 --key anna.key --launcher-key launcher.key.pub
"""


START_IT = " (start it with 'muxsaga launcher')"
"""What may help where a launcher gave no answer."""


def add_status(subparsers: Subparsers) -> None:
    """Add the command."""
    parser = add_command(subparsers, "status", "ask the launcher how it is", EXAMPLES, execute)
    add_launcher_place(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument(
        "--timeout", type=seconds, default=5.0, metavar="SECONDS", help="default: %(default)g"
    )


def execute(options: Namespace) -> int:
    """Print the launcher's answer."""
    endpoints = launcher_endpoints(options)
    try:
        status = ask_status(endpoints.query, options.timeout, keys=endpoints.keys)
    except QueryTimeoutError as error:
        msg = f"{error}{START_IT}"
        raise CommandError(msg) from error
    except QueryError as error:
        raise CommandError(str(error)) from error
    print(json.dumps(status) if options.json else "\n".join(status_lines(status)))  # noqa: T201
    return 0


def status_lines(tree: Mapping[str, Any], indent: str = "") -> list[str]:
    """Give a tree of maps as indented lines."""
    lines = []
    for key, value in tree.items():
        if isinstance(value, Mapping):
            lines.append(f"{indent}{key}:" if value else f"{indent}{key}: none")
            lines.extend(status_lines(value, f"{indent}  "))
        elif isinstance(value, list):
            lines.append(f"{indent}{key}: {', '.join(map(str, value)) or 'none'}")
        else:
            lines.append(f"{indent}{key}: {value}")
    return lines
