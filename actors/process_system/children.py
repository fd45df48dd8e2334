"""The processes of a system, as a supervisor's children: what is killed comes back by its rules."""

from dataclasses import replace
from functools import partial

from actors.command_line.child_specs import (
    PEER_GRACE,
    host_child,
    launcher_child,
    service_child,
    with_output,
)
from actors.launcher_process import LauncherSettings
from actors.process_system.lives import host_lives, service_lives
from actors.process_system.observer_process import ObserverProcessSettings, run_observer
from actors.process_system.place import SystemPlace
from actors.process_system.settings import ProcessSystemSettings
from actors.supervision.child_spec import Backoff, ChildSpec, Intensity, Restart, SupervisorSpec
from actors.supervision.process_spec import Entry, ProcessSpec
from host_sim.extension import load_handlers
from host_sim.host_process import HostProcessSettings
from host_sim.service_process import ServiceProcessSettings

SERVICE = "service"
"""The name and id of the one service."""

ANY_NUMBER = Intensity(restarts=1_000_000, period=1.0)
"""Killing is the point: a supervisor of such processes never gives up."""

LONGEST_PAUSE = 2.0
"""Seconds that a killed process is away at most before it is started again."""


def system_spec(settings: ProcessSystemSettings, place: SystemPlace) -> SupervisorSpec:
    """Give all processes: observers, hosts and service first, the launcher when they are ready.

    In the reverse order the launcher stops while the hosts can still finish its sagas, and what it
    says last is observed.

    Raises:
        HostExtensionError: an extension cannot be used.
    """
    children = [
        *(_observer(settings, place, name) for name in settings.observer_names),
        *(_host(settings, place, number) for number in range(settings.hosts)),
        *_services(settings, place),
        _launcher(settings, place),
    ]
    return SupervisorSpec(
        tuple(
            replace(with_output(child, place.directory), restart=Restart.PERMANENT)
            for child in children
        ),
        intensity=ANY_NUMBER,
        backoff=Backoff(settings.restart_pause, LONGEST_PAUSE, healthy_after=LONGEST_PAUSE),
    )


def service_names(settings: ProcessSystemSettings) -> tuple[str, ...]:
    """Give the service's name, if one is due.

    Raises:
        HostExtensionError: an extension cannot be used.
    """
    handlers = load_handlers(settings.extensions, "SERVICE").extension.handlers
    return (SERVICE,) if handlers else ()


def _launcher(settings: ProcessSystemSettings, place: SystemPlace) -> ChildSpec:
    return launcher_child(
        LauncherSettings(
            endpoints=place.launcher,
            heartbeat=settings.heartbeat,
            timeouts=dict(settings.timeouts),
            extensions=settings.extensions,
            journal_events=settings.journal_events,
            log=place.log,
            durability=settings.durability,
        )
    )


def _host(settings: ProcessSystemSettings, place: SystemPlace, number: int) -> ChildSpec:
    host = settings.host_names[number]
    host_settings = HostProcessSettings(
        host=host,
        endpoints=place.client(host),
        control=place.control(host),
        pool_target=settings.pool_target,
        spawn_time=settings.spawn_time,
        heartbeat=settings.heartbeat,
        seed=None if settings.seed is None else settings.seed + number,
        faults=dict(settings.host_faults),
        extensions=settings.extensions,
        history=place.recorded(host),
    )
    return _with_entry(host_child(host_settings), host_lives(host_settings))


def _services(settings: ProcessSystemSettings, place: SystemPlace) -> list[ChildSpec]:
    children = []
    for name in service_names(settings):
        service_settings = ServiceProcessSettings(
            service=name,
            endpoints=place.client(name),
            extensions=settings.extensions,
            heartbeat=settings.heartbeat,
            history=place.recorded(name),
        )
        child = service_child(service_settings)
        children.append(_with_entry(child, service_lives(service_settings)))
    return children


def _observer(settings: ProcessSystemSettings, place: SystemPlace, name: str) -> ChildSpec:
    observer_settings = ObserverProcessSettings(
        name, place.client(name), settings.extensions, place.recorded(name)
    )
    process = ProcessSpec(partial(run_observer, observer_settings), alongside=True)
    return ChildSpec(name, process, shutdown=PEER_GRACE)


def _with_entry(child: ChildSpec, entry: Entry) -> ChildSpec:
    return replace(child, start=replace(child.start, entry=entry))
