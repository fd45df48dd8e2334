"""A journal in memory, and the events of a few promotes: what the event stream's tests share."""

from typing import Any

from msgspec.structs import replace

from transport.codec import Codec, encode, encode_blob
from transport.event_stream import JournalView, SagaView, Snapshot, SnapshotPage
from transport.labels import window_label
from transport.messages import (
    Event,
    HostRegistered,
    Origin,
    PoolWindowAdded,
    PoolWindowPromoted,
    PoolWindowRemoved,
    Recorded,
    SagaCompleted,
    SagaFailed,
    SagaStarted,
    StreamHeartbeat,
    WindowClosed,
    WindowOpened,
)

LOG = "a" * 32
EPOCH = "e" * 32
RESPAWN = "pool_respawn_on_promote"


def origin(sequence: int = 1, host: str = "desk") -> Origin:
    return Origin(host, EPOCH, sequence)


def label(number: int) -> str:
    return window_label(EPOCH, number)


def registered(host: str = "desk") -> Event:
    return HostRegistered(origin=origin(0, host), pool_target=2)


def added(number: int, saga_id: int | None = None, host: str = "desk") -> Event:
    return PoolWindowAdded(label=label(number), saga_id=saga_id, origin=origin(number, host))


def closed(number: int) -> Event:
    return WindowClosed(label=label(number), origin=origin(number))


def promote(number: int, promote_id: str = "p1", host: str = "desk") -> tuple[Event, ...]:
    return (
        PoolWindowRemoved(
            label=label(number), reason="promoted", promote_id=promote_id, origin=origin(1, host)
        ),
        PoolWindowPromoted(label=label(number), promote_id=promote_id, origin=origin(2, host)),
        WindowOpened(label=label(number), promote_id=promote_id, origin=origin(3, host)),
    )


def started(saga_id: int, cause: int | None, name: str = RESPAWN) -> Event:
    return SagaStarted(saga_id=saga_id, name=name, cause=cause)


def completed(saga_id: int, result: str) -> Event:
    return SagaCompleted(saga_id=saga_id, result=result)


def failed(saga_id: int, reason: str = "saga timeout") -> Event:
    return SagaFailed(saga_id=saga_id, reason=reason)


def numbered(*events: Event, first: int = 1) -> tuple[Recorded, ...]:
    return tuple(replace(event, version=version) for version, event in enumerate(events, first))


class MemoryJournal:
    """Every event that ever was, and the blobs that were not trimmed."""

    def __init__(
        self, log_id: str = LOG, *, page_rows: int = 10**6, page_bytes: int = 10**9
    ) -> None:
        self.log_id = log_id
        self.page_rows = page_rows
        self.page_bytes = page_bytes
        self.truth: list[Recorded] = []
        self.blobs: list[tuple[int, int, bytes]] = []
        self.snapshot = Snapshot()
        self.sagas: dict[int, dict[str, Any]] = {}

    @property
    def last(self) -> int:
        return len(self.truth)

    def record(self, *events: Event) -> bytes:
        first = self.last + 1
        self.truth.extend(numbered(*events, first=first))
        frames = [encode(event) for event in self.truth[first - 1 :] if isinstance(event, Event)]
        blob = encode_blob(self.log_id, first, frames)
        self.blobs.append((first, self.last, blob))
        return blob

    def heartbeat(self) -> bytes:
        return encode(StreamHeartbeat(log=self.log_id, last=self.last))

    def trim(self, count: int) -> None:
        """Fold the oldest blobs into the snapshot."""
        for first, last, _ in self.blobs[:count]:
            self.snapshot.fold(self.truth[first - 1 : last])
        del self.blobs[:count]

    def snapshot_before(self, version: int) -> Snapshot:
        """Give what is true before a version, folded from the beginning."""
        snapshot = Snapshot()
        snapshot.fold(self.truth[: version - 1])
        return snapshot

    def view(self) -> JournalView:
        return JournalView(self.snapshot.before, self.last)

    def blobs_from(self, version: int, byte_limit: int) -> list[bytes]:
        page: list[bytes] = []
        size = 0
        if version < self.snapshot.before:
            return page
        for _, last, blob in self.blobs:
            size += len(blob)
            if last < version:
                size = 0
            elif page and size > min(byte_limit, self.page_bytes):
                break
            else:
                page.append(blob)
        return page

    def snapshot_page(self, offset: int, limit: int) -> SnapshotPage:
        rows = list(self.snapshot.rows())
        limit = min(limit, self.page_rows)
        return SnapshotPage(self.snapshot.before, len(rows), rows[offset : offset + limit])

    def saga(self, saga_id: int) -> SagaView:
        return SagaView(max(self.sagas, default=0) + 1, self.sagas.get(saga_id))


class SaidLauncher:
    """Says of itself what a test has it say."""

    def __init__(self, status: dict[str, Any] | None = None) -> None:
        self.said = status or {}

    def status(self) -> dict[str, Any]:
        return self.said

    def state(self, sagas: int) -> dict[str, Any]:
        return {**self.said, "shown": sagas}

    def saga(self, saga_id: int) -> dict[str, Any]:
        return {**self.said, "saga_id": saga_id}


def reread(snapshot: Snapshot) -> Snapshot:
    return Snapshot.from_rows(snapshot.rows(), Codec(), before=snapshot.before)
