"""MessagePack in and out, with strict validation at the boundary.

A frame is one message: a map whose `type` names the class, with every field of that class and no
other. Nothing is coerced: a field of another type, an integer outside its range or an over-long
string is a `FrameError` that says which. `msgspec` checks the types; two things it leaves open are
checked here: that no field is left out (it would take the default), and the size.
"""

import reprlib
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from typing import Any, TypeVar

import msgpack
import msgspec

from transport.family import Family, is_plain
from transport.frame_fault import FrameError, FrameFault
from transport.message_types import CORE, MessageTypes
from transport.messages import Command, Event, Events, Message, OpaqueEvent, Recorded, Report
from transport.messages.events import EventHead

MESSAGE_LIMIT = 1024 * 1024
"""The largest frame that is taken, in bytes; a larger one is read, refused and counted."""

_encode = msgspec.msgpack.Encoder().encode

_BLOB = (Events,)

MessageT = TypeVar("MessageT", bound=Message)

Contents = Sequence[Message] | Sequence[bytes]
"""What an envelope holds: messages, or their frames."""


def family(types: Iterable[type[Message]]) -> Family:
    """Give the message types that one socket takes, envelopes with their elements as maps."""
    return Family.of(types)


@lru_cache
def _family(types: tuple[type[Message], ...], known: MessageTypes) -> Family:
    elements = {"commands": known.commands, "reports": known.reports, "events": known.events}
    return Family.of(types, elements)


def encode(message: Message) -> bytes:
    """Give the frame of a message."""
    if is_plain(type(message)):
        return _encode(message)
    return encode_map(as_map(message))


def encode_map(raw: dict[str, Any]) -> bytes:
    """Give the frame of a message that is a map already."""
    packed: bytes = msgpack.packb(raw)
    return packed


def as_map(message: Message) -> dict[str, Any]:
    """Give the map of a message, to be an element of another message."""
    raw: dict[str, Any] = msgspec.to_builtins(message, builtin_types=(bytes,))
    return raw


def encode_blob(log: str, first: int, events: Contents) -> bytes:
    """Give the frame of an `Events` message."""
    return _encode({"type": "Events", "log": log, "first": first, "events": _packable(events)})


def encode_commands(commands: Contents) -> bytes:
    """Give the frame of a `Commands` message."""
    return _encode({"type": "Commands", "commands": _packable(commands)})


def encode_reports(sequence: int, reports: Contents) -> bytes:
    """Give the frame of a `Reports` message."""
    return _encode({"type": "Reports", "sequence": sequence, "reports": _packable(reports)})


def _packable(elements: Contents) -> Sequence[Any]:
    """Give what packs as the elements' own frames do: each as it is where that is so for all."""
    if all(map(_packs_as_it_is, dict.fromkeys(map(type, elements)))):
        return elements
    return [msgspec.Raw(each if isinstance(each, bytes) else encode(each)) for each in elements]


@cache
def _packs_as_it_is(kind: type[Message | bytes]) -> bool:
    return kind is not bytes and is_plain(kind)


def unpack(frame: bytes) -> Any:
    """Give the value in a frame.

    Raises:
        FrameError: too large, too deep, or not exactly one MessagePack value.
    """
    if len(frame) > MESSAGE_LIMIT:
        detail = f"{len(frame)} bytes; the limit is {MESSAGE_LIMIT}"
        raise FrameError(FrameFault.TOO_LARGE, detail)
    try:
        return msgpack.unpackb(frame)
    except msgpack.exceptions.StackError as error:
        detail = "nested more deeply than any message"
        raise FrameError(FrameFault.TOO_DEEP, detail) from error
    except (ValueError, TypeError, OverflowError, msgpack.exceptions.UnpackException) as error:
        detail = f"not one MessagePack value: {error or type(error).__name__}"
        raise FrameError(FrameFault.NOT_MESSAGEPACK, detail) from error


def decode(frame: bytes, known: Family) -> Message:
    """Give the message in a frame, if it is one of the `known` ones and whole.

    Raises:
        FrameError: what is wrong with it.
    """
    message = read_at_once(frame, known)
    return convert(unpack(frame), known) if message is None else message


def read_at_once(frame: bytes, known: Family) -> Message | None:
    """Give the message in a frame that is just as this process would make it; else None.

    Such a frame is read in C, for that gives the very message that all checks would: its type is
    plain, and the message, encoded again, is the frame to the byte. Whatever else it is (another
    order of keys, a field left out, a fault) goes the long way, which says what is wrong.
    """
    decoder = known.decoder
    if decoder is None or len(frame) > MESSAGE_LIMIT:
        return None
    try:
        message: Message = decoder.decode(frame)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return message if _encode(message) == frame else None


def convert(raw: Any, known: Family) -> Message:
    """Give the message that a map is, if it is one of the `known` ones and whole.

    Raises:
        FrameError: what is wrong with it.
    """
    if type(raw) is not dict:
        detail = f"expected a map, got {type(raw).__name__}"
        raise FrameError(FrameFault.NOT_A_MAP, detail)
    name = raw.get("type")
    if type(name) is not str or name not in known.by_name:
        if name is None and "type" not in raw:
            raise FrameError(FrameFault.MISSING_FIELD, "no field `type`")
        detail = f"unknown type {_short(name)}; expected one of {', '.join(known.by_name)}"
        raise FrameError(FrameFault.UNKNOWN_TYPE, detail)
    kind, keys = known.by_name[name]
    try:
        message = msgspec.convert(raw, kind, builtin_types=(bytes,))
    except (msgspec.ValidationError, UnicodeError) as error:
        raise _classified(str(error), name) from error
    if len(raw) != keys:
        absent = next(field for field in kind.__struct_fields__ if field not in raw)
        raise FrameError(FrameFault.MISSING_FIELD, f"{name}: no field `{absent}`")
    return message


_FAULT_BY_WORDING = (
    ("Object missing required field", FrameFault.MISSING_FIELD),
    ("Object contains unknown field", FrameFault.UNKNOWN_FIELD),
    ("Expected `array` of at least length", FrameFault.MISSING_FIELD),
    ("Expected `array` of at most length", FrameFault.TOO_LONG),
    ("Expected `array` of length <=", FrameFault.TOO_LONG),
    ("Expected `array` of length >=", FrameFault.OUT_OF_RANGE),
    ("Expected `str` of length <=", FrameFault.TOO_LONG),
    ("Expected `str` of length >=", FrameFault.OUT_OF_RANGE),
    ("Expected `str` matching", FrameFault.OUT_OF_RANGE),
    ("Expected `int` >", FrameFault.OUT_OF_RANGE),
    ("Expected `int` <", FrameFault.OUT_OF_RANGE),
    ("Integer value out of range", FrameFault.OUT_OF_RANGE),
    ("Invalid enum value", FrameFault.OUT_OF_RANGE),
)


def _classified(wording: str, name: str) -> FrameError:
    for beginning, fault in _FAULT_BY_WORDING:
        if wording.startswith(beginning):
            return FrameError(fault, f"{name}: {wording}")
    return FrameError(FrameFault.WRONG_TYPE, f"{name}: {wording}")


def _short(value: object) -> str:
    return reprlib.repr(value)


class Codec:
    """Decodes what carries a process's own message types: commands, reports, events.

    Args:
        types: every type that this process knows.
    """

    def __init__(self, types: MessageTypes = CORE) -> None:
        self.types = types
        self._commands = family(types.commands)
        self._reports = family(types.reports)
        self._events = family(types.events)

    def family(self, types: Iterable[type[Message]]) -> Family:
        """Give the message types that one socket takes.

        Envelopes come with their elements as messages where all of them are well-formed and known,
        else as maps; `decode_reports`, `decode_command` and `decode_events` take both.
        """
        return _family(tuple(types), self.types)

    def decode_reports(self, raw: Sequence[Any]) -> list[Report]:
        """Give the reports of a `Reports` message.

        Raises:
            FrameError: the first one that cannot be taken, and why.
        """
        if _are_messages(raw):
            return list(raw)
        return [self._one(each, self._reports, Report) for each in raw]

    def decode_command(self, raw: Any) -> Command:
        """Give one command of a `Commands` message.

        Raises:
            FrameError: what is wrong with it.
        """
        return self._one(raw, self._commands, Command)

    def decode_blob(self, frame: bytes) -> list[Recorded]:
        """Give the events of a blob's frame; see `decode_events`.

        Raises:
            FrameError: it is no blob, or one of its events is malformed.
        """
        blob = decode(frame, self.family(_BLOB))
        assert isinstance(blob, Events)  # noqa: S101 - the family has no other
        return self.decode_events(blob.first, blob.events)

    def decode_events(self, first: int, raw: Sequence[Any]) -> list[Recorded]:
        """Give the events of a blob; one of an unknown type comes as an `OpaqueEvent`.

        Raises:
            FrameError: an event is malformed, or its version does not follow the one before.
        """
        events = list(raw) if _are_messages(raw) else list(map(self.decode_event, raw))
        for version, event in enumerate(events, first):
            if event.version != version:
                detail = f"version {event.version} where {version} was due"
                raise FrameError(FrameFault.OUT_OF_RANGE, detail)
        return events

    def decode_event(self, raw: Any) -> Recorded:
        """Give one event; one of an unknown type comes as an `OpaqueEvent`.

        Raises:
            FrameError: what is wrong with it.
        """
        if isinstance(raw, Event):
            return raw
        name = raw.get("type") if type(raw) is dict else None
        if type(name) is str and name not in self._events.by_name:
            return _opaque(raw)
        return self._one(raw, self._events, Event)

    @staticmethod
    def _one(raw: Any, known: Family, kind: type[MessageT]) -> MessageT:
        message = raw if isinstance(raw, kind) else convert(raw, known)
        assert isinstance(message, kind)  # noqa: S101 - the family was made of this kind
        return message


def _are_messages(elements: Sequence[Any]) -> bool:
    """Say whether an envelope came with its elements read: with all of them, or with none."""
    return len(elements) > 0 and isinstance(elements[0], Message)


def _opaque(raw: dict[str, Any]) -> OpaqueEvent:
    name = raw["type"]
    try:
        head = msgspec.convert(raw, EventHead)
    except msgspec.ValidationError as error:
        raise _classified(str(error), name) from error
    return OpaqueEvent(
        version=head.version,
        saga_id=head.saga_id,
        origin=head.origin,
        type_name=name,
        fields=raw,
    )
