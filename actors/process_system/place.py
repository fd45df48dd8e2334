"""Where a system of real processes is: its sockets and files, all in one private directory."""

from dataclasses import dataclass
from pathlib import Path

from transport.endpoints import Endpoints, control_endpoint, ipc_endpoint


@dataclass(frozen=True, slots=True)
class SystemPlace:
    """A directory with everything of one system in it.

    Each client of the launcher has endpoints of its own. Where nobody stands in the links they are
    the launcher's; else somebody listens there and hands everything on.

    Attributes:
        directory: private, absolute, and short enough for the paths of Unix sockets.
        relayed: somebody stands in every link.
    """

    directory: Path
    relayed: bool = False

    @property
    def log(self) -> Path:
        """The file of the saga log."""
        return self.directory / "log.sqlite"

    @property
    def history(self) -> Path:
        """The whole history, once the system has ended."""
        return self.directory / "history.jsonl"

    @property
    def launcher(self) -> Endpoints:
        """Where the launcher binds."""
        return Endpoints.in_directory(self.directory)

    def client(self, name: str) -> Endpoints:
        """Give where a host, service or observer connects to.

        Raises:
            EndpointError: the directory's path is too long.
        """
        if not self.relayed:
            return self.launcher
        link, events, query = (
            ipc_endpoint(self.directory / f"{name}-{each}") for each in ("link", "events", "query")
        )
        return Endpoints(link, events, query)

    def control(self, host: str) -> str:
        """Give the endpoint of a host's control socket."""
        return control_endpoint(self.directory, host)

    def recorded(self, name: str) -> Path:
        """Give the file in which somebody records; a process's lives have files of their own."""
        return self.directory / f"{name}.part.jsonl"

    def parts(self) -> list[Path]:
        """Give everything that was recorded so far, file by file."""
        return sorted(self.directory.glob("*.part.jsonl"))
