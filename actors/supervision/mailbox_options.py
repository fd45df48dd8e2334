"""What becomes of a child's messages while it restarts, and when they are too many."""

from dataclasses import dataclass
from enum import StrEnum

from pykka import Actor


class Mail(StrEnum):
    """What becomes of messages that wait, or come, while a child is between two incarnations.

    The message in work when it failed is lost in either case.
    """

    KEEP = "keep"
    """The next incarnation handles them."""

    DROP = "drop"
    """They are dead letters."""


class Overflow(StrEnum):
    """What happens when a message comes to a full mailbox."""

    REJECT = "reject"
    """The sender's tell raises `MailboxFullError`, and so does its ask."""

    DROP_OLDEST = "drop_oldest"
    """The oldest message is a dead letter; if it was an ask, it raises `MailboxFullError`."""

    BLOCK = "block"
    """The sender waits. Only for actors with a thread of their own."""


@dataclass(frozen=True, slots=True)
class Bound:
    """How many messages may wait. Stop and supervision messages come in all the same."""

    limit: int
    overflow: Overflow = Overflow.REJECT

    def __post_init__(self) -> None:
        if self.limit < 1:
            msg = f"a mailbox's limit is at least 1, not {self.limit}"
            raise ValueError(msg)


class MailboxFullError(RuntimeError):
    """A message came to a full mailbox."""


@dataclass(frozen=True, slots=True)
class SupervisionMessage:
    """Base of the messages that come in whatever the bound: what supervision tells an actor."""


@dataclass(frozen=True, slots=True)
class MailOptions:
    """How a child's mailbox is.

    Attributes:
        message_deadline: seconds that a message may be in work; over them the actor counts as
            stuck, is told to stop, and is replaced. None: as long as it takes.
    """

    mail: Mail = Mail.KEEP
    bound: Bound | None = None
    message_deadline: float | None = None


def check_bound(bound: Bound | None, actor_class: type[Actor]) -> None:
    """Refuse a policy that would block a thread which others share."""
    if bound is not None and bound.overflow is Overflow.BLOCK:
        msg = (
            f"{actor_class.__name__} shares its dispatcher's thread: a sender that waits for room "
            "would wait for itself; use Overflow.REJECT or Overflow.DROP_OLDEST"
        )
        raise ValueError(msg)
