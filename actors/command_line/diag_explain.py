"""`muxsaga diag explain`: one saga's whole story, and why it does not move."""

import json
from argparse import Namespace
from pathlib import Path
from typing import Any

from actors.command_line.command_error import CommandError
from actors.command_line.option_types import saga_id, seconds
from actors.command_line.parsers import Subparsers, add_command
from actors.command_line.places import add_launcher_place, launcher_endpoints
from actors.command_line.saga_story import story_lines
from actors.sqlite_read_only import LogUnreadableError, reading
from actors.sqlite_saga_rows import saga_view
from transport.event_stream import SagaView
from transport.messages import SagaAnswer, SagaQuestion
from transport.zeromq.query_client import QueryError, QueryTimeoutError, ask

EXAMPLES = """\
examples:
  muxsaga diag explain 17
  muxsaga diag explain 17 --json
  muxsaga diag explain 17 --log log.sqlite     without a launcher
"""


def add_diag_explain(topics: Subparsers) -> None:
    """Add the command."""
    summary = "tell one saga's whole story, and why it does not move"
    parser = add_command(topics, "explain", summary, EXAMPLES, execute)
    parser.add_argument("saga_id", type=saga_id, metavar="ID", help="see 'muxsaga diag state'")
    parser.add_argument(
        "--log", type=Path, metavar="FILE", help="read this file, and ask no launcher"
    )
    add_launcher_place(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument(
        "--timeout", type=seconds, default=5.0, metavar="SECONDS", help="default: %(default)g"
    )


def execute(options: Namespace) -> int:
    """Print the story."""
    view, live = _asked(options) if options.log is None else (_read(options), None)
    if view.saga is None:
        raise CommandError(_unknown(options.saga_id, view.next_saga_id))
    if options.json:
        print(json.dumps({"saga": view.saga, "live": live}))  # noqa: T201
    else:
        print("\n".join(story_lines(view.saga, live)))  # noqa: T201
    return 0


def _asked(options: Namespace) -> tuple[SagaView, dict[str, Any] | None]:
    where = launcher_endpoints(options)
    question = SagaQuestion(number=1, saga_id=options.saga_id)
    try:
        answer = ask(where.query, question, SagaAnswer, options.timeout, keys=where.keys)
    except QueryError as error:
        if not isinstance(error, QueryTimeoutError):
            raise CommandError(str(error)) from error
        msg = f"{error} (start it with 'muxsaga launcher', or read its file with --log FILE)"
        raise CommandError(msg) from error
    return SagaView(answer.next_saga_id, answer.saga), answer.live


def _read(options: Namespace) -> SagaView:
    try:
        with reading(options.log) as db:
            return saga_view(db, options.saga_id)
    except LogUnreadableError as error:
        raise CommandError(str(error)) from error


def _unknown(asked: int, next_saga_id: int) -> str:
    if asked >= next_saga_id:
        return f"saga {asked} never began: ids up to {next_saga_id - 1} were used"
    return (
        f"saga {asked} is forgotten: ids up to {next_saga_id - 1} were used, and finished sagas "
        "are kept for 7 days (the newest 50 where the log is in memory)"
    )
