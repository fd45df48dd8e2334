"""The command `python -m bench`: one sub-command a benchmark or tool."""

import importlib
import os
import signal
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Sequence
from dataclasses import dataclass

from bench.result import ResultError

FAILED = 1
INTERRUPTED = 130
TERMINATED = 143
"""Exit statuses: something was not done, Ctrl-C, and SIGTERM; no process is left by any."""


@dataclass(frozen=True, slots=True)
class Command:
    """A sub-command.

    Attributes:
        module: has `configure(parser)`, which adds its options, and `execute(options)`, which gives
            the exit status; `options.given` is what was given to `python -m bench`. It is imported
            only if it is named: what it needs, others do not.
    """

    name: str
    summary: str
    module: str


COMMANDS = (
    Command("promotes", "rate and latency of concurrent promotes", "bench.promotes"),
    Command("yardsticks", "muxsaga beside other ways of doing it", "bench.yardsticks.command"),
    Command("compare", "what changed between two results, beyond noise", "bench.compare"),
    Command("plot", "a result as SVG and PNG", "bench.plot"),
    Command("targets", "what results say of what is wanted", "bench.targets"),
    Command("profile", "where the launcher's CPU goes", "bench.profiling.command"),
    Command("logic", "launcher, commit, host and observer in one thread", "bench.logic"),
    Command("micro", "what single parts cost: actors, codec, commit", "bench.micro.command"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, and give the exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted.

    Args:
        arguments: without the program's name; by default those of the process.
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    options = _parser(given).parse_args(given)
    try:
        status: int = options.execute(options)
        sys.stdout.flush()
    except ResultError as error:
        sys.stderr.write(f"bench: {error}\n")
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    return status


def _parser(given: Sequence[str]) -> ArgumentParser:
    parser = ArgumentParser(
        prog="python -m bench",
        description="Measure muxsaga. 'python -m bench COMMAND --help' says more.",
        allow_abbrev=False,
    )
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in COMMANDS:
        of_command = subparsers.add_parser(
            command.name,
            help=command.summary,
            formatter_class=RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        if command.name in given[:1]:
            module = importlib.import_module(command.module)
            of_command.set_defaults(execute=module.execute, given=list(given))
            module.configure(of_command)
    return parser


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    sys.exit(main())
