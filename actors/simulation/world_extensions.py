"""The extension modules of a simulated world, as each of its processes has them."""

from collections.abc import Sequence
from dataclasses import dataclass

from actors.launcher_extension import (
    LoadedExtension,
    known_types,
    load_launcher_extension,
    saga_kinds,
)
from actors.saga import Saga
from host_sim.extension import HostExtension, load_handlers
from transport.codec import Codec


@dataclass(frozen=True, slots=True)
class WorldExtensions:
    """What extensions add to a world.

    Attributes:
        launcher: to the launcher.
        host: to every host.
        service: to the service; one without handlers is not needed.
        codec: knows all their message types.
        kinds: every saga, the core's first.
    """

    launcher: tuple[LoadedExtension, ...]
    host: HostExtension
    service: HostExtension
    codec: Codec
    kinds: tuple[type[Saga], ...]

    @property
    def timeouts(self) -> dict[str, float]:
        """How many seconds each saga may take, by name."""
        return {kind.name: kind.timeout for kind in self.kinds}


def load_extensions(module_names: Sequence[str]) -> WorldExtensions:
    """Import extension modules for every process of a world.

    Raises:
        ExtensionError: one cannot be imported, or does not export what it must; names it.
        HostExtensionError: two of them handle one command; names it.
        ValueError: two of them clash; names the type.
    """
    launcher = tuple(map(load_launcher_extension, module_names))
    return WorldExtensions(
        launcher=launcher,
        host=load_handlers(module_names, "HOST").extension,
        service=load_handlers(module_names, "SERVICE").extension,
        codec=Codec(known_types(launcher)),
        kinds=saga_kinds(launcher),
    )
