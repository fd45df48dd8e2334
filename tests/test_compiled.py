"""The compiled build: its switch, and the command that compares it with the interpreted one."""

import sys
from argparse import ArgumentTypeError
from collections.abc import Iterator
from pathlib import Path

import pytest
from setuptools import build_meta

import build_backend
import setup
from tests.bug_patches import ROOT, copy_of_the_product
from tests.compiled import differences, first_difference, seeds_of
from tests.compiled_copy import BuildError, Copies, check_loaded, copy_files

HISTORY = b"one\ntwo\nthree\n"


@pytest.mark.parametrize(
    ("compiled", "told"),
    [
        (b"one\n2\nthree\n", "line 2: interpreted 'two', compiled '2'"),
        (b"one\n", "line 2: interpreted 'two', compiled 'no such line'"),
        (HISTORY + b"four\n", "line 4: interpreted 'no such line', compiled 'four'"),
        (HISTORY[:-1], "line 4: interpreted 'no such line', compiled 'no such line'"),
    ],
)
def test_the_first_line_that_differs_is_told(compiled: bytes, told: str) -> None:
    assert first_difference(HISTORY, compiled) == told


def test_equal_histories_do_not_differ() -> None:
    assert first_difference(HISTORY, HISTORY) is None


@pytest.fixture
def copies() -> Iterator[Copies]:
    """Two copies, neither of them compiled: what is tested is the comparison."""
    needed = ("tests", "bench", "setup.py")
    with copy_of_the_product(*needed) as one, copy_of_the_product(*needed) as other:
        yield Copies(one, other)


def test_a_copy_that_behaves_otherwise_is_found_by_its_histories(copies: Copies) -> None:
    labels = copies.compiled / "transport" / "labels.py"
    labels.write_text(labels.read_text().replace('"window-"', '"other-"'))
    calm, *_ = differences(copies, range(1), ["calm"])
    assert calm is not None
    assert calm.startswith("calm seed 0: line ")
    assert "window-" in calm.partition("compiled")[0]
    assert "other-" in calm.partition("compiled")[2]


def test_copies_that_are_equal_have_equal_histories(copies: Copies) -> None:
    assert list(differences(copies, range(2), ["calm", "cruel"])) == [None] * 4


def test_a_copy_that_cannot_run_is_no_copy_that_is_equal(copies: Copies) -> None:
    for copy in (copies.interpreted, copies.compiled):
        (copy / "transport" / "labels.py").write_text("raise SystemExit(3)\n")
    with pytest.raises(BuildError, match="ended at calm seed 0"):
        list(differences(copies, range(1), ["calm"]))


def test_a_module_that_is_not_compiled_is_named(copies: Copies) -> None:
    check_loaded(copies.compiled, ".py")
    with pytest.raises(BuildError, match=r"actors\.\w+ is loaded from .*actors/\w+\.py"):
        check_loaded(copies.compiled, ".so")


def test_a_module_that_git_does_not_have_is_named(tmp_path: Path) -> None:
    names = [name for name in setup.MODULES if name != "actors/reducer.py"]
    with pytest.raises(BuildError, match=r"setup\.py lists actors/reducer\.py"):
        copy_files(names, tmp_path)


@pytest.mark.parametrize("text", ["", "5", "3:3", "a:b"])
def test_seeds_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match=f"{text!r} names no seed"):
        seeds_of(text)


# --- setup.py ---------------------------------------------------------------------------------


def test_every_module_that_is_to_be_compiled_is_there_once() -> None:
    assert [name for name in setup.MODULES if not (ROOT / name).is_file()] == []
    assert sorted(set(setup.MODULES)) == list(setup.MODULES)


@pytest.mark.parametrize(
    ("value", "editable", "wanted"),
    [
        (None, False, True),
        (None, True, False),
        ("0", False, False),
        ("0", True, False),
        ("1", False, True),
        ("1", True, True),
    ],
)
def test_the_switch_and_the_kind_of_installation_decide(
    value: str | None, *, editable: bool, wanted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setup, "missing_tool", lambda: None)
    monkeypatch.delenv(setup.SWITCH, raising=False)
    if value is not None:
        monkeypatch.setenv(setup.SWITCH, value)
    assert setup.is_wanted(editable=editable) is wanted
    monkeypatch.setattr(build_meta, "get_requires_for_build_wheel", lambda _: ["other"])
    hook = (
        build_backend.get_requires_for_build_editable
        if editable
        else build_backend.get_requires_for_build_wheel
    )
    assert hook() == ["other", *(setup.build_requirements() if wanted else [])]


@pytest.mark.parametrize("value", ["", "yes", "2"])
def test_any_other_value_of_the_switch_is_refused(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(setup.SWITCH, value)
    with pytest.raises(SystemExit, match=f"MUXSAGA_COMPILE is {value!r}: set it to 1"):
        setup.is_wanted(editable=False)


def test_without_a_compiler_what_was_asked_for_ends_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CC", "no-such-compiler -O2")
    monkeypatch.setenv(setup.SWITCH, "1")
    with pytest.raises(SystemExit, match="there is no 'no-such-compiler': install one"):
        setup.is_wanted(editable=False)


def test_without_a_compiler_an_installation_is_interpreted_and_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CC", "no-such-compiler -O2")
    monkeypatch.delenv(setup.SWITCH, raising=False)
    assert not setup.is_wanted(editable=False)
    assert "not compiled, and slower for it: that needs a C compiler" in capsys.readouterr().err


def test_without_headers_the_remedy_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CC", sys.executable)
    monkeypatch.setattr("sysconfig.get_path", lambda _: str(tmp_path))
    missing = setup.missing_tool()
    assert missing is not None
    assert f"there are none in {tmp_path}" in missing
    (tmp_path / "Python.h").touch()
    assert setup.missing_tool() is None


@pytest.mark.parametrize("value", [None, "1"])
def test_without_mypyc_it_is_as_without_a_compiler(
    value: str | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(setup, "find_spec", lambda _: None)
    monkeypatch.delenv(setup.SWITCH, raising=False)
    if value is None:
        assert not setup.has_mypyc()
        assert "not compiled, and slower for it: that needs mypyc" in capsys.readouterr().err
    else:
        monkeypatch.setenv(setup.SWITCH, value)
        with pytest.raises(SystemExit, match="MUXSAGA_COMPILE=1 needs mypyc"):
            setup.has_mypyc()


def test_compiling_needs_mypy_and_what_the_modules_import() -> None:
    needed = setup.build_requirements()
    for name in ("mypy[mypyc]", "msgspec", "pykka", "pyzmq", "msgpack"):
        assert any(each.startswith(f"{name}>=") for each in needed), needed
