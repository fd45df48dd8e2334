"""`muxsaga keygen`: makes the keys of one process or person."""

import json
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

from actors.command_line.command_error import CommandError
from actors.command_line.parsers import Subparsers, add_command
from transport.key_files import KeyFileError, make_key_files, public_file

EXAMPLES = """\
examples:
  muxsaga keygen launcher.key
  muxsaga keygen left.key --json | jq -r .public

FILE holds the secret key and stays with whom it names; FILE.pub holds the public key alone.
Both are for their owner only (mode 0600). Nothing is overwritten.
"""


def add_keygen(subparsers: Subparsers) -> None:
    """Add the command."""
    summary = "make a pair of keys for tcp endpoints"
    parser = add_command(subparsers, "keygen", summary, EXAMPLES, execute)
    parser.add_argument("file", type=Path, metavar="FILE", help="file to be made, beside FILE.pub")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def execute(options: Namespace) -> int:
    """Make both files, and say what to do with them."""
    try:
        pair = make_key_files(options.file)
    except KeyFileError as error:
        raise CommandError(str(error)) from error
    public = public_file(options.file)
    if options.json:
        made = {"public": pair.public, "file": str(options.file), "public_file": str(public)}
        print(json.dumps(made))  # noqa: T201
    else:
        print("\n".join(_advice(options.file, public, pair.public)))  # noqa: T201
    return 0


def _advice(file: Path, public: Path, key: str) -> Iterator[str]:
    yield f"made {file} (secret, for --key) and {public} (public)"
    yield f"public key: {key}"
    yield "to let it in, add to the allow list, under [host], [service], [observer] or [operator]:"
    yield f'  NAME = "{key}"'
    yield "if it is a launcher's, hosts and observers are told to expect it by:"
    yield f"  --launcher-key {public}"
