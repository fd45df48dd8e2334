"""What an operator asks of the launcher, on the link but without registering."""

from transport.messages.base import Message, SagaId, Text
from transport.messages.query import QuestionNumber


class CancelSaga(Message, frozen=True, kw_only=True):
    """Close the bracket of saga `saga_id` as failed, with `cancelled: ` and the reason."""

    number: QuestionNumber
    saga_id: SagaId
    reason: Text


class SagaCancelled(Message, frozen=True, kw_only=True):
    """The saga was open, and its end is durable."""

    number: QuestionNumber
    saga_id: SagaId


class CancelRefused(Message, frozen=True, kw_only=True):
    """The saga is not open, and why: it ended before, or never began. Nothing happened."""

    number: QuestionNumber
    saga_id: SagaId
    reason: Text
