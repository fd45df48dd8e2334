"""Key files: made for their owner alone, never over another file; refused if not secret."""

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
import zmq
import zmq.auth

from actors.command_line.main import main
from transport.key_files import KeyFileError, make_key_files, read_key_pair, read_public_key
from transport.keys import is_key


@pytest.fixture
def no_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def test_keygen_makes_a_pair_that_zeromq_reads_and_only_its_owner_may(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, no_umask: None
) -> None:
    file = tmp_path / "left.key"
    assert main(["keygen", str(file), "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    public, secret = zmq.auth.load_certificate(made["file"])
    assert secret is not None
    assert zmq.curve_public(secret) == public == made["public"].encode()
    assert zmq.auth.load_certificate(made["public_file"]) == (public, None)
    for name in ("left.key", "left.key.pub"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    assert secret not in (tmp_path / "left.key.pub").read_bytes()
    pair = read_key_pair(file)
    assert (pair.public, pair.secret) == (public.decode(), secret.decode())
    assert pair.secret not in repr(pair)


def test_keygen_says_what_to_do_with_the_keys(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "launcher.key"
    assert main(["keygen", str(file)]) == 0
    said = capsys.readouterr().out
    assert f'NAME = "{read_key_pair(file).public}"' in said
    assert f"--launcher-key {file}.pub" in said
    assert read_key_pair(file).secret not in said


@pytest.mark.parametrize("there", ["left.key", "left.key.pub"])
def test_keygen_overwrites_nothing_and_leaves_no_half_pair(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, there: str
) -> None:
    (tmp_path / there).write_text("precious")
    assert main(["keygen", str(tmp_path / "left.key")]) == 1
    assert f"{tmp_path / there} exists, and is not overwritten" in capsys.readouterr().err
    assert [each.name for each in tmp_path.iterdir()] == [there]
    assert (tmp_path / there).read_text() == "precious"


def test_keygen_names_a_place_that_it_cannot_write(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["keygen", str(tmp_path / "none" / "left.key")]) == 1
    assert "none/left.key cannot be made: No such file" in capsys.readouterr().err


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601])
def test_a_secret_that_is_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "left.key"
    make_key_files(file)
    file.chmod(mode)
    with pytest.raises(KeyFileError, match=rf"left.key is open to others \(mode {mode:04o}\)"):
        read_key_pair(file)


def test_a_file_that_holds_no_pair_is_refused(tmp_path: Path) -> None:
    file, other = tmp_path / "left.key", tmp_path / "right.key"
    left, right = make_key_files(file), make_key_files(other)
    with pytest.raises(KeyFileError, match=r"left\.key\.pub has no secret key: .* without \.pub"):
        read_key_pair(tmp_path / "left.key.pub")
    with pytest.raises(KeyFileError, match=r"none cannot be read: No such file.*muxsaga keygen"):
        read_key_pair(tmp_path / "none")
    other.write_text(other.read_text().replace(right.public, left.public))
    with pytest.raises(KeyFileError, match="does not belong to its public key"):
        read_key_pair(other)
    other.write_text("nothing of the kind\n")
    with pytest.raises(KeyFileError, match=r"right\.key is no key file: make one"):
        read_key_pair(other)
    other.write_text('curve\n    public-key = "short"\n')
    with pytest.raises(KeyFileError, match="not 40 characters"):
        read_key_pair(other)
    tmp_path.chmod(0o700)
    with pytest.raises(KeyFileError, match="cannot be read: Is a directory"):
        read_key_pair(tmp_path)


def test_a_public_key_is_given_as_such_or_by_its_file(tmp_path: Path) -> None:
    file = tmp_path / "launcher.key"
    pair = make_key_files(file)
    assert read_public_key(pair.public) == pair.public
    assert read_public_key(f"{file}.pub") == pair.public
    with pytest.raises(KeyFileError, match=r"or its \.pub file"):
        read_public_key(pair.public[:-1])


def test_a_public_key_can_be_the_value_of_an_option(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = zmq.curve_keypair()
    while good[0].startswith(b"-"):
        good = zmq.curve_keypair()
    drawn = [good, (b"-" + good[0][1:], good[1])]
    monkeypatch.setattr(zmq, "curve_keypair", drawn.pop)
    assert make_key_files(tmp_path / "left.key").public == good[0].decode()
    assert drawn == []


def test_a_key_is_40_characters_that_stand_for_32_bytes() -> None:
    assert is_key("0" * 40)
    assert is_key("%nSc0" * 8)  # 2**32 - 1 in each group
    assert not is_key("%nSc1" + "0" * 35)
    assert not is_key("0" * 39 + '"')
    assert not is_key("0" * 41)
    assert all(is_key(zmq.curve_keypair()[0].decode()) for _ in range(100))
