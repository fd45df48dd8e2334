"""The options for keys: what does not go together, and what would be open to others."""

from pathlib import Path

import pytest

from actors.command_line.main import main
from actors.command_line.up_file import read_up_file
from actors.launcher_process import LauncherSettings
from host_sim.host_process import HostProcessSettings
from transport.key_files import make_key_files, read_key_pair

TCP = ["--tcp", "127.0.0.1:7400"]
WIDE = ["--tcp", "0.0.0.0:7400"]
KEY = ["--key", "own.key"]
THEIRS = ["--launcher-key", "launcher.key.pub"]
ALLOW = ["--allow", "allow.toml"]
CONTROL = ["--control", "tcp://127.0.0.1:7500"]
PLACE = ["--link", "ipc://link", "--events", "ipc://events", "--query", "ipc://query"]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    for name in ("own", "launcher"):
        make_key_files(tmp_path / f"{name}.key")
    (tmp_path / "open.key").write_bytes((tmp_path / "own.key").read_bytes())
    (tmp_path / "open.key").chmod(0o644)
    (tmp_path / "allow.toml").write_text(
        f'host.host-1 = "{read_key_pair(tmp_path / "own.key").public}"'
    )
    (tmp_path / "wrong.toml").write_text("[hosts]")


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["launcher", *TCP], ("'tcp://127.0.0.1:7400' needs keys", "--allow", "--insecure")),
        (["launcher", *WIDE], ("'tcp://0.0.0.0:7400'", "other machines", "--key and --allow")),
        (["launcher", *WIDE, "--insecure"], ("other machines", "use 127.0.0.1:7400")),
        (["launcher", "--tcp", "eth0:7400", "--insecure"], ("'tcp://eth0:7400'", "machines")),
        (["launcher", *TCP, *KEY], ("--key needs --allow", "whose keys")),
        (["launcher", *TCP, *ALLOW], ("--allow needs --key", "muxsaga keygen FILE")),
        (["launcher", *KEY], ("--key would not be used", "ipc://", "leave it out")),
        (["launcher", *ALLOW], ("--allow would not be used", "leave it out")),
        (["launcher", *TCP, *KEY, *ALLOW, "--insecure"], ("--insecure and", "leave one out")),
        (["launcher", *TCP, *KEY, "--allow", "no"], ("--allow: allow list no cannot be read",)),
        (["launcher", *TCP, *KEY, "--allow", "wrong.toml"], ("wrong.toml", "no table [hosts]")),
        (
            ["launcher", *TCP, "--key", "open.key", *ALLOW],
            ("--key: open.key is open to others (mode 0644)", "chmod 600 open.key"),
        ),
        (["launcher", *TCP, "--key", "no.key", *ALLOW], ("no.key cannot be read", "keygen")),
        (["launcher", *TCP, "--key", "own.key.pub", *ALLOW], ("no secret key", "without .pub")),
        (["launcher", *TCP, *KEY, *THEIRS], ("unrecognized", "--launcher-key")),
        (["status", *TCP], ("needs keys", "--launcher-key", "or --insecure")),
        (["status", *TCP, *KEY], ("--key needs --launcher-key", ".pub file")),
        (["status", *TCP, *THEIRS], ("--launcher-key needs --key",)),
        (["status", *TCP, *KEY, "--launcher-key", "x"], ("--launcher-key: ", "x", "40")),
        (["status", *TCP, *THEIRS, "--insecure"], ("--insecure and --launcher-key",)),
        (["status", *PLACE, *KEY, *THEIRS], ("--launcher-key would not be used",)),
        (["watch", *TCP], ("needs keys", "--launcher-key")),
        (["diag", "tree", *TCP], ("needs keys", "--launcher-key")),
        (["diag", "state", *TCP], ("needs keys", "--launcher-key")),
        (["diag", "explain", "1", *TCP], ("needs keys", "--launcher-key")),
        (["saga", "cancel", "1", *TCP], ("needs keys", "--launcher-key")),
        (["service", *TCP, "--extension", "json"], ("needs keys", "--launcher-key")),
        (["host", *TCP], ("needs keys", "--launcher-key")),
        (["host", *TCP, *KEY, *THEIRS, *ALLOW], ("--allow would not be used", "control-host-1")),
        (["host", *TCP, *KEY, *THEIRS, *CONTROL], ("--key needs --allow", "7500")),
        (["host", *CONTROL], ("'tcp://127.0.0.1:7500' needs keys", "--allow")),
        (["host", *KEY], ("--key would not be used",)),
        (["promote", *CONTROL], ("needs keys", "--host-key", "or --insecure")),
        (["promote", *CONTROL, *KEY], ("--key needs --host-key", "the host's public key")),
        (["promote", *KEY], ("--key would not be used", "control-host-1")),
        (
            ["close", "--all", "--control", "tcp://192.0.2.8:7500", "--insecure"],
            ("192.0.2.8", "other machines"),
        ),
        (["run", *TCP], ("--tcp needs --insecure",)),
        (["run", *WIDE, "--insecure"], ("tcp://0.0.0.0:", "other machines", "127.0.0.1:7400")),
    ],
)
def test_wrong_options_are_one_line_that_names_value_and_remedy(
    capsys: pytest.CaptureFixture[str], arguments: list[str], parts: tuple[str, ...]
) -> None:
    try:
        status = main(arguments)
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else 1
    captured = capsys.readouterr()
    assert status == 2
    assert captured.out == ""
    assert captured.err.count("\n") == 1, captured.err
    assert all(part in captured.err for part in parts), captured.err


KEYED = """
tcp = "0.0.0.0:7400"
launcher-key = "launcher.key.pub"
[launcher]
key = "launcher.key"
allow = "allow.toml"
[[host]]
key = "own.key"
control = "tcp://0.0.0.0:7500"
allow = "allow.toml"
"""


def written(text: str) -> Path:
    file = Path("up.toml")
    file.write_text(text)
    return file


def test_a_file_gives_each_process_its_keys(capsys: pytest.CaptureFixture[str]) -> None:
    file = written(KEYED)
    assert main(["up", "--check", str(file)]) == 0
    assert "is sound: host-1, launcher" in capsys.readouterr().out
    host, launcher = (child.start.entry.args[0] for child in read_up_file(file).children)
    assert isinstance(launcher, LauncherSettings)
    assert isinstance(host, HostProcessSettings)
    own, of_launcher = read_key_pair(Path("own.key")), read_key_pair(Path("launcher.key"))
    assert launcher.keys is not None
    assert (launcher.keys.own, launcher.endpoints.keys) == (of_launcher, None)
    assert host.endpoints.keys is not None
    assert (host.endpoints.keys.own, host.endpoints.keys.server) == (own, of_launcher.public)
    assert host.control_keys is not None
    assert (host.control_keys.own, host.control_keys.allow) == (own, Path("allow.toml"))
    for settings in (host, launcher):
        assert own.secret not in repr(settings)
        assert of_launcher.secret not in repr(settings)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ('tcp = "127.0.0.1:7400"\n[launcher]', ("[launcher]", "needs keys", "--insecure")),
        ('tcp = "127.0.0.1:7400"\n[[host]]', ("[[host]] 1", "needs keys", "--launcher-key")),
        ('tcp = "0.0.0.0:7400"\ninsecure = true\n[launcher]', ("[launcher]", "other machines")),
        ('insecure = "yes"\n[launcher]', ("insecure = 'yes'", "true or false")),
        ('[launcher]\nkey = "own.key"', ("[launcher]", "key would not be used")),
        (
            'tcp = "127.0.0.1:7400"\n[launcher]\nkey = "open.key"\nallow = "allow.toml"',
            ("[launcher]", "open.key is open to others", "chmod 600"),
        ),
        (
            'tcp = "127.0.0.1:7400"\n[launcher]\nkey = "own.key"\nallow = "wrong.toml"',
            ("[launcher]", "wrong.toml", "no table [hosts]"),
        ),
        ('launcher-key = "launcher.key.pub"\n[[host]]', ("launcher-key would not be used",)),
        ("launcher-key = 7\n[[host]]", ("launcher-key = 7", "in quotes")),
    ],
)
def test_a_file_with_wrong_keys_is_one_line_that_names_table_value_and_remedy(
    capsys: pytest.CaptureFixture[str], text: str, parts: tuple[str, ...]
) -> None:
    assert main(["up", "--check", str(written(text))]) == 2
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    assert all(part in captured.err for part in parts), captured.err


def test_insecure_tcp_is_for_loopback(capsys: pytest.CaptureFixture[str]) -> None:
    text = 'tcp = "127.0.0.1:7400"\ninsecure = true\n[launcher]\n[[host]]'
    assert main(["up", "--check", str(written(text))]) == 0
    host, launcher = (child.start.entry.args[0] for child in read_up_file(written(text)).children)
    assert (launcher.keys, host.endpoints.keys, host.control_keys) == (None, None, None)
    assert host.endpoints.link == "tcp://127.0.0.1:7400"
    assert "is sound" in capsys.readouterr().out
