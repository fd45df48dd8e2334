"""What the steps of a run are called: those at which a test lets something crash."""

from collections.abc import Sequence

from actors.launcher_link import Outgoing
from actors.saga import Saga
from actors.saga_actor import DeliverEvent, StartSaga, Turn
from actors.saga_log import BlobAppended, Row, SagaClosed, SagaOpened, StepClosed, StepIssued
from actors.simulation.launcher_port import Doing, Moment
from transport.codec import unpack
from transport.history_lines import HostLine

MOMENTS = {
    Moment.BEFORE_COMMIT: "before the commit of",
    Moment.AFTER_COMMIT: "after the commit and before the publishing of",
    Moment.AFTER_PUBLISHING: "after the publishing and before the acknowledgement of",
    Moment.WHILE_SENDING: "after the sending of",
}


class StepNames:
    """Names the steps of one run; it has to be told of every moment of the launcher."""

    def __init__(self) -> None:
        self._sagas: dict[int, str] = {}

    def of_moment(self, moment: Moment, doing: Doing) -> str:
        """Say when a moment of the launcher is."""
        what = _sent(doing) if isinstance(doing, Outgoing) else self._rows(doing)
        return f"{MOMENTS[moment]} {what}"

    def of_turn(self, saga: Saga, turn: Turn) -> str:
        """Say what a turn of a saga is."""
        match turn:
            case DeliverEvent(event=event):
                return f"{saga.name}.on_event({type(event).__name__})"
            case StartSaga():
                return f"{saga.name}.start"
            case _:
                return f"{saga.name}, made anew,"

    def _rows(self, rows: Sequence[Row]) -> str:
        told = [text for row in rows if (text := self._row(row))]
        if told:
            return ", ".join(told)
        versions = [row for row in rows if isinstance(row, BlobAppended)]
        return f"versions {versions[0].first} to {versions[-1].last}" if versions else "no event"

    def _row(self, row: Row) -> str | None:
        match row:
            case SagaOpened(saga_id=saga_id, name=name):
                self._sagas[saga_id] = name
                return f"the start of {name}"
            case StepIssued(step=step, command=command):
                return f"step {step} of {self._name(row)} ({unpack(command)['type']})"
            case StepClosed(step=step):
                return f"the report on step {step} of {self._name(row)}"
            case SagaClosed():
                return f"the end of {self._name(row)}"
            case _:
                return None

    def _name(self, row: StepIssued | StepClosed | SagaClosed) -> str:
        return self._sagas.get(row.saga_id, f"saga {row.saga_id}")


def of_peer_step(line: HostLine) -> str:
    """Say when a step of a host or service is."""
    if line.did == "command":
        return f"after it took {line.type}, before it carries it out"
    return f"after it carried out what {line.type} says, before the report is sent"


def _sent(message: Outgoing) -> str:
    commands = ", ".join(step.command_type for _, steps in message.steps for step in steps)
    return f"{commands} to {message.peer.host if message.peer is not None else 'nobody'}"
