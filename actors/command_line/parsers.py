"""What the parsers of all commands have in common."""

from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter, _SubParsersAction
from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn

from actors.command_line.command_error import USAGE

Execute = Callable[[Namespace], int]


class LineParser(ArgumentParser):
    """A parser whose errors are one line: the value, what is wrong with it, where to read on."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and exit."""
        self.exit(USAGE, f"{self.prog}: {message}; see '{self.prog} --help'\n")


if TYPE_CHECKING:
    Subparsers = _SubParsersAction[LineParser]
else:
    Subparsers = _SubParsersAction


def add_command(
    subparsers: Subparsers, name: str, summary: str, examples: str, execute: Execute
) -> ArgumentParser:
    """Add a command; its help ends with the examples, `execute` gives its exit status."""
    parser = subparsers.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=examples,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(execute=execute)
    return parser


def add_extension(parser: ArgumentParser) -> None:
    """Add the option that names extension modules."""
    parser.add_argument(
        "--extension",
        action="append",
        default=[],
        metavar="MODULE",
        help="importable module with sagas, handlers or messages of your own; may be repeated",
    )
