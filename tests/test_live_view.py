import io

import pytest
from rich.console import Console

from actors.command_line.live_view import (
    PlainView,
    SilentView,
    TerminalView,
    make_view,
    outcome_shown,
)
from actors.command_line.progress import ClosedBracket, Progress
from actors.command_line.promote_driver import PromoteDriver, RunPlan
from transport.labels import window_label
from transport.messages import (
    Event,
    HostRegistered,
    Origin,
    PoolDrained,
    PoolWindowAdded,
    PoolWindowPromoted,
    SagaCompleted,
    SagaFailed,
    SagaStarted,
)

MILLISECOND = 1_000_000
EPOCH = "a" * 32
ORIGIN = Origin("desk", EPOCH, 1)
RESPAWN = "pool_respawn_on_promote"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Scene:
    """A driver and a progress that observe the same events."""

    def __init__(self) -> None:
        self.plan = RunPlan(("desk", "absent"), promotes=10, concurrency=2)
        self.driver = PromoteDriver(self.plan)
        self.progress = Progress()

    def observe(self, at_ms: int, *events: Event) -> list[ClosedBracket]:
        self.driver.observed(events)
        return self.progress.observed(events, at_ms * MILLISECOND)

    def promote(self) -> list[ClosedBracket]:
        label = window_label(EPOCH, 3)
        self.observe(
            0,
            HostRegistered(pool_target=2, version=1, origin=ORIGIN),
            PoolWindowAdded(label=window_label(EPOCH, 1), version=2, origin=ORIGIN),
            PoolWindowPromoted(
                label=window_label(EPOCH, 2), promote_id="p", version=3, origin=ORIGIN
            ),
            SagaStarted(name=RESPAWN, cause=3, saga_id=7, version=4),
        )
        return self.observe(
            200,
            PoolWindowAdded(label=label, saga_id=7, version=5, origin=ORIGIN),
            SagaCompleted(result=label, saga_id=7, version=6),
        )


def test_a_closed_bracket_tells_its_host_its_outcome_and_how_long_it_took() -> None:
    (closed,) = Scene().promote()
    assert (closed.name, closed.host, closed.took_ms) == (RESPAWN, "desk", 200.0)
    assert outcome_shown(closed) == "window 3"
    assert not closed.failed


def test_a_failed_bracket_tells_its_reason_and_is_counted() -> None:
    scene = Scene()
    scene.observe(0, SagaStarted(name=RESPAWN, cause=3, saga_id=7, version=4))
    (closed,) = scene.observe(5, SagaFailed(reason="saga timeout", saga_id=7, version=5))
    assert outcome_shown(closed) == "saga timeout"
    assert scene.progress.failed_count == 1
    assert scene.progress.latencies_ms == {}


def test_a_saga_without_a_cause_gets_its_host_from_its_own_events() -> None:
    scene = Scene()
    scene.observe(0, SagaStarted(name="pool_refill", saga_id=1, version=1))
    assert scene.progress.in_flight("desk") == 0
    scene.observe(1, PoolWindowAdded(label="w", saga_id=1, version=2, origin=ORIGIN))
    assert scene.progress.in_flight("desk") == 1


def test_a_terminal_without_a_start_closes_nothing() -> None:
    assert Scene().observe(0, SagaCompleted(result="x", saga_id=9, version=1)) == []


def test_percentiles_are_those_of_the_promotes_sagas_by_nearest_rank() -> None:
    scene = Scene()
    for number in range(1, 101):
        scene.observe(0, SagaStarted(name=RESPAWN, cause=1, saga_id=number, version=1))
        scene.observe(number, SagaCompleted(result="x", saga_id=number, version=2))
    scene.observe(0, SagaStarted(name="window_cleanup_cascade", saga_id=101, version=3))
    scene.observe(9999, SagaCompleted(result="drained", saga_id=101, version=4))
    assert scene.progress.latencies_ms == {"p50": 50.0, "p90": 90.0, "p99": 99.0}


def test_the_terminal_shows_hosts_sagas_brackets_and_latency() -> None:
    scene, screen = Scene(), io.StringIO()
    console = Console(file=screen, width=100, height=40, force_terminal=True, color_system=None)
    view = TerminalView(console, scene.driver, scene.progress, scene.plan)
    with view:
        closed = scene.promote()
        scene.observe(300, SagaStarted(name="window_cleanup_cascade", saga_id=8, version=7))
        view.show(closed, 400 * MILLISECOND)
    shown = screen.getvalue()
    for part in (
        "filling the pools",
        "0/10 promotes",
        "p50 200 ms",
        "2/2",
        "not registered",
        "sagas in flight: 1",
        "100 ms",
        "brackets closed: 1",
        "window 3",
    ):
        assert part in shown


def test_the_terminal_is_drawn_at_most_ten_times_a_second() -> None:
    scene, screen = Scene(), io.StringIO()
    console = Console(file=screen, width=100, height=40, force_terminal=True, color_system=None)
    with TerminalView(console, scene.driver, scene.progress, scene.plan) as view:
        view.show([], 1000 * MILLISECOND)
        drawn = len(screen.getvalue())
        for millisecond in range(1001, 1100):
            view.show([], millisecond * MILLISECOND)
        assert len(screen.getvalue()) == drawn
        view.show([], 1100 * MILLISECOND)
        assert len(screen.getvalue()) > drawn


def test_a_drained_pool_is_shown_as_one() -> None:
    scene, screen = Scene(), io.StringIO()
    console = Console(file=screen, width=100, height=40, force_terminal=True, color_system=None)
    with TerminalView(console, scene.driver, scene.progress, scene.plan) as view:
        scene.promote()
        scene.observe(300, PoolDrained(label="x", version=7, origin=ORIGIN))
        view.show([], 400 * MILLISECOND)
    assert "drained" in screen.getvalue()


def test_elsewhere_a_line_tells_each_stage_and_each_bracket() -> None:
    scene, stream = Scene(), io.StringIO()
    view = PlainView(stream, scene.driver, scene.progress)
    view.show(scene.promote(), 0)
    view.show([], 1)
    assert stream.getvalue().splitlines() == [
        "pool_respawn_on_promote 7 done: desk window 3 in 200 ms; 0 in flight; pools: desk 2/2",
        "filling the pools; pools: desk 2/2",
    ]


@pytest.mark.parametrize(
    ("stream", "terminal", "plain", "kind"),
    [
        (Terminal(), "xterm", True, TerminalView),
        (Terminal(), "xterm", False, TerminalView),
        (Terminal(), "dumb", True, PlainView),
        (io.StringIO(), "xterm", True, PlainView),
        (io.StringIO(), "xterm", False, SilentView),
    ],
)
def test_the_view_suits_the_stream(
    monkeypatch: pytest.MonkeyPatch,
    *,
    stream: io.StringIO,
    terminal: str,
    plain: bool,
    kind: type[object],
) -> None:
    monkeypatch.setenv("TERM", terminal)
    scene = Scene()
    view = make_view(stream, scene.driver, scene.progress, scene.plan, plain=plain)
    assert type(view) is kind
