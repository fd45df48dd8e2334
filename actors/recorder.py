"""Numbers events, makes them true, and keeps what a pass has to write and say."""

from collections.abc import Iterator

from msgspec.structs import replace

from actors.saga_log import BlobAppended, ReportsTaken, Row
from actors.state import State
from transport.codec import encode, encode_blob
from transport.messages import Event

BLOB_LIMIT = 512 * 1024


class Recorder:
    """The one place where state changes by events.

    Args:
        state: what is true.
        blob_limit: a pass's events go into more than one blob when they are larger than this, in
            bytes.

    Attributes:
        rows: what the pass has to make durable, in order.
    """

    def __init__(self, state: State, blob_limit: int = BLOB_LIMIT) -> None:
        self.rows: list[Row] = []
        self._taken: dict[tuple[str, str], int] = {}
        self._state = state
        self._blob_limit = blob_limit
        self._events: list[Event] = []
        self._ends: list[int] = []

    def record(self, event: Event) -> Event:
        """Give the event its version and make it true."""
        state = self._state
        state.version = version = state.version + 1
        numbered = replace(event, version=version)
        state.mirror.apply(numbered)
        self._events.append(numbered)
        return numbered

    def reports_taken(self, host: str, epoch: str, sequence: int) -> None:
        """Note the last report taken from an epoch; a pass has at most one row of each."""
        self._taken[host, epoch] = sequence

    def end_group(self) -> None:
        """Let a blob end here: what one command gave is complete."""
        end, ends = len(self._events), self._ends
        if end and (not ends or ends[-1] != end):
            ends.append(end)

    def take_pass(self) -> tuple[list[Row], list[bytes]]:
        """Take out the pass's rows, and its events as blobs; the blobs are among the rows too."""
        self.end_group()
        # First: an epoch that ended in this pass has no last report any more.
        rows: list[Row] = [*self._untold(), *self.rows]
        self.rows = []
        self._taken.clear()
        blobs = self._take_blobs()
        rows.extend(blobs)
        return rows, [each.blob for each in blobs]

    def _take_blobs(self) -> list[BlobAppended]:
        events, self._events = self._events, []
        ends, self._ends = self._ends, []
        if not events:
            return []
        whole = self._blob(events)
        if len(whole.blob) <= self._blob_limit:
            return [whole]
        return [self._blob(events[first:end]) for first, end in self._parts(events, ends)]

    def _parts(self, events: list[Event], ends: list[int]) -> Iterator[tuple[int, int]]:
        """Give where blobs of many events begin and end: as large as they may be, or one group."""
        first = begun = size = 0
        for end in ends:
            group = sum(len(encode(event)) for event in events[begun:end])
            if size and size + group > self._blob_limit:
                yield first, begun
                first, size = begun, 0
            begun, size = end, size + group
        yield first, begun

    def _untold(self) -> Iterator[ReportsTaken]:
        """Give the last reports that no event tells of; see `LogContents.reports_taken`."""
        hosts = self._state.mirror.hosts
        for (name, epoch), last in self._taken.items():
            host = hosts.get(name)
            if host is None or host.epoch != epoch or host.sequence != last:
                yield ReportsTaken(name, epoch, last)

    def _blob(self, events: list[Event]) -> BlobAppended:
        first, last = events[0].version, events[-1].version
        return BlobAppended(first, last, encode_blob(self._state.log_id, first, events))
