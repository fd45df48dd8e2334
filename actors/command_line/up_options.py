"""The options of single commands, as a table of `muxsaga up` gives them.

A table's keys are the command's own options, without their dashes; the command's own parser reads
them, so that a file and a command line mean the same.
"""

from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from actors.command_line.parsers import LineParser, Subparsers
from actors.command_line.up_error import ValueProblem
from actors.command_line.up_values import Table, shown

PLACES = frozenset(
    {"runtime-directory", "tcp", "link", "events", "query", "insecure", "launcher-key"}
)
"""Options that say where the launcher is: once in a file, for all that have them."""


def place_arguments(table: Table) -> dict[str, str]:
    """Take the options that say where the launcher is, as arguments by key.

    Raises:
        ValueProblem: a value is wrong; names the key.
    """
    arguments = {"insecure": "--insecure"} if table.flag("insecure") else {}
    for key in sorted(PLACES - {"insecure"}):
        value = table.text(key)
        if value is not None:
            arguments[key] = f"--{key}={value}"
    if {"runtime-directory", "tcp"} <= arguments.keys():
        msg = "runtime-directory and tcp exclude each other: leave one out"
        raise ValueProblem(msg)
    return arguments


class TableParser(LineParser):
    """A parser that raises what is wrong."""

    def error(self, message: str) -> NoReturn:
        """Raise what is wrong, by key in place of option."""
        raise ValueProblem(message.removeprefix("argument --"))


class CommandTable:
    """Reads tables that give the options of one command.

    Args:
        name: of the command.
        add: adds it to a parser.
    """

    def __init__(self, name: str, add: Callable[[Subparsers], None]) -> None:
        self._name = name
        self._parser = _table_parser()
        add(self._parser.add_subparsers())
        defaults = vars(self._parser.parse_args([name]))
        self._defaults = {
            dest.replace("_", "-"): value for dest, value in defaults.items() if dest != "execute"
        }

    @property
    def keys(self) -> set[str]:
        """The keys that such a table may have."""
        own = f"{self._name}-id"
        return {"id" if key == own else key for key in self._defaults.keys() - PLACES}

    def read(self, table: Table, extensions: Sequence[str], places: Mapping[str, str]) -> Namespace:
        """Take the options of one process out of its table.

        Args:
            table: where they are.
            extensions: modules that every process loads.
            places: options that say where the launcher is, as arguments by key.

        Raises:
            ValueProblem: a value is wrong; names the key.
        """
        tokens = [argument for key, argument in places.items() if key in self._defaults]
        tokens += [f"--extension={module}" for module in extensions]
        for key, value in table.any_of(self.keys).items():
            option = f"{self._name}-id" if key == "id" else key
            tokens += [f"--{option}={text}" for text in self._texts(key, option, value)]
        return self._parser.parse_args([self._name, *tokens])

    def _texts(self, key: str, option: str, value: Any) -> list[str]:
        default = self._defaults[option]
        if isinstance(default, list):
            return self._many(key, value)
        if isinstance(default, int | float) and not _is_number(value):
            raise _wrong(key, value, f"a number, as in {key} = {default}")
        if not _is_scalar(value):
            raise _wrong(key, value, "one number or string")
        return [str(value)]

    def _many(self, key: str, value: Any) -> list[str]:
        if isinstance(value, dict) and all(_is_scalar(each) for each in value.values()):
            return [f"{name}={each}" for name, each in value.items()]
        if isinstance(value, list) and all(isinstance(each, str) for each in value):
            return value
        raise _wrong(key, value, "a list of strings, or a table of numbers")


def _table_parser() -> LineParser:
    return TableParser(prog="muxsaga", allow_abbrev=False)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_scalar(value: object) -> bool:
    return _is_number(value) or isinstance(value, str)


def _wrong(key: str, value: object, remedy: str) -> ValueProblem:
    return ValueProblem(f"{key} = {shown(value)} is wrong: give {remedy}")
