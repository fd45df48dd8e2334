"""What an extension module adds to hosts and services: handlers of its own commands.

A module exports `MESSAGES` (a `transport.message_types.MessageTypes`) and, as it needs them, `HOST`
and `SERVICE`, each a `HostExtension`: the handlers that hosts, or the service, run.
"""

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from transport.message_types import CORE, MessageTypes
from transport.messages import Command, Report, ReportActionFailed

REPORTS_IN_FRAME = 256
"""How many reports one frame may hold."""

Handler = Callable[[Command], Sequence[Report]]
"""Carries a command out and gives its reports, or raises `ActionError`. Pure: it may run again.

Exactly one of the reports is of a type that the command's `outcomes` name; that one settles it.
"""


class ActionError(Exception):
    """A command cannot be carried out; its text becomes the saga's reason."""


class HostExtensionError(ValueError):
    """An extension module cannot be used; says which and why."""


@dataclass(frozen=True, slots=True)
class HostExtension:
    """Handlers by command type."""

    handlers: Mapping[type[Command], Handler] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LoadedHandlers:
    """What a host or service loaded: its message types, and all handlers."""

    messages: MessageTypes
    extension: HostExtension


def load_handlers(
    module_names: Sequence[str], attribute: Literal["HOST", "SERVICE"]
) -> LoadedHandlers:
    """Import extensions for a host (`HOST`) or for a service (`SERVICE`).

    Raises:
        HostExtensionError: one cannot be imported, lacks `MESSAGES`, or handles what another or
            the core handles; names it.
    """
    types, handlers = CORE, dict[type[Command], Handler]()
    for name in module_names:
        try:
            module = importlib.import_module(name)
        except ImportError as error:
            msg = f"extension {name!r} cannot be imported: {error}"
            raise HostExtensionError(msg) from error
        messages = getattr(module, "MESSAGES", None)
        extension = getattr(module, attribute, HostExtension())
        if not isinstance(messages, MessageTypes) or not isinstance(extension, HostExtension):
            msg = (
                f"extension {name!r} must export MESSAGES, a MessageTypes, "
                f"and may export {attribute}, a HostExtension"
            )
            raise HostExtensionError(msg)
        try:
            types = types.extended(messages)
        except ValueError as error:
            msg = f"extension {name!r}: {error}"
            raise HostExtensionError(msg) from error
        for command_type, handler in extension.handlers.items():
            if command_type in handlers or command_type in CORE.commands:
                msg = f"extension {name!r}: {command_type.__name__} has a handler already"
                raise HostExtensionError(msg)
            handlers[command_type] = handler
    return LoadedHandlers(types, HostExtension(handlers))


def carry_out(handler: Handler | None, command: Command) -> list[Report]:
    """Give the reports of a command, one of them with its identity; whatever the handler does."""
    name = type(command).__name__
    if handler is None:
        return [failed(command, f"unknown command {name}")]
    try:
        reports = list(handler(command))
    except ActionError as error:
        return [failed(command, str(error) or f"{name} failed")]
    except Exception as error:  # noqa: BLE001 - an extension's bug fails its saga, not the host
        return [failed(command, f"handler of {name}: {type(error).__name__}: {error}")]
    settling = [
        index for index, each in enumerate(reports) if type(each).__name__ in command.outcomes
    ]
    if len(settling) != 1 or len(reports) > REPORTS_IN_FRAME:
        detail = f"{len(settling)} of the {len(reports)} things it gave are outcomes"
        wanted = f"it must give at most {REPORTS_IN_FRAME} reports, one of them an outcome"
        return [failed(command, f"handler of {name}: {detail}; {wanted}")]
    return [
        msgspec.structs.replace(each, identity=command.identity if index in settling else None)
        for index, each in enumerate(reports)
    ]


def failed(command: Command, reason: str) -> ReportActionFailed:
    """Give the report that a command could not be carried out."""
    return ReportActionFailed(identity=command.identity, reason=reason[:1024])
