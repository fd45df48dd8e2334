"""A program that knows nothing of its supervisor, as a child all the same."""

import os
import resource
import select
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from actors.supervision.process_death import die_with_parent, kill_group
from actors.supervision.process_spec import ParentLink
from transport.process_signals import StopSignals

BETWEEN_LOOKS_MS = 50
"""How often the program's end is looked for, where the kernel has no descriptor that tells it."""


@dataclass(frozen=True, slots=True)
class Program:
    """An entry that runs a program.

    It is ready when the program was found and started. This process stands between: it hands
    SIGTERM on, ends as the program does, and takes it along when the parent dies.

    Attributes:
        argv: the program and its arguments.
        environment: what is added to the environment.
    """

    argv: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, parent: ParentLink) -> int:
        """Run it."""
        with StopSignals(parent.life_line) as signals:
            on_linux = partial(die_with_parent, os.getpid()) if sys.platform == "linux" else None
            program = subprocess.Popen(  # noqa: S603 - it is the program of the spec
                self.argv,
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                preexec_fn=on_linux,  # noqa: PLW1509 - this process has one thread
            )
            parent.ready()
            status = _attend(program, signals)
        return status if status >= 0 else _die_by(-status)


def _attend(program: "subprocess.Popen[bytes]", signals: StopSignals) -> int:
    poll, handed_on = select.poll(), 0
    for fileno in signals.filenos():
        poll.register(fileno, select.POLLIN)
    longest: int | None = BETWEEN_LOOKS_MS
    if sys.platform == "linux":
        end = os.pidfd_open(program.pid)
        poll.register(end, select.POLLIN)
        longest = None
    while program.poll() is None:
        poll.poll(longest)
        asked = signals.look()
        if signals.orphaned:
            kill_group(os.getpgrp())
        if asked > handed_on:
            program.terminate()
            handed_on = asked
    return program.returncode


def _die_by(number: int) -> int:
    """End by the signal that ended the program, without a second core file."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if number not in {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    return 128 + number
