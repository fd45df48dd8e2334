"""The fast way to read a frame takes only what is the same to the byte, and of plain types."""

from datetime import UTC, datetime
from typing import Any, Union

import msgpack
import pytest

from transport.codec import Codec, as_map, decode, encode, encode_reports, family, read_at_once
from transport.family import is_plain
from transport.message_types import CORE, UP, MessageTypes
from transport.messages import Event, Message, Ping, Report, ReportPoolWindowAdded, Reports


class Dated(Event, frozen=True, kw_only=True):
    at: datetime


class Untyped(Report, frozen=True, kw_only=True):
    value: Any


class Nested(Event, frozen=True, kw_only=True):
    inner: Union["Nested", None] = None


@pytest.mark.parametrize("kind", [*CORE.events, *CORE.reports, *CORE.commands, Ping])
def test_all_that_a_promote_needs_is_plain(kind: type[Message]) -> None:
    assert is_plain(kind)


@pytest.mark.parametrize("kind", [Dated, Untyped, Nested])
def test_what_has_several_forms_is_not_plain(kind: type[Message]) -> None:
    assert not is_plain(kind)
    assert family([kind]).decoder is None


def test_a_date_travels_as_text() -> None:
    dated = Dated(at=datetime(2026, 1, 2, tzinfo=UTC))
    assert msgpack.unpackb(encode(dated))["at"] == "2026-01-02T00:00:00Z"
    assert decode(encode(dated), family([Dated])) == dated


def test_a_message_within_its_own_kind_travels() -> None:
    nested = Nested(inner=Nested())
    assert decode(encode(nested), family([Nested])) == nested


def test_a_frame_in_another_form_is_not_read_at_once_but_it_is_decoded() -> None:
    known = family(UP)
    assert read_at_once(encode(Ping(last=3)), known) == Ping(last=3)
    swapped = msgpack.packb({"last": 3, "type": "Ping"})
    longer = encode(Ping(last=3))[:-1] + b"\xcc\x03"
    for frame in (swapped, longer):
        assert read_at_once(frame, known) is None
        assert decode(frame, known) == Ping(last=3)


def test_a_field_that_is_left_out_is_not_read_at_once() -> None:
    raw = as_map(ReportPoolWindowAdded(label="a"))
    del raw["identity"]
    assert read_at_once(encode_reports(1, [msgpack.packb(raw)]), Codec().family(UP)) is None


def test_a_report_of_an_extension_that_is_not_plain_is_decoded_the_long_way() -> None:
    codec = Codec(CORE.extended(MessageTypes(reports=(Untyped,))))
    frame = encode_reports(1, [encode(Untyped(value={"a": [1]}))])
    assert read_at_once(frame, codec.family(UP)) is None
    envelope = decode(frame, codec.family(UP))
    assert isinstance(envelope, Reports)
    assert codec.decode_reports(envelope.reports) == [Untyped(value={"a": [1]})]
