"""`muxsaga up`: launcher, hosts and services of a file, supervised until stopped."""

import sys
import time
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

from actors.command_line.command_error import CommandError
from actors.command_line.parsers import Subparsers, add_command
from actors.command_line.process_tree_file import remove_process_tree, write_process_tree
from actors.command_line.up_file import read_up_file, runtime_directory_of
from actors.command_line.up_lines import json_of, line_of
from actors.supervision.child_spec import ExitReason
from actors.supervision.process_events import ProcessEnded, ProcessEvent
from actors.supervision.process_supervisor import ProcessSupervisor
from actors.supervision.supervisor_child import ChildState
from actors.supervision.supervisor_steps import Phase
from transport.process_signals import StopSignals

EXAMPLES = """\
examples:
  muxsaga up docs/examples/desktop.toml
  muxsaga up --check docs/examples/desktop.toml
  muxsaga up --json-lines desktop.toml | jq -c .

exit status: 0 after SIGTERM or Ctrl-C, or a shutdown that the file asks for, if every process then
ended in order; 1 if not, or if restarts were too many, a process could not be started at first, or
none is left; 2 if the file is wrong. A second SIGTERM or Ctrl-C ends everything at once.
"""

Tell = Callable[[ProcessEvent], None]


def add_up(subparsers: Subparsers) -> None:
    """Add the command."""
    summary = "run the launcher, hosts and services of a file, and restart what ends"
    parser = add_command(subparsers, "up", summary, EXAMPLES, execute)
    parser.add_argument("file", type=Path, metavar="FILE.toml", help="what to run")
    parser.add_argument("--check", action="store_true", help="check the file, and run nothing")
    parser.add_argument(
        "--json-lines", action="store_true", help="tell what happens as JSON, a map a line"
    )


def execute(options: Namespace) -> int:
    """Run what the file says until stopped, and give the exit status."""
    # Extensions are found beside the file, too; every process that is spawned inherits that.
    sys.path.append(str(options.file.resolve().parent))
    spec = read_up_file(options.file)
    if options.check:
        names = ", ".join(str(child.name) for child in spec.children)
        sys.stdout.write(f"{options.file} is sound: {names}\n")
        return 0
    form = json_of if options.json_lines else line_of

    def tell(event: ProcessEvent) -> None:
        sys.stdout.write(form(event) + "\n")
        sys.stdout.flush()

    directory = runtime_directory_of(options.file)
    with StopSignals() as signals, ProcessSupervisor(spec) as supervisor:
        try:
            return _Up(supervisor, signals, tell, directory).attend()
        finally:
            remove_process_tree(directory)


class _Up:
    """One run of `up`, from the first process to the last."""

    def __init__(
        self, supervisor: ProcessSupervisor, signals: StopSignals, tell: Tell, directory: Path
    ) -> None:
        self._supervisor = supervisor
        self._directory = directory
        self._signals = signals
        self._tell = tell
        self._stopping = False
        self._bad_ends: list[str] = []

    def attend(self) -> int:
        """Look after everything until it is over; give the exit status.

        Raises:
            CommandError: it did not end as it should.
        """
        asked, left = 0, True
        while self._supervisor.ended is None:
            events = self._supervisor.poll(None, others=self._signals.filenos())
            for event in events:
                self._note(event)
            if events:
                write_process_tree(self._directory, self._supervisor, time.monotonic_ns())
            if self._signals.look() > asked:
                asked = self._signals.count
                self._stop(at_once=asked > 1)
            elif self._nothing_is_left():
                left = False
                self._supervisor.stop()
        for event in self._supervisor.poll():
            self._note(event)
        self._judge(self._supervisor.ended, left=left)
        return 0

    def _stop(self, *, at_once: bool) -> None:
        self._stopping = True
        if at_once:
            self._supervisor.kill()
        else:
            self._supervisor.stop()

    def _nothing_is_left(self) -> bool:
        machine = self._supervisor.machine
        states = {child.state for child in machine.which_children()}
        return machine.phase is Phase.RUNNING and states <= {ChildState.STOPPED}

    def _note(self, event: ProcessEvent) -> None:
        if isinstance(event, ProcessEnded) and self._stopping and event.reason.abnormal:
            self._bad_ends.append(f"{event.path[-1]} (pid {event.pid}): {event.reason}")
        self._tell(event)

    def _judge(self, reason: ExitReason, *, left: bool) -> None:
        if reason.abnormal and not self._stopping:
            raise CommandError(str(reason))
        if not left:
            msg = "no process is left, and none is to be restarted"
            raise CommandError(msg)
        if self._bad_ends:
            msg = f"not everything ended in order: {'; '.join(self._bad_ends)}"
            raise CommandError(msg)
