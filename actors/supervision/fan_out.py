"""A fan-out: one message to many receivers, whatever became of some of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pykka import ActorDeadError

from actors.supervision.dead_letters import Tellable
from actors.supervision.mailbox_options import MailboxFullError


@dataclass(frozen=True, slots=True)
class FanOut:
    """What became of a fan-out.

    Attributes:
        told: how many took the message. A `Handle` takes every message: what nobody handles is a
            dead letter.
        missed: those which were dead, or full.
    """

    told: int
    missed: tuple[Tellable, ...]


def fan_out(receivers: Iterable[Tellable], message: Any) -> FanOut:
    """Tell every receiver, without raising for one that is dead or full."""
    told, missed = 0, list[Tellable]()
    for receiver in receivers:
        try:
            receiver.tell(message)
        except (ActorDeadError, MailboxFullError):
            missed.append(receiver)
        else:
            told += 1
    return FanOut(told, tuple(missed))
