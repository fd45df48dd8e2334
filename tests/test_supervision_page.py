"""The examples of docs/supervision.md run as they stand there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from setup import MODULES, SWITCH, missing_tool
from tests.bug_patches import copy_of_the_product

PAGE = Path(__file__).parent.parent / "docs" / "supervision.md"
EXAMPLES = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
SECONDS = 30

PROJECT_FILES = (
    *("build_backend.py", "pyproject.toml", "setup.py"),
    *("LICENSE", "MANIFEST.in", "README.md"),
)
"""What a build of the product needs beside its packages."""

SOURCE_DISTRIBUTION = """
import os, sys
os.chdir(sys.argv[1])
sys.path.insert(0, "")
import build_backend
build_backend.build_sdist(sys.argv[2])
"""
"""A program that makes the source distribution of a project, as PEP 517 has it made."""

MODULE_FILES = f"""
import importlib, pathlib
for name in {[module.removesuffix(".py").replace("/", ".") for module in MODULES]}:
    print(pathlib.Path(importlib.import_module(name).__file__).suffix)
"""
"""A program that gives the kind of file of each module that can be compiled."""


@pytest.mark.timeout(90)
@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_an_example_of_the_page_runs_as_it_stands(number: int) -> None:
    command = [sys.executable, "-W", "error", "-c", EXAMPLES[number]]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, done.stderr


def test_the_page_has_its_examples() -> None:
    assert len(EXAMPLES) == 14


@pytest.mark.timeout(400)
def test_the_first_example_runs_in_an_empty_project_with_nothing_but_the_built_wheel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(*command: str) -> str:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=300, check=False, cwd=tmp_path
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    for each in (SWITCH, "PYTHONPATH"):
        monkeypatch.delenv(each, raising=False)
    with copy_of_the_product(*PROJECT_FILES) as project:
        run(sys.executable, "-c", SOURCE_DISTRIBUTION, str(project), str(tmp_path / "dist"))
    [source] = (tmp_path / "dist").glob("muxsaga-*.tar.gz")
    run(sys.executable, "-m", "pip", "wheel", "--no-deps", "-w", "dist", str(source))
    run(sys.executable, "-m", "venv", "project")
    [wheel] = (tmp_path / "dist").glob("muxsaga-*.whl")
    python = str(tmp_path / "project" / "bin" / "python")
    run(python, "-m", "pip", "install", "--quiet", str(wheel))
    (tmp_path / "example.py").write_text(EXAMPLES[0])
    run(python, "example.py")
    suffix = ".py" if missing_tool() else ".so"
    assert run(python, "-c", MODULE_FILES).splitlines() == [suffix] * len(MODULES)
