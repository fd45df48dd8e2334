"""The users of hosts under chaos: they promote, close and demote windows all the time."""

import time
from enum import Enum, auto
from random import Random

from actors.chaos.profile import UserShape
from actors.process_system import ProcessSystem
from actors.process_system.host_controls import Question
from host_sim.spawn_time import parse_spawn_time
from transport.messages import ActionDone, ActionRefused, CloseWindow, DemoteWindow, PromoteWindow

GIVE_UP_SECONDS = 2.0
"""A question that is not answered by then was lost with its host."""

MANY_WINDOWS = 8
"""With so many windows open, a user closes one."""


class _Mood(Enum):
    WORKING = auto()
    LEAVING = auto()
    """It promotes one more window: then a window is open, and no pool stays drained."""
    GONE = auto()


class ChaosUsers:
    """One user a host. They belong to the system's thread.

    Args:
        system: whose hosts they use.
        shape: what they do.
        generator: of their choices, and used for nothing else.

    Attributes:
        promotes: how many promotes were answered as done.
    """

    def __init__(self, system: ProcessSystem, shape: UserShape, generator: Random) -> None:
        self.promotes = 0
        self._system = system
        self._users = {
            host: _User(host, shape, Random(generator.random()))  # noqa: S311 - a seed is the point
            for host in system.settings.host_names
        }

    @property
    def gone(self) -> bool:
        """Whether every user has left."""
        return all(user.mood is _Mood.GONE for user in self._users.values())

    def leave(self) -> None:
        """Let each user promote once more, and then do nothing."""
        for user in self._users.values():
            user.mood = _Mood.LEAVING

    def go_on(self) -> None:
        """Let them take their answers, and ask if it is time."""
        for host, answer in self._system.take_answers():
            if isinstance(answer, ActionDone | ActionRefused):
                promoted = isinstance(answer, ActionDone) and answer.promote_id is not None
                self.promotes += promoted
                self._users[host].answered(answer.number, promoted=promoted)
        for user in self._users.values():
            user.go_on(self._system)


class _User:
    def __init__(self, host: str, shape: UserShape, generator: Random) -> None:
        self.mood = _Mood.WORKING
        self._host = host
        self._shape = shape
        self._pause = parse_spawn_time(shape.pause)
        self._generator = generator
        self._waits_for: int | None = None
        self._is_last = False
        self._next_at = 0.0

    def answered(self, number: int, *, promoted: bool) -> None:
        if number != self._waits_for:
            return  # it was given up
        if promoted and self._is_last:
            self.mood = _Mood.GONE
        self._waits_for = None
        self._next_at = time.monotonic() + self._pause.draw(self._generator) / 1e9

    def go_on(self, system: ProcessSystem) -> None:
        now = time.monotonic()
        if self.mood is _Mood.GONE or now < self._next_at:
            return
        self._is_last = self.mood is _Mood.LEAVING
        question, fields = (PromoteWindow, {}) if self._is_last else self._choice(system)
        self._waits_for = system.ask(self._host, question, **fields)
        self._next_at = now + GIVE_UP_SECONDS

    def _choice(self, system: ProcessSystem) -> tuple[Question, dict[str, str]]:
        host = system.mirror.hosts.get(self._host)
        labels = list(host.opened) if host is not None else []
        kind, which = self._generator.random(), self._generator.random()
        if not labels:
            return PromoteWindow, {}
        label = {"label": labels[int(which * len(labels))]}
        if len(labels) >= MANY_WINDOWS or kind < self._shape.close:
            return CloseWindow, label
        if kind < self._shape.close + self._shape.demote:
            return DemoteWindow, label
        return PromoteWindow, {}
