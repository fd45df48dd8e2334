"""The allow list: what a key may do, what is refused in the file, when it is read again."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from transport.allow_list import AllowListError, parse_allow_list
from transport.allow_list_file import AllowListFile, read_allow_list
from transport.keys import Domain

LEFT, RIGHT, OLD, WALL, ANNA, THUMBS, NOBODY = (letter * 40 for letter in "lrowatn")

LIST = f"""
[host]
left = ["{LEFT}", "{OLD}"]
right = "{RIGHT}"
[service]
thumbnails = "{THUMBS}"
[observer]
wall = "{WALL}"
[operator]
anna = "{ANNA}"
right = "{RIGHT}"
"""


def replace(path: Path, text: str) -> None:
    """Put a new file in the place of one, as an editor does."""
    new = path.with_name("new")
    new.write_text(text)
    new.replace(path)


@pytest.mark.parametrize(
    ("domain", "admitted"),
    [
        (Domain.LINK, {LEFT, OLD, RIGHT, THUMBS, ANNA}),
        (Domain.EVENTS, {LEFT, OLD, RIGHT, WALL, ANNA}),
        (Domain.QUERY, {LEFT, OLD, RIGHT, WALL, ANNA}),
        (Domain.CONTROL, {RIGHT, ANNA}),
    ],
)
def test_each_socket_admits_those_who_have_business_there(
    domain: Domain, admitted: set[str]
) -> None:
    allowed = parse_allow_list(LIST)
    keys = {LEFT, OLD, RIGHT, THUMBS, WALL, ANNA, NOBODY}
    assert {key for key in keys if allowed.admits(domain, key)} == admitted


def test_a_key_may_be_who_stands_beside_it_and_nobody_else() -> None:
    allowed = parse_allow_list(LIST)
    assert allowed.may_register(LEFT, "host", "left")
    assert allowed.may_register(OLD, "host", "left")
    assert allowed.may_register(THUMBS, "service", "thumbnails")
    assert not allowed.may_register(RIGHT, "host", "left")
    assert not allowed.may_register(LEFT, "service", "left")
    assert not allowed.may_register(ANNA, "host", "anna")
    assert not allowed.may_register(WALL, "host", "wall")
    assert not allowed.may_register(NOBODY, "host", "left")
    keys = (LEFT, RIGHT, THUMBS, WALL, ANNA, NOBODY)
    assert [key for key in keys if allowed.may_operate(key)] == [RIGHT, ANNA]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("[host\nleft", ("is not TOML", "line 1")),
        ("[hosts]", ("no table [hosts]", "[host], [service], [observer], [operator]")),
        ('host = "x"', ("host is no table", "[host]")),
        ('[host]\nleft = "short"', ("[host] left = 'short'", "40 characters")),
        (f'[host]\nleft = "{"~" * 40}"', ("[host] left", "no public key")),
        ("[service]\nthumbs = 7", ("[service] thumbs = 7", "in quotes")),
        (f'[observer]\nwall = ["{WALL}", 7]', ("[observer] wall = 7", "list of such keys")),
        (f'[host]\nleft.one = "{LEFT}"', ("[host] left is a table", "in quotes")),
        (f'[host]\n"a/b" = "{LEFT}"', ("[host] 'a/b' is no name", "letters, digits")),
    ],
)
def test_a_wrong_list_is_refused_with_file_table_name_and_remedy(
    tmp_path: Path, text: str, parts: tuple[str, ...]
) -> None:
    path = tmp_path / "allow.toml"
    path.write_text(text)
    with pytest.raises(AllowListError) as refused:
        AllowListFile(path)
    assert str(refused.value).startswith(f"allow list {path}: ")
    assert all(part in str(refused.value) for part in parts), refused.value


def test_a_list_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(AllowListError, match=r"none.toml cannot be read: No such file"):
        AllowListFile(tmp_path / "none.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff")
    with pytest.raises(AllowListError, match=r"bytes.toml cannot be read: it is not UTF-8"):
        AllowListFile(tmp_path / "bytes.toml")


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_list_that_others_may_write_is_refused(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "allow.toml"
    file.touch()
    file.chmod(mode)
    with pytest.raises(AllowListError, match=rf"mode {mode:04o}.*chmod go-w {file}"):
        read_allow_list(file)
    file.chmod(mode & 0o755)
    assert read_allow_list(file).entries == {}


def test_a_list_that_changed_counts_from_the_next_connection_on(tmp_path: Path) -> None:
    path = tmp_path / "allow.toml"
    path.write_text(LIST)
    allowed = AllowListFile(path)
    replace(path, f'[host]\nleft = "{NOBODY}"')
    assert allowed.may_register(LEFT, "host", "left")
    assert allowed.admits(Domain.LINK, NOBODY)
    assert not allowed.admits(Domain.LINK, LEFT)
    assert not allowed.may_register(LEFT, "host", "left")
    assert not allowed.may_operate(ANNA)


def test_a_list_that_became_wrong_changes_nothing_and_is_complained_of_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "allow.toml"
    path.write_text(LIST)
    allowed = AllowListFile(path)
    spoils: list[Callable[[], None]] = [lambda: replace(path, "[host"), path.unlink]
    for spoil in spoils:
        caplog.clear()
        spoil()
        assert allowed.admits(Domain.LINK, LEFT)
        assert not allowed.admits(Domain.LINK, NOBODY)
        [warning] = caplog.records
        assert warning.levelno == logging.WARNING
        assert str(path) in warning.message
        assert "the list read before stays in force" in warning.message
    replace(path, f'[operator]\nanna = "{NOBODY}"')
    assert allowed.admits(Domain.LINK, NOBODY)
    assert not allowed.admits(Domain.LINK, LEFT)
