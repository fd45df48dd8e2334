"""The options for keys, and the rules by which `tcp` endpoints may be used.

An `ipc` endpoint needs no keys: its directory is its owner's. A `tcp` endpoint has keys, or is on
loopback and was asked for with `--insecure`.
"""

from argparse import ArgumentParser, Namespace, _ArgumentGroup
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

from actors.command_line.command_error import UsageError
from transport.allow_list import AllowListError
from transport.allow_list_file import read_allow_list
from transport.endpoints import is_tcp
from transport.key_files import KeyFileError, read_key_pair, read_public_key
from transport.keys import ClientKeys, KeyPair, ServerKeys

KEY = "--key"
ALLOW = "--allow"
LAUNCHER_KEY = "--launcher-key"
HOST_KEY = "--host-key"

MEANING = {
    ALLOW: "a file that says whose keys may connect",
    LAUNCHER_KEY: "the launcher's public key or its .pub file",
    HOST_KEY: "the host's public key or its .pub file",
}


class KeyUse(NamedTuple):
    """What the keys of a process are for.

    Attributes:
        partner: the option that is needed beside `--key`.
        endpoints: where they are used, as far as these are on `tcp`.
    """

    partner: str
    endpoints: tuple[str, ...]

    @property
    def on_tcp(self) -> list[str]:
        """The endpoints that need keys."""
        return [endpoint for endpoint in self.endpoints if is_tcp(endpoint)]

    def value(self, options: Namespace) -> str | None:
        """Give what the partner option says."""
        value: str | None = getattr(options, self.partner.removeprefix("--").replace("-", "_"))
        return value


def add_key(group: ArgumentParser | _ArgumentGroup) -> None:
    """Add the options that every process with a `tcp` endpoint has."""
    group.add_argument(
        KEY, type=Path, metavar="FILE", help="its own keys, of 'muxsaga keygen', for tcp"
    )
    add_insecure(group)


def add_insecure(group: ArgumentParser | _ArgumentGroup) -> None:
    """Add the option for `tcp` without keys."""
    group.add_argument(
        "--insecure", action="store_true", help="tcp without keys, on loopback: for trying out"
    )


def add_partner(group: ArgumentParser | _ArgumentGroup, option: str) -> None:
    """Add an option that is needed beside `--key`."""
    metavar = "FILE" if option == ALLOW else "KEY"
    group.add_argument(option, metavar=metavar, help=f"{MEANING[option]}, for tcp")


def client_keys(options: Namespace, use: KeyUse, pair: KeyPair | None) -> ClientKeys | None:
    """Give the keys of sockets that connect; None where they need none.

    Raises:
        UsageError: the other side's key cannot be read.
    """
    value = use.value(options)
    if pair is None or value is None:
        return None
    try:
        return ClientKeys(pair, read_public_key(value))
    except KeyFileError as error:
        msg = f"{use.partner}: {error}"
        raise UsageError(msg) from error


def server_keys(options: Namespace, use: KeyUse, pair: KeyPair | None) -> ServerKeys | None:
    """Give the keys of sockets that bind; None where they need none.

    Raises:
        UsageError: the allow list cannot be used.
    """
    value = use.value(options)
    if pair is None or value is None:
        return None
    try:
        read_allow_list(Path(value))
    except AllowListError as error:
        msg = f"{use.partner}: {error}"
        raise UsageError(msg) from error
    return ServerKeys(pair, Path(value))


def own_keys(options: Namespace, *uses: KeyUse) -> KeyPair | None:
    """Give the process's own keys; None where it needs none.

    Raises:
        UsageError: the options do not go together, a `tcp` endpoint would be open to others, or
            the key cannot be read; names the value and the remedy.
    """
    if options.insecure:
        _check_insecure(options, uses)
        return None
    for use in uses:
        _check_use(options, use)
    if options.key is None:
        return None
    if not any(use.on_tcp for use in uses):
        raise _unused(KEY, uses)
    try:
        return read_key_pair(options.key)
    except KeyFileError as error:
        msg = f"--key: {error}"
        raise UsageError(msg) from error


def check_loopback(endpoint: str, remedy: str) -> None:
    """Refuse an endpoint that can be reached from other machines.

    Raises:
        UsageError: names it and the remedy.
    """
    host, _, port = endpoint.removeprefix("tcp://").rpartition(":")
    if not _is_loopback(host):
        msg = (
            f"{endpoint!r} can be reached from other machines: {remedy}127.0.0.1:{port} "
            "with --insecure"
        )
        raise UsageError(msg)


def _check_insecure(options: Namespace, uses: tuple[KeyUse, ...]) -> None:
    given = [use.partner for use in uses if use.value(options) is not None]
    given += ["--key"] if options.key is not None else []
    if given:
        msg = f"--insecure and {given[0]} exclude each other: leave one out"
        raise UsageError(msg)
    for use in uses:
        for endpoint in use.on_tcp:
            check_loopback(endpoint, f"give --key and {use.partner}, or use ")


def _check_use(options: Namespace, use: KeyUse) -> None:
    partner = use.value(options)
    if not use.on_tcp:
        if partner is not None:
            raise _unused(use.partner, (use,))
        return
    endpoint = use.on_tcp[0]
    match options.key, partner:
        case None, None:
            check_loopback(endpoint, f"give --key and {use.partner}, or use ")
            msg = (
                f"{endpoint!r} needs keys: give --key FILE (see 'muxsaga keygen --help') and "
                f"{use.partner} ({MEANING[use.partner]}); or --insecure, on loopback alone"
            )
            raise UsageError(msg)
        case _, None:
            msg = f"--key needs {use.partner} beside it for {endpoint!r}: {MEANING[use.partner]}"
            raise UsageError(msg)
        case None, _:
            msg = f"{use.partner} needs --key beside it: a file made by 'muxsaga keygen FILE'"
            raise UsageError(msg)


def _unused(option: str, uses: tuple[KeyUse, ...]) -> UsageError:
    endpoints = ", ".join(endpoint for use in uses for endpoint in use.endpoints)
    return UsageError(
        f"{option} would not be used: only tcp endpoints have keys, and there are {endpoints}; "
        "leave it out, or give tcp endpoints"
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
