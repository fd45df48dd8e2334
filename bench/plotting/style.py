"""How plots look, and how they are written: the same data give the same file, byte for byte."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from bench.result import ResultError

SIZE = (7.2, 4.2)
TALL = (7.2, 5.4)
"""Inches."""

COLOURS = {
    "floor": "#8c8c8c",
    "memory": "#4c78a8",
    "process": "#d1495b",
    "power": "#2e7d5b",
}
"""The variants that every plot shows in the same colour."""

OTHERS = ("#b279a2", "#e39c37", "#5aa9a0", "#7a6a53", "#6b6ecf", "#a0522d")
"""Those of all others, in their order."""

INK = "#333333"
PALE = "#e4e4e4"

RULES: Any = {
    "axes.axisbelow": True,
    "axes.edgecolor": INK,
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.labelsize": 9,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "figure.constrained_layout.use": True,
    "font.family": ["DejaVu Sans", "sans-serif"],
    "grid.color": PALE,
    "grid.linewidth": 0.7,
    "legend.fontsize": 8.5,
    "legend.frameon": False,
    "legend.handlelength": 1.6,
    "lines.linewidth": 1.6,
    "savefig.dpi": 144,
    "svg.fonttype": "none",
    "svg.hashsalt": "muxsaga",
    "text.color": INK,
    "xtick.color": INK,
    "xtick.labelsize": 8.5,
    "ytick.color": INK,
    "ytick.labelsize": 8.5,
}

METADATA: dict[str, dict[str, None]] = {
    "svg": {"Date": None, "Creator": None},
    "png": {"Software": None},
}
"""What is left out: it would differ from day to day, or with the library."""


def colours_of(variants: Iterable[str]) -> dict[str, str]:
    """Give each variant its colour."""
    distinct = list(dict.fromkeys(variants))
    others = [each for each in distinct if each not in COLOURS]
    drawn = {each: OTHERS[number % len(OTHERS)] for number, each in enumerate(others)}
    return {each: COLOURS.get(each) or drawn[each] for each in distinct}


def milliseconds_axis(axes: Axes, label: str = "latency, ms") -> None:
    """Make the upright axis one of latencies in milliseconds, logarithmic."""
    axes.set_yscale("log")
    axes.set_ylabel(label)
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.yaxis.set_major_formatter(FuncFormatter(_plain))
    axes.yaxis.set_minor_formatter(NullFormatter())


def thousands_axis(axes: Axes, label: str) -> None:
    """Make the upright axis a linear one from 0, with commas."""
    axes.set_ylim(bottom=0)
    axes.set_ylabel(label)
    axes.yaxis.set_major_formatter(FuncFormatter(_with_commas))


def _plain(value: float, position: int | None) -> str:
    del position
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"


def _with_commas(value: float, position: int | None) -> str:
    del position
    return f"{value:,.0f}"


def save(figure: Figure, directory: Path, name: str, formats: Iterable[str]) -> list[Path]:
    """Write a figure in some formats, and give the files.

    Raises:
        ResultError: one cannot be written.
    """
    files = []
    for each in formats:
        file = directory / f"{name}.{each}"
        try:
            directory.mkdir(parents=True, exist_ok=True)
            with mpl.rc_context(RULES):
                figure.savefig(file, metadata=METADATA[each])
        except OSError as error:
            msg = f"{file} cannot be written: {error.strerror}: give another '--directory'"
            raise ResultError(msg) from error
        files.append(file)
    return files
