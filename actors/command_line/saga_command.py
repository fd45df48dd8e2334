"""`muxsaga saga`: what an operator does to sagas."""

import json
from argparse import ArgumentTypeError, Namespace

import zmq

from actors.command_line.command_error import FAILED, CommandError
from actors.command_line.option_types import saga_id, seconds
from actors.command_line.parsers import LineParser, Subparsers, add_command
from actors.command_line.places import add_launcher_place, launcher_endpoints
from transport.messages import CancelRefused, CancelSaga
from transport.zeromq.operator_client import (
    NoAnswerYetError,
    NoLauncherError,
    OperatorError,
    cancel_saga,
)

REASON_LIMIT = 1000
"""How many characters a reason may have: with the words before it, a bracket's is 1,024."""

EXAMPLES = """\
examples:
  muxsaga saga cancel 17
  muxsaga saga cancel 17 --reason 'the window is gone' --json

exit status: 0 if the saga's bracket is closed as failed by this command; 1 if it was not open, or
no launcher answered
"""


def add_saga(subparsers: Subparsers) -> None:
    """Add the command and its own commands."""
    parser = subparsers.add_parser("saga", help="end a saga", allow_abbrev=False)
    assert isinstance(parser, LineParser)  # noqa: S101 - sub-parsers are of their parser's class
    actions: Subparsers = parser.add_subparsers(metavar="ACTION", required=True)
    summary = "close an open saga's bracket as failed"
    cancel = add_command(actions, "cancel", summary, EXAMPLES, execute_cancel)
    cancel.add_argument("saga_id", type=saga_id, metavar="ID", help="see 'muxsaga diag state'")
    add_launcher_place(cancel)
    cancel.add_argument(
        "--reason",
        type=_reason,
        default="by the operator",
        metavar="TEXT",
        help="published with the bracket, after 'cancelled: ' (default: %(default)s)",
    )
    cancel.add_argument("--json", action="store_true", help="print one JSON document")
    cancel.add_argument(
        "--timeout", type=seconds, default=5.0, metavar="SECONDS", help="default: %(default)g"
    )


def execute_cancel(options: Namespace) -> int:
    """Ask the launcher to end the saga, and say what came of it."""
    request = CancelSaga(number=1, saga_id=options.saga_id, reason=options.reason)
    where = launcher_endpoints(options)
    try:
        with zmq.Context() as context:
            answer = cancel_saga(
                where.link, request, options.timeout, keys=where.keys, context=context
            )
    except NoLauncherError as error:
        msg = f"{error}: is the launcher running? (start it with 'muxsaga launcher')"
        raise CommandError(msg) from error
    except NoAnswerYetError as error:
        msg = (
            f"{error}, but the launcher has the request: its log may be out (see 'muxsaga "
            f"status'); then saga {options.saga_id} is cancelled when it can be written again"
        )
        raise CommandError(msg) from error
    except OperatorError as error:
        raise CommandError(str(error)) from error
    refused = answer.reason if isinstance(answer, CancelRefused) else None
    if options.json:
        said = {"saga_id": answer.saga_id, "cancelled": refused is None, "refused": refused}
        print(json.dumps(said))  # noqa: T201
    elif refused is None:
        print(f"saga {answer.saga_id} is cancelled: its bracket is closed as failed")  # noqa: T201
    if refused is None:
        return 0
    msg = f"nothing was cancelled: {refused}"
    raise CommandError(msg, FAILED)


def _reason(text: str) -> str:
    if not 1 <= len(text) <= REASON_LIMIT:
        msg = f"a reason has 1 to {REASON_LIMIT} characters, this one has {len(text)}"
        raise ArgumentTypeError(msg)
    return text
