"""The deadline of a message in work, looked after by the child's supervisor, and its ladder."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from actors.supervision.child_spec import ExitKind, ExitReason
from actors.timers import SECOND

if TYPE_CHECKING:
    from actors.supervision.actor_child import ChildLife
    from actors.supervision.actor_supervision import ActorSupervision

PROGRESS = "progress"
ABANDON = "abandon"


def watch_progress(supervision: ActorSupervision, life: ChildLife) -> None:
    """Look after a child's messages, and its start, if its spec gives them a deadline.

    The supervisor looks when the message in work, or one that came just now, would be over it:
    one timer for each child that has a deadline, and no cost for a message.
    """
    deadline = _deadline(life)
    if deadline is not None:
        due = supervision.options.clock() + deadline
        _look_at(supervision, life, due)


def forget_progress(supervision: ActorSupervision, life: ChildLife) -> None:
    """Look after a child no more."""
    if _deadline(life) is not None:
        supervision.cancel_timer((PROGRESS, life.slot.name))
        supervision.cancel_timer((ABANDON, life.slot.name))


def _look_at(supervision: ActorSupervision, life: ChildLife, due: int) -> None:
    task = partial(_look, supervision, life)
    supervision.set_timer((PROGRESS, life.slot.name), due, task)


def _look(supervision: ActorSupervision, life: ChildLife) -> None:
    deadline = _deadline(life)
    if life.slot.life is not life or deadline is None:
        return
    now = supervision.options.clock()
    age = life.message_age() or 0
    if age < deadline:
        _look_at(supervision, life, now + deadline - age)
        return
    detail = f"a message was in work for more than {deadline / SECOND:.3g} s"
    life.stop(ExitReason(ExitKind.KILLED, detail))
    shutdown = life.spec.shutdown
    patience = deadline if shutdown is None else round(shutdown * SECOND)
    abandon = partial(life.kill, ExitReason(ExitKind.ABANDONED, detail))
    supervision.set_timer((ABANDON, life.slot.name), now + patience, abandon)


def _deadline(life: ChildLife) -> int | None:
    post = life.slot.post
    if post is None or post.mail.message_deadline is None:
        return None
    return round(post.mail.message_deadline * SECOND)
