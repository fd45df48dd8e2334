"""A flame graph as SVG: each box a function on what called it, as wide as its share of the samples.

The graph is made of the very samples that the table counts, coloured by the launcher's parts.
Hovering over a box names it. The same stacks give the same file, byte for byte.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from bench.profiling.parts import Part, part_of
from bench.profiling.stacks import Frame, Stack

WIDTH = 1200
ROW = 18
MARGIN = 12
HEAD = 64
LETTER = 6.6
"""Widths and heights in pixels; a letter's is that of the font, about."""

FEWEST_LETTERS = 4
"""A shorter beginning of a name says nothing."""

NARROWEST = 0.4
"""A box that would be narrower is left out, with all above it."""

COLOURS = {
    Part.SOCKETS: "#9ecae1",
    Part.CODEC: "#fdd0a2",
    Part.LINK: "#c7e9c0",
    Part.REDUCER: "#fcbba1",
    Part.STATE: "#dadaeb",
    Part.ACTORS: "#fee391",
    Part.LOG: "#a1d99b",
    Part.PASSES: "#d9d9d9",
    Part.QUERIES: "#fde0ef",
    Part.REST: "#f0f0f0",
}


@dataclass(slots=True)
class _Box:
    frame: Frame
    part: Part
    samples: int = 0
    above: dict[Frame, "_Box"] = field(default_factory=dict)


def flame_graph(stacks: Sequence[Stack], title: str) -> str:
    """Give the SVG."""
    ground = _tree(stacks)
    total = sum(box.samples for box in ground.values())
    boxes = list(_placed(ground, WIDTH - 2 * MARGIN, total))
    height = HEAD + ROW * (1 + max((box.level for box in boxes), default=0)) + MARGIN
    size = f'width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="11">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="{MARGIN}" y="24" font-size="15">{escape(title)}</text>',
        *_legend(boxes),
        *(line for box in boxes for line in box.drawn(height)),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _tree(stacks: Sequence[Stack]) -> dict[Frame, _Box]:
    ground: dict[Frame, _Box] = {}
    for stack in stacks:
        level = ground
        for depth, frame in enumerate(stack.frames, 1):
            box = level.get(frame)
            if box is None:
                box = level[frame] = _Box(frame, part_of(stack.frames[:depth]))
            box.samples += stack.samples
            level = box.above
    return ground


@dataclass(frozen=True, slots=True)
class _Placed:
    box: _Box
    level: int
    left: float
    width: float
    share: float

    def drawn(self, height: int) -> Iterator[str]:
        top = height - MARGIN - ROW * (self.level + 1)
        about = escape(f"{self.box.frame}: {self.share:.1%}, {self.box.part}")
        yield (
            f'<g><title>{about}</title><rect x="{self.left:.1f}" y="{top}" '
            f'width="{self.width:.1f}" height="{ROW - 1}" rx="1" fill="{COLOURS[self.box.part]}"/>'
        )
        shown = _fitting(self.box.frame.function, int((self.width - 6) / LETTER))
        if shown:
            yield f'<text x="{self.left + 3:.1f}" y="{top + 12}">{escape(shown)}</text>'
        yield "</g>"


def _fitting(function: str, letters: int) -> str:
    """Give a function's name, its name without the class, or the beginning of that."""
    name = function.rpartition(".")[2]
    for text in (function, name):
        if len(text) <= letters:
            return text
    return f"{name[: letters - 1]}…" if letters >= FEWEST_LETTERS else ""


def _placed(ground: dict[Frame, _Box], width: float, total: int) -> Iterator[_Placed]:
    """Place boxes level by level from the left, in the alphabet's order, as is usual."""
    waiting = [(ground, 0, float(MARGIN))]
    while waiting:
        level, depth, left = waiting.pop()
        for frame in sorted(level):
            box = level[frame]
            share = box.samples / total
            if share * width >= NARROWEST:
                yield _Placed(box, depth, left, share * width, share)
                waiting.append((box.above, depth + 1, left))
            left += share * width


def _legend(boxes: Sequence[_Placed]) -> Iterator[str]:
    shown = {placed.box.part for placed in boxes}
    left = MARGIN
    for part in Part:
        if part in shown:
            yield (
                f'<rect x="{left}" y="38" width="11" height="11" rx="1" fill="{COLOURS[part]}"/>'
                f'<text x="{left + 16}" y="48">{part}</text>'
            )
            left += 34 + round(len(part) * LETTER)
