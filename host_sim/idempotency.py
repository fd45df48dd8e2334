"""What became of each command: so that one that comes again is answered, and never done, again.

An outcome is kept until the launcher's low-water mark passes its saga. It does not belong to a
connection: the repetition it is made for comes on the next one.
"""

from dataclasses import dataclass, field
from enum import Enum, auto
from heapq import heappop, heappush

from transport.host_session import LowWater, NumberedFrame
from transport.messages import CommandIdentity


class Standing(Enum):
    """What is known of a command that came."""

    NEW = auto()
    IN_PROGRESS = auto()
    SETTLED = auto()
    BELOW_MARK = auto()


@dataclass(slots=True)
class _LogOutcomes:
    """Outcomes by saga id and step; None while in progress. `order`: a heap of the saga ids."""

    mark: int = 1
    by_saga: dict[int, dict[int, NumberedFrame | None]] = field(default_factory=dict)
    order: list[int] = field(default_factory=list)


class Outcomes:
    """The outcomes of an epoch's commands, by log id, saga id and step index."""

    def __init__(self) -> None:
        self._by_log: dict[str, _LogOutcomes] = {}

    def __len__(self) -> int:
        """Give for how many sagas an outcome is kept."""
        return sum(len(outcomes.by_saga) for outcomes in self._by_log.values())

    def begin(self, identity: CommandIdentity) -> Standing:
        """Say what is known of a command; a new one is in progress from now on."""
        outcomes = self._by_log.get(identity.log)
        if outcomes is None:
            outcomes = self._by_log[identity.log] = _LogOutcomes()
        if identity.saga_id < outcomes.mark:
            return Standing.BELOW_MARK
        steps = outcomes.by_saga.get(identity.saga_id)
        if steps is None:
            steps = outcomes.by_saga[identity.saga_id] = {}
            heappush(outcomes.order, identity.saga_id)
        if identity.step not in steps:
            steps[identity.step] = None
            return Standing.NEW
        return Standing.IN_PROGRESS if steps[identity.step] is None else Standing.SETTLED

    def settle(self, identity: CommandIdentity, frame: NumberedFrame) -> None:
        """Keep the frame that settles a command; one that nobody asks for any more is dropped."""
        outcomes = self._by_log.get(identity.log)
        steps = outcomes.by_saga.get(identity.saga_id) if outcomes is not None else None
        if steps is not None:
            steps[identity.step] = frame

    def frame_of(self, identity: CommandIdentity) -> NumberedFrame | None:
        """Give the frame that settled a command."""
        outcomes = self._by_log.get(identity.log)
        steps = outcomes.by_saga.get(identity.saga_id) if outcomes is not None else None
        return steps.get(identity.step) if steps is not None else None

    def forget_below(self, low_water: LowWater) -> None:
        """Drop the outcomes of sagas that are over; a mark never goes back."""
        outcomes = self._by_log.setdefault(low_water.log, _LogOutcomes())
        outcomes.mark = max(outcomes.mark, low_water.saga_id)
        while outcomes.order and outcomes.order[0] < outcomes.mark:
            del outcomes.by_saga[heappop(outcomes.order)]
