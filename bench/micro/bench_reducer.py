"""What the reducer takes for the reports of a promote."""

from actors.reducer import Contradiction, Reduced, Reducer, ReportFrame
from actors.state import State
from bench.micro.measure import Measure
from bench.micro.played_promotes import HOST, HOST_EPOCH, PlayedPromotes


def bench_reduce_promote(measure: Measure) -> None:
    """The three reports of a promote."""
    promotes = PlayedPromotes(1)
    reports = promotes.promote_reports()
    frame = ReportFrame(HOST, HOST_EPOCH, "host", 12345, reports)
    state, reducer = promotes.engine.state, Reducer()
    _make_sure(reducer, state, frame, events=3, settled=0)
    measure(lambda: reducer.update(state, frame))


def bench_reduce_added(measure: Measure) -> None:
    """The report that settles the saga's command."""
    promotes = PlayedPromotes(1)
    promotes.make_pass(promotes.triggers(1))
    (command,) = promotes.commands()
    reports = (promotes.added(command.identity),)
    frame = ReportFrame(HOST, HOST_EPOCH, "host", 12345, reports)
    state, reducer = promotes.engine.state, Reducer()
    _make_sure(reducer, state, frame, events=1, settled=1)
    measure(lambda: reducer.update(state, frame))


def _make_sure(
    reducer: Reducer, state: State, frame: ReportFrame, *, events: int, settled: int
) -> None:
    outcome: Reduced | Contradiction = reducer.update(state, frame)
    is_whole = isinstance(outcome, Reduced) and (
        (len(outcome.events), len(outcome.settled)) == (events, settled)
    )
    assert is_whole, outcome  # noqa: S101 - a refusal would be measured as a gain
