"""`muxsaga promote`, `close` and `demote`: what a user does to a host's windows."""

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager

import zmq

from actors.command_line.command_error import CommandError, UsageError
from actors.command_line.control_client import ControlClient
from actors.command_line.option_types import count_from, host_id, seconds
from actors.command_line.parsers import Subparsers, add_command
from actors.command_line.places import add_control_place, host_control
from transport.messages import ActionDone, CloseWindow, DemoteWindow, InspectHost, PromoteWindow

PROMOTE_EXAMPLES = """\
examples:
  muxsaga promote
  muxsaga promote --host-id left --count 5 --json
  muxsaga promote --host-id left --control tcp://192.0.2.8:7500 --key anna.key \\
      --host-key left.key.pub
"""

CLOSE_EXAMPLES = """\
examples:
  muxsaga close window-0123456789abcdef0123456789abcdef-1
  muxsaga close --host-id left --all
"""

DEMOTE_EXAMPLES = """\
examples:
  muxsaga demote window-0123456789abcdef0123456789abcdef-1
"""


def add_promote(subparsers: Subparsers) -> None:
    """Add the command."""
    summary = "show windows to the user, out of a host's pool"
    parser = add_command(subparsers, "promote", summary, PROMOTE_EXAMPLES, promote)
    _add_host(parser)
    parser.add_argument(
        "--count", type=count_from(1), default=1, metavar="N", help="default: %(default)s"
    )


def add_close(subparsers: Subparsers) -> None:
    """Add the command."""
    summary = "close windows that a user sees"
    parser = add_command(subparsers, "close", summary, CLOSE_EXAMPLES, close)
    _add_host(parser)
    parser.add_argument("label", nargs="?", metavar="LABEL", help="the window's label")
    parser.add_argument("--all", action="store_true", help="every window of the host")


def add_demote(subparsers: Subparsers) -> None:
    """Add the command."""
    summary = "hand a user's window back to its host's pool"
    parser = add_command(subparsers, "demote", summary, DEMOTE_EXAMPLES, demote)
    _add_host(parser)
    parser.add_argument("label", metavar="LABEL", help="the window's label")


def promote(options: Namespace) -> int:
    """Promote windows, one after another."""
    with _client(options) as client:
        _print(options, (client.act(PromoteWindow(number=each)) for each in range(options.count)))
    return 0


def close(options: Namespace) -> int:
    """Close one window, or all of a host."""
    if (options.label is None) != options.all:
        msg = "close takes either a LABEL or --all"
        raise UsageError(msg)
    with _client(options) as client:
        labels = _open_labels(client) if options.all else [options.label]
        _print(
            options,
            (
                client.act(CloseWindow(number=number, label=_checked(label)))
                for number, label in enumerate(labels, 1)
            ),
        )
    return 0


def demote(options: Namespace) -> int:
    """Hand one window back."""
    with _client(options) as client:
        message = DemoteWindow(number=0, label=_checked(options.label))
        _print(options, iter([client.act(message)]))
    return 0


def _add_host(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--host-id", type=host_id, default="host-1", metavar="ID", help="default: %(default)s"
    )
    add_control_place(parser)
    parser.add_argument("--json", action="store_true", help="one JSON document a window, a line")
    parser.add_argument(
        "--timeout", type=seconds, default=5.0, metavar="SECONDS", help="default: %(default)g"
    )


@contextmanager
def _client(options: Namespace) -> Iterator[ControlClient]:
    endpoint, keys = host_control(options, options.host_id)
    with (
        zmq.Context() as context,
        closing(
            ControlClient(context, options.host_id, endpoint, options.timeout, keys=keys)
        ) as client,
    ):
        yield client


def _open_labels(client: ControlClient) -> Sequence[str]:
    labels = client.inspect(InspectHost(number=0)).get("open")
    if not isinstance(labels, list):
        msg = "the host does not say which windows are open: it is of another version"
        raise CommandError(msg)
    return [str(label) for label in labels]


def _checked(label: str) -> str:
    if not 1 <= len(label) <= 255:  # noqa: PLR2004 - `transport.messages.base.Label`
        msg = f"{label[:40]!r} is no label: 'muxsaga close --all' needs none"
        raise UsageError(msg)
    return label


def _print(options: Namespace, done: Iterator[ActionDone]) -> None:
    """Print each thing as soon as it is done: what was done before a refusal is known then."""
    for each in done:
        if options.json:
            fields = ("label", "promote_id", "cold", "at_ns")
            line = json.dumps({name: getattr(each, name) for name in fields})
        else:
            line = f"{each.label}{' (cold)' if each.cold else ''}"
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
