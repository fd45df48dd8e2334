"""The pending steps of one destination. They *are* its command queue; there is no second one."""

from collections import deque

UNSENT_LIMIT = 64
"""How many steps may wait that were never handed to a live connection."""


class PendingStep:
    """A command that no report has settled yet.

    Attributes:
        command: the command's frame, identity included.
        command_type: its type's name.
        outcomes: names of the reports that settle it.
        handed: a live connection took it at least once.
        settled: a report came, or the saga ended; it is not sent any more.
    """

    __slots__ = (
        "command",
        "command_type",
        "handed",
        "index",
        "outcomes",
        "saga_id",
        "settled",
    )

    def __init__(
        self,
        saga_id: int,
        index: int,
        command: bytes,
        command_type: str,
        outcomes: tuple[str, ...],
    ) -> None:
        self.saga_id = saga_id
        self.index = index
        self.command = command
        self.command_type = command_type
        self.outcomes = outcomes
        self.handed = False
        self.settled = False


class StepQueue:
    """Steps for one host's epoch, or for the service of one command type.

    Args:
        limit: how many steps that were never handed over may wait.

    Attributes:
        flowing: a live connection takes what is sent: steps do not wait, but for the pass's end.
    """

    def __init__(self, limit: int = UNSENT_LIMIT) -> None:
        self._limit = limit
        self._pending: dict[tuple[int, int], PendingStep] = {}
        self._unsent: deque[PendingStep] = deque()
        self._never_handed = 0
        self.flowing = False

    def __len__(self) -> int:
        return len(self._pending)

    @property
    def never_handed(self) -> int:
        """How many steps no connection ever took."""
        return self._never_handed

    @property
    def has_unsent(self) -> bool:
        """Whether something is to be sent."""
        return bool(self._unsent)

    def add(self, step: PendingStep) -> bool:
        """Take a step; say whether there was room."""
        if self._never_handed >= self._limit and not self.flowing:
            return False
        self._pending[step.saga_id, step.index] = step
        self._unsent.append(step)
        self._never_handed += 1
        return True

    def restore(self, step: PendingStep) -> None:
        """Take a step from the log: it counts as handed over, and goes out with a registration."""
        step.handed = True
        self._pending[step.saga_id, step.index] = step

    def remove(self, step: PendingStep) -> None:
        """Forget a step: it is settled, or its saga ended."""
        if self._pending.pop((step.saga_id, step.index), None) is not None:
            step.settled = True
            self._never_handed -= not step.handed

    def send_all_again(self) -> None:
        """Make every pending step unsent, in their order: a new connection is there."""
        self._unsent = deque(self._pending.values())

    def take_unsent(self, most: int) -> list[PendingStep]:
        """Take out what is to be sent now, at most `most` steps."""
        unsent = self._unsent
        taken: list[PendingStep] = []
        while unsent and len(taken) < most:
            step = unsent.popleft()
            if not step.settled:
                taken.append(step)
        return taken

    def handed_over(self, steps: list[PendingStep]) -> None:
        """Note that a live connection took these."""
        for step in steps:
            if not step.handed:
                step.handed = True
                self._never_handed -= not step.settled

    def give_back(self, steps: list[PendingStep]) -> None:
        """Note that no connection took these: they are unsent again, before all others."""
        self._unsent.extendleft(reversed(steps))
