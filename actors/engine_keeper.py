"""Keeps an engine running: one that crashed is made anew from the log, exactly as at start.

The pass in which it crashed is dropped: nothing of it was committed, nothing left. Hosts register
again and send again what was not acknowledged. A report frame that was in work at two crashes is
refused by every engine after that, so no single report can end the process; too many crashes do,
and the process's supervisor takes over.
"""

import logging
from collections import Counter, deque
from collections.abc import Callable

from actors.engine import Engine
from actors.intake import ReportKey

CRASHES_OF_A_POISON = 2
MINUTE = 60_000_000_000

logger = logging.getLogger("muxsaga.engine")

MakeEngine = Callable[[frozenset[ReportKey]], Engine]
"""Makes an engine from the log, with the report frames that it is to refuse."""


class EngineGaveUpError(RuntimeError):
    """The engine crashed too often; the message says how often, its cause is the last crash."""


class EngineKeeper:
    """Holds the engine that runs now.

    Args:
        make: makes an engine from the log.
        budget: how many crashes within a minute end the process.

    Attributes:
        crashes: how many there were so far.
    """

    def __init__(self, make: MakeEngine, budget: int) -> None:
        self.crashes = 0
        self.engine = make(frozenset())
        self._make = make
        self._budget = budget
        self._recent: deque[int] = deque()
        self._suspects: Counter[ReportKey] = Counter()

    def replace(self, error: Exception, now: int) -> None:
        """Put a new engine in the place of one that raised.

        Raises:
            EngineGaveUpError: it raised too often within a minute.
        """
        self.crashes += 1
        suspect = self.engine.in_work
        if suspect is not None:
            self._suspects[suspect] += 1
        self._recent.append(now)
        while now - self._recent[0] > MINUTE:
            self._recent.popleft()
        if len(self._recent) >= self._budget:
            msg = f"the engine crashed {len(self._recent)} times within a minute: {error}"
            raise EngineGaveUpError(msg) from error
        logger.error("the engine crashed and is made anew from the log", exc_info=error)
        faults = self.engine.link.faults
        self.engine = self._make(self._poisonous())
        self.engine.link.faults.update(faults)

    def _poisonous(self) -> frozenset[ReportKey]:
        return frozenset(
            key for key, crashes in self._suspects.items() if crashes >= CRASHES_OF_A_POISON
        )
