"""The message types that one socket takes, and those of them that have one form on the wire."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Union, get_args, get_type_hints

import msgspec
from msgspec import inspect

from transport.messages import Message

Elements = Mapping[str, tuple[type[Message], ...]]
"""By the name of an envelope's field, the messages that its elements are."""

_PLAIN = (
    inspect.BoolType,
    inspect.BytesType,
    inspect.FloatType,
    inspect.IntType,
    inspect.LiteralType,
    inspect.NoneType,
    inspect.StrType,
)


@cache
def is_plain(kind: type[Message]) -> bool:
    """Say whether MessagePack has one form for each of its values, whoever encodes it.

    Dates, sets and untyped values have several; a type within itself is not looked into.
    """
    return _is_plain(inspect.type_info(kind), ())


def _is_plain(kind: inspect.Type, outer: tuple[type, ...]) -> bool:
    match kind:
        case inspect.StructType(cls=cls, fields=fields):
            inner = (*outer, cls)
            return cls not in outer and all(_is_plain(field.type, inner) for field in fields)
        case inspect.UnionType(types=types) | inspect.TupleType(item_types=types):
            return all(_is_plain(each, outer) for each in types)
        case inspect.ListType(item_type=item) | inspect.VarTupleType(item_type=item):
            return _is_plain(item, outer)
        case _:
            return isinstance(kind, _PLAIN)


@dataclass(frozen=True, slots=True)
class Family:
    """The message types that one socket takes.

    Attributes:
        by_name: by wire name, each with the number of keys in its map.
        decoder: reads those that are plain in C; None if none is.
    """

    by_name: dict[str, tuple[type[Message], int]]
    decoder: "msgspec.msgpack.Decoder[Any] | None"

    @classmethod
    def of(cls, types: Iterable[type[Message]], elements: Elements | None = None) -> "Family":
        """Give a family. Envelopes with `elements` are read with their elements as messages."""
        types = tuple(types)
        read = (_with_elements(each, elements or {}) for each in types)
        plain = tuple(each for each in read if is_plain(each))
        return cls(
            by_name={each.__name__: (each, len(each.__struct_fields__) + 1) for each in types},
            decoder=msgspec.msgpack.Decoder(Union[plain]) if plain else None,  # noqa: UP007
        )


def _with_elements(envelope: type[Message], elements: Elements) -> type[Message]:
    """Give an envelope's type with its elements' types in it: a subclass under the same tag."""
    for field, types in elements.items():
        plain = tuple(each for each in types if is_plain(each))
        if field in envelope.__struct_fields__ and plain:
            _, *bounds = get_args(get_type_hints(envelope, include_extras=True)[field])
            items = list[Union[plain]]  # type: ignore[valid-type]  # noqa: UP007
            name = envelope.__name__
            fields = [(field, Annotated[(items, *bounds)])]
            filled: Any = msgspec.defstruct(
                name, fields, bases=(envelope,), tag=name, frozen=True, kw_only=True
            )
            return filled  # type: ignore[no-any-return]
    return envelope
