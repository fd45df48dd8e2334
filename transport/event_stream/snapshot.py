"""The state before a version: every host's windows, and the brackets that were open.

The launcher's journal folds its oldest blobs into one of these when it trims; an observer that
asks for events older than the journal gets its rows instead, and goes on from there.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from transport.codec import Codec, encode_map
from transport.event_stream.event_map import event_map
from transport.event_stream.open_groups import OpenGroup, OpenGroups
from transport.frame_fault import FrameError, FrameFault
from transport.messages import (
    Recorded,
    SnapshotBracket,
    SnapshotClosed,
    SnapshotHost,
    SnapshotRow,
    SnapshotWindow,
)
from transport.mirror import HostMirror, Mirror

ROW_LIMIT = 512 * 1024
"""A bracket with more bytes of events than this is several rows, one event at least in each."""


class Snapshot:
    """What was true before version `before`.

    Attributes:
        before: the first version that is not in it.
        mirror: every host's windows.
        groups: the brackets that are open, with their events so far.
    """

    def __init__(self) -> None:
        self.before = 1
        self.mirror = Mirror()
        self.groups = OpenGroups()

    def fold(self, events: Sequence[Recorded]) -> None:
        """Take in the events of the next whole blobs.

        Raises:
            ValueError: they do not follow on what is in already; names both versions.
        """
        if not events:
            return
        if events[0].version != self.before:
            msg = f"cannot fold version {events[0].version} into a snapshot before {self.before}"
            raise ValueError(msg)
        for event in events:
            self.mirror.apply(event)
        self.groups.take(events)
        self.before = events[-1].version + 1

    def rows(self) -> Iterator[SnapshotRow]:
        """Give everything as rows: hosts with their windows there and gone, then open brackets.

        Nothing may be folded in until the last one is taken.
        """
        for host in self.mirror.hosts.values():
            yield SnapshotHost(
                host=host.host,
                epoch=host.epoch,
                pool_target=host.pool_target,
                drained=host.drained,
                live=host.live,
                sequence=host.sequence,
            )
            name = host.host
            for label in host.pool:
                yield SnapshotWindow(host=name, label=label, place="pool")
            for label in host.opened:
                yield SnapshotWindow(host=name, label=label, place="open")
            for first, last in host.closed.ranges():
                yield SnapshotClosed(host=name, first=first, last=last)
        for group in self.groups.groups():
            yield from _bracket_rows(group)

    @classmethod
    def from_rows(cls, rows: Iterable[SnapshotRow], codec: Codec, *, before: int) -> "Snapshot":
        """Give the snapshot that these rows are.

        Raises:
            FrameError: the rows are not as `rows` gives them; says which one.
        """
        snapshot = cls()
        snapshot.before = before
        hosts = snapshot.mirror.hosts
        groups: dict[int, OpenGroup] = {}
        for row in rows:
            problem = _problem(row, hosts)
            if problem is not None:
                raise FrameError(FrameFault.OUT_OF_RANGE, problem)
            match row:
                case SnapshotHost(host=name):
                    hosts[name] = _host_of(row)
                case SnapshotWindow(host=name, label=label, place=place):
                    windows = hosts[name].pool if place == "pool" else hosts[name].opened
                    windows[label] = None
                case SnapshotClosed(host=name, first=first, last=last):
                    hosts[name].closed.add_range(first, last)
                case SnapshotBracket(saga_id=saga_id):
                    group = groups.setdefault(saga_id, OpenGroup(saga_id, row.name, row.cause))
                    group.events.extend(codec.decode_event(each) for each in row.events)
        snapshot.groups = OpenGroups(groups.values())
        return snapshot


def _problem(row: SnapshotRow, hosts: dict[str, HostMirror]) -> str | None:
    """Say what no row of `Snapshot.rows` is after those before it, or None."""
    match row:
        case SnapshotHost(host=name) if name in hosts:
            return f"host {name!r} has two rows"
        case SnapshotWindow(host=name, label=label) if name not in hosts:
            return f"window {label!r} of host {name!r}, which has no row before it"
        case SnapshotClosed(host=name, first=first, last=last):
            what = f"closed windows {first} to {last} of host {name!r}"
            if name not in hosts:
                return f"{what}, which has no row before them"
            if not hosts[name].closed.last < first <= last:
                return f"{what}, which do not follow on those before them"
    return None


def _host_of(row: SnapshotHost) -> HostMirror:
    return HostMirror(
        row.host,
        row.epoch,
        row.pool_target,
        drained=row.drained,
        live=row.live,
        sequence=row.sequence,
    )


def _bracket_rows(group: OpenGroup) -> Iterable[SnapshotRow]:
    trigger = next((each for each in group.events if each.version == group.cause), None)
    part: list[Any] = []
    size = 0
    for event in group.events:
        raw = event_map(event)
        raw_size = len(encode_map(raw))
        if part and size + raw_size > ROW_LIMIT:
            yield _bracket_row(group, trigger, part)
            part, size = [], 0
        part.append(raw)
        size += raw_size
    yield _bracket_row(group, trigger, part)


def _bracket_row(group: OpenGroup, trigger: Recorded | None, events: list[Any]) -> SnapshotBracket:
    return SnapshotBracket(
        saga_id=group.saga_id,
        name=group.name,
        cause=group.cause,
        origin=trigger.origin if trigger is not None else None,
        events=events,
    )
