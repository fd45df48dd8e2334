"""Messages, MessagePack values and spoiled frames, as Hypothesis strategies.

The messages' are made from the types themselves, so that a new message or field is fuzzed without
anybody thinking of it.
"""

import re
from collections.abc import Sequence
from typing import Any

import msgpack
from hypothesis import strategies as st
from msgspec import inspect

from transport.codec import as_map, encode
from transport.messages import Message

LARGEST = 2**63 - 1

scalars: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False),
    st.text(max_size=40),
)
"""Values that come back equal, but that are no containers."""

values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=5), st.dictionaries(st.text(max_size=12), inner, max_size=5)
    ),
    max_leaves=12,
)
"""Values that come back equal, after `encode` and `decode`."""

hostile_values: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        scalars,
        st.floats(),
        st.binary(max_size=40),
        st.builds(msgpack.ExtType, st.integers(0, 127), st.binary(max_size=20)),
        st.builds(msgpack.Timestamp, st.integers(-(2**40), 2**40), st.integers(0, 10**9 - 1)),
        st.sampled_from([0, -1, 1, 2**53, 2**62, 2**63 - 1, 2**63, 2**64 - 1, -(2**63)]),
        st.sampled_from(["", "\x00", "\u202e", "x" * 2_000, "\n\x1b[31m"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.dictionaries(st.one_of(st.text(max_size=12), st.binary(max_size=5)), inner, max_size=5),
    ),
    max_leaves=12,
)
"""Whatever MessagePack can say."""


def of_type(kind: type[Message]) -> st.SearchStrategy[Any]:
    """Give messages of a type, with every value that its fields may have."""
    return _strategy(inspect.type_info(kind))


def one_of_types(kinds: Sequence[type[Message]]) -> st.SearchStrategy[Any]:
    """Give messages of any of these types."""
    return st.sampled_from(kinds).flatmap(of_type)


def _strategy(info: inspect.Type) -> st.SearchStrategy[Any]:  # noqa: PLR0911 - one arm a type
    match info:
        case inspect.Metadata(type=inner):
            return _strategy(inner)
        case inspect.NoneType() | inspect.BoolType():
            return st.booleans() if isinstance(info, inspect.BoolType) else st.none()
        case inspect.IntType():
            return _integers(info)
        case inspect.StrType():
            return _texts(info)
        case inspect.LiteralType(values=allowed):
            return st.sampled_from(allowed)
        case inspect.UnionType(types=types):
            return st.one_of([_strategy(each) for each in types])
        case inspect.ListType() | inspect.VarTupleType():
            return _sequences(info)
        case inspect.DictType():
            return st.dictionaries(st.text(max_size=12), values, max_size=5)
        case inspect.StructType(cls=cls, fields=fields):
            return st.builds(cls, **{each.name: _strategy(each.type) for each in fields})
        case inspect.AnyType():
            return values
        case _:
            raise NotImplementedError(info)


def _sequences(info: inspect.ListType | inspect.VarTupleType) -> st.SearchStrategy[Any]:
    most = min(info.max_length or 5, 5)
    lists = st.lists(_strategy(info.item_type), min_size=info.min_length or 0, max_size=most)
    return lists.map(tuple) if isinstance(info, inspect.VarTupleType) else lists


def _integers(info: inspect.IntType) -> st.SearchStrategy[int]:
    least = -(2**63) if info.ge is None else int(info.ge)
    most = LARGEST if info.le is None else int(info.le)
    return st.one_of(st.integers(least, most), st.sampled_from([least, most]))


def _texts(info: inspect.StrType) -> st.SearchStrategy[str]:
    least, most = info.min_length or 0, info.max_length or 40
    most = max(least, min(most, 80))
    if info.pattern is None:
        return st.text(min_size=least, max_size=most)
    characters = [chr(code) for code in range(128) if re.search(info.pattern, chr(code))]
    return st.text(characters, min_size=least, max_size=most)


@st.composite
def spoiled_frames(draw: st.DrawFn, kinds: Sequence[type[Message]]) -> bytes:
    """Give a whole frame with one thing wrong, or changed."""
    message = draw(one_of_types(kinds))
    if draw(st.booleans()):
        return draw(spoiled_bytes(encode(message)))
    return draw(spoiled_maps(as_map(message)))


@st.composite
def spoiled_bytes(draw: st.DrawFn, whole: bytes) -> bytes:
    """Give bytes with a bit flipped, something cut off, or something put in."""
    at = draw(st.integers(0, len(whole) - 1))
    match draw(st.sampled_from(["flip", "cut", "insert"])):
        case "flip":
            flipped = whole[at] ^ (1 << draw(st.integers(0, 7)))
            return whole[:at] + bytes([flipped]) + whole[at + 1 :]
        case "cut":
            return whole[:at]
        case _:
            return whole[:at] + draw(st.binary(min_size=1, max_size=8)) + whole[at:]


@st.composite
def spoiled_maps(draw: st.DrawFn, raw: dict[Any, Any]) -> bytes:
    """Give a map with a value of another kind, a key too few, too many or twice."""
    key = draw(st.sampled_from(sorted(raw)))
    match draw(st.sampled_from(["value", "drop", "extra", "double"])):
        case "value":
            return packed({**raw, key: draw(hostile_values)})
        case "drop":
            return packed({each: value for each, value in raw.items() if each != key})
        case "extra":
            other = draw(st.one_of(st.text(max_size=3_000), st.binary(max_size=10)))
            return packed({**raw, other: draw(hostile_values)})
        case _:
            return doubled_key(raw, key, draw(hostile_values))


def packed(value: Any) -> bytes:
    """Give a value as MessagePack."""
    frame: bytes = msgpack.packb(value)
    return frame


def doubled_key(raw: dict[Any, Any], key: str, value: Any) -> bytes:
    """Give a map that has a key twice."""
    packer = msgpack.Packer(autoreset=False)
    packer.pack_map_header(len(raw) + 1)
    for each, held in (*raw.items(), (key, value)):
        packer.pack(each)
        packer.pack(held)
    frame: bytes = packer.bytes()
    return frame


@st.composite
def nested(draw: st.DrawFn) -> bytes:
    """Give a value that is nested deeply, whole or not."""
    depth = draw(st.integers(1, 5_000))
    opening = draw(st.sampled_from([b"\x91", b"\x81\xa1a", b"\xdc\x00\x01", b"\xdf\0\0\0\1\xa1b"]))
    return opening * depth + draw(st.sampled_from([b"", b"\xc0", b"\xc1"]))


claims = st.builds(
    lambda head, size, rest: head + size.to_bytes(4, "big") + rest,
    st.sampled_from([b"\xdd", b"\xdf", b"\xdb", b"\xc6", b"\xc9"]),
    st.integers(0, 2**32 - 1),
    st.binary(max_size=20),
)
"""Arrays, maps, strings, bytes and extensions that say they are long."""

hostile_frames: st.SearchStrategy[bytes] = st.one_of(
    st.binary(max_size=200), hostile_values.map(packed), nested(), claims
)
"""Anything but a message."""
