import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.__main__ import main
from bench.micro import command
from bench.micro.comparison import compare, speed_ratio
from bench.micro.sessions import HERE, Session, Timed, merged
from bench.micro.stored import STORED, Figures, MicroResult, read_result, write_result
from bench.noise import Verdict
from tests.bench_documents import ENVIRONMENT

REPOSITORY = Path(__file__).parent.parent


def result(calibration: float = 100, **benchmarks: Figures) -> MicroResult:
    return MicroResult(
        environment=ENVIRONMENT,
        calibration_ns=[calibration] * 5,
        benchmarks=benchmarks,
    )


SOME = Figures(ns=[1000, 1010, 1020, 1030, 1040])
TWICE = Figures(ns=[2000, 2020, 2040, 2060, 2080])


def test_every_benchmark_works(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["micro", "--once", "--select", "not 100000"]) == 0
    assert "works" in capsys.readouterr().out


def test_no_benchmark_is_collected_unless_asked_for() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "bench"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert "no tests collected" in done.stdout, done.stdout + done.stderr


def test_a_selection_of_nothing_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["micro", "--once", "--select", "nonsense"]) == 1
    assert "no benchmark is selected by 'nonsense'" in capsys.readouterr().err


def test_a_session_measures_and_is_compared_with_what_was_stored(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before, after = tmp_path / "before.json", tmp_path / "after.json"
    write_result(before, result(encode_acknowledge=SOME))
    options = ["--select", "acknowledge", "--sessions", "1", "--json"]
    assert main(["micro", *options, "--compare", str(before), "--store", str(after)]) == 0
    (compared,) = json.loads(capsys.readouterr().out)["compared"]
    assert compared["name"] == "encode_acknowledge"
    assert compared["change"]["verdict"] == "too few runs"
    stored = read_result(after)
    assert stored.benchmarks.keys() == {"encode_acknowledge", "decode_acknowledge"}
    assert all(100 < each.ns[0] < 1e6 for each in stored.benchmarks.values())
    assert stored.calibration_ns[0] > 1000


def test_another_machine_is_no_change() -> None:
    before, after = result(codec=SOME), result(calibration=200, codec=TWICE)
    (compared,) = compare(before, after)
    assert compared.change.verdict is Verdict.NOISE
    assert compared.change.before == compared.change.after
    assert compared.change.after.median == pytest.approx(2040)
    assert speed_ratio(before, after) == 2


def test_what_waits_for_the_disk_is_not_scaled() -> None:
    before = result(commit=Figures(ns=SOME.ns, disk=True))
    after = result(calibration=200, commit=Figures(ns=TWICE.ns, disk=True))
    (compared,) = compare(before, after)
    assert compared.change.verdict is Verdict.CHANGED
    assert compared.change.share == pytest.approx(1.0)


def test_a_benchmark_that_only_one_result_has_is_not_compared() -> None:
    both, old, new = result(one=SOME, two=SOME), result(one=SOME), result(two=SOME)
    assert [each.name for each in compare(old, both)] == ["one"]
    assert compare(old, new) == []


def test_a_part_does_not_replace_the_stored_whole(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["micro", "--select", "codec", "--store"]) == 1
    assert "name a file after --store" in capsys.readouterr().err


def test_figures_of_sessions_are_joined_by_name() -> None:
    sessions = [Session(10, {"a": Timed(1.23456)}), Session(11, {"a": Timed(2)})]
    assert merged(sessions) == {"a": Figures(ns=[1.235, 2])}


@pytest.mark.parametrize(
    ("options", "status"), [([], 0), (["--fail-on-regression"], command.REGRESSED)]
)
def test_a_regression_fails_only_where_that_is_asked_for(
    options: list[str],
    status: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "before.json"
    write_result(file, result(codec=SOME, gone=SOME))
    slower = iter([1100.0, 1110, 1120, 1130, 1140])

    def session(select: str) -> Session:
        assert select == ""
        return Session(100, {"codec": Timed(next(slower))})

    monkeypatch.setattr(command, "run_session", session)
    assert main(["micro", "--compare", str(file), *options]) == status
    shown = capsys.readouterr().out
    assert "+9.8%" in shown
    assert "changed" in shown
    assert "only before: gone" in shown


@pytest.mark.parametrize("text", [b"{", b"\xff", b"{}"])
def test_another_file_is_refused_by_name(text: bytes, tmp_path: Path) -> None:
    file = tmp_path / "other.json"
    file.write_bytes(text)
    with pytest.raises(ValueError, match=r"other\.json is no result of micro-benchmarks"):
        read_result(file)


def test_the_stored_result_has_every_benchmark() -> None:
    stored: dict[str, Any] = json.loads(STORED.read_bytes())
    names = {name.partition("[")[0] for name in stored["benchmarks"]}
    written = {
        line.removeprefix("def bench_").partition("(")[0]
        for file in HERE.glob("bench_*.py")
        for line in file.read_text(encoding="utf-8").splitlines()
        if line.startswith("def bench_")
    }
    assert names == written
    assert all(len(each["ns"]) == command.SESSIONS for each in stored["benchmarks"].values())
