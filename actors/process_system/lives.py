"""A process that is killed and started again: each of its lives records into a file of its own.

A killed process may leave a line that is cut off; in a file of its own it is the last.
"""

import os
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from actors.command_line import host_command, service_command
from actors.supervision.process_spec import Entry, ParentLink
from host_sim.host_process import HostProcessSettings
from host_sim.service_process import ServiceProcessSettings

Settings = TypeVar("Settings", HostProcessSettings, ServiceProcessSettings)


def of_this_life(path: Path) -> Path:
    """Give the file of this process, whose id is in its name."""
    return path.with_name(f"{path.name.partition('.')[0]}.{os.getpid()}.part.jsonl")


def host_lives(settings: HostProcessSettings) -> Entry:
    """Give the entry of a host whose lives have a history each."""
    return partial(_live, host_command.run_as_child, settings)


def service_lives(settings: ServiceProcessSettings) -> Entry:
    """Give the entry of a service whose lives have a history each."""
    return partial(_live, service_command.run_as_child, settings)


def _live(
    run: Callable[[Settings, ParentLink], int], settings: Settings, parent: ParentLink
) -> int:
    assert settings.history is not None  # noqa: S101 - whoever made the entry named one
    return run(replace(settings, history=of_this_life(settings.history)), parent)
