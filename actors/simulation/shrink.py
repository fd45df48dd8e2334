"""Finds a shorter schedule of faults that still shows a violation: delta debugging.

Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input" (2002): leave out ever
smaller parts, and keep each schedule that still shows it.
"""

from collections.abc import Callable, Sequence

MOST_RUNS = 200
"""How many schedules are tried at most."""

Shows = Callable[[Sequence[int]], bool]
"""Says whether a schedule, given as numbers of planned faults, still shows the violation."""


def shortest_schedule(numbers: Sequence[int], shows: Shows, runs: int = MOST_RUNS) -> list[int]:
    """Give the shortest schedule found, in order; the one given if no other shows it.

    Args:
        numbers: a schedule that shows it.
        shows: tried on each candidate.
        runs: how often at most.
    """
    schedule, parts = list(numbers), 2
    while schedule and runs > 0:
        size = -(-len(schedule) // parts)
        for begin in range(0, len(schedule), size):
            candidate = schedule[:begin] + schedule[begin + size :]
            runs -= 1
            if shows(candidate):
                schedule, parts = candidate, max(2, parts - 1)
                break
            if runs == 0:
                return schedule
        else:
            if size == 1:
                return schedule
            parts = min(len(schedule), 2 * parts)
    return schedule
