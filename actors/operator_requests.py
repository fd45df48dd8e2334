"""What an operator asks of the launcher: carried out in the pass that reads it."""

from actors.coordinator_messages import EndSaga
from actors.core import Core
from transport.messages import CancelRefused, CancelSaga, SagaCancelled

CANCELLED = "cancelled: "
"""How the failure of a saga begins that an operator ended."""


def cancel_saga(core: Core, request: CancelSaga) -> SagaCancelled | CancelRefused:
    """End a saga through the coordinator, and give the answer.

    The answer is sent with the pass, so after the commit that makes the end durable.
    """
    saga_id, number = request.saga_id, request.number
    if saga_id in core.state.sagas:
        core.tell(EndSaga(saga_id, f"{CANCELLED}{request.reason}"))
        return SagaCancelled(number=number, saga_id=saga_id)
    if saga_id < core.state.next_saga_id:
        reason = f"saga {saga_id} is closed already"
    else:
        reason = f"saga {saga_id} never began: the last one was {core.state.next_saga_id - 1}"
    return CancelRefused(number=number, saga_id=saga_id, reason=reason)
