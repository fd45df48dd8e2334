"""What the coordinator is told."""

from msgspec import Struct

from actors.reducer import SettledStep
from actors.saga_log import SagaRecord
from transport.messages import Event


class EventsRecorded(Struct, frozen=True):
    """What one command gave: its events that concern a saga or may trigger one."""

    events: list[Event]
    settled: list[SettledStep]


class DeadlineReached(Struct, frozen=True):
    """A saga's time is over."""

    saga_id: int


class RecoverSagas(Struct, frozen=True):
    """Told first, to a launcher that begins with open sagas."""

    records: list[SagaRecord]


class Crash(Struct, frozen=True):
    """Raise, for tests of what a crash of the coordinator does."""


class StartRefills(Struct, frozen=True):
    """A host's pool lacks windows that nobody brings."""

    host: str
    count: int


class EndEpoch(Struct, frozen=True):
    """A host's epoch is over, and with it everything that was asked of it."""

    host: str
    epoch: str
    reason: str


class EndAll(Struct, frozen=True):
    """Close every open bracket as failed."""

    reason: str


class EndSaga(Struct, frozen=True):
    """Close one bracket as failed; nothing happens if it is closed."""

    saga_id: int
    reason: str
