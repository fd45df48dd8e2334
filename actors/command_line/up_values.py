"""Takes values out of a TOML table: each key once, each with its type, none left over."""

import math
from enum import StrEnum
from typing import Any, TypeVar

from actors.command_line.up_error import ValueProblem

Choice = TypeVar("Choice", bound=StrEnum)

LONGEST_SECONDS = 1_000_000.0
MOST = 1_000_000


class Table:
    """A table of which values are taken by key.

    Args:
        values: as tomllib gives them.
    """

    def __init__(self, values: dict[str, Any]) -> None:
        self._left = dict(values)
        self._known: list[str] = []

    def has(self, key: str) -> bool:
        """Tell whether a key is there and was not taken."""
        return key in self._left

    def seconds(self, key: str, default: float) -> float:
        """Take a duration, 0 or more."""
        value = self._take(key, default)
        if not _is_number(value) or not 0 <= value <= LONGEST_SECONDS:
            raise _problem(key, value, "seconds from 0 to 1000000")
        return float(value)

    def period(self, key: str, default: float) -> float:
        """Take a duration above 0."""
        value = self.seconds(key, default)
        if value == 0:
            raise _problem(key, value, "seconds above 0")
        return value

    def seconds_or_never(self, key: str, default: float | None, never: str) -> float | None:
        """Take a duration, 0 or more, or the word that means none."""
        if not self.has(key):
            self._take(key, default)
            return default
        if self._left[key] == never:
            self._take(key, default)
            return None
        try:
            return self.seconds(key, 0.0)
        except ValueProblem as problem:
            msg = f"{problem}, or {never!r}"
            raise ValueProblem(msg) from None

    def count(self, key: str, default: int) -> int:
        """Take an integer, 0 or more."""
        value = self._take(key, default)
        if type(value) is not int or not 0 <= value <= MOST:
            raise _problem(key, value, f"an integer from 0 to {MOST}")
        return value

    def flag(self, key: str) -> bool:
        """Take true or false; false if it is not there."""
        value = self._take(key, False)  # noqa: FBT003 - it is a value
        if not isinstance(value, bool):
            raise _problem(key, value, "true or false")
        return value

    def text(self, key: str) -> str | None:
        """Take a string, if it is there."""
        value = self._take(key, None)
        if value is not None and not isinstance(value, str):
            raise _problem(key, value, "a string in quotes")
        return value

    def texts(self, key: str) -> list[str]:
        """Take a list of strings; an empty one if it is not there."""
        value = self._take(key, [])
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise _problem(key, value, "a list of strings, as in ['package.module']")
        return value

    def choice(self, key: str, kind: type[Choice], default: Choice) -> Choice:
        """Take one of an enumeration."""
        value = self._take(key, default.value)
        if not isinstance(value, str) or value not in set(kind):
            raise _problem(key, value, f"one of {', '.join(kind)}")
        return kind(value)

    def table(self, key: str) -> "Table | None":
        """Take a table, if it is there."""
        value = self._take(key, None)
        if value is not None and not isinstance(value, dict):
            raise _problem(key, value, f"a table, under [{key}]")
        return None if value is None else Table(value)

    def tables(self, key: str) -> "list[Table]":
        """Take a list of tables; an empty one if it is not there."""
        value = self._take(key, [])
        if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
            raise _problem(key, value, f"a list of tables, each under [[{key}]]")
        return [Table(each) for each in value]

    def any_of(self, keys: set[str]) -> dict[str, Any]:
        """Take whatever is there of some keys."""
        found = {key: self._left[key] for key in sorted(keys) if key in self._left}
        for key in sorted(keys):
            self._take(key, None)
        return found

    def end(self) -> None:
        """Refuse what was not taken.

        Raises:
            ValueProblem: there is a key that nothing is known of.
        """
        for key in self._left:
            msg = f"there is no key {key!r}; there are {', '.join(sorted(self._known))}"
            raise ValueProblem(msg)

    def _take(self, key: str, default: Any) -> Any:
        self._known.append(key)
        return self._left.pop(key, default)


def shown(value: object) -> str:
    """Give a value as TOML has it, near enough."""
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _is_number(value: object) -> bool:
    return type(value) in {int, float} and math.isfinite(value)  # type: ignore[arg-type]


def _problem(key: str, value: object, remedy: str) -> ValueProblem:
    return ValueProblem(f"{key} = {shown(value)} is wrong: give {remedy}")
