"""Rows of text as columns."""

from collections.abc import Iterator, Sequence

INDENT = "  "


def aligned(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Give rows as indented lines whose columns begin where their head does.

    Args:
        heads: a word for each column.
        rows: as many texts each as there are heads.
    """
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    for row in (heads, *rows):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield f"{INDENT}{INDENT.join(cells)}".rstrip()
