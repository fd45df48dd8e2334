"""The nine invariants, judged over a history.

`check(lines)` gives what is wrong; `judge(lines)` also says what the history could not prove. Both
are pure: the same lines give the same report. A history holds one log only.

It is told nothing of a saga's logic but what `Rules` says: which saga an event starts, which saga
is done when there is a window, and what a saga is given before it is completed. Sagas of other
names are judged by what holds for every saga.
"""

from transport.checker.judge import check, judge
from transport.checker.report import Invariant, Report, Unjudged, Violation
from transport.checker.rules import Ending, Rules, Trigger

__all__ = [
    "Ending",
    "Invariant",
    "Report",
    "Rules",
    "Trigger",
    "Unjudged",
    "Violation",
    "check",
    "judge",
]
