"""The console script `muxsaga`."""

import os
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

from actors.command_line.action_commands import add_close, add_demote, add_promote
from actors.command_line.chaos_command import add_chaos
from actors.command_line.check_command import add_check
from actors.command_line.command_error import FAILED, INTERRUPTED, CommandError
from actors.command_line.diag_command import add_diag
from actors.command_line.host_command import add_host
from actors.command_line.keygen_command import add_keygen
from actors.command_line.launcher_command import add_launcher
from actors.command_line.parsers import LineParser
from actors.command_line.run_command import add_run
from actors.command_line.saga_command import add_saga
from actors.command_line.service_command import add_service
from actors.command_line.simulate_command import add_simulate
from actors.command_line.status_command import add_status
from actors.command_line.up_command import add_up
from actors.command_line.watch_command import add_watch
from actors.launcher_extension import ExtensionError
from actors.sqlite_saga_log import LogRefusedError
from host_sim.extension import HostExtensionError
from transport.allow_list import AllowListError
from transport.endpoints import EndpointError

EXAMPLES = """\
examples:
  muxsaga run                        a launcher, two hosts, twenty promotes, and what they do
  muxsaga run --promotes 200 --concurrency 32 --json
  muxsaga up docs/examples/desktop.toml  the same until stopped, supervised

the same by hand, each in its own terminal:
  muxsaga launcher
  muxsaga host --host-id host-1
  muxsaga watch --brackets
  muxsaga promote --host-id host-1
  muxsaga close --host-id host-1 --all

'muxsaga COMMAND --help' says more.
"""


REFUSALS = (AllowListError, EndpointError, ExtensionError, HostExtensionError, LogRefusedError)
"""What a command cannot do that is right in itself."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, and give the exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted.

    Args:
        arguments: without the program's name; by default those of the process.
    """
    options = make_parser().parse_args(arguments)
    try:
        status: int = options.execute(options)
        sys.stdout.flush()
    except CommandError as error:
        return _complain(str(error), error.status)
    except REFUSALS as error:
        return _complain(str(error), FAILED)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    return status


def make_parser() -> ArgumentParser:
    """Give the parser of all commands."""
    parser = LineParser(
        prog="muxsaga",
        description="Supervised, durable sagas across OS processes.",
        epilog=EXAMPLES,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"muxsaga {_version()}")
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    for add in (
        add_run,
        add_check,
        add_up,
        add_launcher,
        add_host,
        add_service,
        add_watch,
        add_promote,
        add_close,
        add_demote,
        add_status,
        add_diag,
        add_saga,
        add_keygen,
        add_simulate,
        add_chaos,
    ):
        add(subparsers)
    return parser


def _version() -> str:
    try:
        return version("muxsaga")
    except PackageNotFoundError:
        return "(not installed)"


def _complain(message: str, status: int) -> int:
    sys.stderr.write(f"muxsaga: {message}\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
