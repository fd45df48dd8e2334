"""What a run came to: one JSON document or some lines, and whether it was sound."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from actors.command_line.check_command import violation_document, violation_lines
from transport.checker import Violation
from transport.history_counts import Counts


@dataclass(frozen=True, slots=True)
class RunResult:
    """What is known of a run when it is over.

    Attributes:
        counts: from its history alone.
        promotes: how many were asked for.
        hosts: their ids.
        allow_cold: cold promotes are no fault.
        refusals: user actions that hosts refused.
        pids: every process that was started.
        bad_ends: how processes ended that did not end well.
        history: the file that was asked for, or None.
        violations: of the invariants, that its history shows.
    """

    counts: Counts
    promotes: int
    hosts: Sequence[str]
    allow_cold: bool
    refusals: Sequence[str]
    pids: Mapping[str, int]
    bad_ends: Sequence[str]
    history: Path | None
    violations: Sequence[Violation] = ()


def complaints(result: RunResult) -> list[str]:
    """Give everything that is wrong with a run; nothing if it was sound."""
    counts = result.counts
    none_of = {
        "of the promotes' sagas failed": counts.failed,
        "of the promotes' sagas are open": counts.open,
        "promotes were cold (--allow-cold takes them)": 0 if result.allow_cold else counts.cold,
        "other sagas failed": max(0, counts.failed_sagas - counts.failed),
        "sagas have no terminal event": counts.unclosed,
        "terminal events are duplicates": counts.duplicate_terminals,
        "terminal events have no start": counts.terminals_without_start,
        "promotes started more than one saga": counts.repeated_respawns,
        "events came after their saga's end": counts.strays,
        "completions name a window not made for them": counts.foreign_completions,
        "version gaps": counts.version_gaps,
        "versions were told in two ways": counts.divergences,
    }
    found = [f"{number} {what}" for what, number in none_of.items() if number]
    if counts.promotes != result.promotes:
        found.append(f"{counts.promotes} promotes happened, {result.promotes} were asked for")
    found.extend(_pool_complaints(result))
    history = "history" if result.history is None else str(result.history)
    found.extend("\n".join(violation_lines(history, each)) for each in result.violations)
    found.extend(result.bad_ends)
    found.extend(f"refused: {refusal}" for refusal in result.refusals[:3])
    if len(result.refusals) > 3:  # noqa: PLR2004
        found.append(f"and {len(result.refusals) - 3} more refusals")
    return found


def _pool_complaints(result: RunResult) -> list[str]:
    found = []
    for host in result.hosts:
        pool = result.counts.pool.get(host)
        if pool is None:
            found.append(f"{host} never registered")
        elif pool.size < pool.target:
            found.append(f"the pool of {host} was at {pool.size}, its target is {pool.target}")
    return found


def document(result: RunResult) -> dict[str, Any]:
    """Give the document that `--json` prints."""
    counts = result.counts
    return {
        "promotes": counts.promotes,
        "completed": counts.completed,
        "failed": counts.failed,
        "open": counts.open,
        "cold": counts.cold,
        "cleanups": counts.cleanups,
        "duplicate_terminals": counts.duplicate_terminals,
        "foreign_completions": counts.foreign_completions,
        "version_gaps": counts.version_gaps,
        "pool": msgspec.to_builtins(dict(sorted(counts.pool.items()))),
        "pids": dict(result.pids),
        "latency_ms": dict(counts.latency_ms),
        "history": str(result.history) if result.history is not None else None,
        "violations": [violation_document(each) for each in result.violations],
    }


def summary_lines(result: RunResult) -> list[str]:
    """Give the same for people."""
    counts = result.counts
    pools = ", ".join(
        f"{host} {pool.size}/{pool.target}" for host, pool in sorted(counts.pool.items())
    )
    latency = "  ".join(f"{name} {value:.1f} ms" for name, value in counts.latency_ms.items())
    sagas = (
        f"{counts.completed} completed, {counts.failed} failed, {counts.open} open, "
        f"{counts.cold} cold"
    )
    return [
        f"promotes   {counts.promotes}: {sagas}",
        f"cleanups   {counts.cleanups}",
        f"pools      {pools or 'none'} (when the last promote's bracket had closed)",
        f"latency    {latency or 'none'}",
        f"history    {counts.version_gaps} gaps, {counts.duplicate_terminals} duplicate terminals, "
        f"{counts.foreign_completions} foreign completions"
        + (f"; in {result.history}" if result.history is not None else ""),
        f"processes  {', '.join(f'{name} {pid}' for name, pid in result.pids.items())}: all ended",
    ]
