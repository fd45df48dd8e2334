"""What a run's history says beside what was observed, so that it can be judged as a whole."""

from argparse import Namespace
from collections.abc import Iterable

from actors.command_line.command_error import CommandError
from actors.command_line.host_options import faults_of
from actors.command_line.run_start import RunStart
from actors.launcher_extension import load_launcher_extension, saga_kinds
from actors.log_lines import log_lines
from actors.sqlite_read_only import LogUnreadableError
from transport.history_lines import FaultLine, HistoryLine, TimeoutsLine


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
