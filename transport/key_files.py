"""Files of keys, in the certificate format of `zmq.auth`.

FILE holds the secret and the public key, FILE.pub the public one. A secret that others may read is
no secret: such a file is refused.
"""

import os
import stat
from pathlib import Path

import zmq
import zmq.auth

from transport.keys import KEY_LENGTH, KeyPair, is_key

SECRET_MODE = 0o600
"""Of both files, from the moment they exist."""


class KeyFileError(ValueError):
    """A key or its file cannot be used; names the file, says why and what to do."""


def public_file(secret_file: Path) -> Path:
    """Give the file of the public key that belongs to a secret file."""
    return secret_file.with_name(f"{secret_file.name}.pub")


def make_key_files(secret_file: Path) -> KeyPair:
    """Make a new pair of keys, and write both files; nothing that exists is overwritten.

    Raises:
        KeyFileError: one of the files exists or cannot be written; then neither is made.
    """
    pair = _new_pair()
    _create(secret_file, _certificate(pair.public, pair.secret))
    try:
        _create(public_file(secret_file), _certificate(pair.public, None))
    except BaseException:
        secret_file.unlink()
        raise
    return pair


def _new_pair() -> KeyPair:
    """Give a new pair whose public key can be an option's value: it does not begin with a dash."""
    while True:
        public, secret = (key.decode("ascii") for key in zmq.curve_keypair())
        if not public.startswith("-"):
            return KeyPair(public, secret)


def read_key_pair(file: Path) -> KeyPair:
    """Give the keys in a secret file.

    Raises:
        KeyFileError: it is missing, unreadable, open to others, or holds no pair of keys.
    """
    public, secret = _certificate_in(file, secret_wanted=True)
    if secret is None:
        msg = f"{file} has no secret key: give the file that 'muxsaga keygen' made, without .pub"
        raise KeyFileError(msg)
    if not is_key(secret) or zmq.curve_public(secret.encode()).decode() != public:
        msg = f"the secret key in {file} does not belong to its public key: make a new pair"
        raise KeyFileError(msg)
    return KeyPair(public, secret)


def read_public_key(key_or_file: str) -> str:
    """Give a public key that is written out, or in a file.

    Raises:
        KeyFileError: it is neither a key nor the path of a file with one.
    """
    if is_key(key_or_file):
        return key_or_file
    public, _ = _certificate_in(Path(key_or_file), secret_wanted=False)
    return public


def _certificate_in(file: Path, *, secret_wanted: bool) -> tuple[str, str | None]:
    remedy = "make one with 'muxsaga keygen'"
    if not secret_wanted:
        remedy = f"give the public key ({KEY_LENGTH} characters) or its .pub file"
    try:
        mode = file.stat().st_mode
        if secret_wanted and stat.S_IMODE(mode) & 0o077:
            msg = (
                f"{file} is open to others (mode {stat.S_IMODE(mode):04o}), and holds a secret: "
                f"run 'chmod 600 {file}', or make a new pair if somebody may have read it"
            )
            raise KeyFileError(msg)
        public, secret = zmq.auth.load_certificate(file)
    except OSError as error:
        msg = f"key file {file} cannot be read: {error.strerror or error}: {remedy}"
        raise KeyFileError(msg) from error
    except (ValueError, IndexError) as error:
        if isinstance(error, KeyFileError):
            raise
        msg = f"{file} is no key file: {remedy}"
        raise KeyFileError(msg) from error
    texts = [public.decode("utf-8", "replace"), (secret or b"").decode("utf-8", "replace")]
    if not is_key(texts[0]):
        msg = (
            f"{file} is no key file: its public key is not {KEY_LENGTH} characters of Z85: {remedy}"
        )
        raise KeyFileError(msg)
    return texts[0], texts[1] or None


def _certificate(public: str, secret: str | None) -> str:
    kind = "Secret and public" if secret else "Public"
    lines = [f"# {kind} key of muxsaga (ZeroMQ CURVE).", "metadata", "curve"]
    lines.append(f'    public-key = "{public}"')
    if secret:
        lines.insert(1, "# Keep this file where it is, and readable by its owner only.")
        lines.append(f'    secret-key = "{secret}"')
    return "\n".join(lines) + "\n"


def _create(file: Path, text: str) -> None:
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, SECRET_MODE)
    except FileExistsError as error:
        msg = f"{file} exists, and is not overwritten: choose another name, or move it away"
        raise KeyFileError(msg) from error
    except OSError as error:
        msg = f"{file} cannot be made: {error.strerror}: choose a place where you can write"
        raise KeyFileError(msg) from error
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as opened:
            opened.write(text)
    except OSError as error:
        file.unlink()
        msg = f"{file} cannot be written: {error.strerror}: choose another place"
        raise KeyFileError(msg) from error
