"""Where the launcher and the hosts are found: the options for it, and the endpoints they mean."""

import os
from argparse import ArgumentParser, Namespace, _ArgumentGroup
from contextlib import AbstractContextManager, ExitStack
from ipaddress import ip_address
from pathlib import Path

from actors.command_line.command_error import UsageError
from transport.endpoints import (
    DirectoryLock,
    EndpointError,
    Endpoints,
    control_endpoint,
    private_directory,
)

IPC = "ipc://"
TCP = "tcp://"


def default_directory() -> Path:
    """Give the runtime directory of a user who names none."""
    base = os.environ.get("XDG_RUNTIME_DIR")
    return Path(base) / "muxsaga" if base else Path(f"/tmp/muxsaga-{os.getuid()}")  # noqa: S108


def add_launcher_place(parser: ArgumentParser) -> _ArgumentGroup:
    """Add the options that say where the launcher is, and give their group."""
    group = parser.add_argument_group(
        "where the launcher is", "by default in the runtime directory; all processes must agree"
    )
    add_runtime_directory(group)
    group.add_argument(
        "--tcp", metavar="HOST:PORT", help="three TCP ports from PORT on, loopback only"
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
    """Add the options that say where a host's control socket is."""
    add_runtime_directory(parser)
    parser.add_argument(
        "--control", metavar="ENDPOINT", help="the host's control socket, where it is elsewhere"
    )


def runtime_directory(options: Namespace) -> Path:
    """Give the runtime directory, made if it was not there.

    Raises:
        EndpointError: it is not private.
    """
    return private_directory(options.runtime_directory or default_directory())


def launcher_endpoints(options: Namespace) -> Endpoints:
    """Give the launcher's endpoints as the options name them.

    Raises:
        UsageError: an endpoint cannot be used.
    """
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


def tcp_endpoints(address: str) -> Endpoints:
    """Give the endpoints of `--tcp`.

    Raises:
        UsageError: the address is none, or can be reached from other machines.
    """
    try:
        endpoints = Endpoints.on_tcp(address)
    except EndpointError as error:
        msg = f"--tcp {error}"
        raise UsageError(msg) from error
    check_endpoint("--tcp", endpoints.link)
    return endpoints


def check_endpoint(option: str, endpoint: str) -> None:
    """Refuse an endpoint that cannot be used, or that others could reach.

    Raises:
        UsageError: names the option and the endpoint.
    """
    if endpoint.startswith(IPC) and len(endpoint) > len(IPC):
        return
    if not endpoint.startswith(TCP):
        msg = f"{option} {endpoint!r} is no endpoint: give ipc://PATH or tcp://127.0.0.1:PORT"
        raise UsageError(msg)
    host, _, port = endpoint.removeprefix(TCP).rpartition(":")
    if not port.isdecimal() or not 1 <= int(port) <= 65535:  # noqa: PLR2004
        msg = f"{option} {endpoint!r} has no port from 1 to 65535"
        raise UsageError(msg)
    if not _is_loopback(host):
        msg = (
            f"{option} {endpoint!r} can be reached from other machines, and links have no keys "
            f"yet: use tcp://127.0.0.1:{port}"
        )
        raise UsageError(msg)


def host_control(options: Namespace, host: str) -> str:
    """Give the endpoint of a host's control socket.

    Raises:
        UsageError: it cannot be used.
    """
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


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
