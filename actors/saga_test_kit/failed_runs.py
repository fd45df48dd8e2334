"""Runs of a scenario that went wrong, and how a test is told of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from textwrap import indent
from typing import Self

from actors.outcome_text import summary_of
from actors.saga_test_kit.system import System

try:
    import pytest
except ImportError:
    FAILURES: tuple[type[BaseException], ...] = (Exception,)
else:
    # What pytest raises where something does not fail is no Exception.
    FAILURES = (Exception, pytest.fail.Exception)

RUNS_SHOWN = 8
"""How many failed runs are told of one by one."""


class ScenarioFailedError(AssertionError):
    """A scenario did not go well every time; says which times."""


@dataclass(frozen=True, slots=True)
class FailedRun:
    """A run that went wrong.

    Attributes:
        text: what went wrong.
        error: what the scenario raised; None if the history was not as it must be.
    """

    text: str
    error: BaseException | None = None

    @classmethod
    def of(cls, scenario: Callable[[], object]) -> Self | None:
        """Run a scenario; give how it failed, or None."""
        try:
            scenario()
        except FAILURES as error:
            return cls(_told(error), error)
        return None

    @classmethod
    def judging(cls, system: System) -> Self | None:
        """Give what is wrong with the whole course of a system, or None."""
        verdict = system.end()
        return cls(str(verdict)) if verdict.complaints else None

    def __str__(self) -> str:
        return self.text


def failure_of(
    failures: Sequence[tuple[str, FailedRun]], runs: int, kind: str
) -> ScenarioFailedError:
    """Give the error that tells of failed runs.

    Args:
        failures: which run it was, and how it failed.
        runs: how many there were.
        kind: what differs between them, for people.
    """
    texts = [f"{name}:\n{indent(str(failed), '    ')}" for name, failed in failures[:RUNS_SHOWN]]
    if len(failures) > RUNS_SHOWN:
        texts.append(f"and {len(failures) - RUNS_SHOWN} more")
    told = indent("\n".join(texts), "  ")
    error = ScenarioFailedError(
        f"the scenario failed with {len(failures)} of {runs} {kind}:\n{told}"
    )
    error.__cause__ = next((failed.error for _, failed in failures if failed.error), None)
    return error


def _told(error: BaseException) -> str:
    text = str(error)
    is_plain = isinstance(error, AssertionError) or not isinstance(error, Exception)
    return text if is_plain and text else summary_of(error)
