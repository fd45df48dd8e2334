"""Invariant 3: an event says what its report says, and is of the saga whose step that settles.

A report is taken or refused: one that gave an event is not refused too, however often it came.
"""

from msgspec import Struct

from transport.checker.brackets import Brackets
from transport.checker.part import Part, Seen
from transport.checker.report import Findings, Invariant
from transport.checker.told import Told
from transport.history_lines import HostLine

EVENTS_OF_REPORTS = {
    "ReportPoolWindowAdded": "PoolWindowAdded",
    "ReportPoolWindowRemoved": "PoolWindowRemoved",
    "ReportPoolWindowPromoted": "PoolWindowPromoted",
    "ReportWindowOpened": "WindowOpened",
    "ReportWindowClosed": "WindowClosed",
    "ReportPanesReaped": "PanesReaped",
    "ReportPoolDrained": "PoolDrained",
    "ReportPoolNotLast": "PoolNotLast",
    "ReportActionFailed": "ActionFailed",
    "ReportPoolDrift": "PoolDriftReported",
}
"""Which event each of the core's reports becomes; an extension's may become any."""

OF_NO_REPORT = frozenset({"HostRegistered", "HostLeft"})

Key = tuple[str, str, int]
"""Host, epoch and sequence: names one report."""


class _Report(Struct, frozen=True):
    type: str
    label: str
    saga_id: int | None
    number: int


class Correlation(Part):
    """Reports and the events that came of them, joined by host, epoch and sequence."""

    def __init__(self, findings: Findings, brackets: Brackets) -> None:
        self._findings = findings
        self._brackets = brackets
        self._reports: dict[Key, _Report] = {}
        self._last: dict[tuple[str, str], tuple[int, _Report]] = {}
        self._waiting: dict[Key, tuple[Told, int]] = {}
        self._recorded: dict[tuple[str, str], int] = {}
        self._refused: dict[Key, int] = {}

    def take(self, number: int, line: Seen) -> None:
        """Take the next line; an event's before `Brackets` takes it."""
        match line:
            case HostLine(did="report", sequence=int(sequence)):
                self._take_report(number, line, sequence)
            case HostLine(did="refused_by_launcher", sequence=int(sequence)):
                self._take_refusal(number, (line.host, line.epoch, sequence))
            case Told(first=True, host=host) if host and line.sequence > 0:
                if line.type not in OF_NO_REPORT and not line.fields.get("reconciled"):
                    self._take_event(number, line)
            case _:
                pass

    def _take_report(self, number: int, line: HostLine, sequence: int) -> None:
        self._recorded[line.host, line.epoch] = sequence
        saga_id = line.identity.saga_id if line.identity is not None else None
        report = _Report(line.type or "", line.label or "", saga_id, number)
        key = (line.host, line.epoch, sequence)
        waiting = self._waiting.pop(key, None)
        if waiting is None:
            self._reports[key] = report
        else:
            told, event_number = waiting
            self._judge(told, event_number, report)

    def _take_refusal(self, number: int, key: Key) -> None:
        host, epoch, sequence = key
        was_told = key not in self._reports and sequence <= self._recorded.get((host, epoch), 0)
        if was_told:
            self._refused_too(key, number)
        else:
            self._refused[key] = number

    def _refused_too(self, key: Key, *numbers: int) -> None:
        host, _, sequence = key
        self._violated(f"report {sequence} of {host} was refused, and gave an event", *numbers)

    def _take_event(self, number: int, told: Told) -> None:
        life = (told.host, told.epoch)
        refused = self._refused.pop((*life, told.sequence), None)
        if refused is not None:
            self._refused_too((*life, told.sequence), refused, number)
        last = self._last.get(life)
        if last is not None and last[0] == told.sequence:
            self._judge(told, number, last[1])
            return
        report = self._reports.pop((*life, told.sequence), None)
        if report is None:
            self._waiting[*life, told.sequence] = (told, number)
            return
        self._last[life] = (told.sequence, report)
        self._judge(told, number, report)
        is_open = report.saga_id is not None and self._brackets.is_open(
            told.observer, report.saga_id
        )
        if told.saga_id is None and is_open:
            message = f"{told} settles a step of saga {report.saga_id}, and was not given to it"
            self._violated(message, report.number, number)

    def _judge(self, told: Told, number: int, report: _Report) -> None:
        expected = EVENTS_OF_REPORTS.get(report.type)
        if expected is not None and told.type != expected:
            self._violated(f"{told} came of a {report.type}", report.number, number)
        elif expected is not None and told.label != report.label:
            message = f"{told} names {told.label!r}, its report {report.label!r}"
            self._findings.violated(Invariant.POOL, message, report.number, number)
        if told.saga_id is not None and told.saga_id != report.saga_id:
            message = f"{told} is of saga {told.saga_id}, its report of {report.saga_id}"
            self._violated(message, report.number, number)

    def finish(self) -> None:
        """Judge which events came of nothing."""
        if not self._recorded:
            reason = "no line tells of a host's reports: events are not compared with them"
            self._findings.unjudged(Invariant.CORRELATION, reason)
        for (host, epoch, sequence), (told, number) in self._waiting.items():
            if (host, epoch) in self._recorded:
                message = f"{told} came of report {sequence} of {host}, which it never made"
                self._violated(message, number)

    def _violated(self, message: str, *numbers: int) -> None:
        self._findings.violated(Invariant.CORRELATION, message, *numbers)
