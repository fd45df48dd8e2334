"""What share of the samples each function and each part of the launcher has."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bench.profiling.parts import Part, part_of, part_of_file
from bench.profiling.stacks import Stack


@dataclass(frozen=True, slots=True)
class Share:
    """One function's or part's.

    Attributes:
        self_share: where it was innermost, of all; from 0 to 1.
        whole_share: where it was anywhere in the stack; None where the profiler cannot tell.
    """

    name: str
    self_share: float
    whole_share: float | None


@dataclass(frozen=True, slots=True)
class Profile:
    """All of it, the largest self share first.

    Attributes:
        functions: libraries' among them.
        parts: each that has any.
    """

    functions: list[Share]
    parts: list[Share]


def profile_of(stacks: Sequence[Stack]) -> Profile:
    """Count the samples of each function and part; one that recurs in a stack counts once."""
    functions, whole_functions = Counter[str](), Counter[str]()
    parts, whole_parts = Counter[str](), Counter[str]()
    for stack in stacks:
        functions[str(stack.frames[-1])] += stack.samples
        parts[part_of(stack.frames)] += stack.samples
        for name in dict.fromkeys(map(str, stack.frames)):
            whole_functions[name] += stack.samples
        for part in _parts_in(stack):
            whole_parts[part] += stack.samples
    total = sum(stack.samples for stack in stacks)
    return Profile(
        functions=_shares(functions, whole_functions, total),
        parts=_shares(parts, whole_parts, total),
    )


def _parts_in(stack: Stack) -> dict[Part, None]:
    own = (frame for frame in stack.frames if frame.is_product)
    return dict.fromkeys(part_of_file(frame.file) for frame in own)


def _shares(selves: Counter[str], wholes: Counter[str], total: int) -> list[Share]:
    shares = [Share(name, selves[name] / total, whole / total) for name, whole in wholes.items()]
    return sorted(shares, key=lambda share: (-share.self_share, share.name))
