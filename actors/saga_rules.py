"""What a checker is told of an extension's sagas: which events start them, by their own word."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from actors.saga import Saga
from actors.sagas import CORE_SAGAS
from transport.checker import Ending, Rules, Trigger
from transport.checker.told import Told
from transport.codec import Codec
from transport.messages import OpaqueEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class SagaTrigger(Trigger):
    """An event that starts a saga where `from_trigger` of the saga's kind gives one.

    Attributes:
        kind: of the saga.
        codec: knows the event.
    """

    kind: type[Saga]
    codec: Codec

    def starts(self, event: Told) -> bool:
        """Say whether an event of this type starts one."""
        if event.fields.get("reconciled"):
            return False
        told = self.codec.decode_event(event.fields)
        if isinstance(told, OpaqueEvent):
            return False
        try:
            return self.kind.from_trigger(told) is not None
        except Exception:  # noqa: BLE001 - the saga's own code: the coordinator starts none either
            return False


def rules_of(kinds: Iterable[type[Saga]], codec: Codec, endings: Sequence[Ending] = ()) -> Rules:
    """Give the rules for sagas: the core's as ever, the others' triggers by their own word.

    Args:
        kinds: all sagas that a launcher knows.
        codec: knows their events.
        endings: what else is known of how they end.
    """
    core = Rules()
    triggers = (
        SagaTrigger(event.__name__, kind.name, kind=kind, codec=codec)
        for kind in kinds
        if kind not in CORE_SAGAS
        for event in kind.triggers
    )
    return replace(core, triggers=(*core.triggers, *triggers), ends=(*core.ends, *endings))
