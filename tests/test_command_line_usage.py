import os
import stat
from pathlib import Path

import pytest

from actors.command_line.main import main
from actors.command_line.places import default_directory
from transport.endpoints import DirectoryLock


def complaint(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    try:
        status = main(arguments)
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1, captured.err
    return status, captured.err


@pytest.mark.parametrize(
    ("arguments", "value_and_remedy"),
    [
        (["run", "--hosts", "0"], ("'0'", "from 1 to 64")),
        (["run", "--promotes", "many"], ("'many'", "integer")),
        (["run", "--concurrency", "-4"], ("'-4'", "from 1")),
        (["run", "--rate", "nan"], ("'nan'", "above 0")),
        (["run", "--rate", "5", "--concurrency", "3"], ("--concurrency", "not allowed with")),
        (["run", "--timeout", "0"], ("'0'", "above 0")),
        (["run", "--spawn-time", "soon"], ("'soon'", "200ms")),
        (["run", "--fault", "nope"], ("'nope'", "creation_failed")),
        (["run", "--fault", "quitting:x"], ("'quitting:x'", "NAME:COUNT")),
        (["run", "--history", "/nonexistent/h"], ("/nonexistent/h", "can write")),
        (["run", "--tcp", "203.0.113.9:7400"], ("203.0.113.9", "127.0.0.1:7400")),
        (["run", "--tcp", "7400"], ("'7400'", "HOST:PORT")),
        (["launcher", "--tcp", "192.168.0.1:7400"], ("192.168.0.1", "127.0.0.1:7400")),
        (["launcher", "--link", "nowhere"], ("--link 'nowhere'", "ipc://PATH")),
        (["watch", "--events", "tcp://127.0.0.1:x"], ("tcp://127.0.0.1:x", "port")),
        (["launcher", "--timeout", "nope=3"], ("'nope'", "pool_refill")),
        (["launcher", "--timeout", "pool_refill"], ("'pool_refill'", "NAME=SECONDS")),
        (["host", "--host-id", "a/b"], ("'a/b'", "letters, digits")),
        (["promote", "--control", "host-1"], ("'host-1'", "ipc://PATH")),
        (["close"], ("LABEL", "--all")),
        (["close", "some-label", "--all"], ("LABEL", "--all")),
        (["service"], ("--extension", "SERVICE")),
        (["fly"], ("'fly'", "launcher")),
        ([], ("COMMAND", "--help")),
    ],
)
def test_a_wrong_command_line_is_one_line_that_names_value_and_remedy(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    arguments: list[str],
    value_and_remedy: tuple[str, str],
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    status, message = complaint(capsys, *arguments)
    assert status == 2
    assert all(part in message for part in value_and_remedy)
    assert message.startswith("muxsaga")


def test_an_extension_that_cannot_be_imported_is_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    place = ["--runtime-directory", str(tmp_path / "run"), "--extension", "no_such_module"]
    for command in ("launcher", "host", "watch", "service", "run"):
        status, message = complaint(capsys, command, *place)
        assert status == 1
        assert "'no_such_module'" in message


def test_a_runtime_directory_that_others_may_enter_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    tmp_path.chmod(0o755)
    for command in ("launcher", "host", "watch", "status", "promote", "run"):
        status, message = complaint(capsys, command, "--runtime-directory", str(tmp_path))
        assert status in {1, 2}
        assert "chmod 700" in message


def test_a_path_too_long_for_a_socket_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    directory = tmp_path / ("x" * 120)
    status, message = complaint(capsys, "launcher", "--runtime-directory", str(directory))
    assert status == 2
    assert "choose a shorter --runtime-directory" in message


def test_a_second_launcher_is_told_which_process_is_there(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    directory = tmp_path / "run"
    directory.mkdir(mode=0o700)
    with DirectoryLock(directory / "link.lock", "muxsaga launcher"):
        status, message = complaint(capsys, "launcher", "--runtime-directory", str(directory))
    assert status == 1
    assert f"muxsaga launcher (pid {os.getpid()})" in message


def test_a_socket_in_a_directory_that_is_not_there_is_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    absent = f"ipc://{tmp_path}/absent"
    sockets = [f"--{name}={absent}/{name}" for name in ("link", "events", "query")]
    for command in (["launcher"], ["host", f"--control={absent}/control"]):
        status, message = complaint(capsys, *command, *sockets)
        assert status == 1
        assert f"cannot bind {absent}" in message


def test_an_action_for_a_host_that_is_not_there_says_how_to_start_it(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    place = ["--runtime-directory", str(tmp_path / "run"), "--host-id", "left"]
    for command in (["promote"], ["close", "--all"], ["demote", "a-label"]):
        status, message = complaint(capsys, *command, *place)
        assert status == 1
        assert "muxsaga host --host-id left" in message


def test_a_status_that_nobody_answers_times_out_and_says_how_to_start_a_launcher(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    place = ["--runtime-directory", str(tmp_path / "run"), "--timeout", "0.05"]
    status, message = complaint(capsys, "status", *place)
    assert status == 1
    assert "muxsaga launcher" in message


def test_the_runtime_directory_is_made_private(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    directory = tmp_path / "run"
    complaint(capsys, "status", "--runtime-directory", str(directory), "--timeout", "0.01")
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_the_default_runtime_directory_is_the_users_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/1")
    assert default_directory() == Path("/run/user/1/muxsaga")
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert default_directory() == Path(f"/tmp/muxsaga-{os.getuid()}")  # noqa: S108


@pytest.mark.parametrize(
    "command",
    ["run", "up", "launcher", "host", "service", "watch", "promote", "close", "demote", "status"],
)
def test_every_command_has_help_with_examples(
    capsys: pytest.CaptureFixture[str], command: str
) -> None:
    with pytest.raises(SystemExit, match="0"):
        main([command, "--help"])
    assert f"examples:\n  muxsaga {command}" in capsys.readouterr().out


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out.startswith("muxsaga ")
