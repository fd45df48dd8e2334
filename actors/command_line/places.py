"""Where the launcher and the hosts are found: the options for it, and the endpoints they mean."""

import os
from argparse import ArgumentParser, Namespace, _ArgumentGroup
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from actors.command_line.command_error import UsageError
from actors.command_line.key_options import (
    ALLOW,
    HOST_KEY,
    LAUNCHER_KEY,
    KeyUse,
    add_key,
    add_partner,
    client_keys,
    own_keys,
    server_keys,
)
from transport.endpoints import (
    DirectoryLock,
    EndpointError,
    Endpoints,
    control_endpoint,
    is_tcp,
    private_directory,
)
from transport.keys import ClientKeys, ServerKeys

IPC = "ipc://"


def default_directory() -> Path:
    """Give the runtime directory of a user who names none."""
    base = os.environ.get("XDG_RUNTIME_DIR")
    return Path(base) / "muxsaga" if base else Path(f"/tmp/muxsaga-{os.getuid()}")  # noqa: S108


def add_launcher_place(parser: ArgumentParser) -> _ArgumentGroup:
    """Add the options that say where the launcher is and how to be let in, and give their group."""
    group = _add_endpoints(parser)
    add_key(group)
    add_partner(group, LAUNCHER_KEY)
    return group


def add_launcher_binding(parser: ArgumentParser) -> None:
    """Add the options that say where the launcher binds, and whom it lets in."""
    group = _add_endpoints(parser)
    add_key(group)
    add_partner(group, ALLOW)


def _add_endpoints(parser: ArgumentParser) -> _ArgumentGroup:
    group = parser.add_argument_group(
        "where the launcher is", "by default in the runtime directory; all processes must agree"
    )
    add_runtime_directory(group)
    group.add_argument(
        "--tcp", metavar="HOST:PORT", help="three TCP ports from PORT on; needs keys, or --insecure"
    )
    group.add_argument("--link", metavar="ENDPOINT", help="socket of commands and reports")
    group.add_argument("--events", metavar="ENDPOINT", help="socket of the event stream")
    group.add_argument("--query", metavar="ENDPOINT", help="socket of replay, snapshot and status")
    return group


def add_runtime_directory(group: ArgumentParser | _ArgumentGroup) -> None:
    """Add the option that names the runtime directory."""
    group.add_argument(
        "--runtime-directory",
        type=Path,
        metavar="DIR",
        help="private directory of the Unix sockets (default: $XDG_RUNTIME_DIR/muxsaga, "
        "else /tmp/muxsaga-<uid>)",
    )


def add_control_place(parser: ArgumentParser) -> None:
    """Add the options that say where a host's control socket is, and how to be let in."""
    add_runtime_directory(parser)
    parser.add_argument(
        "--control", metavar="ENDPOINT", help="the host's control socket, where it is elsewhere"
    )
    add_key(parser)
    add_partner(parser, HOST_KEY)


def runtime_directory(options: Namespace) -> Path:
    """Give the runtime directory, made if it was not there.

    Raises:
        EndpointError: it is not private.
    """
    return private_directory(options.runtime_directory or default_directory())


def launcher_endpoints(options: Namespace) -> Endpoints:
    """Give the launcher's endpoints as the options name them, with the keys to be let in.

    Raises:
        UsageError: an endpoint or a key cannot be used.
    """
    endpoints = _endpoints(options)
    use = _use_of(endpoints, LAUNCHER_KEY)
    return replace(endpoints, keys=client_keys(options, use, own_keys(options, use)))


def launcher_binding(options: Namespace) -> tuple[Endpoints, ServerKeys | None]:
    """Give the endpoints where a launcher binds, and its keys there.

    Raises:
        UsageError: an endpoint, a key or the allow list cannot be used.
    """
    endpoints = _endpoints(options)
    use = _use_of(endpoints, ALLOW)
    return endpoints, server_keys(options, use, own_keys(options, use))


class HostPlace(NamedTuple):
    """Where a host is: the launcher's endpoints, its own control socket, its keys at that."""

    endpoints: Endpoints
    control: str
    control_keys: ServerKeys | None


def host_place(options: Namespace, host: str) -> HostPlace:
    """Give where a host is.

    Raises:
        UsageError: an endpoint, a key or the allow list cannot be used.
    """
    endpoints, control = _endpoints(options), _control(options, host)
    link, own = _use_of(endpoints, LAUNCHER_KEY), KeyUse(ALLOW, (control,))
    pair = own_keys(options, link, own)
    keys = client_keys(options, link, pair)
    return HostPlace(replace(endpoints, keys=keys), control, server_keys(options, own, pair))


def host_control(options: Namespace, host: str) -> tuple[str, ClientKeys | None]:
    """Give the endpoint of a host's control socket, and the keys to be let in.

    Raises:
        UsageError: the endpoint or a key cannot be used.
    """
    control = _control(options, host)
    use = KeyUse(HOST_KEY, (control,))
    return control, client_keys(options, use, own_keys(options, use))


def tcp_endpoints(address: str) -> Endpoints:
    """Give the endpoints of `--tcp`.

    Raises:
        UsageError: the address is none.
    """
    try:
        return Endpoints.on_tcp(address)
    except EndpointError as error:
        msg = f"--tcp {error}"
        raise UsageError(msg) from error


def check_endpoint(option: str, endpoint: str) -> None:
    """Refuse an endpoint that is none.

    Raises:
        UsageError: names the option and the endpoint.
    """
    if endpoint.startswith(IPC) and len(endpoint) > len(IPC):
        return
    if not is_tcp(endpoint):
        msg = f"{option} {endpoint!r} is no endpoint: give ipc://PATH or tcp://HOST:PORT"
        raise UsageError(msg)
    host, _, port = endpoint.removeprefix("tcp://").rpartition(":")
    if not host or not port.isdecimal() or not 1 <= int(port) <= 65535:  # noqa: PLR2004
        msg = f"{option} {endpoint!r} has no host, or no port from 1 to 65535"
        raise UsageError(msg)


def _endpoints(options: Namespace) -> Endpoints:
    explicit = {name: getattr(options, name) for name in ("link", "events", "query")}
    given = {name: value for name, value in explicit.items() if value is not None}
    for name, value in given.items():
        check_endpoint(f"--{name}", value)
    if len(given) == len(explicit):
        return Endpoints(**given)
    try:
        if options.tcp is not None:
            base = tcp_endpoints(options.tcp)
        else:
            base = Endpoints.in_directory(runtime_directory(options))
    except EndpointError as error:
        raise UsageError(str(error)) from error
    return Endpoints(
        **{name: value or getattr(base, name) for name, value in explicit.items()},
    )


def _use_of(endpoints: Endpoints, partner: str) -> KeyUse:
    return KeyUse(partner, (endpoints.link, endpoints.events, endpoints.query))


def _control(options: Namespace, host: str) -> str:
    if options.control is not None:
        control: str = options.control
        check_endpoint("--control", control)
        return control
    try:
        return control_endpoint(runtime_directory(options), host)
    except EndpointError as error:
        raise UsageError(str(error)) from error


def ipc_path(endpoint: str) -> Path | None:
    """Give the path of an `ipc` endpoint, or None for another kind."""
    return Path(endpoint.removeprefix(IPC)) if endpoint.startswith(IPC) else None


def hold_places(endpoints: Endpoints) -> AbstractContextManager[object]:
    """Hold the launcher's Unix sockets for this process.

    Raises:
        EndpointError: another launcher holds one of them; names that one.
    """
    with ExitStack() as stack:
        for endpoint in (endpoints.link, endpoints.events, endpoints.query):
            path = ipc_path(endpoint)
            if path is not None:
                lock = path.with_name(f"{path.name}.lock")
                stack.enter_context(DirectoryLock(lock, "muxsaga launcher"))
        return stack.pop_all()
