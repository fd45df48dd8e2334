from typing import Any

import msgpack
import pytest

from transport.codec import (
    MESSAGE_LIMIT,
    Codec,
    as_map,
    convert,
    decode,
    encode,
    encode_blob,
    encode_commands,
    family,
)
from transport.frame_fault import FrameError, FrameFault
from transport.message_types import (
    ANSWERS,
    CORE,
    DOWN,
    QUESTIONS,
    STREAM,
    UP,
    USER_ACTIONS,
    USER_ANSWERS,
    MessageTypes,
)
from transport.messages import (
    CommandIdentity,
    Commands,
    Event,
    Events,
    InventoryWindow,
    OpaqueEvent,
    Origin,
    Ping,
    PoolWindowAdded,
    ReapPanes,
    Register,
    Report,
    ReportPoolWindowAdded,
    ReportPoolWindowRemoved,
    Reports,
    SagaStarted,
    SpawnPoolWindow,
)

EPOCH = "0123456789abcdef" * 2
IDENTITY = CommandIdentity("f" * 32, 7, 0)
REGISTER = Register(
    host="host-1",
    epoch=EPOCH,
    first_held=1,
    as_of=0,
    pool_target=2,
    inventory=(InventoryWindow("label", "pool", IDENTITY),),
)


def fault_of(frame: bytes, known: Any = UP) -> FrameFault:
    with pytest.raises(FrameError) as caught:
        decode(frame, family(known))
    assert caught.value.detail
    return caught.value.fault


def spoiled(**changes: Any) -> bytes:
    packed: bytes = msgpack.packb({**as_map(REGISTER), **changes})
    return packed


def test_a_message_comes_back_as_it_was() -> None:
    assert decode(encode(REGISTER), family(UP)) == REGISTER


def test_every_message_type_has_its_own_name_in_its_family() -> None:
    for types in (UP, DOWN, STREAM, QUESTIONS, ANSWERS, USER_ACTIONS, USER_ANSWERS):
        assert len(family(types).by_name) == len(types)


@pytest.mark.parametrize(
    ("frame", "fault"),
    [
        (b"", FrameFault.NOT_MESSAGEPACK),
        (b"\xc1", FrameFault.NOT_MESSAGEPACK),
        (b"\x81\xa4type", FrameFault.NOT_MESSAGEPACK),
        (b"\x81\xa4type\xa1\xff", FrameFault.NOT_MESSAGEPACK),
        (encode(REGISTER) + b"\x00", FrameFault.NOT_MESSAGEPACK),
        (msgpack.packb({1: 2}), FrameFault.NOT_MESSAGEPACK),
        (b"\xdd\xff\xff\xff\xff", FrameFault.NOT_MESSAGEPACK),
        (b"\x91" * 2000 + b"\xc0", FrameFault.TOO_DEEP),
        (b"\x00" * (MESSAGE_LIMIT + 1), FrameFault.TOO_LARGE),
        (msgpack.packb([1, 2]), FrameFault.NOT_A_MAP),
        (msgpack.packb(None), FrameFault.NOT_A_MAP),
        (msgpack.packb(msgpack.Timestamp(1)), FrameFault.NOT_A_MAP),
        (msgpack.packb({}), FrameFault.MISSING_FIELD),
        (msgpack.packb({"type": "Registration"}), FrameFault.UNKNOWN_TYPE),
        (msgpack.packb({"type": ["Register"]}), FrameFault.UNKNOWN_TYPE),
        (msgpack.packb({"type": None}), FrameFault.UNKNOWN_TYPE),
    ],
)
def test_what_is_no_known_message_is_refused_by_kind(frame: bytes, fault: FrameFault) -> None:
    assert fault_of(frame) == fault


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"surprise": 1}, FrameFault.UNKNOWN_FIELD),
        ({"host": 7}, FrameFault.WRONG_TYPE),
        ({"host": b"host-1"}, FrameFault.WRONG_TYPE),
        ({"host": ""}, FrameFault.OUT_OF_RANGE),
        ({"host": "a" * 65}, FrameFault.TOO_LONG),
        ({"host": "not a name"}, FrameFault.OUT_OF_RANGE),
        ({"epoch": EPOCH.upper()}, FrameFault.OUT_OF_RANGE),
        ({"host": "host-1\n"}, FrameFault.OUT_OF_RANGE),
        ({"epoch": EPOCH[1:] + "\n"}, FrameFault.OUT_OF_RANGE),
        ({"epoch": EPOCH[1:]}, FrameFault.OUT_OF_RANGE),
        ({"first_held": 0}, FrameFault.OUT_OF_RANGE),
        ({"first_held": -1}, FrameFault.OUT_OF_RANGE),
        ({"first_held": 2**63}, FrameFault.OUT_OF_RANGE),
        ({"first_held": True}, FrameFault.WRONG_TYPE),
        ({"first_held": 1.0}, FrameFault.WRONG_TYPE),
        ({"first_held": "1"}, FrameFault.WRONG_TYPE),
        ({"as_of": None}, FrameFault.WRONG_TYPE),
        ({"drained": 0}, FrameFault.WRONG_TYPE),
        ({"role": "observer"}, FrameFault.OUT_OF_RANGE),
        ({"inventory": [["label", "pool"]]}, FrameFault.MISSING_FIELD),
        ({"inventory": [["label", "pool", None, 4]]}, FrameFault.TOO_LONG),
        ({"inventory": [["label", "pool", ["f" * 32, 0, 0]]]}, FrameFault.OUT_OF_RANGE),
        ({"inventory": {"label": "pool"}}, FrameFault.WRONG_TYPE),
    ],
)
def test_one_spoiled_field_is_refused_by_kind(changes: dict[str, Any], fault: FrameFault) -> None:
    assert fault_of(spoiled(**changes)) == fault


@pytest.mark.parametrize("field", [name for name in as_map(REGISTER) if name != "type"])
def test_a_field_that_is_missing_is_refused_also_where_python_has_a_default(field: str) -> None:
    raw = as_map(REGISTER)
    del raw[field]
    assert fault_of(msgpack.packb(raw)) == FrameFault.MISSING_FIELD


def test_an_error_names_the_field_and_the_type() -> None:
    with pytest.raises(FrameError, match=r"Register: Expected `int` >= 1 - at `\$.first_held`"):
        decode(spoiled(first_held=0), family(UP))


def test_a_message_of_another_socket_is_unknown() -> None:
    assert fault_of(encode(Ping(last=0)), DOWN) == FrameFault.UNKNOWN_TYPE


def test_reports_can_be_read_where_one_of_them_cannot() -> None:
    good = as_map(ReportPoolWindowAdded(label="a", identity=IDENTITY))
    frame = encode(Reports(sequence=5, reports=[good, {**good, "label": 1}]))
    envelope = decode(frame, family(UP))
    assert isinstance(envelope, Reports)
    assert (envelope.sequence, len(envelope.reports)) == (5, 2)
    with pytest.raises(FrameError, match="ReportPoolWindowAdded"):
        Codec().decode_reports(envelope.reports)


def test_a_frame_of_no_reports_is_out_of_range() -> None:
    frame = encode(Reports(sequence=1, reports=[]))
    assert fault_of(frame) == FrameFault.OUT_OF_RANGE


def test_a_report_without_identity_key_is_refused_and_nil_is_organic() -> None:
    codec = Codec()
    raw = as_map(ReportPoolWindowAdded(label="a"))
    assert codec.decode_reports([raw]) == [ReportPoolWindowAdded(label="a")]
    del raw["identity"]
    with pytest.raises(FrameError) as caught:
        codec.decode_reports([raw])
    assert caught.value.fault == FrameFault.MISSING_FIELD


def test_a_saga_id_of_zero_is_refused() -> None:
    raw = as_map(ReportPoolWindowAdded(label="a", identity=IDENTITY))
    raw["identity"][1] = 0
    with pytest.raises(FrameError) as caught:
        Codec().decode_reports([raw])
    assert caught.value.fault == FrameFault.OUT_OF_RANGE


def test_commands_are_assembled_from_their_own_frames() -> None:
    commands = [
        SpawnPoolWindow(identity=IDENTITY),
        ReapPanes(label="closed", identity=CommandIdentity("f" * 32, 8, 0)),
    ]
    message = decode(encode_commands([encode(each) for each in commands]), family(DOWN))
    assert isinstance(message, Commands)
    assert [Codec().decode_command(each) for each in message.commands] == commands


def test_a_blob_is_assembled_from_its_events_own_frames() -> None:
    events = [
        PoolWindowAdded(label="a", version=4, origin=Origin("host-1", EPOCH, 9)),
        SagaStarted(name="pool_refill", saga_id=3, version=5),
    ]
    blob = decode(encode_blob("f" * 32, 4, [encode(each) for each in events]), family(STREAM))
    assert isinstance(blob, Events)
    assert Codec().decode_events(blob.first, blob.events) == events


def test_events_whose_versions_have_a_hole_are_refused() -> None:
    raw = [as_map(PoolWindowAdded(label="a", version=version)) for version in (4, 6)]
    with pytest.raises(FrameError, match="version 6 where 5 was due"):
        Codec().decode_events(4, raw)


def test_an_event_of_an_unknown_type_is_opaque_and_counts() -> None:
    raw = {"type": "Novelty", "version": 4, "saga_id": 2, "origin": None, "size": 3}
    [event] = Codec().decode_events(4, [raw])
    assert event == OpaqueEvent(version=4, saga_id=2, origin=None, type_name="Novelty", fields=raw)


@pytest.mark.parametrize(
    "changes", [{"version": 0}, {"version": "4"}, {"saga_id": 0}, {"origin": 1}]
)
def test_an_opaque_event_is_validated_where_it_is_known(changes: dict[str, Any]) -> None:
    raw = {"type": "Novelty", "version": 4, "saga_id": 2, "origin": None, **changes}
    with pytest.raises(FrameError):
        Codec().decode_events(4, [raw])


class Novelty(Event, frozen=True, kw_only=True):
    size: int


class ReportNovelty(Report, frozen=True, kw_only=True):
    size: int


def test_an_extensions_types_are_decoded_once_they_are_known() -> None:
    codec = Codec(CORE.extended(MessageTypes(events=(Novelty,), reports=(ReportNovelty,))))
    assert codec.decode_event(as_map(Novelty(version=1, size=3))) == Novelty(version=1, size=3)
    assert codec.decode_reports([as_map(ReportNovelty(size=3))]) == [ReportNovelty(size=3)]


def test_two_types_of_one_name_are_refused() -> None:
    clash = type("ReportPoolWindowRemoved", (ReportPoolWindowRemoved,), {}, frozen=True)
    with pytest.raises(ValueError, match="two message types are named 'ReportPoolWindowRemoved'"):
        CORE.extended(MessageTypes(reports=(clash,)))


def test_a_command_whose_outcome_nobody_knows_is_refused() -> None:
    lost = type("Lost", (SpawnPoolWindow,), {"outcomes": ("ReportLost",)}, frozen=True)
    with pytest.raises(ValueError, match=r"Lost\.outcomes names 'ReportLost'"):
        CORE.extended(MessageTypes(commands=(lost,)))


def test_what_is_told_of_a_bad_frame_is_short_and_printable_whatever_the_frame_says() -> None:
    name = "\x1b[2J\n" + "x" * MESSAGE_LIMIT
    with pytest.raises(FrameError) as caught:
        convert({"type": "Ping", "last": 1, name[:100_000]: 1}, family([Ping]))
    assert caught.value.detail.startswith(r"Ping: Object contains unknown field `\x1b[2J\nxxx")
    assert len(caught.value.detail) == 1_024
    assert str(caught.value) == f"unknown_field: {caught.value.detail}"


class Picture(Event, frozen=True, kw_only=True):
    """An extension's event that has bytes."""

    data: bytes


def test_bytes_in_an_extensions_message_travel_as_bytes() -> None:
    picture = Picture(data=b"\x89PNG")
    assert decode(encode(picture), family([Picture])) == picture
    assert as_map(picture)["data"] == b"\x89PNG"
