"""Fuzz: what is encoded comes back, and whatever else is decoded is a `FrameError`."""

import tracemalloc
from collections.abc import Callable
from typing import Any

import msgpack
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import inspect
from msgspec.structs import replace

from tests.fuzz_messages import (
    doubled_key,
    hostile_frames,
    hostile_values,
    of_type,
    one_of_types,
    packed,
    spoiled_frames,
)
from tests.fuzz_profiles import fuzzed
from transport.codec import (
    Codec,
    as_map,
    convert,
    decode,
    encode,
    encode_blob,
    encode_commands,
    encode_reports,
    family,
    read_at_once,
    unpack,
)
from transport.frame_fault import FrameError
from transport.message_types import (
    ANSWERS,
    CORE,
    DOWN,
    OPERATOR,
    OPERATOR_ANSWERS,
    QUESTIONS,
    STREAM,
    UP,
    USER_ACTIONS,
    USER_ANSWERS,
)
from transport.messages import Command, Commands, Event, Events, Message, Reports

ALL: tuple[type[Message], ...] = tuple(
    dict.fromkeys(
        (
            *(*UP, *DOWN, *OPERATOR, *OPERATOR_ANSWERS, *STREAM, *QUESTIONS, *ANSWERS),
            *(*USER_ACTIONS, *USER_ANSWERS, *CORE.commands, *CORE.reports, *CORE.events),
        )
    )
)
KNOWN = family(ALL)
WITH_ANY = {each for each in ALL if "AnyType" in repr(inspect.type_info(each))}
"""Messages that carry others' maps, or a tree of maps: what is in them may be equal to nothing."""

CODEC = Codec()
LOG = "f" * 32


class Picture(Event, frozen=True, kw_only=True):
    """An extension's event whose fields have bytes."""

    data: bytes
    tree: dict[str, Any]


def taken(take: Callable[[], Any]) -> Any:
    """Give what was taken; or None, after a refusal that can be shown to people."""
    try:
        return take()
    except FrameError as error:
        check_shown(error)
        return None


def check_shown(error: FrameError) -> None:
    assert str(error) == f"{error.fault}: {error.detail}"
    assert str(error).isprintable()
    assert 0 < len(error.detail) <= 1_024


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_a_message_comes_back_as_it_was(kind: type[Message]) -> None:
    @fuzzed(20)
    @given(message=of_type(kind))
    def comes_back(message: Message) -> None:
        frame = encode(message)
        assert decode(frame, KNOWN) == message
        assert encode(decode(frame, KNOWN)) == frame

    comes_back()


@fuzzed(150)
@given(frame=hostile_frames)
@example(packed({"type": "\n" * 500}))
@example(packed({"type": "Ping", "last": 1, "\x1b[31m" + "x" * 100_000: 1}))
def test_what_is_no_message_is_a_frame_error(frame: bytes) -> None:
    assert taken(lambda: decode(frame, KNOWN)) is None


@fuzzed(400)
@given(frame=spoiled_frames(ALL))
def test_a_spoiled_frame_is_a_message_or_a_frame_error(frame: bytes) -> None:
    message = taken(lambda: decode(frame, KNOWN))
    if message is not None and type(message) not in WITH_ANY:
        assert decode(encode(message), KNOWN) == message


FILLED = CODEC.family(ALL)
ELEMENTS: dict[str, tuple[type[Message], ...]] = {
    "Reports": CORE.reports,
    "Commands": CORE.commands,
    "Events": CORE.events,
}


@st.composite
def envelopes(draw: st.DrawFn) -> bytes:
    """Draw the frame of an envelope whose elements may be spoiled."""
    name = draw(st.sampled_from(sorted(ELEMENTS)))
    elements = one_of_types(ELEMENTS[name]).map(encode) | spoiled_frames(ELEMENTS[name])
    inner = draw(st.lists(elements, min_size=1, max_size=3))
    first = draw(st.integers(-1, 2**62))
    match name:
        case "Reports":
            return encode_reports(first, inner)
        case "Commands":
            return encode_commands(inner)
        case _:
            return encode_blob(LOG, first, inner)


@fuzzed(400)
@given(frame=spoiled_frames(ALL) | one_of_types(ALL).map(encode) | envelopes())
def test_what_is_read_at_once_is_what_the_checks_give(frame: bytes) -> None:
    at_once = read_at_once(frame, FILLED)
    if at_once is not None:
        checked = convert(unpack(frame), KNOWN)
        assert isinstance(at_once, type(checked))
        assert encode(at_once) == encode(checked) == frame
        match checked, at_once:
            case Reports(), Reports():
                assert CODEC.decode_reports(checked.reports) == at_once.reports
            case Commands(), Commands():
                assert list(map(CODEC.decode_command, checked.commands)) == at_once.commands
            case Events(), Events():
                assert list(map(CODEC.decode_event, checked.events)) == at_once.events
            case _:
                assert at_once == checked


@pytest.mark.parametrize("name", sorted(ELEMENTS))
def test_an_envelope_is_read_at_once_with_its_elements(name: str) -> None:
    @fuzzed(20)
    @given(elements=st.lists(one_of_types(ELEMENTS[name]), min_size=1, max_size=3))
    def is_read(elements: list[Message]) -> None:
        frames = [encode(each) for each in elements]
        match name:
            case "Reports":
                envelope: Any = read_at_once(encode_reports(1, frames), FILLED)
                assert envelope.reports == elements
            case "Commands":
                envelope = read_at_once(encode_commands(frames), FILLED)
                assert envelope.commands == elements
            case _:
                envelope = read_at_once(encode_blob(LOG, 1, frames), FILLED)
                assert envelope.events == elements

    is_read()


@fuzzed(150)
@given(message=one_of_types(ALL), value=hostile_values, data=st.data())
def test_of_a_key_that_comes_twice_the_last_counts(
    message: Message, value: Any, data: st.DataObject
) -> None:
    raw = as_map(message)
    key = data.draw(st.sampled_from(sorted(raw)))
    assert decode(doubled_key({**raw, key: value}, key, raw[key]), KNOWN) == message


@fuzzed(150)
@given(raw=st.lists(hostile_values, max_size=4), first=st.integers(1, 2**62))
def test_elements_that_are_no_messages_are_frame_errors(raw: list[Any], first: int) -> None:
    taken(lambda: CODEC.decode_events(first, raw))
    taken(lambda: CODEC.decode_reports(raw))
    for each in raw:
        taken(lambda each=each: CODEC.decode_command(each))  # type: ignore[misc]


@fuzzed(200)
@given(frame=spoiled_frames((*CORE.events, *CORE.commands, *CORE.reports)))
def test_a_spoiled_element_is_taken_or_a_frame_error(frame: bytes) -> None:
    raw = taken(lambda: unpack(frame))
    taken(lambda: CODEC.decode_event(raw))
    taken(lambda: CODEC.decode_command(raw))
    taken(lambda: CODEC.decode_reports([raw]))


@fuzzed(150)
@given(
    name=st.text(max_size=3_000).filter(lambda name: name not in KNOWN.by_name),
    version=hostile_values,
    saga_id=hostile_values,
    origin=hostile_values,
)
@example(name="\n" * 2_000, version="x", saga_id=None, origin=None)
def test_an_event_of_an_unknown_type_is_opaque_or_a_frame_error(
    name: str, version: Any, saga_id: Any, origin: Any
) -> None:
    raw = {"type": name, "version": version, "saga_id": saga_id, "origin": origin}
    event = taken(lambda: CODEC.decode_event(raw))
    if event is not None:
        assert (event.type_name, event.fields) == (name, raw)


@fuzzed(100)
@given(
    events=st.lists(one_of_types(CORE.events), min_size=1, max_size=6),
    first=st.integers(1, 2**62),
)
def test_a_blob_made_of_frames_gives_the_events(events: list[Event], first: int) -> None:
    numbered = [replace(each, version=first + at) for at, each in enumerate(events)]
    raw = unpack(encode_blob(LOG, first, [encode(each) for each in numbered]))
    assert (raw["type"], raw["log"], raw["first"]) == ("Events", LOG, first)
    assert CODEC.decode_events(first, raw["events"]) == numbered
    shifted = [replace(each, version=first + at + 1) for at, each in enumerate(events)]
    with pytest.raises(FrameError, match="was due"):
        CODEC.decode_events(first, [as_map(each) for each in shifted])


@fuzzed(50)
@given(commands=st.lists(one_of_types(CORE.commands), min_size=1, max_size=6))
def test_commands_made_of_frames_come_back(commands: list[Command]) -> None:
    raw = unpack(encode_commands([encode(each) for each in commands]))
    assert [CODEC.decode_command(each) for each in raw["commands"]] == commands


@fuzzed(50)
@given(head=st.sampled_from([b"\xdd", b"\xdf", b"\xdb", b"\xc6"]), rest=st.binary(max_size=20))
def test_a_length_that_only_a_claim_is_takes_no_memory(head: bytes, rest: bytes) -> None:
    frame = head + b"\xff\xff\xff\xff" + rest
    tracemalloc.start()
    try:
        assert taken(lambda: decode(frame, KNOWN)) is None
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


@fuzzed(50)
@given(data=st.binary(max_size=40))
def test_bytes_come_back_as_bytes(data: bytes) -> None:
    picture = Picture(data=data, tree={"inner": [data]})
    assert decode(encode(picture), family([Picture])) == picture
    assert convert(as_map(picture), family([Picture])) == picture


@fuzzed(50)
@given(value=hostile_values)
def test_any_value_in_place_of_a_message_is_a_frame_error(value: Any) -> None:
    assert taken(lambda: convert(msgpack.unpackb(packed(value)), KNOWN)) is None
