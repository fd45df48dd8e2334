"""The processes of a run: where they are, and what they are."""

from argparse import Namespace
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from actors.command_line.child_specs import (
    host_child,
    launcher_child,
    service_child,
    with_output,
)
from actors.command_line.command_error import UsageError
from actors.command_line.crash_options import with_crashes
from actors.command_line.host_options import faults_of
from actors.command_line.key_options import check_loopback
from actors.command_line.places import tcp_endpoints
from actors.launcher_process import LauncherSettings
from actors.supervision.child_spec import SupervisorSpec
from host_sim.extension import load_handlers
from host_sim.host_process import HostProcessSettings
from host_sim.service_process import ServiceProcessSettings
from transport.endpoints import EndpointError, Endpoints, control_endpoint, private_directory

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
        endpoints=in_directory if options.tcp is None else _on_loopback(options),
        controls=controls,
        scratch=scratch,
        observed=scratch / "observed.jsonl",
        did={name: scratch / f"did-{name}.jsonl" for name in (*hosts, SERVICE)},
    )


def _on_loopback(options: Namespace) -> Endpoints:
    endpoints = tcp_endpoints(options.tcp)
    check_loopback(endpoints.link, "a run has no keys, use ")
    if not options.insecure:
        msg = "--tcp needs --insecure beside it: a run has no keys, whoever is on this machine may "
        raise UsageError(msg + "take part")
    return endpoints


def run_spec(options: Namespace, place: RunPlace) -> SupervisorSpec:
    """Give the processes of a run: hosts and service first, and the launcher when they are ready.

    In the reverse order the launcher stops while the hosts can still finish its sagas. None is
    ever restarted.
    """
    children = [
        host_child(_host_settings(options, place, host, number))
        for number, host in enumerate(place.controls)
    ]
    if load_handlers(options.extension, "SERVICE").extension.handlers:
        service = ServiceProcessSettings(
            service=SERVICE,
            endpoints=place.endpoints,
            extensions=tuple(options.extension),
            history=place.did[SERVICE],
        )
        children.append(service_child(service))
    launcher = LauncherSettings(
        endpoints=place.endpoints,
        extensions=tuple(options.extension),
        log=options.log,
        durability=options.durability,
    )
    children.append(launcher_child(with_crashes(launcher, options)))
    return SupervisorSpec(tuple(with_output(child, place.scratch) for child in children))


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
