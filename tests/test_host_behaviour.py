import random
from collections.abc import Callable
from typing import Any

import pytest

from host_sim.extension import HostExtension
from host_sim.host import Host, HostOutcome
from host_sim.settings import HostSettings
from host_sim.spawn_time import parse_spawn_time
from transport.codec import Codec, as_map, decode, encode, encode_map, family
from transport.labels import window_label
from transport.message_types import CORE, UP, USER_ANSWERS, MessageTypes
from transport.messages import (
    Acknowledge,
    ActionDone,
    ActionRefused,
    CloseWindow,
    Command,
    CommandIdentity,
    Commands,
    DemoteWindow,
    DrainPoolIfLast,
    Fenced,
    Goodbye,
    HostState,
    InjectFault,
    InspectHost,
    LauncherStopping,
    Message,
    Ping,
    PromoteWindow,
    ReapPanes,
    Refused,
    Register,
    Registered,
    Report,
    ReportActionFailed,
    ReportPanesReaped,
    ReportPoolDrained,
    ReportPoolNotLast,
    ReportPoolWindowAdded,
    ReportPoolWindowPromoted,
    ReportPoolWindowRemoved,
    Reports,
    ReportWindowClosed,
    ReportWindowOpened,
    SpawnPoolWindow,
)

MS = 1_000_000
SECOND = 1000 * MS
EPOCH = "e" * 32
LOG = "1" * 32
USER = b"user"


class Polish(Command, frozen=True, kw_only=True):
    outcomes = ("ReportPolished",)
    label: str


class ReportPolished(Report, frozen=True, kw_only=True):
    label: str


def polish(command: Command) -> list[Report]:
    assert isinstance(command, Polish)
    return [ReportPolished(label=command.label)]


class Stage:
    """A host; its launcher and its user are lines of a script, and so is time."""

    def __init__(self, spawn_time: str = "0", **settings: Any) -> None:
        self.now = 0
        self.history: list[dict[str, Any]] = []
        self.frames: list[bytes] = []
        self.codec = Codec(
            CORE.extended(MessageTypes(commands=(Polish,), reports=(ReportPolished,)))
        )
        self.host = Host(
            HostSettings("h1", spawn_time=parse_spawn_time(spawn_time), **settings),
            epoch=EPOCH,
            generator=random.Random(7),
            codec=self.codec,
            record=self.history.append,
            extension=HostExtension({Polish: polish}),
        )

    def connect(self) -> "Stage":
        self.host.connected(self.now)
        self.tell(Registered(log=LOG, epoch="f" * 32, taken=0, low_water=1, heartbeat_ms=3_600_000))
        return self

    def tell(self, *messages: Message) -> list[Report]:
        """Send messages to the host; give what it reports on them."""
        self.host.receive_link([encode(each) for each in messages], self.now)
        return self.go()

    def order(self, *commands: Command) -> list[Report]:
        return self.tell(Commands(commands=[as_map(each) for each in commands]))

    def go(self, time: int = 0) -> list[Report]:
        """Let time pass; give what the host reports."""
        self.now += time
        self.host.advance(self.now)
        reports: list[Report] = []
        self.frames = []
        while frames := self.host.link_outgoing():
            for frame in frames:
                message = decode(frame, family(UP))
                if isinstance(message, Reports):
                    self.frames.append(frame)
                    reports.extend(self.codec.decode_reports(message.reports))
        return reports

    def ask(self, message: Message) -> Message:
        """Ask something on the control socket; give the answer, which must come at once."""
        self.host.receive_control(USER, encode(message), self.now)
        self.host.advance(self.now)
        return self.answer()

    def answer(self) -> Message:
        ((connection, frame),) = self.host.control_outgoing()
        assert connection == USER
        return decode(frame, family(USER_ANSWERS))

    def fill(self, count: int = 2, first_saga: int = 1) -> None:
        self.order(*(spawn(saga_id) for saga_id in range(first_saga, first_saga + count)))

    def open(self) -> str:
        """Promote a pool window, and give its label."""
        done = self.ask(PromoteWindow(number=1))
        assert isinstance(done, ActionDone)
        self.go()
        return done.label

    def kinds(self) -> list[str]:
        return [each["did"] for each in self.history if each["did"] != "report"]


def identity(saga_id: int, step: int = 0) -> CommandIdentity:
    return CommandIdentity(LOG, saga_id, step)


def spawn(saga_id: int) -> SpawnPoolWindow:
    return SpawnPoolWindow(identity=identity(saga_id))


def label(number: int) -> str:
    return window_label(EPOCH, number)


def failure(saga_id: int, reason: str) -> ReportActionFailed:
    return ReportActionFailed(identity=identity(saga_id), reason=reason)


def outcome(stage: Stage) -> HostOutcome | None:
    return stage.host.outcome


# --- SpawnPoolWindow ----------------------------------------------------------------------------


def test_a_spawned_window_is_reported_with_the_identity_of_its_command_when_it_is_ready() -> None:
    stage = Stage("200ms").connect()
    assert stage.order(spawn(1)) == []
    assert stage.host.next_due() == 200 * MS
    assert stage.go(200 * MS - 1) == []
    assert stage.go(1) == [ReportPoolWindowAdded(identity=identity(1), label=label(1))]
    assert stage.kinds() == ["registered", "command", "ready"]


def test_a_window_that_takes_no_time_is_ready_in_the_same_advance() -> None:
    stage = Stage().connect()
    assert stage.order(spawn(1)) == [ReportPoolWindowAdded(identity=identity(1), label=label(1))]


def test_creations_run_in_parallel_and_one_that_hangs_blocks_no_other() -> None:
    stage = Stage("100ms", faults={"creation_never_ready": 1}).connect()
    assert stage.order(spawn(1), spawn(2), spawn(3)) == []
    ready = stage.go(100 * MS)
    assert [each.identity for each in ready] == [identity(2), identity(3)]
    assert stage.go(3 * SECOND) == [failure(1, "creation never ready: timed out after 3 s")]


def test_a_creation_that_would_take_too_long_is_given_up_in_time() -> None:
    stage = Stage("5s", creation_timeout=500 * MS).connect()
    stage.order(spawn(1))
    assert stage.go(500 * MS) == [failure(1, "creation never ready: timed out after 0.5 s")]


def test_a_pool_takes_two_more_than_its_target_ready_and_creating_together() -> None:
    stage = Stage("100ms").connect()
    stage.fill(2)
    stage.go(100 * MS)
    assert stage.order(spawn(3), spawn(4), spawn(5)) == [failure(5, "pool full")]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("creation_failed", "creation failed"),
        ("memory_pressure", "memory pressure"),
        ("quitting", "quitting"),
        ("pane_closing", "pane closing"),
    ],
)
def test_every_refusal_is_reported_with_its_reason_and_the_next_spawn_succeeds(
    fault: str, reason: str
) -> None:
    stage = Stage(faults={fault: 1}).connect()
    assert stage.order(spawn(1)) == [failure(1, reason)]
    (added,) = stage.order(spawn(2))
    assert added == ReportPoolWindowAdded(identity=identity(2), label=label(1))


def test_a_host_that_gives_no_answer_still_pings_and_executes_the_redelivery() -> None:
    stage = Stage(faults={"no_answer": 1}).connect()
    assert stage.order(spawn(1)) == []
    stage.host.advance(3600 * SECOND)
    assert [decode(each, family(UP)) for each in stage.host.link_outgoing()] == [Ping(last=0)]
    assert len(stage.order(spawn(1))) == 1


# --- idempotency --------------------------------------------------------------------------------


def test_a_repeated_command_gets_the_identical_frame_and_no_second_window() -> None:
    stage = Stage().connect()
    stage.order(spawn(1))
    first = stage.frames
    stage.tell(Acknowledge(taken=1, low_water=1))
    stage.order(spawn(1), spawn(1))
    assert stage.frames == first
    assert stage.host.state()["pool"] == [label(1)]
    repeated = [each["repeated"] for each in stage.history if each["did"] == "command"]
    assert repeated == [False, True, True]


def test_a_command_repeated_while_in_progress_is_answered_once_when_it_is_done() -> None:
    stage = Stage("100ms").connect()
    assert stage.order(spawn(1), spawn(1)) == []
    assert len(stage.go(100 * MS)) == 1


def test_a_redelivery_on_a_new_connection_is_answered_as_before() -> None:
    stage = Stage().connect()
    stage.order(spawn(1))
    first = stage.frames
    stage.host.connected(stage.now)
    stage.tell(Registered(log=LOG, epoch="f" * 32, taken=1, low_water=1, heartbeat_ms=60_000))
    stage.order(spawn(1))
    assert stage.frames == first


def test_a_command_below_the_low_water_mark_is_ignored() -> None:
    stage = Stage().connect()
    old = Commands(commands=[as_map(spawn(4))])
    assert stage.tell(old, Acknowledge(taken=0, low_water=5)) == []
    assert stage.host.state()["counters"]["commands_below_mark"] == 1


def test_an_unknown_command_with_an_identity_fails_and_one_without_is_counted() -> None:
    stage = Stage().connect()
    unknown = {"type": "Dance", "identity": [LOG, 1, 0]}
    message = Commands(commands=[unknown, unknown, {"type": "Dance"}])
    assert stage.tell(message) == [failure(1, "unknown command Dance")]
    assert stage.host.state()["counters"]["link_faults"] == {"unknown_type": 3}


def test_an_extensions_command_is_carried_out_by_its_handler() -> None:
    stage = Stage().connect()
    (report,) = stage.order(Polish(identity=identity(1), label="w"))
    assert report == ReportPolished(identity=identity(1), label="w")


# --- promote ------------------------------------------------------------------------------------


def test_a_promote_is_three_reports_of_one_promote_id_in_one_frame() -> None:
    stage = Stage().connect()
    stage.fill()
    stage.now = 5
    done = stage.ask(PromoteWindow(number=3))
    promote_id = f"promote-{EPOCH}-1"
    assert done == ActionDone(number=3, label=label(1), promote_id=promote_id, cold=False, at_ns=5)
    assert stage.go() == [
        ReportPoolWindowRemoved(label=label(1), reason="promoted", promote_id=promote_id),
        ReportPoolWindowPromoted(label=label(1), promote_id=promote_id),
        ReportWindowOpened(label=label(1), promote_id=promote_id),
    ]
    assert len(stage.frames) == 1
    assert stage.host.state()["pool"] == [label(2)]
    promote = stage.history[-4]
    assert (promote["did"], promote["label"], promote["promote_id"], promote["at_ns"]) == (
        "promoted",
        label(1),
        promote_id,
        5,
    )


def test_a_promote_on_an_empty_pool_opens_cold_after_the_spawn_time() -> None:
    stage = Stage("200ms").connect()
    stage.host.receive_control(USER, encode(PromoteWindow(number=1)), 0)
    assert stage.go() == []
    assert stage.host.control_outgoing() == []
    (opened,) = stage.go(200 * MS)
    assert opened == ReportWindowOpened(label=label(1), promote_id=f"promote-{EPOCH}-1", cold=True)
    done = stage.answer()
    assert isinstance(done, ActionDone)
    assert (done.cold, done.at_ns) == (True, 200 * MS)


@pytest.mark.parametrize(
    ("fault", "time", "reason"),
    [
        ("creation_failed", 200 * MS, "creation failed"),
        ("creation_never_ready", 3 * SECOND, "creation never ready: timed out after 3 s"),
    ],
)
def test_a_cold_window_that_fails_is_a_refused_action(fault: str, time: int, reason: str) -> None:
    stage = Stage("200ms", faults={fault: 1}).connect()
    stage.host.receive_control(USER, encode(PromoteWindow(number=1)), 0)
    stage.go()
    assert stage.go(time) == []
    assert stage.answer() == ActionRefused(number=1, reason=reason)


def test_only_so_many_windows_open_cold_at_once() -> None:
    stage = Stage("200ms", opening_limit=1).connect()
    stage.host.receive_control(USER, encode(PromoteWindow(number=1)), 0)
    answer = stage.ask(PromoteWindow(number=2))
    assert answer == ActionRefused(number=2, reason="1 windows are opening already")


# --- close, reap, drain -------------------------------------------------------------------------


def test_a_closed_window_is_closing_until_its_panes_are_reaped() -> None:
    stage = Stage(pane_reap_time=50 * MS).connect()
    stage.fill()
    opened = stage.open()
    assert isinstance(stage.ask(CloseWindow(number=2, label=opened)), ActionDone)
    assert stage.go() == [ReportWindowClosed(label=opened)]
    reap = ReapPanes(identity=identity(3), label=opened)
    assert stage.order(reap) == []
    assert stage.order(spawn(4)) == [failure(4, "pane closing")]
    assert stage.go(50 * MS) == [ReportPanesReaped(identity=identity(3), label=opened)]
    assert stage.host.state()["closing"] == []
    again = ReapPanes(identity=identity(5), label=opened)
    assert stage.order(again) == [ReportPanesReaped(identity=identity(5), label=opened)]


def test_reaping_a_window_that_is_not_closing_fails_and_says_where_it_is() -> None:
    stage = Stage().connect()
    stage.fill()
    opened = stage.open()
    for saga_id, target, where in (
        (3, opened, "open"),
        (4, label(2), "in the pool"),
        (5, "x", "un"),
    ):
        (failed,) = stage.order(ReapPanes(identity=identity(saga_id), label=target))
        assert isinstance(failed, ReportActionFailed)
        assert f"{target!r}: it is {where}" in failed.reason


def test_a_pool_is_not_drained_while_other_windows_are_open() -> None:
    stage = Stage().connect()
    stage.fill()
    stage.open()
    drain = DrainPoolIfLast(identity=identity(3, 1), label="w")
    assert stage.order(drain) == [ReportPoolNotLast(identity=identity(3, 1), label="w")]
    assert stage.host.state()["pool"] == [label(2)]


def test_draining_empties_the_pool_in_one_frame_and_fails_creations_under_way() -> None:
    stage = Stage("100ms").connect()
    stage.fill()
    stage.go(100 * MS)
    stage.order(spawn(3))
    assert stage.order(DrainPoolIfLast(identity=identity(4, 1), label="w")) == [
        ReportPoolWindowRemoved(label=label(1), reason="drained"),
        ReportPoolWindowRemoved(label=label(2), reason="drained"),
        ReportPoolDrained(identity=identity(4, 1), label="w"),
        failure(3, "pool draining"),
    ]
    assert len(stage.frames) == 2
    assert stage.host.state()["target"] == 0
    assert stage.go(SECOND) == []
    stage.host.receive_control(USER, encode(PromoteWindow(number=1)), stage.now)
    stage.go()
    stage.go(100 * MS)
    assert stage.host.state()["target"] == 2


def test_a_large_pool_is_drained_in_frames_that_a_launcher_takes() -> None:
    stage = Stage(pool_target=600).connect()
    stage.fill(600)
    reports = stage.order(DrainPoolIfLast(identity=identity(700), label="w"))
    assert len(reports) == 601
    assert len(stage.frames) == 3


def test_a_drained_host_says_so_when_it_registers() -> None:
    stage = Stage().connect()
    stage.order(DrainPoolIfLast(identity=identity(1), label="w"))
    stage.host.connected(0)
    (frame,) = stage.host.link_outgoing()
    register = decode(frame, family(UP))
    assert isinstance(register, Register)
    assert register.drained


# --- demote -------------------------------------------------------------------------------------


def test_a_demoted_window_is_an_organic_add_and_is_promoted_again_under_a_new_id() -> None:
    stage = Stage().connect()
    stage.fill(1)
    opened = stage.open()
    stage.ask(DemoteWindow(number=2, label=opened))
    assert stage.go() == [ReportPoolWindowAdded(label=opened)]
    done = stage.ask(PromoteWindow(number=3))
    assert isinstance(done, ActionDone)
    assert (done.label, done.promote_id) == (opened, f"promote-{EPOCH}-2")


def test_a_window_demoted_to_a_full_pool_is_closed_instead() -> None:
    stage = Stage().connect()
    stage.fill(2)
    opened = stage.open()
    stage.fill(3, first_saga=3)
    stage.ask(DemoteWindow(number=2, label=opened))
    assert stage.go() == [ReportWindowClosed(label=opened)]
    assert stage.host.state()["closing"] == [opened]


# --- refusals -----------------------------------------------------------------------------------


def test_user_actions_are_refused_until_a_launcher_accepts_the_host() -> None:
    stage = Stage()
    answer = stage.ask(PromoteWindow(number=1))
    assert answer == ActionRefused(number=1, reason="not registered with a launcher yet")


def test_user_actions_are_refused_between_launcher_stopping_and_the_next_registered() -> None:
    stage = Stage().connect()
    stage.fill()
    stage.tell(LauncherStopping())
    answer = stage.ask(PromoteWindow(number=1))
    assert answer == ActionRefused(number=1, reason="the launcher is stopping")
    stage.connect()
    assert isinstance(stage.ask(PromoteWindow(number=2)), ActionDone)


def test_user_actions_are_refused_while_too_many_reports_wait() -> None:
    stage = Stage(held_limit=2).connect()
    stage.fill()
    answer = stage.ask(PromoteWindow(number=1))
    assert answer == ActionRefused(number=1, reason="2 reports wait for the launcher")
    stage.tell(Acknowledge(taken=2, low_water=1))
    assert isinstance(stage.ask(PromoteWindow(number=2)), ActionDone)


@pytest.mark.parametrize("action", [CloseWindow, DemoteWindow])
def test_an_action_on_a_window_that_is_not_open_says_where_it_is(
    action: Callable[..., Message],
) -> None:
    stage = Stage().connect()
    stage.fill()
    for target, where in ((label(1), "in the pool"), ("nonsense", "unknown")):
        answer = stage.ask(action(number=1, label=target))
        assert isinstance(answer, ActionRefused)
        assert f"{target!r}: it is {where}" in answer.reason


@pytest.mark.parametrize("frame", [b"\xc1", b"", encode_map({"type": "PromoteWindow"})])
def test_a_malformed_action_is_answered_to_its_sender_and_counted(frame: bytes) -> None:
    stage = Stage().connect()
    stage.host.receive_control(USER, frame, 0)
    assert isinstance(stage.answer(), Refused)
    assert sum(stage.host.state()["counters"]["control_faults"].values()) == 1


def test_malformed_frames_of_the_launcher_do_no_harm() -> None:
    stage = Stage().connect()
    generator = random.Random(3)
    for _ in range(500):
        stage.host.receive_link([generator.randbytes(generator.randint(0, 60))], 0)
        stage.host.receive_stream(generator.randbytes(generator.randint(0, 60)), 0)
    stage.go()
    assert len(stage.connect().order(spawn(1))) == 1


# --- faults -------------------------------------------------------------------------------------


def test_a_ready_window_that_dies_is_reported() -> None:
    stage = Stage().connect()
    done = stage.ask(InjectFault(number=1, fault="ready_window_dies"))
    assert isinstance(done, ActionDone)
    assert stage.order(spawn(1)) == [
        ReportPoolWindowAdded(identity=identity(1), label=label(1)),
        ReportPoolWindowRemoved(label=label(1), reason="died"),
    ]
    assert "died" in stage.kinds()


def test_an_open_window_that_crashes_is_reported_as_a_crash() -> None:
    stage = Stage().connect()
    stage.fill()
    opened = stage.open()
    stage.ask(InjectFault(number=1, fault="open_window_crashes"))
    assert stage.go() == [ReportWindowClosed(label=opened, crash_detected=True)]


def test_an_unknown_fault_is_refused() -> None:
    answer = Stage().connect().ask(InjectFault(number=1, fault="sulking"))
    assert isinstance(answer, ActionRefused)
    assert "no fault 'sulking'" in answer.reason


# --- the end ------------------------------------------------------------------------------------


def test_a_stopping_host_settles_what_is_under_way_and_says_goodbye_last() -> None:
    stage = Stage("100ms").connect()
    stage.order(spawn(1))
    stage.host.receive_control(USER, encode(PromoteWindow(number=9)), 0)
    stage.go()
    stage.host.stop(stage.now)
    assert stage.answer() == ActionRefused(number=9, reason="quitting")
    frames = stage.host.link_outgoing()
    messages = [decode(each, family(UP)) for each in frames]
    assert [type(each) for each in messages] == [Reports, Goodbye]
    assert outcome(stage) is HostOutcome.LEFT
    stage.host.link_not_sent()
    assert outcome(stage) is None
    assert stage.ask(PromoteWindow(number=1)) == ActionRefused(number=1, reason="quitting")
    assert stage.host.link_outgoing() == frames


def test_a_fenced_host_is_over() -> None:
    stage = Stage().connect()
    stage.tell(Fenced(by="d" * 32))
    assert stage.host.outcome is HostOutcome.FENCED
    assert stage.host.fenced_by == "d" * 32
    assert stage.order(spawn(1)) == []


def test_the_state_of_a_host_can_be_inspected() -> None:
    stage = Stage().connect()
    stage.fill(1)
    answer = stage.ask(InspectHost(number=4))
    assert isinstance(answer, HostState)
    state = answer.state
    assert (state["host"], state["epoch"], state["pool"]) == ("h1", EPOCH, [label(1)])
    assert (state["target"], state["registered"], state["last_report"]) == (2, True, 1)


def test_a_new_log_has_the_closing_windows_reaped_by_the_host_itself() -> None:
    stage = Stage().connect()
    stage.fill()
    opened = stage.open()
    stage.ask(CloseWindow(number=1, label=opened))
    stage.host.connected(0)
    stage.tell(Registered(log="2" * 32, epoch="f" * 32, taken=6, low_water=1, heartbeat_ms=60_000))
    assert stage.host.state()["closing"] == []


def test_one_seed_gives_one_history() -> None:
    def history() -> list[dict[str, Any]]:
        stage = Stage("normal:200ms,30ms").connect()
        stage.order(spawn(1), spawn(2))
        while (due := stage.host.next_due()) is not None and due < SECOND:
            stage.go(due - stage.now)
        return stage.history

    assert history() == history()
