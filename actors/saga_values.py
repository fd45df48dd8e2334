"""A saga's rows as plain values, for people and tools, and what it waits for in words."""

from collections.abc import Sequence
from typing import Any

import msgpack

from actors.saga import Target
from actors.saga_log import SagaClosed, SagaOpened, StepClosed, StepIssued

NO_STEP = "an event with its id: no step is pending"


def saga_values(
    opened: SagaOpened,
    *,
    opened_at: int | None,
    closed: SagaClosed | None,
    closed_at: int | None,
    deadline: int,
    extensions: int,
    steps: Sequence[StepIssued],
    closed_steps: Sequence[StepClosed],
) -> dict[str, Any]:
    """Give a saga as plain values.

    Args:
        opened: its row.
        opened_at: when it began, in nanoseconds of the wall clock; None where that is not known.
        closed: how it ended; None while it is open.
        closed_at: when it ended, in nanoseconds of the wall clock; None where that is not known.
        deadline: with its extensions, in nanoseconds of the wall clock.
        extensions: how often recoveries extended it.
        steps: its steps' rows.
        closed_steps: the rows of those that are settled.
    """
    ends = {each.step: each for each in closed_steps}
    steps_shown = [_step_values(each, ends.get(each.step)) for each in steps]
    failure = closed.failure if closed is not None else None
    return {
        "saga_id": opened.saga_id,
        "name": opened.name,
        "state": "open" if closed is None else "completed" if failure is None else "failed",
        "opened_at": opened_at,
        "closed_at": closed_at,
        "host": opened.host,
        "epoch": opened.epoch,
        "cause": opened.cause,
        "input": opened.input,
        "deadline": deadline,
        "extensions": extensions,
        "result": closed.result if closed is not None else None,
        "failure": failure,
        "awaited": _awaited(steps_shown, opened.host, is_open=closed is None),
        "steps": steps_shown,
    }


def _step_values(issued: StepIssued, ended: StepClosed | None) -> dict[str, Any]:
    command = msgpack.unpackb(issued.command)
    failure = ended.failure if ended is not None else None
    return {
        "step": issued.step,
        "target": str(issued.target),
        "command": command.pop("type"),
        "arguments": {name: value for name, value in command.items() if name != "identity"},
        "state": "awaited" if ended is None else "settled" if failure is None else "failed",
        "failure": failure,
    }


def _awaited(steps: list[dict[str, Any]], host: str | None, *, is_open: bool) -> str | None:
    """Give what an open saga waits for, or a failed one waited for when it failed."""
    last = steps[-1] if steps else None
    if last is not None and last["state"] != "settled":
        return report_awaited(last["command"], last["step"], last["target"], host)
    return NO_STEP if is_open else None


def report_awaited(command: str, step: int, target: str, host: str | None) -> str:
    """Say which report settles a step, and who has to send it."""
    match target:
        case Target.HOST:
            sender = f"from host {host}"
        case Target.SRV:
            sender = f"from the service of {command}"
        case _:
            sender = "from the launcher itself"
    return f"the report of {command} (step {step}) {sender}"
