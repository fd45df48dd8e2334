"""Launcher, hosts and services as supervised processes."""

from dataclasses import replace
from functools import partial
from pathlib import Path

from actors.command_line import host_command, launcher_command, service_command
from actors.command_line.command_error import CommandError
from actors.launcher_process import LauncherSettings
from actors.sqlite_saga_log import LogRefusedError
from actors.supervision.child_spec import ChildSpec, Restart
from actors.supervision.process_spec import Entry, ProcessSpec
from host_sim.host_process import FENCED_EXIT, HostProcessSettings
from host_sim.service_process import ServiceProcessSettings

LAUNCHER = "launcher"
"""The name of the launcher among the children."""

LAUNCHER_GRACE = 15.0
"""How long a launcher may take to stop, in seconds: it lets open sagas finish for ten."""

PEER_GRACE = 5.0
"""How long a host or service may take to stop, in seconds."""

REFUSALS = (CommandError, LogRefusedError, OSError, ValueError)
"""What a process says in one line that cannot start."""


def launcher_child(settings: LauncherSettings) -> ChildSpec:
    """Give a launcher as a child that is never restarted."""
    entry = partial(launcher_command.run_as_child, settings)
    return _child(LAUNCHER, ProcessSpec(entry, refusals=REFUSALS), LAUNCHER_GRACE)


def host_child(settings: HostProcessSettings) -> ChildSpec:
    """Give a host as a child that is never restarted."""
    return _child(settings.host, _peer(partial(host_command.run_as_child, settings)), PEER_GRACE)


def service_child(settings: ServiceProcessSettings) -> ChildSpec:
    """Give a service as a child that is never restarted."""
    entry = partial(service_command.run_as_child, settings)
    return _child(settings.service, _peer(entry), PEER_GRACE)


def with_output(child: ChildSpec, directory: Path) -> ChildSpec:
    """Give a child that writes its output to a file of its own."""
    process = replace(child.start, output=directory / f"{child.name}.output")
    return replace(child, start=process)


def _child(name: str, process: ProcessSpec, grace: float) -> ChildSpec:
    return ChildSpec(name, process, restart=Restart.TEMPORARY, shutdown=grace)


def _peer(entry: Entry) -> ProcessSpec:
    final = frozenset({FENCED_EXIT})
    return ProcessSpec(entry, final_statuses=final, refusals=REFUSALS, alongside=True)
