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
        self._groups: list[list[bytes]] = []
        self._group: list[bytes] = []

    def record(self, event: Event) -> Event:
        """Give the event its version and make it true."""
        state = self._state
        state.version = version = state.version + 1
        numbered = replace(event, version=version)
        state.mirror.apply(numbered)
        self._group.append(encode(numbered))
        return numbered

    def reports_taken(self, host: str, epoch: str, sequence: int) -> None:
        """Note the last report taken from an epoch; a pass has at most one row of each."""
        self._taken[host, epoch] = sequence

    def end_group(self) -> None:
        """Let a blob end here: what one command gave is complete."""
        if self._group:
            self._groups.append(self._group)
            self._group = []

    def take_pass(self) -> tuple[list[Row], list[bytes]]:
        """Take out the pass's rows, and its events as blobs; the blobs are among the rows too."""
        self.end_group()
        # First: an epoch that ended in this pass has no last report any more.
        rows: list[Row] = [*self._untold(), *self.rows]
        self.rows = []
        self._taken.clear()
        groups, self._groups = self._groups, []
        first = self._state.version + 1 - sum(len(group) for group in groups)
        blobs: list[BlobAppended] = []
        events: list[bytes] = []
        size = 0
        for group in groups:
            group_size = sum(map(len, group))
            if events and size + group_size > self._blob_limit:
                blobs.append(self._blob(first, events))
                first += len(events)
                events, size = [], 0
            events.extend(group)
            size += group_size
        if events:
            blobs.append(self._blob(first, events))
        rows.extend(blobs)
        return rows, [each.blob for each in blobs]

    def _untold(self) -> Iterator[ReportsTaken]:
        """Give the last reports that no event tells of; see `LogContents.reports_taken`."""
        hosts = self._state.mirror.hosts
        for (name, epoch), last in self._taken.items():
            host = hosts.get(name)
            if host is None or host.epoch != epoch or host.sequence != last:
                yield ReportsTaken(name, epoch, last)

    def _blob(self, first: int, events: list[bytes]) -> BlobAppended:
        blob = encode_blob(self._state.log_id, first, events)
        return BlobAppended(first, first + len(events) - 1, blob)
