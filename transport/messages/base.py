"""What every message is made of: one frozen class a message, one map on the wire.

A message class is a `msgspec.Struct`. Its class name is the wire's `type`, its fields are the
wire's keys. Python code may leave fields with defaults out; on the wire every field is present
(`transport.codec` refuses a map that lacks one).
"""

from typing import Annotated

from msgspec import Meta, Struct

LARGEST_INTEGER = 2**63 - 1
"""The largest integer on the wire: it fits SQLite's and every other language's signed 64 bits."""

Label = Annotated[str, Meta(max_length=255)]
"""A window's name, unique per host for ever: `window-<epoch>-<number>` (`transport.labels`)."""

HostId = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+\Z")]
"""The name of a host or service: letters, digits, `.`, `_` and `-`, at most 64."""

Epoch = Annotated[str, Meta(min_length=32, max_length=32, pattern=r"^[0-9a-f]+\Z")]
"""One life of one process: 128 random bits, as 32 lower-case hexadecimal digits."""

LogId = Annotated[str, Meta(min_length=32, max_length=32)]
"""128 random bits made with a saga log, as 32 lower-case hexadecimal digits."""

PromoteId = Annotated[str, Meta(min_length=1, max_length=80)]
"""Names one promote; made by the host that promotes, unique for ever."""

SagaId = Annotated[int, Meta(ge=1, le=LARGEST_INTEGER)]
"""A saga's number in its log: positive, rising, never used again. 0 is invalid."""

Version = Annotated[int, Meta(ge=0, le=LARGEST_INTEGER)]
"""An event's number in its log, from 1. 0 only in Python, for an event not yet numbered."""

Sequence = Annotated[int, Meta(ge=0, le=LARGEST_INTEGER)]
"""A report's number in its host's epoch, from 1. 0 means none yet."""

Count = Annotated[int, Meta(ge=0, le=LARGEST_INTEGER)]
"""A number of things."""

Text = Annotated[str, Meta(max_length=1024)]
"""A reason, a result, a detail: for people, at most 1,024 characters."""

Name = Annotated[str, Meta(min_length=1, max_length=128)]
"""The name of a saga kind or of a message type."""


class Message(Struct, frozen=True, kw_only=True, tag=True, forbid_unknown_fields=True, gc=False):
    """Anything that travels between two processes."""


class CommandIdentity(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """Which step of which saga a command is: the key of the host's idempotency.

    On the wire an array of three: log id, saga id, step index (from 0).
    """

    log: LogId
    saga_id: SagaId
    step: Count


class Origin(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """Which report an event came of.

    On the wire an array of three: host id, host epoch, report sequence.
    """

    host: Annotated[str, Meta(min_length=1, max_length=64)]
    epoch: Annotated[str, Meta(min_length=32, max_length=32)]
    sequence: Sequence
