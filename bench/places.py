"""Where the processes of one run meet: in a directory, or on loopback, with or without keys."""

import secrets
from dataclasses import dataclass, replace
from pathlib import Path

from bench.result import Transport
from transport.endpoints import Endpoints, control_endpoint
from transport.key_files import make_key_files
from transport.keys import ClientKeys, KeyPair, ServerKeys

FIRST_PORT = 21_000
"""Below the range from which the kernel gives ports to clients."""


@dataclass(frozen=True, slots=True)
class HostPlace:
    """A host's place.

    Attributes:
        host: its id.
        endpoints: where it finds the launcher, with its own keys.
        control: where it binds its control socket, and `control_keys`, with which keys.
        client_keys: what the driver shows and expects there.
    """

    host: str
    endpoints: Endpoints
    control: str
    control_keys: ServerKeys | None = None
    client_keys: ClientKeys | None = None


@dataclass(frozen=True, slots=True)
class Places:
    """All places of one run.

    Attributes:
        launcher: where the launcher binds, and `launcher_keys`, with which keys.
        observer: where observers find it, with their keys.
        hosts: of the hosts, in order.
    """

    launcher: Endpoints
    launcher_keys: ServerKeys | None
    observer: Endpoints
    hosts: tuple[HostPlace, ...]

    @classmethod
    def of(cls, transport: Transport, directory: Path, hosts: tuple[str, ...]) -> "Places":
        """Give places for a transport; a directory of the run's own holds sockets and keys."""
        if transport == "ipc":
            endpoints = Endpoints.in_directory(directory)
            controls = [control_endpoint(directory, host) for host in hosts]
        else:
            # A loopback address of its own: no other run, and no other program, has these ports.
            address = f"127.{1 + secrets.randbelow(250)}.{secrets.randbelow(256)}.1"
            endpoints = Endpoints.on_tcp(f"{address}:{FIRST_PORT}")
            controls = [f"tcp://{address}:{FIRST_PORT + 3 + each}" for each in range(len(hosts))]
        plain = tuple(
            HostPlace(host, endpoints, control)
            for host, control in zip(hosts, controls, strict=True)
        )
        places = cls(endpoints, None, endpoints, plain)
        return places.with_keys(directory) if transport == "curve" else places

    def of_first(self, count: int) -> "Places":
        """Give the same places, of so many hosts only."""
        return replace(self, hosts=self.hosts[:count])

    def with_keys(self, directory: Path) -> "Places":
        """Give the same places with new keys, which are made in the directory."""
        allow = directory / "allow.toml"
        driver, launcher = _pair(directory, "driver"), _pair(directory, "launcher")
        pairs = {place.host: _pair(directory, place.host) for place in self.hosts}
        lines = ["[host]", *(f'{host} = "{pair.public}"' for host, pair in pairs.items())]
        lines += ["[operator]", f'driver = "{driver.public}"']
        allow.write_text("\n".join(lines), encoding="utf-8")
        allow.chmod(0o600)
        return Places(
            self.launcher,
            ServerKeys(launcher, allow),
            replace(self.observer, keys=ClientKeys(driver, launcher.public)),
            tuple(
                HostPlace(
                    place.host,
                    replace(place.endpoints, keys=ClientKeys(pairs[place.host], launcher.public)),
                    place.control,
                    ServerKeys(pairs[place.host], allow),
                    ClientKeys(driver, pairs[place.host].public),
                )
                for place in self.hosts
            ),
        )


def _pair(directory: Path, name: str) -> KeyPair:
    return make_key_files(directory / f"{name}.key")
