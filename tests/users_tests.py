"""Users' tests of their own saga, which tests of the pytest plugin run."""

from pathlib import Path

import pytest

import actors.saga_test_kit  # noqa: F401 - imported once, and not by every run within a test

ROOT = Path(__file__).parent.parent
SAGA = (ROOT / "docs" / "examples" / "window_thumbnails.py").read_text()

QUIETLY = ("-W", "error", "-p", "no:randomly", "-p", "no:hypothesispytest")
"""How users' tests are run here: a warning is an error, and nobody else's plugin costs time."""

PRELUDE = """
THUMBNAILS = {"extensions": ["thumbnails"]}

def open_a_window(system):
    label = system.promote("host-1")
    return system.expect_bracket("window_thumbnail", result=label)
"""


def spoiled(*edits: tuple[str, str]) -> str:
    """Give the saga of the documentation, with a bug."""
    text = SAGA
    for before, after in edits:
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    return text


def run_users_tests(pytester: pytest.Pytester, test: str, *, saga: str = SAGA) -> pytest.RunResult:
    """Run a user's tests beside a module of theirs."""
    pytester.makepyfile(thumbnails=saga, test_mine=PRELUDE + test)
    return pytester.runpytest_inprocess(*QUIETLY)


IMPURE_SAGA = spoiled(
    (
        "from collections.abc import Sequence",
        "from collections.abc import Sequence\nimport itertools",
    ),
    (
        "class WindowThumbnail(Saga):",
        "STARTS = itertools.cycle([False, True])\n\n\nclass WindowThumbnail(Saga):",
    ),
    ("if isinstance(event, WindowOpened) else None", "if next(STARTS) else None"),
)
"""It starts or not as something outside of the event has it: not the first time."""
