"""Where a run begins that goes on with a log: what is in it already is of earlier runs."""

from dataclasses import dataclass
from pathlib import Path

from actors.command_line.command_error import CommandError
from actors.sqlite_read_only import LogEmptyError, LogUnreadableError, reading
from actors.sqlite_saga_rows import beginning
from transport.history_lines import BeginsLine, OpenBracket


@dataclass(frozen=True, slots=True)
class RunStart:
    """What a log has when a run begins.

    Attributes:
        log_id: of the log; None for one that is yet to be made.
        version: of its last event.
        open: the sagas that earlier runs left open.
        next_saga_id: the first one that is of this run.
    """

    log_id: str | None = None
    version: int = 0
    open: tuple[OpenBracket, ...] = ()
    next_saga_id: int = 1

    def lines(self, at_ns: int, observer: str) -> list[BeginsLine]:
        """Give what the run's history begins with."""
        if self.version == 0:
            return []
        return [BeginsLine(at_ns, observer, self.version, self.open)]


def run_start(log: Path | None) -> RunStart:
    """Give where a run begins whose launcher keeps its log in that file.

    Raises:
        CommandError: the file is there, and is no saga log.
    """
    if log is None or not log.exists():
        return RunStart()
    try:
        with reading(log) as db:
            log_id, version, next_saga_id, left_open = beginning(db)
    except LogEmptyError:
        return RunStart()
    except LogUnreadableError as error:
        raise CommandError(str(error)) from error
    left_open_brackets = tuple(OpenBracket(*each) for each in left_open)
    return RunStart(log_id, version, left_open_brackets, next_saga_id)
