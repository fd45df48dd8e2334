"""The nine invariants, judged over a history.

`check(lines)` gives what is wrong; `judge(lines)` also says what the history could not prove. Both
are pure: the same lines give the same report. A history holds one log only.

It is told nothing of a saga's logic but what `Rules` says: which saga an event starts, and which
saga is done when there is a window. Sagas of other names are judged by what holds for every saga.
"""

from transport.checker.judge import check, judge
from transport.checker.report import Invariant, Report, Unjudged, Violation
from transport.checker.rules import Rules, Trigger

__all__ = ["Invariant", "Report", "Rules", "Trigger", "Unjudged", "Violation", "check", "judge"]
