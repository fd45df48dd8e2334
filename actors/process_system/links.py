"""A relay in every link between the launcher and its clients, so that links can misbehave."""

from collections.abc import Iterator, Mapping
from random import Random
from types import MappingProxyType, TracebackType
from typing import Literal, NamedTuple, Self

from actors.process_system.children import service_names
from actors.process_system.place import SystemPlace
from actors.process_system.recording import WITNESS
from actors.process_system.settings import ProcessSystemSettings
from transport.fault_proxy import FaultProxy, Relay

Channel = Literal["link", "events", "query"]
"""One of the launcher's three sockets."""


class LinkName(NamedTuple):
    """A client's link to one of the launcher's sockets."""

    client: str
    channel: Channel


class Links:
    """The relays of a system, in a proxy's own thread; none where nobody stands in the links.

    Args:
        settings: what the system is made of.
        place: where it is.
        generator: draws the jitter; to be used by nobody else.
    """

    def __init__(
        self, settings: ProcessSystemSettings, place: SystemPlace, generator: Random
    ) -> None:
        self._relays: dict[LinkName, Relay] = {}
        self._proxy = FaultProxy(generator=generator) if place.relayed else None
        if self._proxy is not None:
            for name in link_names(settings):
                self._relays[name] = self._proxy.relay(
                    f"{name.client} {name.channel}",
                    listen=getattr(place.client(name.client), name.channel),
                    target=getattr(place.launcher, name.channel),
                )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._proxy is not None:
            self._proxy.close()

    @property
    def relays(self) -> Mapping[LinkName, Relay]:
        """Every relay, by client and channel."""
        return MappingProxyType(self._relays)

    def heal(self) -> None:
        """Let every link be as it should."""
        for relay in self._relays.values():
            relay.heal()


def link_names(settings: ProcessSystemSettings) -> Iterator[LinkName]:
    """Give every link of a system: a host's own and its stream, a service's own, observers' two."""
    for host in settings.host_names:
        yield LinkName(host, "link")
        yield LinkName(host, "events")
    for service in service_names(settings):
        yield LinkName(service, "link")
    for observer in (WITNESS, *settings.observer_names):
        yield LinkName(observer, "events")
        yield LinkName(observer, "query")
