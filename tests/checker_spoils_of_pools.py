"""Histories spoiled in windows and pools."""

from msgspec.structs import replace

from tests.checker_edits import (
    Lines,
    Spoil,
    a_respawn,
    cut,
    delayed,
    did,
    edited,
    end_of,
    event_of,
    fill_added,
    find,
    inserted,
    last_event,
    of,
    spoils_into,
    told,
)
from tests.checker_histories import SECOND
from transport.history_lines import (
    EventLine,
    FaultLine,
    HostEndLine,
)

SPOILS: list[Spoil] = []
spoil = spoils_into(SPOILS)


@spoil(8, also=(5,))
def an_epoch_registers_a_second_time(lines: Lines) -> Lines:
    registered = event_of(lines[find(lines, told("HostRegistered"))])
    return inserted(lines, last_event(lines), **registered)


@spoil(8)
def more_refills_are_started_than_the_pool_lacks(lines: Lines) -> Lines:
    index = find(lines, told("HostRegistered"))
    return edited(lines, index, pool_target=event_of(lines[index])["pool_target"] - 1)


# --- pools ----------------------------------------------------------------------------------------


def _a_host_with_windows(lines: Lines) -> int:
    return find(lines, lambda line: isinstance(line, HostEndLine) and bool(line.pool))


@spoil(8)
def a_host_has_another_window_than_told(lines: Lines) -> Lines:
    index = _a_host_with_windows(lines)
    end = lines[index]
    assert isinstance(end, HostEndLine)
    return edited(lines, index, pool=(*end.pool[1:], "window-other"))


@spoil(8)
def a_pool_is_short_at_the_end(lines: Lines) -> Lines:
    index = _a_host_with_windows(lines)
    end = lines[index]
    assert isinstance(end, HostEndLine)
    return edited(lines, index, pool=end.pool[1:])


@spoil(8)
def a_pool_holds_more_than_it_may(lines: Lines) -> Lines:
    index = find(lines, did("ready"), -1)
    more = [
        replace(lines[index], did="demoted", label=f"window-{number}", identity=None)
        for number in range(6)
    ]
    return [*lines[:index], *more, *lines[index:]]


@spoil(8, also=(3,))
def a_drift_is_told_again(lines: Lines) -> Lines:
    index, host = last_event(lines), event_of(lines[find(lines, told("HostRegistered"))])
    drift = {"type": "PoolDriftReported", "missing": ["window-lost"], "surplus": []}
    once = inserted(lines, index, **drift, origin=[*host["origin"][:2], 998])
    return inserted(once, index, **drift, origin=[*host["origin"][:2], 999])


@spoil(8)
def a_user_has_no_window_that_is_told(lines: Lines) -> Lines:
    index = _a_host_with_windows(lines)
    return edited(lines, index, open=())


@spoil(8)
def a_host_is_in_another_epoch_than_told(lines: Lines) -> Lines:
    return edited(lines, find(lines, of(HostEndLine)), epoch="f" * 32)


@spoil(8)
def a_host_was_never_registered(lines: Lines) -> Lines:
    index = find(lines, told("HostRegistered"))
    return cut(lines, index)


@spoil(8, also=(3, 4))
def a_window_is_added_that_was_never_made(lines: Lines) -> Lines:
    index = last_event(lines)
    origin = event_of(lines[find(lines, told("HostRegistered"))])["origin"]
    fields = {"type": "PoolWindowAdded", "label": "window-ghost", "reconciled": True}
    return inserted(lines, index, origin=origin, **fields)


@spoil(8, also=(4,))
def a_window_has_no_label(lines: Lines) -> Lines:
    return edited(lines, find(lines, fill_added), label="")


@spoil(8, also=(4,))
def an_event_names_another_window_than_its_report(lines: Lines) -> Lines:
    return edited(lines, find(lines, told("WindowOpened")), label="window-other")


@spoil(8)
def a_window_is_removed_that_was_not_there(lines: Lines) -> Lines:
    removed = event_of(lines[find(lines, told("PoolWindowRemoved"))])
    return inserted(lines, last_event(lines), **{**removed, "reconciled": True})


@spoil(8)
def a_window_is_added_twice(lines: Lines) -> Lines:
    index = find(lines, fill_added)
    event = {**event_of(lines[index]), "saga_id": None, "reconciled": True}
    later = find(lines, of(EventLine), [*filter(of(EventLine), lines)].index(lines[index]) + 1)
    return inserted(lines, later, **event)


@spoil(8, also=(1, 9))
def a_pool_is_short_for_more_than_a_minute(lines: Lines) -> Lines:
    return delayed(lines, end_of(lines, a_respawn(lines)) - 1, 70 * SECOND)


@spoil(8, also=(1, 9))
def a_pool_is_short_for_more_than_a_minute_after_the_last_fault(lines: Lines) -> Lines:
    index = end_of(lines, a_respawn(lines)) - 1
    fault = FaultLine(lines[index].at_ns + 5 * SECOND, "window dies", "host-1")
    later = delayed(lines, index, 70 * SECOND)
    return [*later[:index], fault, *later[index:]]


@spoil(4, also=(3,))
def a_host_makes_one_window_twice(lines: Lines) -> Lines:
    index = find(lines, did("ready"))
    return [*lines[:index], replace(lines[index], identity=None), *lines[index:]]


@spoil(8)
def a_host_makes_a_window_without_a_label(lines: Lines) -> Lines:
    index = find(lines, did("ready"))
    return [*lines[:index], replace(lines[index], label=None, identity=None), *lines[index:]]


@spoil(8)
def a_host_has_a_window_without_a_label(lines: Lines) -> Lines:
    index = find(lines, of(HostEndLine))
    end = lines[index]
    assert isinstance(end, HostEndLine)
    return edited(lines, index, pool=(*end.pool, ""))


@spoil(8)
def a_host_has_one_label_twice(lines: Lines) -> Lines:
    index = find(lines, of(HostEndLine))
    return edited(lines, index, pool=("window-1",) * 4)


@spoil(1, 8)
def a_window_is_promoted_that_was_not_removed(lines: Lines) -> Lines:
    return edited(lines, find(lines, told("PoolWindowPromoted")), promote_id="another")


@spoil(8)
def a_window_is_opened_that_was_not_promoted(lines: Lines) -> Lines:
    return edited(lines, find(lines, told("WindowOpened")), promote_id="another")


@spoil(8)
def a_pool_is_drained_that_has_windows(lines: Lines) -> Lines:
    index = find(lines, told("PoolWindowPromoted"))
    event = {**event_of(lines[index]), "type": "PoolDrained", "reconciled": True}
    return inserted(lines, index - 1, **event)


@spoil(8)
def a_pool_is_drained_while_a_user_has_a_window(lines: Lines) -> Lines:
    opened = find(lines, told("WindowOpened"))
    later = find(lines[opened + 1 :], of(EventLine)) + opened + 1
    event = {**event_of(lines[opened]), "type": "PoolDrained", "reconciled": True}
    return inserted(lines, later, **event)


@spoil(8)
def a_host_leaves_and_its_windows_stay(lines: Lines) -> Lines:
    index = find(lines, told("PoolWindowRemoved"))
    origin = event_of(lines[index])["origin"]
    return inserted(lines, index, type="HostLeft", origin=origin, reason="goodbye")


@spoil(8)
def a_user_closes_a_window_that_nobody_had(lines: Lines) -> Lines:
    index = find(lines, told("PoolWindowRemoved"))
    fields = {"origin": event_of(lines[index])["origin"], "crash_detected": True}
    return inserted(lines, index, type="WindowClosed", label="window-x", reconciled=True, **fields)
