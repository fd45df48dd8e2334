"""What must hold of a whole history, whoever was killed in it, and when.

Each check gives a sentence for everything that is wrong; `violations` runs them all.
"""

from collections import Counter
from collections.abc import Callable, Iterator

from tests.random_kills_evidence import Evidence, SagaRow
from transport.frame_fault import FrameFault
from transport.messages import (
    HostRegistered,
    Origin,
    PoolWindowPromoted,
    SagaCompleted,
    SagaFailed,
    SagaStarted,
    Terminal,
    WindowClosed,
)
from transport.mirror import Mirror

RESPAWN = "pool_respawn_on_promote"
REFILL = "pool_refill"
CLEANUP = "window_cleanup_cascade"

HARMLESS = {FrameFault.NOT_REGISTERED.value}
"""Why a launcher may refuse a frame: it was meant for the life before."""

REFUSALS = {"pool full", "pool draining"}
"""Why a host that lives may not carry a command out: users demote and close meanwhile."""

OF_THE_DEAD = {"host restarted", "saga timeout", "host unreachable"}
"""Why sagas of a host's former life fail: at its next registration, or at their deadline."""

Check = Callable[[Evidence], Iterator[str]]


def violations(evidence: Evidence) -> list[str]:
    """Give everything that is wrong with a history, each with the name of its check."""
    return [f"{check.__name__}: {problem}" for check in CHECKS for problem in check(evidence)]


# --- brackets, ids, versions: what the observer was told ------------------------------------------


def versions_have_no_gap(evidence: Evidence) -> Iterator[str]:
    """The observer had every version once, in order, whatever happened to the launcher."""
    yield from evidence.holes
    for due, event in enumerate(evidence.events, 1):
        if event.version != due:
            yield f"version {event.version} came where {due} was due"
            return


def saga_ids_rise(evidence: Evidence) -> Iterator[str]:
    """No id is used again, and each is higher than all before."""
    highest = 0
    for event in evidence.events:
        if isinstance(event, SagaStarted) and event.saga_id is not None:
            if event.saga_id <= highest:
                yield f"saga {event.saga_id} started after saga {highest}"
            highest = max(highest, event.saga_id)


def every_start_has_one_terminal(evidence: Evidence) -> Iterator[str]:
    """Every bracket is closed, once, and none that never opened."""
    started = Counter(event.saga_id for event in evidence.events if isinstance(event, SagaStarted))
    ended = Counter(event.saga_id for event in evidence.events if isinstance(event, Terminal))
    for saga_id in sorted({*started, *ended}, key=str):
        if (started[saga_id], ended[saga_id]) != (1, 1):
            yield f"saga {saga_id} has {started[saga_id]} starts and {ended[saga_id]} terminals"


def brackets_hold_everything_of_their_saga(evidence: Evidence) -> Iterator[str]:
    """Nothing of a saga comes before its start or after its terminal."""
    inside: set[int] = set()
    for event in evidence.events:
        if event.saga_id is None:
            continue
        if isinstance(event, SagaStarted):
            inside.add(event.saga_id)
        elif event.saga_id not in inside:
            yield f"version {event.version} is of saga {event.saga_id}, whose bracket is not open"
        if isinstance(event, Terminal):
            inside.discard(event.saga_id)


def every_trigger_starts_one_saga(evidence: Evidence) -> Iterator[str]:
    """A promote starts one respawn, a user's close one cleanup, nothing else starts either."""
    causes = Counter(
        (event.name, event.cause)
        for event in evidence.events
        if isinstance(event, SagaStarted) and event.name != REFILL
    )
    triggers = set[tuple[str, int | None]]()
    for event in evidence.events:
        match event:
            case PoolWindowPromoted():
                triggers.add((RESPAWN, event.version))
            case WindowClosed(crash_detected=False, reconciled=False):
                triggers.add((CLEANUP, event.version))
            case _:
                pass
    for name, cause in sorted({*causes, *triggers}, key=str):
        due = int((name, cause) in triggers)
        if causes[name, cause] != due:
            yield f"version {cause} started {causes[name, cause]} {name}, not {due}"


def no_saga_outlives_its_host(evidence: Evidence) -> Iterator[str]:
    """When a host's next life is told of, every saga of its former ones has ended."""
    owners = {row.saga_id: (row.host, row.epoch) for row in evidence.log.sagas}
    still_open: set[int] = set()
    for event in evidence.events:
        match event:
            case SagaStarted(saga_id=int(saga_id)):
                still_open.add(saga_id)
            case SagaCompleted(saga_id=int(saga_id)) | SagaFailed(saga_id=int(saga_id)):
                still_open.discard(saga_id)
            case HostRegistered(origin=Origin(host=host, epoch=epoch)):
                for saga_id in sorted(still_open):
                    owner, former = owners.get(saga_id, (None, None))
                    if owner == host and former != epoch:
                        yield f"saga {saga_id} of {host} is open at version {event.version}"
            case _:
                pass


def sagas_fail_for_a_reason(evidence: Evidence) -> Iterator[str]:
    """What a launcher's death leaves open is finished: only a host that died lets a saga run out.

    Beside that, a host may refuse what users made impossible meanwhile.
    """
    alive = {(name, state["epoch"]) for name, state in evidence.states.items()}
    for row in evidence.log.sagas:
        died = (row.host, row.epoch) not in alive
        reasons = REFUSALS | OF_THE_DEAD if died else REFUSALS
        if row.state == "failed" and row.end not in reasons:
            yield f"saga {row.saga_id} of {row.host} failed: {row.end}"


# --- the log --------------------------------------------------------------------------------------


def log_agrees_with_the_brackets(evidence: Evidence) -> Iterator[str]:
    """The log's rows tell the same of every saga, nothing is open, and no id is left to be reused.

    Whatever the rows say was committed before the observer could know it.
    """
    log = evidence.log
    rows = {row.saga_id: row for row in log.sagas}
    told = _told_rows(evidence)
    for saga_id in sorted({*rows, *told}):
        row, said = rows.get(saga_id), told.get(saga_id)
        kept = (row.name, row.state, row.end) if row is not None else None
        if kept != said:
            yield f"saga {saga_id} is {kept} in the log, and {said} in the events"
    yield from (f"step {step} of saga {saga_id} is awaited" for saga_id, step in log.awaited)
    if rows and log.next_saga_id <= max(rows):
        yield f"the next saga would be {log.next_saga_id}, though there is {max(rows)}"


def _told_rows(evidence: Evidence) -> dict[int, tuple[str, str, str | None]]:
    told: dict[int, tuple[str, str, str | None]] = {}
    for event in evidence.events:
        if event.saga_id is None:
            continue
        match event:
            case SagaStarted(name=name):
                told[event.saga_id] = (name, "open", None)
            case SagaCompleted(result=result):
                told[event.saga_id] = (told.get(event.saga_id, ("",))[0], "completed", result)
            case SagaFailed(reason=reason):
                told[event.saga_id] = (told.get(event.saga_id, ("",))[0], "failed", reason)
            case _:
                pass
    return told


def journal_is_what_was_published(evidence: Evidence) -> Iterator[str]:
    """The journal's blobs join on, up to the last version, and hold what the observer was told."""
    log = evidence.log
    due = log.before
    told = {event.version: event for event in evidence.events}
    for first, last, events in log.blobs:
        if (first, last) != (due, due + len(events) - 1):
            yield f"a blob of {len(events)} events from {first} to {last} where {due} was due"
        due = last + 1
        for event in events:
            if told.get(event.version) != event:
                yield f"version {event.version} is {event} in the log, {told.get(event.version)}"
    if not due - 1 == log.version == len(evidence.events):
        yield (
            f"the journal ends at {due - 1}, the log at {log.version}, "
            f"and {len(evidence.events)} events were told"
        )


# --- the hosts ------------------------------------------------------------------------------------


def no_window_is_made_twice(evidence: Evidence) -> Iterator[str]:
    """No life of any host made two windows for one step, or gave two windows one label."""
    ready = [line for line in evidence.hosts if line["did"] == "ready"]
    steps = Counter(tuple(line["identity"]) for line in ready if line["identity"] is not None)
    labels = Counter(line["label"] for line in ready)
    yield from (
        f"{count} windows were made for {step}" for step, count in steps.items() if count > 1
    )
    yield from (f"{count} windows are {label}" for label, count in labels.items() if count > 1)


def no_command_is_executed_twice(evidence: Evidence) -> Iterator[str]:
    """However often a command came, and to whichever life: it was new once."""
    executed = Counter(
        tuple(line["identity"])
        for line in evidence.hosts
        if line["did"] == "command" and not line["repeated"]
    )
    yield from (
        f"{each} was executed {count} times" for each, count in executed.items() if count > 1
    )


def completed_fills_name_their_window(evidence: Evidence) -> Iterator[str]:
    """The label of a completed fill is a window that its host's epoch made for that very saga."""
    made = {
        (tuple(line["identity"]), line["host"], line["epoch"]): line["label"]
        for line in evidence.hosts
        if line["did"] == "ready" and line["identity"] is not None
    }
    for row in evidence.log.sagas:
        if row.state == "completed" and row.name in {RESPAWN, REFILL}:
            label = made.get(((evidence.log.log_id, row.saga_id, 0), row.host, row.epoch))
            if label != row.end:
                yield f"saga {row.saga_id} names {row.end}, {row.host} made {label} for it"


def no_promote_is_lost(evidence: Evidence) -> Iterator[str]:
    """A promote is told once; only one whose host died before it was told may be lost."""
    told = Counter(
        event.promote_id for event in evidence.events if isinstance(event, PoolWindowPromoted)
    )
    alive = {state["epoch"] for state in evidence.states.values()}
    done = {
        line["promote_id"]: line["epoch"] in alive
        for line in evidence.hosts
        if line["did"] == "promoted" and not line["cold"]
    }
    for promote in sorted({*told, *done}):
        if promote not in done or not int(done[promote]) <= told[promote] <= 1:
            yield f"{promote} was told {told[promote]} times"


def nobody_contradicts(evidence: Evidence) -> Iterator[str]:
    """No report was refused for what it says, and no host saw its pool differ."""
    for line in evidence.hosts:
        if line["did"] == "drift":
            yield f"{line['host']} missed {line['missing']}, did not have {line['surplus']}"
        if line["did"] == "refused_by_launcher" and line["fault"] not in HARMLESS:
            yield f"{line['host']} was refused: {line['fault']}: {line['detail']}"


def mirror_is_what_the_hosts_have(evidence: Evidence) -> Iterator[str]:
    """Label by label, for every host that is there; and no panes of closed windows are left."""
    mirror = _mirror(evidence)
    for name, state in evidence.states.items():
        host = mirror.hosts.get(name)
        view = {
            "epoch": host.epoch if host is not None else None,
            "pool": sorted(host.pool) if host is not None else [],
            "open": sorted(host.opened) if host is not None else [],
        }
        own = {
            "epoch": state["epoch"],
            "pool": sorted(state["pool"]),
            "open": sorted(state["open"]),
        }
        for part, there in own.items():
            if view[part] != there:
                yield f"{part} of {name} is {there}, the mirror has {view[part]}"
        if state["closing"]:
            yield f"{name} still has the panes of {state['closing']}"


def every_pool_is_whole(evidence: Evidence) -> Iterator[str]:
    """Every host has at least as many ready windows as it wants, and it wants some."""
    for name, state in evidence.states.items():
        if len(state["pool"]) < state["pool_target"] or state["drained"]:
            drained = " and is drained" if state["drained"] else ""
            yield f"{name} has {len(state['pool'])} of {state['pool_target']} in its pool{drained}"


def _mirror(evidence: Evidence) -> Mirror:
    mirror = Mirror()
    for event in evidence.events:
        mirror.apply(event)
    return mirror


def failures(rows: tuple[SagaRow, ...]) -> dict[str, int]:
    """Give how often sagas failed, by reason."""
    return dict(Counter(str(row.end) for row in rows if row.state == "failed"))


CHECKS: tuple[Check, ...] = (
    versions_have_no_gap,
    saga_ids_rise,
    every_start_has_one_terminal,
    brackets_hold_everything_of_their_saga,
    every_trigger_starts_one_saga,
    no_saga_outlives_its_host,
    sagas_fail_for_a_reason,
    log_agrees_with_the_brackets,
    journal_is_what_was_published,
    no_window_is_made_twice,
    no_command_is_executed_twice,
    completed_fills_name_their_window,
    no_promote_is_lost,
    nobody_contradicts,
    mirror_is_what_the_hosts_have,
    every_pool_is_whole,
)
