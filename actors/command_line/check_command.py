"""`muxsaga check`: judges histories by the nine invariants, and shows what proves a violation."""

import json
import shutil
import sys
import tempfile
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from actors.command_line.command_error import FAILED, USAGE, CommandError
from actors.command_line.parsers import Subparsers, add_command
from transport.checker import Report, Violation, judge
from transport.history import HistoryError, HistoryFile

EXAMPLES = """\
examples:
  muxsaga run --history run.jsonl; muxsaga check run.jsonl
  muxsaga check run-*.jsonl --json | jq '.[].violations'
  zcat old.jsonl.gz | muxsaga check -

exit status: 0 if no history violates an invariant; 1 if one does; 2 if a file cannot be read
"""

STANDARD_INPUT = Path("-")

LONGEST_LINE = 300
"""How many characters of a line are shown as proof."""


def add_check(subparsers: Subparsers) -> None:
    """Add the command."""
    summary = "judge histories by the nine invariants"
    parser = add_command(subparsers, "check", summary, EXAMPLES, execute)
    parser.add_argument(
        "files",
        nargs="+",
        type=Path,
        metavar="FILE",
        help="a history of one log, as JSON lines; - is standard input",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def execute(options: Namespace) -> int:
    """Judge every file as a history of its own, and give the exit status."""
    documents, status = [], 0
    for path in options.files:
        report = _judge(path)
        if report.violations:
            status = FAILED
        if options.json:
            documents.append(document(str(path), report))
        else:
            sys.stdout.write("".join(f"{line}\n" for line in report_lines(str(path), report)))
    if options.json:
        sys.stdout.write(json.dumps(documents) + "\n")
    return status


def _judge(path: Path) -> Report:
    try:
        with _file(path) as file:
            return judge(HistoryFile(file))
    except (HistoryError, OSError) as error:
        msg = f"history {path} cannot be read: {error}"
        raise CommandError(msg, USAGE) from error


@contextmanager
def _file(path: Path) -> Iterator[Path]:
    """Give a file that can be read twice."""
    if path != STANDARD_INPUT:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="muxsaga-") as directory:
        copy = Path(directory) / "standard-input"
        with copy.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
        yield copy


def report_lines(name: str, report: Report) -> Iterator[str]:
    """Give a report for people: every violation with its lines, then what was not judged."""
    for violation in report.violations:
        yield from violation_lines(name, violation)
    for invariant, omitted in report.omitted.items():
        yield f"{name}: {omitted} more violations of invariant {invariant}"
    for unjudged in report.unjudged:
        yield f"{name}: not judged, of invariant {unjudged.invariant}: {unjudged.reason}"
    number = len(report.violations) + sum(report.omitted.values())
    yield f"{name}: {report.line_count} lines, {number or 'no'} violation{'s' * (number != 1)}"


def violation_lines(name: str, violation: Violation) -> Iterator[str]:
    """Give a violation, and under it the lines that prove it."""
    invariant = violation.invariant
    first = violation.lines[-1][0] if violation.lines else 0
    where = f"{name}:{first}" if first else name
    yield f"{where}: invariant {invariant} ({invariant.title}): {violation.message}"
    for number, line in violation.lines:
        text = msgspec.json.encode(line).decode()
        shown = text if len(text) <= LONGEST_LINE else f"{text[:LONGEST_LINE]}..."
        yield f"    {name}:{number}: {shown}"


def document(name: str, report: Report) -> dict[str, Any]:
    """Give a report for machines."""
    return {
        "history": name,
        "lines": report.line_count,
        "violations": [violation_document(each) for each in report.violations],
        "omitted": {str(int(each)): number for each, number in report.omitted.items()},
        "unjudged": [
            {"invariant": int(each.invariant), "reason": each.reason} for each in report.unjudged
        ],
    }


def violation_document(violation: Violation) -> dict[str, Any]:
    """Give a violation for machines: its lines by number, whole."""
    return {
        "invariant": int(violation.invariant),
        "name": violation.invariant.title,
        "message": violation.message,
        "lines": [
            {"number": number, "line": msgspec.to_builtins(line)}
            for number, line in violation.lines
        ],
    }
