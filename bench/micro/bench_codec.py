"""Encoding and decoding of each frame of a promote, as its sender and its receiver do it.

What comes as a map is a frame that is not as this process would make it, which goes the long way.
"""

from typing import Any

import pytest

from bench.micro.measure import Measure
from bench.micro.played_promotes import HOST_EPOCH, LOG_ID, PlayedPromotes
from transport.codec import (
    Codec,
    as_map,
    decode,
    encode,
    encode_blob,
    encode_commands,
    encode_reports,
    unpack,
)
from transport.message_types import DOWN, OPERATOR, STREAM, UP
from transport.messages import (
    Acknowledge,
    CommandIdentity,
    Commands,
    Events,
    Message,
    OpaqueEvent,
    Report,
    ReportPoolWindowAdded,
    Reports,
    SpawnPoolWindow,
)

CODEC = Codec()
UP_FAMILY = CODEC.family((*UP, *OPERATOR))
DOWN_FAMILY, STREAM_FAMILY = CODEC.family(DOWN), CODEC.family(STREAM)
IDENTITY = CommandIdentity(LOG_ID, 1234, 0)
ACKNOWLEDGE = Acknowledge(taken=12345, low_water=1234)
SPAWN = SpawnPoolWindow(identity=IDENTITY)


def _trigger_reports() -> tuple[Report, ...]:
    return PlayedPromotes(1).promote_reports()


def _settling_report() -> tuple[Report, ...]:
    label = f"window-{HOST_EPOCH}-1234"
    return (ReportPoolWindowAdded(label=label, identity=IDENTITY),)


def _decode_reports(frame: bytes) -> None:
    message = decode(frame, UP_FAMILY)
    assert isinstance(message, Reports)  # noqa: S101 - the frame is one
    CODEC.decode_reports(message.reports)


def _encode_commands() -> bytes:
    return encode_commands([encode(SPAWN)])


def _decode_commands(frame: bytes) -> None:
    message = decode(frame, DOWN_FAMILY)
    assert isinstance(message, Commands)  # noqa: S101 - the frame is one
    CODEC.decode_command(message.commands[0])


def _decode_blob(frame: bytes) -> None:
    message = decode(frame, STREAM_FAMILY)
    assert isinstance(message, Events)  # noqa: S101 - the frame is one
    CODEC.decode_events(message.first, message.events)


def trigger_blob() -> bytes:
    """Give the blob of a promote's first pass: removed, promoted, opened, saga started."""
    promotes = PlayedPromotes(1)
    promotes.make_pass(promotes.triggers(1))
    (blob,) = promotes.published
    return blob


def _events_of(blob: bytes) -> list[Message]:
    raw: Any = unpack(blob)
    events = CODEC.decode_events(raw["first"], raw["events"])
    return [event for event in events if not isinstance(event, OpaqueEvent)]


@pytest.mark.parametrize("reports", [_trigger_reports, _settling_report], ids=["three", "one"])
def bench_encode_reports(measure: Measure, reports: Any) -> None:
    """A host's `Reports`: the three of a promote, or the one that settles a command."""
    made = reports()
    measure(lambda: encode_reports(12345, made))


@pytest.mark.parametrize("reports", [_trigger_reports, _settling_report], ids=["three", "one"])
def bench_decode_reports(measure: Measure, reports: Any) -> None:
    """The same, taken by the launcher."""
    frame = encode_reports(12345, reports())
    measure(lambda: _decode_reports(frame))


def bench_encode_commands(measure: Measure) -> None:
    """A command into its frame, and the frame into a `Commands`."""
    measure(_encode_commands)


def bench_decode_commands(measure: Measure) -> None:
    """The same, taken by the host."""
    frame = _encode_commands()
    measure(lambda: _decode_commands(frame))


def bench_encode_acknowledge(measure: Measure) -> None:
    """The launcher's `Acknowledge`."""
    measure(lambda: encode(ACKNOWLEDGE))


def bench_decode_acknowledge(measure: Measure) -> None:
    """The same, taken by the host."""
    frame = encode(ACKNOWLEDGE)
    measure(lambda: decode(frame, DOWN_FAMILY))


def bench_encode_event(measure: Measure) -> None:
    """One event."""
    event = _events_of(trigger_blob())[0]
    measure(lambda: encode(event))


def bench_decode_event(measure: Measure) -> None:
    """One event, out of its map."""
    event = as_map(_events_of(trigger_blob())[0])
    measure(lambda: CODEC.decode_event(event))


def bench_encode_blob(measure: Measure) -> None:
    """The four events of a promote's first pass into a blob."""
    events = _events_of(trigger_blob())
    measure(lambda: encode_blob(LOG_ID, 12345, events))


def bench_decode_blob(measure: Measure) -> None:
    """The same, taken by an observer."""
    blob = trigger_blob()
    measure(lambda: _decode_blob(blob))
