"""What an extension module adds to a launcher, and how it is loaded.

An extension is one importable module, named in the configuration of each process. It exports
`MESSAGES` (a `transport.message_types.MessageTypes`) and, for the launcher, `LAUNCHER`.
"""

import importlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from actors.reducer import ReportArm, SelfHandler
from actors.saga import Saga
from actors.sagas import CORE_SAGAS
from transport.message_types import CORE, MessageTypes
from transport.messages import Command, Report


class ExtensionError(ValueError):
    """An extension module cannot be used; says which and why."""


@dataclass(frozen=True, slots=True)
class LauncherExtension:
    """An extension's part in the launcher.

    Attributes:
        sagas: its saga kinds.
        arms: how its reports become events.
        self_handlers: how its commands to `LAUNCHER_SELF` become events.
    """

    sagas: tuple[type[Saga], ...] = ()
    arms: Mapping[type[Report], ReportArm] = field(default_factory=dict)
    self_handlers: Mapping[type[Command], SelfHandler] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LoadedExtension:
    """An extension as one launcher loaded it."""

    messages: MessageTypes
    launcher: LauncherExtension


def load_launcher_extension(module_name: str) -> LoadedExtension:
    """Import an extension for a launcher.

    Raises:
        ExtensionError: it cannot be imported, or lacks `MESSAGES`; names it.
    """
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        msg = f"extension {module_name!r} cannot be imported: {error}"
        raise ExtensionError(msg) from error
    messages = getattr(module, "MESSAGES", None)
    launcher = getattr(module, "LAUNCHER", LauncherExtension())
    if not isinstance(messages, MessageTypes) or not isinstance(launcher, LauncherExtension):
        msg = (
            f"extension {module_name!r} must export MESSAGES, a MessageTypes, "
            "and may export LAUNCHER, a LauncherExtension"
        )
        raise ExtensionError(msg)
    return LoadedExtension(messages, launcher)


def saga_kinds(extensions: Iterable[LoadedExtension]) -> tuple[type[Saga], ...]:
    """Give the core's sagas and those of the extensions."""
    return (*CORE_SAGAS, *(kind for each in extensions for kind in each.launcher.sagas))


def known_types(extensions: Iterable[LoadedExtension]) -> MessageTypes:
    """Give the core's message types and those of the extensions.

    Raises:
        ValueError: two of them clash; names the type.
    """
    types = CORE
    for each in extensions:
        types = types.extended(each.messages)
    return types
