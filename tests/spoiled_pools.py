"""Spoils of windows and pools: invariant 8."""

from tests.history_edits import (
    delayed,
    event,
    event_at,
    inserted,
    line_of,
    own,
    renumbered,
    without,
)
from tests.told_histories import REFILL, Line

GHOST = "window-{}-99"


def _asked(each: Line) -> bool:
    return each["saga_id"] is not None


def ghost_window(lines: list[Line]) -> list[Line]:
    """The mirror has a window that no host ever had."""
    at = event_at(lines, "SagaCompleted", nth=-1)
    added = event(lines, "PoolWindowAdded", nth=-1)
    label = GHOST.format(added["origin"][1])
    return renumbered(inserted(lines, at, added, saga_id=None, label=label, reconciled=True))


def removal_that_was_never_told(lines: list[Line]) -> list[Line]:
    """The host's window is gone, and the mirror keeps it."""
    lines_of_host = line_of(lines, "host_end")
    lines_of_host["pool"].pop()
    lines_of_host["pool_target"] -= 1
    return lines


def window_that_the_mirror_has_not(lines: list[Line]) -> list[Line]:
    end = line_of(lines, "host_end")
    end["pool"].append(GHOST.format(end["epoch"]))
    return lines


def open_window_that_the_mirror_has_not(lines: list[Line]) -> list[Line]:
    end = line_of(lines, "host_end")
    end["open"].append(GHOST.format(end["epoch"]))
    return lines


def window_in_another_place(lines: list[Line]) -> list[Line]:
    end = line_of(lines, "host_end")
    end["open"].append(end["pool"].pop())
    end["pool_target"] -= 1
    return lines


def empty_label(lines: list[Line]) -> list[Line]:
    """As the origin did: the reply came before the window was there."""
    added = event(lines, "PoolWindowAdded", _asked)
    end = event(lines, "SagaCompleted", own(added["saga_id"]))
    line_of(lines, "saga", saga_id=added["saga_id"])["result"] = ""
    added["label"] = end["result"] = ""
    return lines


def host_with_an_empty_label(lines: list[Line]) -> list[Line]:
    line_of(lines, "host", did="ready")["label"] = ""
    return lines


def host_ends_with_an_empty_label(lines: list[Line]) -> list[Line]:
    line_of(lines, "host_end")["pool"][0] = ""
    return lines


def pool_short_at_the_end(lines: list[Line]) -> list[Line]:
    """Windows died, everyone was told, and nobody refilled the pool."""
    end = line_of(lines, "host_end")
    while len(end["pool"]) >= end["pool_target"]:
        lines = _died(lines, end, end["pool"].pop())
    return renumbered(lines)


def _died(lines: list[Line], end: Line, label: str) -> list[Line]:
    sequence = 1 + max(line.get("sequence") or 0 for line in lines)
    died = {"label": label, "reason": "died", "promote_id": None}
    life = {"host": end["host"], "epoch": end["epoch"], "did": "report"}
    report = {"type": "ReportPoolWindowRemoved", "sequence": sequence, **died}
    at = event_at(lines, "SagaCompleted", nth=-1)
    lines.insert(at, {"kind": "host", "at_ns": lines[at]["at_ns"], **life, **report})
    origin = [end["host"], end["epoch"], sequence]
    removed = {"type": "PoolWindowRemoved", "saga_id": None, "origin": origin, **died}
    return inserted(lines, at + 1, removed, version=0, reconciled=False)


def pool_whole_too_late(lines: list[Line]) -> list[Line]:
    """The refill came 70 s after the last fault."""
    refill = event_at(lines, "SagaStarted", lambda each: each["name"] == REFILL, nth=-1)
    return delayed(lines, refill, 20)


def drift_told_again(lines: list[Line]) -> list[Line]:
    """A report, and what came of it, once more."""
    at = event_at(lines, "PoolDriftReported", nth=-1)
    report = line_of(lines, "host", type="ReportPoolDrift", nth=-1)
    sequence = 1 + max(line.get("sequence") or 0 for line in lines)
    origin = [*lines[at]["event"]["origin"][:2], sequence]
    again = inserted(lines, at, lines[at]["event"], origin=origin)
    return renumbered([*again[:at], {**report, "sequence": sequence}, *again[at:]])


def pool_with_more_than_it_may_hold(lines: list[Line]) -> list[Line]:
    """A user hands one window back so often that nothing else can have come of it."""
    demoted = line_of(lines, "host", did="demoted")
    at = lines.index(demoted)
    label = demoted["label"]
    again = [{**demoted, "label": f"{label}{nth}"} for nth in range(5)]
    return [*lines[:at], *again, *lines[at:]]


def mirror_of_another_epoch(lines: list[Line]) -> list[Line]:
    end = line_of(lines, "host_end")
    end["epoch"] = "f" * 32
    return lines


def window_that_its_host_did_not_report(lines: list[Line]) -> list[Line]:
    report = line_of(lines, "host", type="ReportPoolWindowPromoted")
    report["label"] = GHOST.format(report["epoch"])
    return lines


def window_added_twice(lines: list[Line]) -> list[Line]:
    at = event_at(lines, "PoolWindowAdded", _asked)
    again = lines[at]["event"]
    return renumbered(inserted(lines, at + 1, again, saga_id=None, reconciled=True))


def opened_for_another_promote(lines: list[Line]) -> list[Line]:
    event(lines, "WindowOpened", lambda each: not each["cold"])["promote_id"] = "of-nobody"
    return lines


def host_left_and_its_windows_stayed(lines: list[Line]) -> list[Line]:
    return renumbered(
        without(lines, lambda each: each["type"] == "WindowClosed" and each["reconciled"])
    )


def more_refills_than_the_pool_lacks(lines: list[Line]) -> list[Line]:
    event(lines, "HostRegistered")["pool_target"] -= 1
    return lines


def epoch_that_registers_again(lines: list[Line]) -> list[Line]:
    at = event_at(lines, "SagaCompleted", nth=-1)
    return renumbered(inserted(lines, at, event(lines, "HostRegistered")))


def pool_drained_while_a_user_has_a_window(lines: list[Line]) -> list[Line]:
    at = event_at(lines, "SagaCompleted", nth=-1)
    opened = event(lines, "WindowOpened", nth=-1)
    return renumbered(inserted(lines, at, opened, type="PoolDrained"))


POOL = {
    "simulated": [empty_label, host_with_an_empty_label],
    "busy": [
        ghost_window,
        pool_drained_while_a_user_has_a_window,
        epoch_that_registers_again,
        more_refills_than_the_pool_lacks,
        removal_that_was_never_told,
        window_that_the_mirror_has_not,
        open_window_that_the_mirror_has_not,
        window_in_another_place,
        host_ends_with_an_empty_label,
        pool_short_at_the_end,
        pool_with_more_than_it_may_hold,
        mirror_of_another_epoch,
        window_that_its_host_did_not_report,
        window_added_twice,
        opened_for_another_promote,
    ],
    "host restart": [host_left_and_its_windows_stayed],
    "drift": [drift_told_again],
    "pool heals": [pool_whole_too_late],
}
