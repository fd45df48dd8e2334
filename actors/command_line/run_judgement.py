"""What a run's history says beside what was observed, so that it can be judged as a whole."""

import time
from argparse import Namespace
from collections.abc import Iterable, Mapping

import zmq

from actors.command_line.command_error import CommandError
from actors.command_line.host_options import faults_of
from actors.command_line.run_start import RunStart
from actors.launcher_extension import load_launcher_extension, saga_kinds
from actors.log_lines import log_lines
from actors.sqlite_read_only import LogUnreadableError
from transport.codec import decode, encode, family
from transport.frame_fault import FrameError
from transport.history_lines import FaultLine, HistoryLine, HostEndLine, TimeoutsLine
from transport.message_types import USER_ANSWERS
from transport.messages import HostState, InspectHost
from transport.zeromq.sockets import ZmqSocket

ANSWER_SECONDS = 10.0
"""How long hosts may take to say what they have."""

LAST_QUESTION = 2**53
"""The number of the question at the end; a run's user actions have small ones."""

ANSWERS = family(USER_ANSWERS)


def lines_before(options: Namespace, hosts: Iterable[str], at_ns: int) -> list[HistoryLine]:
    """Give how long sagas may take, and which faults the options have asked for."""
    kinds = saga_kinds(map(load_launcher_extension, options.extension))
    lines: list[HistoryLine] = [TimeoutsLine(at_ns, {kind.name: kind.timeout for kind in kinds})]
    if options.crash_sagas:
        lines.append(FaultLine(at_ns, "saga crashes", "launcher"))
    if options.crash_coordinator is not None:
        lines.append(FaultLine(at_ns, "coordinator crashes", "launcher"))
    lines.extend(FaultLine(at_ns, fault, host) for host in hosts for fault in faults_of(options))
    return lines


def lines_of_the_log(options: Namespace, start: RunStart, at_ns: int) -> list[HistoryLine]:
    """Give what the run's log has of the run; nothing for a log in memory.

    Raises:
        CommandError: the log cannot be read any more.
    """
    if options.log is None:
        return []
    left_open = frozenset(each.saga_id for each in start.open)
    try:
        return [
            *log_lines(
                options.log,
                at_ns,
                after=start.version,
                first_saga=start.next_saga_id,
                also=left_open,
            )
        ]
    except LogUnreadableError as error:
        raise CommandError(str(error)) from error


def inspected(controls: Mapping[str, ZmqSocket]) -> list[HostEndLine]:
    """Ask every host what it has; one that does not answer in time has no line."""
    for socket in controls.values():
        socket.send(encode(InspectHost(number=LAST_QUESTION)), zmq.NOBLOCK)
    deadline = time.monotonic() + ANSWER_SECONDS
    states = (_answer(socket, deadline) for socket in controls.values())
    return [_end_line(state) for state in states if state is not None]


def _answer(socket: ZmqSocket, deadline: float) -> HostState | None:
    while socket.poll(max(0, round((deadline - time.monotonic()) * 1000))):
        for frame in socket.recv_multipart(zmq.NOBLOCK):
            try:
                answer = decode(frame, ANSWERS)
            except FrameError:
                continue
            if isinstance(answer, HostState) and answer.number == LAST_QUESTION:
                return answer
    return None


def _end_line(answer: HostState) -> HostEndLine:
    state = answer.state
    return HostEndLine(
        time.monotonic_ns(),
        state["host"],
        state["epoch"],
        tuple(state["pool"]),
        tuple(state["open"]),
        state["pool_target"],
        state["drained"],
    )
