"""An observer that is a process of its own, and records what it is handed."""

from dataclasses import dataclass
from pathlib import Path

from actors.command_line.known_messages import codec_for
from actors.process_system.lives import of_this_life
from actors.supervision.process_spec import ParentLink
from transport.endpoints import Endpoints
from transport.event_stream import Batch, Truncated
from transport.history import HistoryWriter, lines_of
from transport.process_signals import StopSignals
from transport.zeromq.observer import Observer

LAST_BLOBS_SECONDS = 0.1
"""How long the stream must be silent to be taken as read, once it is to stop."""

LOOK_SECONDS = 0.1
"""How often it looks whether it is to stop."""


@dataclass(frozen=True, slots=True)
class ObserverProcessSettings:
    """What an observing process is started with; plain values, so that it can cross a spawn.

    Attributes:
        name: what it is called in the history.
        endpoints: the launcher's, as it reaches them.
        extensions: names of extension modules.
        history: names its file; each life adds its process id.
    """

    name: str
    endpoints: Endpoints
    extensions: tuple[str, ...]
    history: Path


def run_observer(settings: ObserverProcessSettings, parent: ParentLink) -> int:
    """Observe from the first event on until it is told to stop, or its parent is gone."""
    codec = codec_for(settings.extensions)
    with (
        StopSignals(parent.life_line) as signals,
        HistoryWriter(of_this_life(settings.history)) as writer,
        Observer(settings.endpoints, codec=codec) as observer,
    ):
        parent.ready()
        stopping = False
        while not signals.orphaned:
            items = observer.poll(LAST_BLOBS_SECONDS if stopping else LOOK_SECONDS)
            for item in items:
                if isinstance(item, Batch | Truncated):
                    writer.write(lines_of(item, settings.name))
            writer.flush()
            if stopping and not items:
                break
            stopping = signals.look() > 0
    return 0
