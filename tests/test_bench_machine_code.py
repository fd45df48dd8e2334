"""A result says whether the modules were compiled; stale machine code is not measured."""

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace
from rich.console import Console

from bench.__main__ import main
from bench.comparison import compare
from bench.report import print_document
from bench.result import Document, ResultError, read_document, write_document
from bench.scenario import Variant
from tests.bench_documents import document_of, series_at
from tests.bug_patches import copy_of_the_product

SUFFIX = EXTENSION_SUFFIXES[0]
INTERPRETED = document_of(series_at(Variant.PROCESS, [500]))
COMPILED = replace(INTERPRETED, environment=replace(INTERPRETED.environment, compiled=True))

CHECK = """\
from bench.machine_code import check_machine_code, is_compiled
print(is_compiled())
check_machine_code()
"""


@pytest.fixture
def copy() -> Iterator[Path]:
    """A copy of the product that looks as if its engine and reducer were compiled just now."""
    with copy_of_the_product("bench") as copy:
        for name in ("actors/engine", "actors/reducer", "muxsaga__mypyc"):
            (copy / f"{name}{SUFFIX}").touch()
        yield copy


def checked(copy: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", CHECK],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_machine_code_of_the_sources_as_they_are_is_fine(copy: Path) -> None:
    done = checked(copy)
    assert (done.returncode, done.stdout) == (0, "True\n"), done.stderr


def test_machine_code_that_is_older_than_its_source_is_refused(copy: Path) -> None:
    built = (copy / f"muxsaga__mypyc{SUFFIX}").stat().st_mtime
    os.utime(copy / "actors" / "reducer.py", (built + 1, built + 1))
    done = checked(copy)
    assert done.returncode == 1
    assert "reducer.py was changed after it was compiled: compile it again: MUX" in done.stderr


def test_a_source_that_is_not_compiled_may_be_newer(copy: Path) -> None:
    built = (copy / f"muxsaga__mypyc{SUFFIX}").stat().st_mtime
    os.utime(copy / "actors" / "coordinator.py", (built + 1, built + 1))
    assert checked(copy).returncode == 0


@pytest.mark.parametrize(
    ("module", "command"),
    [
        ("bench.logic", ["logic"]),
        ("bench.environment", ["promotes"]),
        ("bench.environment", ["yardsticks"]),
        ("bench.environment", ["micro"]),
        ("bench.profiling.command", ["profile"]),
    ],
)
def test_everything_that_measures_refuses_it(
    module: str,
    command: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def refuse() -> None:
        message = "stale"
        raise ResultError(message)

    monkeypatch.setattr(f"{module}.check_machine_code", refuse)
    assert main(command) == 1
    assert capsys.readouterr().err == "bench: stale\n"


def test_a_result_from_before_there_was_a_compiled_build_is_of_an_interpreted_one(
    tmp_path: Path,
) -> None:
    file = tmp_path / "result.json"
    write_document(file, COMPILED)
    assert read_document(file).environment.compiled
    raw = msgspec.json.decode(file.read_bytes())
    del raw["environment"]["compiled"]
    file.write_bytes(msgspec.json.encode(raw))
    assert not read_document(file).environment.compiled


def test_a_comparison_says_that_one_was_compiled() -> None:
    told = compare(INTERPRETED, COMPILED).differences
    assert told == ["modules: interpreted before, compiled after"]
    assert compare(COMPILED, COMPILED).differences == []


@pytest.mark.parametrize(
    ("document", "word"), [(INTERPRETED, "interpreted"), (COMPILED, "compiled")]
)
def test_a_report_says_what_the_modules_were(
    document: Document, word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    print_document(Console(), document)
    assert f"revision unknown, {word}, began" in capsys.readouterr().out
