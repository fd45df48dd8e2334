"""From cProfile's statistics to shares: every call of the main thread, but no stacks."""

import pstats
from collections import defaultdict
from pathlib import Path

from bench.profiling.parts import Part, part_of_file
from bench.profiling.shares import Profile, Share
from bench.profiling.stacks import Frame, short_file

Function = tuple[str, int, str]
"""File, line and name; C functions have the file `~`."""

Calls = tuple[int, int, float, float]
"""Primitive calls, all calls, seconds without and with what it called."""

Entries = dict[Function, tuple[int, int, float, float, dict[Function, Calls]]]

Owners = dict[Part, float]
"""Whose work a function does, as shares of 1."""


def read_call_statistics(file: Path) -> Profile:
    """Give the shares in a file that `cProfile.Profile.dump_stats` wrote.

    What libraries and C functions take is the part's that called them, by the seconds of the calls.
    """
    entries: Entries = vars(pstats.Stats(str(file)))["stats"]
    total = sum(entry[2] for entry in entries.values())
    owners: dict[Function, Owners] = {}
    parts: dict[Part, float] = defaultdict(float)
    for function, (_, _, seconds, _, _) in entries.items():
        for part, share in _owners(function, entries, owners).items():
            parts[part] += share * seconds / total
    functions = [
        Share(str(_frame(function)), seconds / total, min(1.0, whole / total))
        for function, (_, _, seconds, whole, _) in entries.items()
    ]
    return Profile(
        functions=_largest_first(functions),
        parts=_largest_first([Share(part, share, None) for part, share in parts.items()]),
    )


def _owners(function: Function, entries: Entries, known: dict[Function, Owners]) -> Owners:
    if function in known:
        return known[function]
    frame = _frame(function)
    if frame.is_product:
        known[function] = {part_of_file(frame.file): 1.0}
        return known[function]
    known[function] = {Part.REST: 1.0}  # where libraries call each other in a circle
    callers = entries[function][4] if function in entries else {}
    whole = sum(calls[2] for calls in callers.values())
    if whole > 0:
        mixed: dict[Part, float] = defaultdict(float)
        for caller, calls in callers.items():
            for part, share in _owners(caller, entries, known).items():
                mixed[part] += share * calls[2] / whole
        known[function] = dict(mixed)
    return known[function]


def _frame(function: Function) -> Frame:
    path, _, name = function
    return Frame(name, "C" if path == "~" else short_file(path))


def _largest_first(shares: list[Share]) -> list[Share]:
    return sorted(shares, key=lambda share: (-share.self_share, share.name))
