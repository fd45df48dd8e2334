"""`muxsaga run`: a launcher and hosts as OS processes, promotes, and the sum of what they did."""

import json
import sys
import tempfile
import time
from argparse import Namespace
from contextlib import ExitStack
from pathlib import Path

import zmq

from actors.command_line.command_error import FAILED, CommandError
from actors.command_line.known_messages import codec_for
from actors.command_line.live_view import RunView, make_view
from actors.command_line.parsers import Subparsers, add_command
from actors.command_line.progress import Progress
from actors.command_line.promote_driver import PromoteDriver, RunPlan
from actors.command_line.run_children import RunChildren
from actors.command_line.run_judgement import lines_before, lines_of_the_log
from actors.command_line.run_loop import RunLoop, RunParts
from actors.command_line.run_options import add_run_options, check_run_options, plan_of
from actors.command_line.run_processes import RunPlace, run_place, run_spec
from actors.command_line.run_start import RunStart, run_start
from actors.command_line.summary import RunResult, complaints, document, summary_lines
from actors.process_system.host_ends import inspected
from transport.checker import check
from transport.codec import Codec
from transport.event_stream import Batch, Truncated
from transport.history import HistoryFile, HistoryWriter, lines_of, read_history
from transport.history_counts import count
from transport.history_lines import ProcessLine
from transport.merged_history import merge_histories
from transport.process_signals import StopSignals
from transport.zeromq.observer import Observer
from transport.zeromq.sockets import dealer

OBSERVER = "run"
"""What this observer is called in the history."""

EXAMPLES = """\
examples:
  muxsaga run
  muxsaga run --hosts 4 --promotes 200 --concurrency 32
  muxsaga run --rate 50 --promotes 500 --pool-target 16 --history run.jsonl
  muxsaga run --json | jq .latency_ms
  muxsaga run --log log.sqlite; muxsaga diag sagas log.sqlite

exit status: 0 if every saga was closed once, none failed, no promote was cold, every pool was
full again and the history violates no invariant; 1 if not; 130 after Ctrl-C
"""


def add_run(subparsers: Subparsers) -> None:
    """Add the command."""
    summary = "start a launcher and hosts, promote windows, show and check what happens"
    parser = add_command(subparsers, "run", summary, EXAMPLES, execute)
    add_run_options(parser)


def execute(options: Namespace) -> int:
    """Run, print the sum, and give the exit status."""
    check_run_options(options)
    plan, codec = plan_of(options), codec_for(options.extension)
    with tempfile.TemporaryDirectory(prefix="muxsaga-") as scratch:
        place = run_place(options, plan.hosts, Path(scratch))
        run = _Run(options, plan, codec, place, run_start(options.log))
        problem = run.conduct()
        history = place.scratch / "history.jsonl" if options.history is None else options.history
        merge_histories([place.observed, *place.did.values()], history)
        result = RunResult(
            counts=count(read_history(history), codec),
            promotes=plan.promotes,
            hosts=plan.hosts,
            allow_cold=options.allow_cold,
            refusals=run.driver.refusals,
            pids=run.pids,
            bad_ends=run.bad_ends,
            history=options.history,
            violations=() if problem is not None else check(HistoryFile(history)),
        )
    return _print(result, problem, as_json=options.json)


class _Run:
    """One run, from the first process to the last."""

    def __init__(
        self, options: Namespace, plan: RunPlan, codec: Codec, place: RunPlace, start: RunStart
    ) -> None:
        self.driver = PromoteDriver(plan)
        self.pids: dict[str, int] = {}
        self.bad_ends: list[str] = []
        self._options = options
        self._plan = plan
        self._codec = codec
        self._place = place
        self._start = start
        self._progress = Progress()

    def conduct(self) -> CommandError | None:
        """Do everything; give what ended it early, if anything did. No process is left behind.

        Raises:
            CommandError: a process could not be started.
        """
        spec = run_spec(self._options, self._place)
        with (
            StopSignals() as signals,
            HistoryWriter(self._place.observed) as writer,
            RunChildren(spec, signals) as children,
        ):
            with self._view() as view:
                view.say(f"starting {len(self._plan.hosts)} hosts and a launcher")
                self.pids = children.pids
                children.start_all()
                view.say(f"ready: {', '.join(f'{name} {pid}' for name, pid in self.pids.items())}")
                now = time.monotonic_ns()
                writer.write(self._start.lines(now, OBSERVER))
                writer.write(lines_before(self._options, self._plan.hosts, now))
                _note_processes(writer, children, "started")
                problem = self._drive(view, writer, children, signals)
            children.stop_all()
            self.bad_ends = children.bad_ends
            _note_processes(writer, children, "ended")
            writer.write(lines_of_the_log(self._options, self._start, time.monotonic_ns()))
        return problem

    def _view(self) -> RunView:
        stream = sys.stderr if self._options.json else sys.stdout
        plain = not self._options.json
        return make_view(stream, self.driver, self._progress, self._plan, plain=plain)

    def _drive(
        self,
        view: RunView,
        writer: HistoryWriter,
        children: RunChildren,
        signals: StopSignals,
    ) -> CommandError | None:
        def record(item: Batch | Truncated) -> None:
            writer.write(lines_of(item, OBSERVER))

        with ExitStack() as stack:
            context = stack.enter_context(zmq.Context())
            observer = stack.enter_context(
                Observer(
                    self._place.endpoints,
                    codec=self._codec,
                    first=self._start.version + 1,
                    log=self._start.log_id,
                    context=context,
                )
            )
            controls = {
                host: stack.enter_context(dealer(context, endpoint))
                for host, endpoint in self._place.controls.items()
            }
            for socket in controls.values():
                socket.setsockopt(zmq.LINGER, 0)
            parts = RunParts(
                driver=self.driver,
                progress=self._progress,
                view=view,
                observer=observer,
                controls=controls,
                children=children,
                signals=signals,
                record=record,
            )
            loop, problem = RunLoop(parts), None
            try:
                loop.drive(self._options.timeout)
                writer.write(inspected(controls))
            except CommandError as error:
                problem = error
            loop.end()
            return problem


def _note_processes(writer: HistoryWriter, children: RunChildren, did: str) -> None:
    now = time.monotonic_ns()
    writer.write(ProcessLine(now, name, pid, did) for name, pid in children.pids.items())


def _print(result: RunResult, problem: CommandError | None, *, as_json: bool) -> int:
    lines = [json.dumps(document(result))] if as_json else summary_lines(result)
    sys.stdout.write("\n".join(lines) + "\n")
    if problem is not None:
        raise problem
    found = complaints(result)
    for complaint in found:
        sys.stderr.write(f"muxsaga: not sound: {complaint}\n")
    return FAILED if found else 0
