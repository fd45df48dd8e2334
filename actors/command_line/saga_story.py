"""One saga's whole story in words: what the log has of it, and what the running launcher says."""

from collections.abc import Iterator, Mapping
from typing import Any

from actors.command_line.wall_time import wall_time
from actors.engine import STOPPING
from actors.intake import FAREWELL
from actors.operator_requests import CANCELLED
from actors.saga import BRACKETS, Target
from actors.saga_brackets import OVERFLOW, TIMED_OUT, UNREACHABLE

Story = Mapping[str, Any]

NOT_ASKED = (
    "only the file was read: a running launcher says why a saga does not move "
    "('muxsaga diag explain {}')"
)

_MEANINGS = {
    TIMED_OUT: "its deadline passed before it was done",
    UNREACHABLE: "its deadline passed, and no live connection ever took its command",
    OVERFLOW: "as many commands as may wait did already, and no connection took them",
    FAREWELL["goodbye"]: "its host said goodbye while it was open",
    FAREWELL["restarted"]: "its host came back in another epoch; what it had was gone",
    STOPPING: "the launcher stopped, and it was not done in the time that was left",
}
_BEGINNINGS = {
    CANCELLED: "an operator ended it",
    "saga actor crashed: ": "its own code raised more often than its budget allows",
    "saga cannot be made anew: ": "its own code raised when it was made from its input",
}
_BRACKETS = frozenset(each.__name__ for each in BRACKETS)
_NOT_TOLD = frozenset({"type", "version", "saga_id", "origin"})
_WIDTH = 10


def story_lines(saga: Story, live: Story | None) -> Iterator[str]:
    """Give a saga's story, a line each.

    Args:
        saga: as `JournalReader.saga` gives it.
        live: as a running launcher gives it for an open saga; None if none was asked.
    """
    yield f"saga {saga['saga_id']}  {saga['name']}  {saga['state']}"
    yield _line("input", _named(saga["input"]) or "nothing")
    yield _line("began", _beginning(saga))
    if saga["extensions"]:
        extended = "its deadline was extended to let a new launcher go on"
        yield _line("recovered", f"{extended} ({saga['extensions']})")
    for step in saga["steps"]:
        yield _line(f"step {step['step']}", _step(step, saga, live))
    yield from _events(saga)
    if saga["state"] == "open":
        yield from _waiting(saga, live)
    else:
        yield from _end(saga)


def _beginning(saga: Story) -> str:
    when = f"{wall_time(saga['opened_at'])} " if saga["opened_at"] is not None else ""
    of_host = f", on host {saga['host']} in epoch {saga['epoch']}" if saga["host"] else ""
    trigger, cause = saga["trigger"], saga["cause"]
    if cause is None:
        return f"{when}by the launcher itself{of_host}"
    if trigger is None:
        kept = f"the journal begins at version {saga['journal_first']}"
        return f"{when}by the event of version {cause}, which is trimmed ({kept}){of_host}"
    report = f", report {trigger['origin'][2]}" if trigger["origin"] is not None else ""
    return f"{when}by {_event(trigger)}{of_host}{report}"


def _step(step: Story, saga: Story, live: Story | None) -> str:
    to = f"host {saga['host']}" if step["target"] == Target.HOST else step["target"]
    said = f"{step['command']}({_named(step['arguments'])}) to {to}: "
    match step["state"]:
        case "settled":
            return f"{said}settled by its report"
        case "failed":
            return f"{said}failed: {step['failure']}"
        case _:
            return f"{said}{_handing(step, live)}its report is awaited"


def _handing(step: Story, live: Story | None) -> str:
    if live is None or live.get("step") != step["step"]:
        return ""
    if not live["handed"]:
        return "never handed over; "
    return "in the log of a launcher before; " if live["recovered"] else "handed over; "


def _events(saga: Story) -> Iterator[str]:
    bracket: dict[str, int] = {}
    for event in saga["events"]:
        if event["type"] in _BRACKETS:
            bracket[event["type"]] = event["version"]
        else:
            yield _line("event", _event(event))
    if saga["events_left_out"]:
        yield _line("event", f"and {saga['events_left_out']} more")
    said = [f"{name} at version {version}" for name, version in bracket.items()]
    if said:
        yield _line("bracket", ", ".join(said))
    elif saga["cause"] is None or saga["cause"] < saga["journal_first"]:
        kept = f"the journal begins at version {saga['journal_first']}"
        yield _line("bracket", f"its events are trimmed: {kept}")


def _waiting(saga: Story, live: Story | None) -> Iterator[str]:
    if live is None:
        yield _line("waits for", saga["awaited"])
        yield _line("deadline", wall_time(saga["deadline"]))
        yield _line("why", NOT_ASKED.format(saga["saga_id"]))
        return
    if live["waits_for"] is not None:
        yield _line("waits for", f"{live['waits_for']}, for {live['since_s']:.1f} s")
        if live["deadline_s"] is not None:
            yield _line("deadline", f"in {live['deadline_s']:.1f} s")
        if live["restarts"]:
            failed = f"and was made anew ({live['restarts']}); last: {live['last_failure']}"
            yield _line("crashed", failed)
    for reason in live["why"]:
        yield _line("why", reason)


def _end(saga: Story) -> Iterator[str]:
    when = f"{wall_time(saga['closed_at'])} " if saga["closed_at"] is not None else ""
    if saga["state"] == "completed":
        yield _line("ended", f"{when}completed: {saga['result'] or 'no result'}")
        return
    yield _line("ended", f"{when}failed: {saga['failure']}")
    if saga["awaited"] is not None:
        yield _line("waited for", saga["awaited"])
    meaning = _meaning(saga)
    if meaning is not None:
        yield _line("why", meaning)


def _meaning(saga: Story) -> str | None:
    failure = saga["failure"]
    if any(event["type"] == "ActionFailed" for event in saga["events"]):
        return "whoever got its command reported that it could not be done, and why"
    if failure in _MEANINGS:
        return _MEANINGS[failure]
    for beginning, meaning in _BEGINNINGS.items():
        if failure.startswith(beginning):
            return meaning
    return None


def _event(event: Story) -> str:
    told = {name: value for name, value in event.items() if name not in _NOT_TOLD}
    said = f"{event['type']} (version {event['version']})"
    return f"{said}: {_named(told)}" if told else said


def _named(values: Story) -> str:
    return ", ".join(f"{name}={value}" for name, value in values.items())


def _line(head: str, text: str) -> str:
    return f"  {head.ljust(_WIDTH)} {text}"
