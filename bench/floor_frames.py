"""The floor's frames: for each logical message of a promote one frame, as large as the real one.

A frame has a kind, the promote's number and a time, and is filled up with zeros, so that making
and reading it costs next to nothing.
"""

import struct
from enum import IntEnum, auto

from transport.codec import encode
from transport.messages import (
    ActionDone,
    CommandIdentity,
    Message,
    Origin,
    PoolWindowAdded,
    PoolWindowPromoted,
    PoolWindowRemoved,
    PromoteWindow,
    ReportPoolWindowAdded,
    ReportPoolWindowPromoted,
    ReportPoolWindowRemoved,
    ReportWindowOpened,
    SagaCompleted,
    SagaStarted,
    SpawnPoolWindow,
    WindowOpened,
)


class Kind(IntEnum):
    """What a frame stands for; the names are those of the real messages.

    `HELLO` (a host is connected and subscribed) and `BEACON` (its number: how many hosts said
    hello) are for the time before the first promote.
    """

    HELLO = auto()
    BEACON = auto()
    PROMOTE_WINDOW = auto()
    ACTION_DONE = auto()
    REPORT_POOL_WINDOW_REMOVED = auto()
    REPORT_POOL_WINDOW_PROMOTED = auto()
    REPORT_WINDOW_OPENED = auto()
    POOL_WINDOW_REMOVED = auto()
    POOL_WINDOW_PROMOTED = auto()
    WINDOW_OPENED = auto()
    SAGA_STARTED = auto()
    SPAWN_POOL_WINDOW = auto()
    REPORT_POOL_WINDOW_ADDED = auto()
    POOL_WINDOW_ADDED = auto()
    SAGA_COMPLETED = auto()


TRIGGER = (Kind.PROMOTE_WINDOW, Kind.ACTION_DONE)
"""Between driver and host, in both variants alike."""

PROMOTE_REPORTS = (
    Kind.REPORT_POOL_WINDOW_REMOVED,
    Kind.REPORT_POOL_WINDOW_PROMOTED,
    Kind.REPORT_WINDOW_OPENED,
)

EVENTS_OF: dict[Kind, tuple[Kind, ...]] = {
    Kind.REPORT_POOL_WINDOW_REMOVED: (Kind.POOL_WINDOW_REMOVED,),
    Kind.REPORT_POOL_WINDOW_PROMOTED: (Kind.POOL_WINDOW_PROMOTED,),
    Kind.REPORT_WINDOW_OPENED: (Kind.WINDOW_OPENED, Kind.SAGA_STARTED),
    Kind.REPORT_POOL_WINDOW_ADDED: (Kind.POOL_WINDOW_ADDED, Kind.SAGA_COMPLETED),
}
"""What the launcher publishes on each report."""

EVENTS = tuple(event for events in EVENTS_OF.values() for event in events)
"""The six events that observers have, in their order."""

LOGICAL_MESSAGES = (
    *PROMOTE_REPORTS,
    Kind.SPAWN_POOL_WINDOW,
    Kind.REPORT_POOL_WINDOW_ADDED,
    *EVENTS,
)
"""The eleven of a promote."""


def _real_messages() -> dict[Kind, Message]:
    """Give a message of each kind, with values of the usual length."""
    bits = "0123456789abcdef" * 2
    label, promote_id = f"window-{bits}-1234", f"promote-{bits}-1234"
    identity = CommandIdentity(bits, 1234, 0)
    origin = Origin("bench-0", bits, 12345)
    version = 12345
    return {
        Kind.PROMOTE_WINDOW: PromoteWindow(number=1234),
        Kind.ACTION_DONE: ActionDone(
            number=1234, label=label, promote_id=promote_id, cold=False, at_ns=2**50
        ),
        Kind.REPORT_POOL_WINDOW_REMOVED: ReportPoolWindowRemoved(
            label=label, reason="promoted", promote_id=promote_id
        ),
        Kind.REPORT_POOL_WINDOW_PROMOTED: ReportPoolWindowPromoted(
            label=label, promote_id=promote_id
        ),
        Kind.REPORT_WINDOW_OPENED: ReportWindowOpened(label=label, promote_id=promote_id),
        Kind.POOL_WINDOW_REMOVED: PoolWindowRemoved(
            label=label, reason="promoted", promote_id=promote_id, version=version, origin=origin
        ),
        Kind.POOL_WINDOW_PROMOTED: PoolWindowPromoted(
            label=label, promote_id=promote_id, version=version, origin=origin
        ),
        Kind.WINDOW_OPENED: WindowOpened(
            label=label, promote_id=promote_id, version=version, origin=origin
        ),
        Kind.SAGA_STARTED: SagaStarted(
            name="pool_respawn_on_promote", cause=version, saga_id=1234, version=version
        ),
        Kind.SPAWN_POOL_WINDOW: SpawnPoolWindow(identity=identity),
        Kind.REPORT_POOL_WINDOW_ADDED: ReportPoolWindowAdded(label=label, identity=identity),
        Kind.POOL_WINDOW_ADDED: PoolWindowAdded(
            label=label, saga_id=1234, version=version, origin=origin
        ),
        Kind.SAGA_COMPLETED: SagaCompleted(result=label, saga_id=1234, version=version),
    }


_HEAD = struct.Struct("<BQQ")

SIZES: dict[Kind, int] = {
    Kind.HELLO: _HEAD.size,
    Kind.BEACON: _HEAD.size,
    **{kind: len(encode(message)) for kind, message in _real_messages().items()},
}
"""How many bytes a frame of each kind has."""

_FILLING = {kind: bytes(size - _HEAD.size) for kind, size in SIZES.items()}


def frame_of(kind: Kind, number: int = 0, at_ns: int = 0) -> bytes:
    """Give a frame."""
    return _HEAD.pack(kind, number, at_ns) + _FILLING[kind]


def read_frame(frame: bytes) -> tuple[int, int, int]:
    """Give a frame's kind, number and time."""
    kind, number, at_ns = _HEAD.unpack_from(frame)
    return kind, number, at_ns
