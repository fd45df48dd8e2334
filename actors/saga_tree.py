"""The live tree of a launcher's actors, read without asking any of them: also while one hangs."""

from typing import Any

from actors.dispatcher import Dispatcher
from actors.mailbox import Mailbox
from actors.saga_children import SagaChildren
from actors.state import State

NEWEST = 50
"""How many of the open sagas are shown, the newest first."""


def actor_tree(
    coordinator: Mailbox, dispatcher: Dispatcher, state: State, supervised: SagaChildren
) -> dict[str, Any]:
    """Give the coordinator and its newest sagas, as plain values; from any thread.

    Each node has `name`, `state`, `inbox` (messages that wait), `message_age_ms` (of the one in
    work, or None), `restarts` and `last_failure`; the coordinator also has `children` and how many
    there are in all (`count`).
    """
    newest = sorted(state.sagas, reverse=True)[:NEWEST]
    children = []
    for saga_id in newest:
        saga = state.sagas.get(saga_id)
        if saga is None:
            continue
        facts = supervised.facts(saga_id, 0)
        failure = facts.last_failure if facts is not None else None
        waits_for = saga.step.command_type if saga.step is not None else None
        children.append(
            {
                "name": f"{saga_id} {saga.kind.name}",
                **_facts(saga.mailbox, dispatcher),
                "restarts": facts.incarnation - 1 if facts is not None else 0,
                "last_failure": str(failure) if failure is not None else None,
                "waits_for": waits_for,
            }
        )
    return {
        "name": "coordinator",
        **_facts(coordinator, dispatcher),
        "restarts": 0,
        "last_failure": None,
        "count": len(state.sagas),
        "children": children,
    }


def _facts(mailbox: Mailbox, dispatcher: Dispatcher) -> dict[str, Any]:
    in_work = dispatcher.current is mailbox
    age = (dispatcher.clock() - dispatcher.turn_began) / 1e6 if in_work else None
    return {
        "state": "stopped" if mailbox.is_set() else "working" if in_work else "idle",
        "inbox": len(mailbox.queue),
        "message_age_ms": age,
    }
