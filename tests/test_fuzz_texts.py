"""Fuzz: what people write (files, options) is taken, or refused by the one error that names it."""

from argparse import ArgumentTypeError
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from actors.command_line.option_types import (
    count_from,
    fault,
    host_id,
    rate,
    saga_id,
    seconds,
)
from actors.command_line.up_error import UpFileError
from actors.command_line.up_file import read_up_file
from host_sim.spawn_time import SpawnTimeError, parse_duration, parse_spawn_time
from tests.fuzz_messages import spoiled_bytes
from tests.fuzz_profiles import fuzzed
from transport.allow_list import AllowListError, Grant, parse_allow_list
from transport.allow_list_file import read_allow_list
from transport.endpoints import EndpointError, Endpoints, ipc_endpoint
from transport.key_files import KeyFileError, read_key_pair, read_public_key
from transport.keys import KeyPair, is_key

PUBLIC = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"
SECRET = "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs"  # noqa: S105 - of the example in RFC 26
KEY_FILE = f"""# a certificate
metadata
curve
    public-key = "{PUBLIC}"
    secret-key = "{SECRET}"
"""
ALLOW_LIST = f"""
[host]
left = "{PUBLIC}"
right = ["{PUBLIC}", "{SECRET}"]
[operator]
anna = "{PUBLIC}"
"""
UP_FILE = """
[supervisor]
strategy = "one_for_one"
restarts = 3
period = 5.5
shutdown-total = "unlimited"
[launcher]
log = "log.sqlite"
timeout = { pool_refill = 5 }
[[host]]
id = "left"
pool-target = 2
spawn-time = "200ms"
silence = 5
[[host]]
id = "right"
restart = "transient"
"""
PIECES = (
    *("[", "]", "[[", "]]", "{", "}", "=", ",", ".", "\n", '"', "'", '"""', "#", " ", "-", "+"),
    *("host", "[host]\n", "[[host]]\n", "[launcher]\n", "[supervisor]\n", "id = ", "left"),
    *(f'"{PUBLIC}"', "true", "nan", "inf", "1e999", "-0", "0x10", "1_000", "9" * 5_000, "1" * 400),
    *("2024-02-30", "2024-01-01T00:00:00Z", "25:61:61", "\\u0000", "\x00", "\x1b[31m", "\u202e"),
    *("restarts", "period", "silence", "log", "timeout", "extension", "tcp", "127.0.0.1:1", "key"),
    *(
        "[" * 2_000,
        "{a=" * 2_000,
        "a." * 2_000,
        "\u0665",
        "\u00b2",
        "ms",
        "us",
        "s",
        ":",
        "normal:",
    ),
)

pieces = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=5)), max_size=12).map("".join)


def texts(*whole: str) -> st.SearchStrategy[bytes]:
    """Give the bytes of files: whole ones that are spoiled, and any others."""
    return st.one_of(
        st.sampled_from([each.encode() for each in whole]).flatmap(spoiled_bytes),
        st.builds(
            lambda each, at, piece: f"{each[:at]}{piece}{each[at:]}".encode(),
            st.sampled_from(whole),
            st.integers(0, 400),
            pieces,
        ),
        pieces.map(str.encode),
        st.binary(max_size=100),
    )


def said(call: Callable[[], Any], error: type[Exception]) -> str | None:
    """Give what is said of a refusal, which is one line; None if there is none."""
    try:
        call()
    except error as refusal:
        return str(refusal)
    return None


def check_said(text: str | None) -> None:
    if text is not None:
        assert text
        assert text.isprintable()
        assert len(text) < 20_000


def in_file(content: bytes, read: Callable[[Path], Any], error: type[Exception]) -> None:
    with TemporaryDirectory() as directory:
        file = Path(directory) / "written"
        file.touch(mode=0o600)
        file.write_bytes(content)
        refusal = said(lambda: read(file), error)
        check_said(refusal)
        assert refusal is None or str(file) in refusal


@pytest.fixture(autouse=True, scope="module")
def _place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
        yield


def test_the_files_that_are_spoiled_here_are_right_before(tmp_path: Path) -> None:
    files = {"allow": ALLOW_LIST, "up": UP_FILE, "key": KEY_FILE}
    for name, text in files.items():
        (tmp_path / name).touch(mode=0o600)
        (tmp_path / name).write_text(text)
    assert len(read_allow_list(tmp_path / "allow").entries) == 2
    assert len(read_up_file(tmp_path / "up").children) == 3
    assert read_key_pair(tmp_path / "key") == KeyPair(PUBLIC, SECRET)


@fuzzed(300)
@given(content=texts(ALLOW_LIST))
@example(b"host = " + b"[" * 5_000)
@example(b"[host]\nleft = " + b"9" * 5_000)
@example(b'["a\\nb"]\n')
@example(b"[host]\nleft = '" + b"x" * 30_000 + b"'\n")
def test_an_allow_list_is_taken_or_refused(content: bytes) -> None:
    in_file(content, read_allow_list, AllowListError)


@fuzzed(50)
@given(
    granted=st.dictionaries(
        st.sampled_from([str(each) for each in Grant]),
        st.dictionaries(st.from_regex(r"[A-Za-z0-9._-]{1,64}", fullmatch=True), st.just(PUBLIC)),
    )
)
def test_an_allow_list_that_is_right_grants_what_it_says(
    granted: dict[str, dict[str, str]],
) -> None:
    lines = [
        line
        for table, names in granted.items()
        for line in (f"[{table}]", *(f'"{name}" = "{key}"' for name, key in names.items()))
    ]
    found = parse_allow_list("\n".join(lines)).entries.get(PUBLIC, frozenset())
    assert {(str(each.grant), each.name) for each in found} == {
        (table, name) for table, names in granted.items() for name in names
    }


@fuzzed(200)
@given(content=texts(UP_FILE))
@example(b"a = " + b"[" * 5_000)
@example(b"a = " + b"9" * 5_000)
@example(b"[[host]]\nid = 'left'\nspawn-time = '" + b"9" * 400 + b"s'\n")
def test_an_up_file_is_taken_or_refused(content: bytes) -> None:
    in_file(content, read_up_file, UpFileError)


@fuzzed(200)
@given(content=texts(KEY_FILE))
@example(b"public-key")
@example(b"secret-key\n")
def test_a_key_file_is_taken_or_refused(content: bytes) -> None:
    in_file(content, read_key_pair, KeyFileError)
    in_file(content, lambda file: read_public_key(str(file)), KeyFileError)


@fuzzed(100)
@given(text=st.one_of(pieces, st.text()))
def test_what_is_no_key_and_no_file_is_refused(text: str) -> None:
    with TemporaryDirectory() as directory:
        where = f"{directory}/{text}" if not is_key(text) else text
        assert said(lambda: read_public_key(where), KeyFileError) is None or not is_key(where)


@pytest.mark.parametrize(
    ("parse", "error"),
    [
        (count_from(0), ArgumentTypeError),
        (saga_id, ArgumentTypeError),
        (seconds, ArgumentTypeError),
        (rate, ArgumentTypeError),
        (host_id, ArgumentTypeError),
        (fault, ArgumentTypeError),
        (parse_spawn_time, SpawnTimeError),
        (parse_duration, SpawnTimeError),
        (Endpoints.on_tcp, EndpointError),
    ],
    ids=["count", "saga_id", "seconds", "rate", "host_id", "fault", "spawn", "duration", "tcp"],
)
def test_an_option_is_taken_or_refused_by_its_own_error(
    parse: Callable[[str], Any], error: type[Exception]
) -> None:
    @fuzzed(100)
    @given(text=st.one_of(pieces, st.text(max_size=20)))
    @example("9" * 5_000)
    @example("a:" + "9" * 5_000)
    @example("9" * 400 + "s")
    @example("normal:1s," + "9" * 400 + "s")
    @example("a:\u0663")
    @example("nan")
    def taken_or_refused(text: str) -> None:
        refusal = said(lambda: parse(text), error)
        check_said(refusal)
        assert refusal is None or repr(text)[:20] in refusal or error is SpawnTimeError

    taken_or_refused()


@fuzzed(100)
@given(text=st.text(max_size=200))
def test_a_unix_sockets_path_is_taken_or_refused(text: str) -> None:
    check_said(said(lambda: ipc_endpoint(Path("/run") / text), EndpointError))
