"""The event stream: both ends of it, without sockets, and the bracket groups on top."""

from transport.event_stream.bracket_buffer import BracketBuffer
from transport.event_stream.event_map import event_map
from transport.event_stream.items import Batch, CaughtUp, Item, NewHistory, Truncated
from transport.event_stream.observer_session import ObserverSession, Phase
from transport.event_stream.open_groups import BracketGroup, OpenGroup
from transport.event_stream.query_session import (
    JournalReader,
    JournalView,
    LauncherView,
    PageLimits,
    QuerySession,
    SagaView,
    SnapshotPage,
)
from transport.event_stream.snapshot import Snapshot

__all__ = [
    "Batch",
    "BracketBuffer",
    "BracketGroup",
    "CaughtUp",
    "Item",
    "JournalReader",
    "JournalView",
    "LauncherView",
    "NewHistory",
    "ObserverSession",
    "OpenGroup",
    "PageLimits",
    "Phase",
    "QuerySession",
    "SagaView",
    "Snapshot",
    "SnapshotPage",
    "Truncated",
    "event_map",
]
