import pytest

from transport.codec import MESSAGE_LIMIT, Codec, as_map, decode, encode, encode_map, family
from transport.frame_fault import FrameError, FrameFault
from transport.host_session import WINDOWS_IN_PART, HostSession, LowWater, Stock
from transport.host_session_events import (
    Accepted,
    CommandReceived,
    CommandUnreadable,
    FencedBy,
    RefusedBy,
)
from transport.labels import window_label
from transport.message_types import UP
from transport.messages import (
    Acknowledge,
    CommandIdentity,
    Commands,
    Fenced,
    Goodbye,
    InventoryWindow,
    LauncherStopping,
    Message,
    NotRegistered,
    Ping,
    Refused,
    Register,
    RegisterAgain,
    Registered,
    ReportActionFailed,
    Reports,
    SpawnPoolWindow,
)

SECOND = 1_000_000_000
EPOCH = "e" * 32
LOG = "1" * 32
OTHER_LOG = "2" * 32
IDENTITY = CommandIdentity(LOG, 7, 0)


def a_session(**settings: object) -> HostSession:
    return HostSession(
        host="h1",
        epoch=EPOCH,
        pool_target=2,
        codec=Codec(),
        **settings,  # type: ignore[arg-type]
    )


def registered(taken: int = 0, log: str = LOG, low_water: int = 1) -> Registered:
    return Registered(log=log, epoch="f" * 32, taken=taken, low_water=low_water, heartbeat_ms=1000)


def tell(session: HostSession, *messages: Message, now: int = 0) -> list[object]:
    return list(session.receive([encode(each) for each in messages], now))


def said(session: HostSession) -> list[Message]:
    known = family(UP)
    return [decode(frame, known) for frame in session.outgoing()]


def connected_session(**settings: object) -> HostSession:
    session = a_session(**settings)
    session.connect(0)
    session.outgoing()
    tell(session, registered())
    return session


def report(session: HostSession, reason: str = "because", count: int = 1) -> int:
    return session.report([ReportActionFailed(reason=reason)] * count).first


def is_lost(session: HostSession) -> bool:
    return session.needs_connection


def is_full(session: HostSession) -> bool:
    return session.full


def has_left(session: HostSession) -> bool:
    return session.left


def numbers(messages: list[Message]) -> list[int]:
    return [each.sequence for each in messages if isinstance(each, Reports)]


def test_register_is_the_first_frame_and_the_only_one_until_it_is_answered() -> None:
    session = a_session()
    report(session)
    assert said(session) == []
    session.connect(0)
    first = said(session)
    assert [type(each) for each in first] == [Register]
    report(session)
    assert said(session) == []
    assert tell(session, registered()) == [Accepted(LOG, 0)]
    assert numbers(said(session)) == [1, 2]


def test_an_unanswered_register_is_repeated_every_heartbeat() -> None:
    session = a_session()
    session.connect(0)
    session.outgoing()
    session.tick(SECOND - 1)
    assert said(session) == []
    session.tick(SECOND)
    assert [type(each) for each in said(session)] == [Register]


def test_register_says_what_is_held_and_as_of_which_report_the_inventory_is() -> None:
    session = a_session(stock=lambda: Stock([InventoryWindow("w", "pool", None)], drained=True))
    report(session, count=3)
    report(session)
    session.connect(0)
    (register,) = said(session)
    assert isinstance(register, Register)
    assert (register.first_held, register.as_of, register.drained) == (1, 4, True)
    assert register.inventory == (InventoryWindow("w", "pool", None),)
    tell(session, registered(taken=4))
    session.register_again()
    (again,) = said(session)
    assert isinstance(again, Register)
    assert (again.first_held, again.as_of) == (5, 4)


def test_a_long_inventory_comes_in_parts_well_below_the_message_limit() -> None:
    identity = CommandIdentity(LOG, 2**62, 0)
    windows = [
        InventoryWindow(window_label(EPOCH, number + 1), "open", identity)
        for number in range(2 * WINDOWS_IN_PART + 1)
    ]
    session = a_session(stock=lambda: Stock(windows))
    session.connect(0)
    frames = session.outgoing()
    assert max(len(frame) for frame in frames) < MESSAGE_LIMIT / 2
    parts = [decode(frame, family(UP)) for frame in frames]
    registers = [each for each in parts if isinstance(each, Register)]
    assert [(each.part, each.parts) for each in registers] == [(1, 3), (2, 3), (3, 3)]
    assert [window for each in registers for window in each.inventory] == windows


def test_what_is_acknowledged_is_dropped_and_never_sent_again() -> None:
    session = connected_session()
    for _ in range(3):
        report(session)
    assert numbers(said(session)) == [1, 2, 3]
    tell(session, Acknowledge(taken=2, low_water=5))
    assert session.held == 1
    assert session.low_water == LowWater(LOG, 5)
    session.connect(0)
    session.outgoing()
    tell(session, registered(taken=2))
    assert numbers(said(session)) == [3]


def test_a_gap_makes_it_send_again_from_there_once() -> None:
    session = connected_session()
    for _ in range(3):
        report(session)
    session.outgoing()
    gap = Acknowledge(taken=1, low_water=1, resend=True)
    tell(session, gap, gap, now=1)
    assert numbers(said(session)) == [2, 3]
    tell(session, gap, now=2)
    assert numbers(said(session)) == []
    tell(session, gap, now=SECOND)
    assert numbers(said(session)) == [2, 3]


def test_not_registered_is_acted_on_once_until_the_register_is_answered() -> None:
    session = connected_session()
    tell(session, NotRegistered(), NotRegistered())
    assert [type(each) for each in said(session)] == [Register]
    tell(session, NotRegistered())
    assert said(session) == []
    tell(session, registered())
    tell(session, NotRegistered())
    assert [type(each) for each in said(session)] == [Register]


def test_a_new_log_takes_the_held_reports_as_covered_and_numbers_go_on() -> None:
    session = connected_session()
    report(session)
    report(session)
    session.outgoing()
    session.connect(0)
    session.outgoing()
    assert tell(session, registered(taken=2, log=OTHER_LOG)) == [Accepted(OTHER_LOG, 2)]
    assert session.held == 0
    assert session.low_water == LowWater(OTHER_LOG, 1)
    assert report(session) == 3


def test_numbers_follow_a_launcher_that_is_ahead_and_never_shrink() -> None:
    session = a_session()
    session.connect(0)
    session.outgoing()
    tell(session, registered(taken=9))
    assert report(session) == 10
    tell(session, registered(taken=3))
    assert report(session) == 11


def test_what_the_socket_did_not_take_is_sent_later_in_the_same_order() -> None:
    session = a_session()
    session.connect(0)
    session.outgoing()
    session.not_sent()
    assert [type(each) for each in said(session)] == [Register]
    tell(session, registered())
    done = session.report([ReportActionFailed(reason="done")])
    session.outgoing()
    session.repeat(done)
    report(session)
    report(session)
    session.tick(SECOND)
    before = said(session)
    session.not_sent()
    report(session)
    after = said(session)
    assert numbers(before) == [1, 2, 3]
    assert numbers(after) == [1, 2, 3, 4]
    assert before[-1] == Ping(last=3)
    assert after[-1] == Ping(last=4)


def test_a_repeated_frame_is_identical_even_after_it_was_acknowledged() -> None:
    session = connected_session()
    frame = session.report([ReportActionFailed(identity=IDENTITY, reason="no")])
    assert session.outgoing() == [frame.frame]
    tell(session, Acknowledge(taken=1, low_water=1))
    session.repeat(frame)
    session.repeat(frame)
    assert session.outgoing() == [frame.frame]


def test_a_frame_that_was_not_sent_yet_is_not_sent_twice() -> None:
    session = connected_session()
    frame = session.report([ReportActionFailed(identity=IDENTITY, reason="no")])
    session.repeat(frame)
    assert session.outgoing() == [frame.frame]


def test_a_silent_launcher_is_lost_after_three_heartbeats() -> None:
    session = connected_session()
    session.tick(SECOND)
    assert said(session) == [Ping(last=0)]
    assert session.next_due() == 2 * SECOND
    session.tick(2 * SECOND)
    assert not is_lost(session)
    session.tick(3 * SECOND)
    assert is_lost(session)
    assert session.next_due() is None
    report(session)
    assert said(session) == []
    session.connect(4 * SECOND)
    assert [type(each) for each in said(session)] == [Register]


def test_any_frame_of_the_launcher_shows_that_it_lives() -> None:
    session = connected_session()
    tell(session, Acknowledge(taken=0, low_water=1), now=2 * SECOND)
    session.tick(4 * SECOND)
    assert not is_lost(session)


def test_the_launcher_names_the_heartbeat_interval() -> None:
    session = a_session()
    session.connect(0)
    session.outgoing()
    fast = Registered(log=LOG, epoch="f" * 32, taken=0, low_water=1, heartbeat_ms=100)
    tell(session, fast)
    assert session.next_due() == SECOND // 10


def test_commands_are_handed_over_typed() -> None:
    session = connected_session()
    command = SpawnPoolWindow(identity=IDENTITY)
    assert tell(session, Commands(commands=[as_map(command)])) == [CommandReceived(command)]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ({"type": "Dance", "identity": [LOG, 7, 0]}, "unknown command Dance"),
        ({"type": "ReapPanes", "identity": [LOG, 7, 0]}, "ReapPanes: Object missing required"),
    ],
)
def test_an_unusable_command_with_an_identity_can_be_answered(
    raw: dict[str, object], reason: str
) -> None:
    session = connected_session()
    (event,) = tell(session, Commands(commands=[raw]))
    assert isinstance(event, CommandUnreadable)
    assert event.identity == IDENTITY
    assert event.reason.startswith(reason)


@pytest.mark.parametrize(
    "raw",
    [
        7,
        {"type": "SpawnPoolWindow", "identity": None},
        {"type": "Dance", "identity": [LOG, 0, 0]},
        {"type": "Dance", "identity": "x"},
    ],
)
def test_a_command_without_an_identity_is_only_counted(raw: object) -> None:
    session = connected_session()
    assert tell(session, Commands(commands=[raw])) == []
    assert session.faults.total() == 1


def test_malformed_frames_are_counted_and_the_next_ones_taken() -> None:
    session = connected_session()
    frames = [
        b"\xc1",
        encode_map({"type": "Nonsense"}),
        encode_map({"type": "Acknowledge", "taken": -1, "low_water": 1, "resend": False}),
        encode(LauncherStopping()),
    ]
    assert session.receive(frames, 0) == []
    assert session.launcher_stopping
    assert session.faults == {
        FrameFault.NOT_MESSAGEPACK: 1,
        FrameFault.UNKNOWN_TYPE: 1,
        FrameFault.OUT_OF_RANGE: 1,
    }


def test_another_protocol_is_not_taken_for_a_registration() -> None:
    session = a_session()
    session.connect(0)
    other = Registered(protocol=2, log=LOG, epoch="f" * 32, taken=0, low_water=1, heartbeat_ms=1000)
    assert tell(session, other) == []
    assert not session.registered
    assert session.faults[FrameFault.WRONG_PROTOCOL] == 1


def test_a_refusal_is_handed_over() -> None:
    session = connected_session()
    refused = Refused(fault="contradiction", detail="no such window", sequence=3)
    assert tell(session, refused) == [RefusedBy("contradiction", "no such window", 3)]


def test_being_fenced_is_final() -> None:
    session = connected_session()
    report(session)
    assert tell(session, Fenced(by="d" * 32), registered()) == [FencedBy("d" * 32)]
    session.connect(SECOND)
    session.tick(10 * SECOND)
    assert session.outgoing() == []
    assert not is_lost(session)


def test_goodbye_comes_after_every_report() -> None:
    session = connected_session()
    report(session)
    session.leave()
    assert not has_left(session)
    messages = said(session)
    assert [type(each) for each in messages] == [Reports, Goodbye]
    assert has_left(session)
    session.not_sent()
    assert not has_left(session)
    assert [type(each) for each in said(session)] == [Reports, Goodbye]
    assert said(session) == []


def test_one_that_was_never_registered_leaves_without_a_word() -> None:
    session = a_session()
    session.connect(0)
    session.leave()
    assert has_left(session)
    assert session.outgoing() == []


def test_it_says_when_too_much_is_held_and_loses_nothing() -> None:
    session = a_session(held_limit=2)
    report(session)
    assert not is_full(session)
    report(session)
    assert is_full(session)
    report(session)
    session.connect(0)
    session.outgoing()
    tell(session, registered())
    assert numbers(said(session)) == [1, 2, 3]
    tell(session, Acknowledge(taken=2, low_water=1))
    assert not is_full(session)


def test_a_frame_larger_than_any_launcher_takes_uses_no_number() -> None:
    session = connected_session()
    too_many = [ReportActionFailed(reason="x" * 1024)] * 1100
    with pytest.raises(FrameError, match="too_large"):
        session.report(too_many)
    assert report(session) == 1


def test_a_host_that_waits_to_be_registered_by_a_stopping_launcher_leaves_without_a_word() -> None:
    session = connected_session()
    session.register_again()
    assert [type(each) for each in said(session)] == [Register]
    tell(session, LauncherStopping())
    session.leave()
    assert said(session) == []
    assert has_left(session)


def refused_for_its_key(session: HostSession) -> str | None:
    return session.not_allowed


def test_a_session_that_may_not_register_with_its_key_begins_again_on_a_new_connection() -> None:
    session = a_session()
    session.connect(0)
    session.outgoing()
    refusal = Refused(fault="not_allowed", detail="another's key")
    assert tell(session, refusal) == [RefusedBy("not_allowed", "another's key", None)]
    assert is_lost(session)
    assert refused_for_its_key(session) == "another's key"
    session.connect(0)
    assert [type(each) for each in said(session)] == [Register]
    tell(session, registered())
    assert refused_for_its_key(session) is None
    tell(session, refusal)
    assert not is_lost(session)


def test_asked_to_register_again_it_shows_that_it_lives_each_time_with_the_token_given() -> None:
    session = HostSession(host="host-1", epoch="e" * 32, codec=Codec())
    session.connect(0)
    said(session)
    tell(session, RegisterAgain(token=4))
    tell(session, RegisterAgain(token=7))
    [register] = said(session)
    assert isinstance(register, Register)
    assert register.confirms == 7
    tell(session, registered(), NotRegistered())
    [register] = said(session)
    assert isinstance(register, Register)
    assert register.confirms == 0
