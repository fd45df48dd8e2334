"""What a file of `muxsaga up` may say, and what is said of one that is wrong."""

import sys
from argparse import ArgumentParser
from pathlib import Path

import pytest

from actors.command_line.host_command import add_host
from actors.command_line.launcher_command import add_launcher
from actors.command_line.main import main
from actors.command_line.service_command import add_service
from actors.command_line.up_file import read_up_file
from actors.command_line.up_options import PLACES, CommandTable
from actors.supervision.child_spec import Backoff, Intensity, Restart, Strategy

EXAMPLES = Path(__file__).parent.parent / "docs" / "examples"
THUMBNAILS = 'extension = ["docs.examples.window_thumbnails"]\n'
LAUNCHER = "[launcher]\n"


@pytest.fixture(autouse=True)
def _place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setattr(sys, "path", [*sys.path])


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "up.toml"
    file.write_text(text)
    return file


def test_the_example_is_sound(capsys: pytest.CaptureFixture[str]) -> None:
    file = EXAMPLES / "desktop.toml"
    assert main(["up", "--check", str(file)]) == 0
    assert capsys.readouterr().out == f"{file} is sound: left, right, thumbnails, launcher\n"


def test_the_smallest_file_is_a_launcher(tmp_path: Path) -> None:
    spec = read_up_file(written(tmp_path, LAUNCHER))
    (child,) = spec.children
    assert (child.name, child.restart, child.shutdown) == ("launcher", Restart.PERMANENT, 15.0)
    assert child.start.silence == 10.0


def test_the_launcher_is_last_whatever_the_order_of_the_file(tmp_path: Path) -> None:
    text = THUMBNAILS + LAUNCHER + '[[service]]\nid = "s"\n[[host]]\nid = "h"\n'
    spec = read_up_file(written(tmp_path, text))
    assert [child.name for child in spec.children] == ["h", "s", "launcher"]


def test_restart_rules_are_taken(tmp_path: Path) -> None:
    text = """
        [supervisor]
        strategy = "rest_for_one"
        restarts = 2
        period = 7
        backoff-first = 0.5
        backoff-cap = 3
        healthy-after = 4
        shutdown-total = 9
        auto-shutdown = "any_significant"
        [[host]]
        restart = "transient"
        significant = true
        shutdown = "unlimited"
        silence = "unlimited"
        ready-within = 5
    """
    spec = read_up_file(written(tmp_path, text))
    assert (spec.strategy, spec.intensity) == (Strategy.REST_FOR_ONE, Intensity(2, 7.0))
    assert (spec.backoff, spec.shutdown_total) == (Backoff(0.5, 3.0, 4.0), 9.0)
    (child,) = spec.children
    assert (child.restart, child.significant, child.shutdown) == (Restart.TRANSIENT, True, None)
    assert (child.start.silence, child.start.ready_within) == (None, 5.0)


def test_the_options_of_the_commands_are_taken(tmp_path: Path) -> None:
    text = """
        tcp = "127.0.0.1:7400"
        insecure = true
        [launcher]
        timeout = { pool_refill = 10, window_cleanup_cascade = 2.5 }
        journal-events = 5
        [[host]]
        id = "left"
        pool-target = 7
        seed = 3
        fault = ["quitting:2", "creation_failed"]
    """
    host, launcher = read_up_file(written(tmp_path, text)).children
    (settings,) = host.start.entry.args
    assert (settings.host, settings.pool_target, settings.seed) == ("left", 7, 3)
    assert settings.faults == {"quitting": 2, "creation_failed": 1}
    assert settings.endpoints.link == "tcp://127.0.0.1:7400"
    (settings,) = launcher.start.entry.args
    assert settings.timeouts == {"pool_refill": 10.0, "window_cleanup_cascade": 2.5}
    assert (settings.journal_events, settings.endpoints.query) == (5, "tcp://127.0.0.1:7402")


@pytest.mark.parametrize(
    ("name", "add"), [("launcher", add_launcher), ("host", add_host), ("service", add_service)]
)
def test_every_option_of_a_command_is_a_key(name: str, add: object) -> None:
    parser = ArgumentParser()
    assert callable(add)
    add(parser.add_subparsers(parser_class=ArgumentParser))
    dests = {dest.replace("_", "-") for dest in vars(parser.parse_args([name]))}
    own = {"id" if dest == f"{name}-id" else dest for dest in dests - {"execute"}}
    assert CommandTable(name, add).keys | (PLACES & own) == own


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ("nothing to run", "[[host]]")),
        ("launcher = \nx = 1", ("is not TOML", "line 1")),
        ("[launchr]", ("no key 'launchr'", "launcher", "supervisor")),
        ("launcher = 3", ("launcher = 3", "under [launcher]")),
        ("host = {}", ("host = {}", "under [[host]]")),
        ('[launcher]\nheartbeats = "1"', ("[launcher]", "no key 'heartbeats'", "heartbeat")),
        ('[launcher]\nheartbeat = "1"', ("heartbeat = '1'", "a number, as in heartbeat = 1.0")),
        ("[launcher]\nheartbeat = 0", ("[launcher]", "heartbeat", "'0'", "above 0")),
        ("[launcher]\nheartbeat = true", ("heartbeat = true", "a number")),
        ("[launcher]\njournal-events = 0", ("journal-events", "'0'", "from 1 to")),
        ("[launcher]\ntimeout = { nope = 3 }", ("timeout", "'nope'", "pool_refill")),
        ("[launcher]\ntimeout = 3", ("timeout = 3", "a table of numbers")),
        ('[launcher]\nrestart = "often"', ("restart = 'often'", "permanent, transient")),
        ("[launcher]\nsilence = 0.5", ("silence = 0.5", "give 2 or more")),
        ("[launcher]\nshutdown = -1", ("shutdown = -1", "seconds from 0", "'unlimited'")),
        ("[launcher]\nready-within = 0", ("ready-within", "above 0")),
        ("[launcher]\nsignificant = true", ("'launcher' is permanent", "significant")),
        ('[launcher]\nsignificant = "yes"', ("significant = 'yes'", "true or false")),
        ("[[host]]\npool-target = -1", ("[[host]] 1", "pool-target", "'-1'", "from 0")),
        ("[[host]]\n[[host]]", ("[[host]] 2", "id = 'host-1' is taken", "its own")),
        ('[[host]]\nid = "launcher"', ("id = 'launcher' is taken",)),
        ('[[host]]\nid = "a/b"', ("[[host]] 1", "'a/b'", "letters, digits")),
        ('[[host]]\nspawn-time = "soon"', ("spawn-time", "'soon'", "200ms")),
        ('[[host]]\nfault = ["nope"]', ("fault", "'nope'", "creation_failed")),
        ('[[host]]\nfault = "nope"', ("fault = 'nope'", "a list of strings")),
        ('[[host]]\nhistory = "/nonexistent/h"', ("history /nonexistent/h", "can write")),
        ('[[host]]\nextension = ["no_such"]', ("[[host]] 1", "'no_such'")),
        ('[[service]]\nid = "s"', ("[[service]] 1", "SERVICE")),
        ('tcp = "203.0.113.9:7400"\n[launcher]', ("tcp", "203.0.113.9", "127.0.0.1:7400")),
        ("tcp = 7400\n[launcher]", ("tcp = 7400", "in quotes")),
        ('tcp = "127.0.0.1:1"\nruntime-directory = "x"', ("tcp exclude each other", "leave one")),
        ('extension = "a"', ("extension = 'a'", "list of strings")),
        ('[supervisor]\nstrategy = "all"\n[launcher]', ("[supervisor]", "'all'", "one_for_one")),
        ("[supervisor]\nrestarts = 1.5\n[launcher]", ("restarts = 1.5", "an integer")),
        ("[supervisor]\nperiod = 0\n[launcher]", ("period", "above 0")),
        ("[supervisor]\nbackoff-first = nan\n[launcher]", ("backoff-first = nan", "seconds")),
    ],
)
def test_a_wrong_file_is_one_line_that_names_file_key_value_and_remedy(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str, parts: tuple[str, ...]
) -> None:
    file = written(tmp_path, text)
    assert main(["up", "--check", str(file)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert captured.err.startswith(f"muxsaga: {file}: ")
    assert all(part in captured.err for part in parts), captured.err


def test_a_file_that_is_not_there_is_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["up", str(tmp_path / "none.toml")]) == 2
    assert "none.toml: cannot be read: No such file" in capsys.readouterr().err


def test_a_file_that_is_not_text_is_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "up.toml"
    file.write_bytes(b"\xff")
    assert main(["up", str(file)]) == 2
    assert "it is not UTF-8" in capsys.readouterr().err
