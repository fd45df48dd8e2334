"""What a test expects of a bracket, and what it is told when none comes."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from actors.saga_test_kit.bracket import Bracket, BracketBook
from transport.messages import Recorded

Outcome = Literal["completed", "failed", "either"]

Text = str | re.Pattern[str]
"""A text, or a pattern that is searched for in one."""

Cause = int | Callable[[Recorded], bool]
"""The version of an event, or what says of an event whether it is the one."""

SHOWN = 10
"""How many open brackets, and how many closed ones, a failed test is told of."""


class BracketNotSeenError(AssertionError):
    """No such bracket closed in time; says what was seen instead."""


@dataclass(frozen=True, slots=True)
class ExpectedBracket:
    """What a test expects of a bracket. None, as anything: it is not looked at."""

    name: str
    outcome: Outcome
    result: Text | None = None
    reason: Text | None = None
    cause: Cause | None = None

    def fits(self, bracket: Bracket) -> bool:
        """Say whether a bracket is one."""
        return (
            bracket.name == self.name
            and self.outcome in {"either", "completed" if bracket.completed else "failed"}
            and (self.result is None or _is(self.result, bracket.result))
            and (self.reason is None or _is(self.reason, bracket.reason))
            and (self.cause is None or _caused(self.cause, bracket.cause))
        )

    def __str__(self) -> str:
        closed = {"either": "closed", "completed": "was completed", "failed": "failed"}
        texts = [f"no {self.name} {closed[self.outcome]}"]
        if self.result is not None:
            texts.append(f"with result {_shown(self.result)}")
        if self.reason is not None:
            texts.append(f"with reason {_shown(self.reason)}")
        if self.cause is not None:
            texts.append("by that cause")
        return " ".join(texts)


def expected_bracket(
    name: str,
    known: Mapping[str, float],
    *,
    outcome: Outcome | None = None,
    result: Text | None = None,
    reason: Text | None = None,
    cause: Cause | None = None,
) -> ExpectedBracket:
    """Give what a test expects; without `outcome` it follows from `reason`.

    Args:
        name: of the saga.
        known: the sagas of the system, by name.
        outcome: how it closed; None for `failed` where a reason is given, else for `completed`.
        result: what it was completed with.
        reason: why it failed.
        cause: what triggered it.

    Raises:
        ValueError: there is no saga of that name, or no bracket can be as is expected.
    """
    if name not in known:
        msg = f"there is no saga {name!r}; the system has {', '.join(sorted(known))}"
        raise ValueError(msg)
    wanted = outcome or ("completed" if reason is None else "failed")
    if (result is not None and wanted != "completed") or (
        reason is not None and wanted != "failed"
    ):
        msg = "a bracket has a result if it was completed, and a reason if it failed: expect one"
        raise ValueError(msg)
    return ExpectedBracket(name, wanted, result, reason, cause)


def first_fit(book: BracketBook, expected: ExpectedBracket) -> Bracket | None:
    """Give the first closed bracket that is expected and that the test was not given yet."""
    return next((each for each in book.new() if expected.fits(each)), None)


def not_seen(
    book: BracketBook, expected: ExpectedBracket, within: str, why: Callable[[int], str]
) -> str:
    """Tell what was seen instead of a bracket.

    Args:
        book: what was seen.
        expected: what was not.
        within: for how long it was waited, with the unit.
        why: says of an open saga what it waits for, and why it does not move.
    """
    opened = [each for each in book.open.values() if each.name == expected.name]
    closed = [each for each in book.closed if each.name == expected.name]
    lines = [f"{expected} within {within}"]
    if not opened and not closed:
        lines.append(f"no {expected.name} ever began; sagas that did: {book.names()}")
    lines += [f"open: {each}: {why(each.saga_id)}" for each in opened[:SHOWN]]
    lines += [f"closed: {each}{_handed(book, each)}" for each in closed[-SHOWN:]]
    hidden = max(0, len(opened) - SHOWN) + max(0, len(closed) - SHOWN)
    if hidden:
        lines.append(f"and {hidden} more")
    return "\n  ".join(lines)


def _handed(book: BracketBook, bracket: Bracket) -> str:
    return " (the test had this one before)" if bracket.saga_id in book.handed_over else ""


def _is(expected: Text, text: str | None) -> bool:
    if text is None:
        return False
    return expected == text if isinstance(expected, str) else expected.search(text) is not None


def _shown(expected: Text) -> str:
    return repr(expected) if isinstance(expected, str) else f"like {expected.pattern!r}"


def _caused(expected: Cause, cause: Recorded | None) -> bool:
    if cause is None:
        return False
    return cause.version == expected if isinstance(expected, int) else expected(cause)
