"""The processes of a run: where they are, and how they are started."""

from argparse import Namespace
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from actors.command_line import host_command, launcher_command, service_command
from actors.command_line.command_error import UsageError
from actors.command_line.host_options import faults_of
from actors.command_line.places import tcp_endpoints
from actors.command_line.processes import ChildProcess, ChildProcesses
from actors.launcher_process import LauncherSettings
from host_sim.extension import load_handlers
from host_sim.host_process import HostProcessSettings
from host_sim.service_process import ServiceProcessSettings
from transport.endpoints import EndpointError, Endpoints, control_endpoint, private_directory

LAUNCHER_GRACE = 15.0
"""How long a launcher may take to stop, in seconds: it lets open sagas finish for ten."""

HOST_GRACE = 5.0

SERVICE = "service"
"""The name and id of the one service, which runs where an extension has handlers for it."""


@dataclass(frozen=True, slots=True)
class RunPlace:
    """Where a run happens.

    Attributes:
        endpoints: the launcher's.
        controls: every host's control socket.
        scratch: a private directory of the run's own, removed at its end.
        observed: file of what the run's observer was handed.
        did: file of what each host, and the service, did.
    """

    endpoints: Endpoints
    controls: Mapping[str, str]
    scratch: Path
    observed: Path
    did: Mapping[str, Path]


def run_place(options: Namespace, hosts: tuple[str, ...], scratch: Path) -> RunPlace:
    """Give where a run happens.

    Raises:
        UsageError: the runtime directory or address cannot be used.
    """
    try:
        directory = private_directory(options.runtime_directory or scratch)
        in_directory = Endpoints.in_directory(directory)
        controls = {host: control_endpoint(directory, host) for host in hosts}
    except EndpointError as error:
        raise UsageError(str(error)) from error
    return RunPlace(
        endpoints=in_directory if options.tcp is None else tcp_endpoints(options.tcp),
        controls=controls,
        scratch=scratch,
        observed=scratch / "observed.jsonl",
        did={name: scratch / f"did-{name}.jsonl" for name in (*hosts, SERVICE)},
    )


def start_processes(options: Namespace, place: RunPlace, children: ChildProcesses) -> ChildProcess:
    """Start hosts and service, and when they are ready the launcher; give the launcher.

    In the reverse order the launcher stops while the hosts can still finish its sagas.

    Raises:
        CommandError: one cannot start; says which and why.
    """
    for number, host in enumerate(place.controls):
        settings = _host_settings(options, place, host, number)
        entry = partial(host_command.run_as_child, settings)
        children.start(host, entry, grace=HOST_GRACE)
    if load_handlers(options.extension, "SERVICE").extension.handlers:
        service = ServiceProcessSettings(
            service=SERVICE,
            endpoints=place.endpoints,
            extensions=tuple(options.extension),
            history=place.did[SERVICE],
        )
        entry = partial(service_command.run_as_child, service)
        children.start(SERVICE, entry, grace=HOST_GRACE)
    children.wait_ready()
    launcher = LauncherSettings(endpoints=place.endpoints, extensions=tuple(options.extension))
    entry = partial(launcher_command.run_as_child, launcher)
    child = children.start("launcher", entry, grace=LAUNCHER_GRACE)
    children.wait_ready()
    return child


def _host_settings(
    options: Namespace, place: RunPlace, host: str, number: int
) -> HostProcessSettings:
    return HostProcessSettings(
        host=host,
        endpoints=place.endpoints,
        control=place.controls[host],
        pool_target=options.pool_target,
        spawn_time=options.spawn_time,
        seed=None if options.seed is None else options.seed + number,
        faults=faults_of(options),
        extensions=tuple(options.extension),
        history=place.did[host],
    )
