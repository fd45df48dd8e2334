"""`muxsaga diag`: looking into a running system. It asks the query socket, which always answers."""

import json
from argparse import Namespace
from collections.abc import Iterator, Mapping
from typing import Any

from actors.command_line.command_error import CommandError
from actors.command_line.option_types import seconds
from actors.command_line.parsers import LineParser, Subparsers, add_command
from actors.command_line.places import add_launcher_place, launcher_endpoints
from transport.zeromq.query_client import QueryError, ask_status

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
    tree = add_command(topics, "tree", "show the live tree of actors", EXAMPLES, execute_tree)
    add_launcher_place(tree)
    tree.add_argument("--json", action="store_true", help="print one JSON document")
    tree.add_argument(
        "--timeout", type=seconds, default=5.0, metavar="SECONDS", help="default: %(default)g"
    )


def execute_tree(options: Namespace) -> int:
    """Print the launcher's tree: its coordinator, and the newest of its open sagas."""
    try:
        status = ask_status(launcher_endpoints(options).query, options.timeout)
    except QueryError as error:
        msg = f"{error} (start it with 'muxsaga launcher')"
        raise CommandError(msg) from error
    tree = {
        "name": "launcher",
        "engine_crashes": status["engine_crashes"],
        "children": [status["tree"]],
    }
    print(json.dumps(tree) if options.json else "\n".join(tree_lines(tree)))  # noqa: T201
    return 0


def tree_lines(node: Mapping[str, Any], indent: int = 0) -> Iterator[str]:
    """Give a node and all under it, a line each."""
    said = [f"{'  ' * indent}{node['name']}"]
    if "state" in node:
        said += [node["state"], f"{node['inbox']} waiting"]
    if node.get("engine_crashes"):
        said.append(f"{node['engine_crashes']} engine crashes")
    if node.get("message_age_ms") is not None:
        said.append(f"in work for {node['message_age_ms']:.1f} ms")
    if node.get("waits_for"):
        said.append(f"waits for {node['waits_for']}")
    if node.get("restarts"):
        said.append(f"{node['restarts']} restarts, the last after {node['last_failure']}")
    children = node.get("children", [])
    hidden = node.get("count", len(children)) - len(children)
    yield "  ".join(said)
    for child in children:
        yield from tree_lines(child, indent + 1)
    if hidden > 0:
        yield f"{'  ' * (indent + 1)}and {hidden} older sagas"
