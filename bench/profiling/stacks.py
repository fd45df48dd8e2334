"""Sampled call stacks, as py-spy writes them: one line a stack, `root;...;leaf COUNT`."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent.parent
PRODUCT = ("actors", "transport", "host_sim")

WAITING = ("acquire", "poll", "wait")
"""Functions that do nothing but wait."""

_FRAME = re.compile(r"(?P<function>.*) \((?P<file>[^()]*?)(?::\d+)?\)\Z")


@dataclass(frozen=True, slots=True, order=True)
class Frame:
    """A function.

    Attributes:
        file: of the product, relative to the repository; else its package and name.
    """

    function: str
    file: str

    @property
    def is_product(self) -> bool:
        """Whether it is muxsaga's own."""
        return self.file.startswith(tuple(f"{package}/" for package in PRODUCT))

    def __str__(self) -> str:
        return f"{self.function} ({self.file})"


@dataclass(frozen=True, slots=True)
class Stack:
    """Who called whom, the outermost first, and in how many samples."""

    frames: tuple[Frame, ...]
    samples: int


def read_stacks(lines: Iterable[str]) -> list[Stack]:
    """Give the stacks of muxsaga's own code, from its outermost function on.

    Samplers take some of a thread's waiting for work. Where the innermost function of a thread
    other than the main one only waits, the stack is left out; the main one's poll is work too.

    Raises:
        ValueError: a line is no stack; shows it.
    """
    return [stack for line in lines if line.strip() for stack in _work_of(_stack(line))]


def _stack(line: str) -> Stack:
    text, _, samples = line.strip().rpartition(" ")
    if not samples.isdecimal() or not text:
        msg = f"no line of py-spy: {line!r}"
        raise ValueError(msg)
    return Stack(tuple(map(_frame, text.split(";"))), int(samples))


def _frame(text: str) -> Frame:
    found = _FRAME.fullmatch(text)
    if found is None:
        return Frame(text, "")
    return Frame(found["function"], short_file(found["file"]))


def short_file(path: str) -> str:
    """Give a file as `Frame.file` has it."""
    if path.startswith(f"{REPOSITORY}/"):
        return path.removeprefix(f"{REPOSITORY}/")
    return "/".join(Path(path).parts[-2:])


def _work_of(stack: Stack) -> Iterator[Stack]:
    is_main = not any(frame.file.endswith("threading.py") for frame in stack.frames[:2])
    if not is_main and stack.frames[-1].function.rpartition(".")[2] in WAITING:
        return
    first = next((at for at, frame in enumerate(stack.frames) if frame.is_product), None)
    if first is not None:
        yield Stack(stack.frames[first:], stack.samples)
