"""An observer that was started again begins anew, or goes on where it was."""

from tests.checker_histories import open_history
from transport.checker import check
from transport.history_lines import EventLine, HistoryLine, ProcessLine

HISTORY: list[HistoryLine] = list(open_history())
EVENTS = [index for index, line in enumerate(HISTORY) if isinstance(line, EventLine)]
MIDDLE = EVENTS[len(EVENTS) // 2]
OBSERVER = next(line.observer for line in HISTORY if isinstance(line, EventLine))


def restart() -> list[HistoryLine]:
    at = HISTORY[MIDDLE].at_ns
    return [ProcessLine(at, OBSERVER, 0, "killed"), ProcessLine(at, OBSERVER, 0, "started")]


def test_an_observer_that_goes_on_where_it_was_is_not_asked_for_the_beginning() -> None:
    assert check([*HISTORY[:MIDDLE], *restart(), *HISTORY[MIDDLE:]]) == []


def test_an_observer_that_goes_on_may_miss_nothing() -> None:
    found = check([*HISTORY[:MIDDLE], *restart(), *HISTORY[MIDDLE + 1 :]])
    assert 7 in {int(each.invariant) for each in found}


def test_an_observer_that_begins_anew_is_told_everything_again() -> None:
    again = [HISTORY[index] for index in EVENTS if index < MIDDLE]
    assert check([*HISTORY[:MIDDLE], *restart(), *again, *HISTORY[MIDDLE:]]) == []
