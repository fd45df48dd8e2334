"""`muxsaga diag`: looking into a running system. It asks nobody that may hang."""

import json
from argparse import Namespace
from collections.abc import Iterator, Mapping
from typing import Any

from actors.command_line.child_specs import LAUNCHER
from actors.command_line.command_error import CommandError
from actors.command_line.diag_explain import add_diag_explain
from actors.command_line.diag_sagas import add_diag_sagas
from actors.command_line.diag_state import add_diag_state
from actors.command_line.option_types import seconds
from actors.command_line.parsers import LineParser, Subparsers, add_command
from actors.command_line.places import (
    add_launcher_place,
    default_directory,
    launcher_endpoints,
)
from actors.command_line.process_tree_file import read_process_tree
from actors.command_line.status_command import START_IT
from transport.zeromq.query_client import QueryError, QueryTimeoutError, ask_status

EXAMPLES = """\
examples:
  muxsaga diag tree
  muxsaga diag tree --json --runtime-directory /tmp/demo
"""


def add_diag(subparsers: Subparsers) -> None:
    """Add the command and its own commands."""
    parser = subparsers.add_parser("diag", help="look into a running system", allow_abbrev=False)
    assert isinstance(parser, LineParser)  # noqa: S101 - sub-parsers are of their parser's class
    topics: Subparsers = parser.add_subparsers(metavar="TOPIC", required=True)
    add_diag_sagas(topics)
    add_diag_state(topics)
    add_diag_explain(topics)
    tree = add_command(topics, "tree", "show the live tree of actors", EXAMPLES, execute_tree)
    add_launcher_place(tree)
    tree.add_argument("--json", action="store_true", help="print one JSON document")
    tree.add_argument(
        "--timeout", type=seconds, default=5.0, metavar="SECONDS", help="default: %(default)g"
    )


def execute_tree(options: Namespace) -> int:
    """Print the tree: the processes of `up` if it runs there, the launcher, its newest sagas."""
    processes = read_process_tree(options.runtime_directory or default_directory())
    endpoints = launcher_endpoints(options)
    try:
        status = ask_status(endpoints.query, options.timeout, keys=endpoints.keys)
    except QueryError as error:
        if processes is None:
            remedy = START_IT if isinstance(error, QueryTimeoutError) else ""
            msg = f"{error}{remedy}"
            raise CommandError(msg) from error
        launcher: dict[str, Any] = {"name": f"engine: {error}"}
    else:
        launcher = {
            "name": "engine",
            "engine_crashes": status["engine_crashes"],
            "children": [status["tree"]],
        }
    tree = launcher if processes is None else _under(processes, launcher)
    print(json.dumps(tree) if options.json else "\n".join(tree_lines(tree)))  # noqa: T201
    return 0


def _under(processes: dict[str, Any], launcher: dict[str, Any]) -> dict[str, Any]:
    """Put what the launcher says under its process."""
    children = [
        {**child, "children": [launcher]} if child["name"] == LAUNCHER else child
        for child in processes["children"]
    ]
    return {**processes, "children": children}


def tree_lines(node: Mapping[str, Any], indent: int = 0) -> Iterator[str]:
    """Give a node and all under it, a line each."""
    said = [f"{'  ' * indent}{node['name']}"]
    if "state" in node:
        said.append(node["state"])
    if "inbox" in node:
        said.append(f"{node['inbox']} waiting")
    if node.get("pid") is not None:
        said.append(f"pid {node['pid']}")
    if node.get("engine_crashes"):
        said.append(f"{node['engine_crashes']} engine crashes")
    if node.get("message_age_ms") is not None:
        said.append(f"in work for {node['message_age_ms']:.1f} ms")
    if node.get("waits_for"):
        said.append(f"waits for {node['waits_for']}")
    if node.get("restarts"):
        said.append(f"{node['restarts']} restarts")
    if node.get("last_failure"):
        said.append(f"last failure: {node['last_failure']}")
    children = node.get("children", [])
    hidden = node.get("count", len(children)) - len(children)
    yield "  ".join(said)
    for child in children:
        yield from tree_lines(child, indent + 1)
    if hidden > 0:
        yield f"{'  ' * (indent + 1)}and {hidden} older sagas"
