"""Twenty kills and a few; `python -m tests.random_kills --kills 200` is the whole of it."""

import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
from msgspec.structs import replace as changed

from tests import random_kills
from tests.random_kills_checks import CHECKS, violations
from tests.random_kills_evidence import Evidence, HostLine
from tests.random_kills_plan import Sort, kills_of
from transport.messages import (
    Event,
    PoolWindowAdded,
    PoolWindowPromoted,
    SagaCompleted,
    SagaFailed,
    SagaStarted,
    WindowClosed,
)

pytestmark = pytest.mark.timeout(300)

KILLS = 10
"""Of each sort."""

SEED = 9
"""Its plan has kills of two at once and of a launcher that starts, and no long pause."""

SORTS: tuple[Sort, ...] = ("launcher", "host")


@pytest.fixture(scope="module")
def outcome() -> Iterator[random_kills.Outcome]:
    directory = Path(mkdtemp(prefix="muxsaga-kills-"))
    made = random_kills.run(directory, seed=SEED, kills=KILLS, sorts=SORTS, say=lambda line: None)
    yield made
    if made.problems:
        sys.stderr.write(f"the files of the run are in {directory}\n")
    else:
        shutil.rmtree(directory)


def test_a_history_with_kills_at_random_instants_holds_whatever_is_judged(
    outcome: random_kills.Outcome,
) -> None:
    assert outcome.problems == []
    for sort in SORTS:
        assert outcome.figures["kills"][sort] >= KILLS
        assert 2 * outcome.figures["with_a_saga_open"][sort] >= outcome.figures["kills"][sort]
    assert outcome.figures["registrations"] > 2 * KILLS


@pytest.mark.parametrize("sort", SORTS)
def test_a_plan_has_as_many_kills_as_are_asked_for_and_is_its_seeds_own(sort: Sort) -> None:
    plan = kills_of(7, {sort: 50})
    assert sum(kill.of(sort) for kill in plan) == 50
    assert plan == kills_of(7, {sort: 50})
    assert plan != kills_of(8, {sort: 50})


# --- each check finds what it is for: the same history, spoiled in one place ---------------------

Spoil = Callable[[Evidence], Evidence]


def events_of(evidence: Evidence, kind: type[Event]) -> list[Any]:
    return [event for event in evidence.events if isinstance(event, kind)]


def with_events(evidence: Evidence, events: list[Event]) -> Evidence:
    """Put events in the place of those that were told, and number them anew."""
    numbered = (changed(event, version=version) for version, event in enumerate(events, 1))
    return replace(evidence, events=tuple(numbered))


def without(evidence: Evidence, event: Event) -> Evidence:
    return with_events(evidence, [each for each in evidence.events if each is not event])


def followed_by(evidence: Evidence, event: Event, *more: Event) -> Evidence:
    index = evidence.events.index(event) + 1
    events = [*evidence.events[:index], *more, *evidence.events[index:]]
    return with_events(evidence, events)


def with_line(evidence: Evidence, line: Mapping[str, Any], **fields: Any) -> Evidence:
    """Add a host's record like one that is there."""
    return replace(evidence, hosts=(*evidence.hosts, {**line, **fields}))


def line_of(evidence: Evidence, did: str, **fields: Any) -> HostLine:
    return next(
        line
        for line in evidence.hosts
        if line["did"] == did and all(line.get(key) == value for key, value in fields.items())
    )


def with_state(evidence: Evidence, **fields: Any) -> Evidence:
    return replace(
        evidence, states={**evidence.states, "left": {**evidence.states["left"], **fields}}
    )


def lose_an_event(evidence: Evidence) -> Evidence:
    middle = len(evidence.events) // 2
    return replace(evidence, events=evidence.events[:middle] + evidence.events[middle + 1 :])


def swap_two_events(evidence: Evidence) -> Evidence:
    one, two, *rest = evidence.events
    return replace(evidence, events=(two, one, *rest))


def tell_of_a_hole(evidence: Evidence) -> Evidence:
    return replace(evidence, holes=("history before version 7 is lost",))


def use_an_id_again(evidence: Evidence) -> Evidence:
    one, two, *_ = events_of(evidence, SagaStarted)
    return followed_by(evidence, two, changed(two, saga_id=one.saga_id))


def start_in_another_order(evidence: Evidence) -> Evidence:
    one, two, *_ = events_of(evidence, SagaStarted)
    names = {one.saga_id: two.saga_id, two.saga_id: one.saga_id}
    return with_events(
        evidence,
        [changed(each, saga_id=names.get(each.saga_id, each.saga_id)) for each in evidence.events],
    )


def leave_a_bracket_open(evidence: Evidence) -> Evidence:
    return without(evidence, events_of(evidence, SagaCompleted)[3])


def close_a_bracket_twice(evidence: Evidence) -> Evidence:
    completed = events_of(evidence, SagaCompleted)[3]
    return followed_by(evidence, completed, SagaFailed(reason="x", saga_id=completed.saga_id))


def close_a_bracket_that_never_opened(evidence: Evidence) -> Evidence:
    return without(evidence, events_of(evidence, SagaStarted)[3])


def tell_of_a_closed_saga(evidence: Evidence) -> Evidence:
    completed = events_of(evidence, SagaCompleted)[3]
    late = changed(events_of(evidence, PoolWindowAdded)[0], saga_id=completed.saga_id)
    return followed_by(evidence, completed, late)


def start_two_for_one_promote(evidence: Evidence) -> Evidence:
    causes = {event.version for event in events_of(evidence, PoolWindowPromoted)}
    started = next(each for each in events_of(evidence, SagaStarted) if each.cause in causes)
    return replace(evidence, events=(*evidence.events, changed(started, saga_id=10**6)))


def start_none_for_a_close(evidence: Evidence) -> Evidence:
    causes = {event.version for event in events_of(evidence, WindowClosed)}
    started = next(each for each in events_of(evidence, SagaStarted) if each.cause in causes)
    return replace(evidence, events=tuple(each for each in evidence.events if each is not started))


def end_a_saga_after_its_host(evidence: Evidence) -> Evidence:
    dead = {row.saga_id for row in evidence.log.sagas if row.end == "host restarted"}
    failed = next(each for each in events_of(evidence, SagaFailed) if each.saga_id in dead)
    rest = [each for each in evidence.events if each is not failed]
    return replace(evidence, events=(*rest, failed))


def with_log(evidence: Evidence, **fields: Any) -> Evidence:
    return replace(evidence, log=replace(evidence.log, **fields))


def keep_a_saga_open_in_the_log(evidence: Evidence) -> Evidence:
    first, *rest = evidence.log.sagas
    return with_log(evidence, sagas=(replace(first, state="open", end=None), *rest))


def fail_what_the_launcher_left(evidence: Evidence) -> Evidence:
    first, *rest = evidence.log.sagas
    return with_log(evidence, sagas=(replace(first, state="failed", end="launcher died"), *rest))


def let_a_saga_of_a_living_host_run_out(evidence: Evidence) -> Evidence:
    living = evidence.states["left"]["epoch"]
    last = next(row for row in evidence.log.sagas if row.epoch == living)
    sagas = [row for row in evidence.log.sagas if row is not last]
    return with_log(evidence, sagas=(*sagas, replace(last, state="failed", end="saga timeout")))


def lose_a_saga_in_the_log(evidence: Evidence) -> Evidence:
    return with_log(evidence, sagas=evidence.log.sagas[1:])


def end_a_saga_otherwise_in_the_log(evidence: Evidence) -> Evidence:
    first, *rest = evidence.log.sagas
    return with_log(evidence, sagas=(replace(first, end="window-of-nobody"), *rest))


def await_a_step(evidence: Evidence) -> Evidence:
    return with_log(evidence, awaited=((1, 0),))


def hand_out_an_id_again(evidence: Evidence) -> Evidence:
    return with_log(evidence, next_saga_id=evidence.log.sagas[-1].saga_id)


def lose_a_blob(evidence: Evidence) -> Evidence:
    one, _, *rest = evidence.log.blobs
    return with_log(evidence, blobs=(one, *rest))


def lose_the_last_blob(evidence: Evidence) -> Evidence:
    return with_log(evidence, blobs=evidence.log.blobs[:-1])


def tell_something_else_than_the_log(evidence: Evidence) -> Evidence:
    (first, last, events), *rest = evidence.log.blobs
    other = (SagaFailed(version=first, reason="x", saga_id=1), *events[1:])
    return with_log(evidence, blobs=((first, last, other), *rest))


def make_a_second_window_for_a_step(evidence: Evidence) -> Evidence:
    ready = next(each for each in evidence.hosts if each["did"] == "ready" and each["identity"])
    return with_line(evidence, ready, label="window-again")


def give_a_label_again(evidence: Evidence) -> Evidence:
    return with_line(evidence, line_of(evidence, "ready"), identity=None)


def execute_a_command_again(evidence: Evidence) -> Evidence:
    return with_line(evidence, line_of(evidence, "command", repeated=False), epoch="0" * 32)


def complete_with_a_foreign_window(evidence: Evidence) -> Evidence:
    [one, two] = [row for row in evidence.log.sagas if row.state == "completed"][:2]
    rows = {one.saga_id: replace(one, end=two.end)}
    sagas = tuple(rows.get(row.saga_id, row) for row in evidence.log.sagas)
    return with_log(evidence, sagas=sagas)


def promote_without_telling(evidence: Evidence) -> Evidence:
    epoch = evidence.states["left"]["epoch"]
    promoted = line_of(evidence, "promoted", cold=False)
    return with_line(evidence, promoted, promote_id="promote-untold", epoch=epoch)


def tell_of_a_promote_that_no_host_did(evidence: Evidence) -> Evidence:
    promoted = events_of(evidence, PoolWindowPromoted)[0]
    return followed_by(evidence, promoted, changed(promoted, promote_id="promote-of-nobody"))


def see_a_drift(evidence: Evidence) -> Evidence:
    line = line_of(evidence, "ready")
    return with_line(evidence, line, did="drift", missing=["window-1"], surplus=[])


def contradict(evidence: Evidence) -> Evidence:
    line = line_of(evidence, "ready")
    return with_line(
        evidence, line, did="refused_by_launcher", fault="contradiction", detail="twice"
    )


def have_a_ghost(evidence: Evidence) -> Evidence:
    return with_state(evidence, pool=evidence.states["left"]["pool"][1:])


def have_a_window_that_nobody_sees(evidence: Evidence) -> Evidence:
    return with_state(evidence, open=[*evidence.states["left"]["open"], "window-unseen"])


def be_of_another_epoch(evidence: Evidence) -> Evidence:
    return with_state(evidence, epoch="0" * 32)


def leave_panes(evidence: Evidence) -> Evidence:
    return with_state(evidence, closing=["window-closed"])


def have_too_few(evidence: Evidence) -> Evidence:
    return with_state(evidence, pool_target=99)


def be_drained(evidence: Evidence) -> Evidence:
    return with_state(evidence, drained=True)


SPOILS: dict[Spoil, str] = {
    lose_an_event: "versions_have_no_gap",
    swap_two_events: "versions_have_no_gap",
    tell_of_a_hole: "versions_have_no_gap",
    use_an_id_again: "saga_ids_rise",
    start_in_another_order: "saga_ids_rise",
    leave_a_bracket_open: "every_start_has_one_terminal",
    close_a_bracket_twice: "every_start_has_one_terminal",
    close_a_bracket_that_never_opened: "every_start_has_one_terminal",
    tell_of_a_closed_saga: "brackets_hold_everything_of_their_saga",
    start_two_for_one_promote: "every_trigger_starts_one_saga",
    start_none_for_a_close: "every_trigger_starts_one_saga",
    end_a_saga_after_its_host: "no_saga_outlives_its_host",
    fail_what_the_launcher_left: "sagas_fail_for_a_reason",
    let_a_saga_of_a_living_host_run_out: "sagas_fail_for_a_reason",
    keep_a_saga_open_in_the_log: "log_agrees_with_the_brackets",
    lose_a_saga_in_the_log: "log_agrees_with_the_brackets",
    end_a_saga_otherwise_in_the_log: "log_agrees_with_the_brackets",
    await_a_step: "log_agrees_with_the_brackets",
    hand_out_an_id_again: "log_agrees_with_the_brackets",
    lose_a_blob: "journal_is_what_was_published",
    lose_the_last_blob: "journal_is_what_was_published",
    tell_something_else_than_the_log: "journal_is_what_was_published",
    make_a_second_window_for_a_step: "no_window_is_made_twice",
    give_a_label_again: "no_window_is_made_twice",
    execute_a_command_again: "no_command_is_executed_twice",
    complete_with_a_foreign_window: "completed_fills_name_their_window",
    promote_without_telling: "no_promote_is_lost",
    tell_of_a_promote_that_no_host_did: "no_promote_is_lost",
    see_a_drift: "nobody_contradicts",
    contradict: "nobody_contradicts",
    have_a_ghost: "mirror_is_what_the_hosts_have",
    have_a_window_that_nobody_sees: "mirror_is_what_the_hosts_have",
    be_of_another_epoch: "mirror_is_what_the_hosts_have",
    leave_panes: "mirror_is_what_the_hosts_have",
    have_too_few: "every_pool_is_whole",
    be_drained: "every_pool_is_whole",
}


@pytest.mark.parametrize(("spoil", "check"), SPOILS.items(), ids=[each.__name__ for each in SPOILS])
def test_a_history_that_is_spoiled_is_found_out(
    outcome: random_kills.Outcome, spoil: Spoil, check: str
) -> None:
    found = {problem.partition(":")[0] for problem in violations(spoil(outcome.evidence))}
    assert check in found


def test_every_check_has_a_history_that_it_refuses() -> None:
    names = {check.__name__ for check in CHECKS}
    assert names == set(SPOILS.values())
