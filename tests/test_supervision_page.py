"""The examples of docs/supervision.md run as they stand there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parent.parent / "docs" / "supervision.md"
EXAMPLES = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
SECONDS = 30


@pytest.mark.timeout(90)
@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_an_example_of_the_page_runs_as_it_stands(number: int) -> None:
    command = [sys.executable, "-W", "error", "-c", EXAMPLES[number]]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, done.stderr


def test_the_page_has_its_examples() -> None:
    assert len(EXAMPLES) == 14


@pytest.mark.timeout(300)
def test_the_first_example_runs_in_an_empty_project_with_nothing_but_the_built_wheel(
    tmp_path: Path,
) -> None:
    def run(*command: str) -> None:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=200, check=False, cwd=tmp_path
        )
        assert done.returncode == 0, done.stdout + done.stderr

    run(sys.executable, "-m", "pip", "wheel", "--no-deps", "-w", "dist", str(PAGE.parent.parent))
    run(sys.executable, "-m", "venv", "project")
    [wheel] = (tmp_path / "dist").glob("muxsaga-*.whl")
    python = str(tmp_path / "project" / "bin" / "python")
    run(python, "-m", "pip", "install", "--quiet", str(wheel))
    (tmp_path / "example.py").write_text(EXAMPLES[0])
    run(python, "example.py")
