"""Histories that nothing is wrong with, as lists of maps: simulated, of real processes, and told.

`ALLOWED` are those that look as if something were wrong.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from copy import deepcopy
from functools import cache
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from actors.simulation.world import json_lines
from tests import simulated_histories
from tests.told_histories import DEADLINES, Line, Telling

ROOT = Path(__file__).parent.parent
TERMINALS = {"SagaCompleted": "completed", "SagaFailed": "failed"}


# --- simulated, and of real processes -------------------------------------------------------------


def simulated(seed: int, **settings: Any) -> list[Line]:
    """Give the history of a simulated world, with its ends."""
    run = simulated_histories.simulated(seed, **settings)
    return with_ends([json.loads(line) for line in json_lines(run)])


def of_real_processes() -> list[Line]:
    """Give the history of a short `muxsaga run`, with its ends."""
    with TemporaryDirectory() as directory:
        path = Path(directory, "history.jsonl")
        command = [sys.executable, "-m", "actors.command_line.main", "run", "--json"]
        options = ["--spawn-time", "0", "--promotes", "4", "--history", str(path)]
        subprocess.run([*command, *options], cwd=ROOT, capture_output=True, timeout=50, check=True)
        return with_ends([json.loads(line) for line in path.read_text().splitlines()])


def with_ends(lines: list[Line]) -> list[Line]:
    """Add what a history lacks of deadlines, hosts and the log, from its other lines."""
    kinds = {line["kind"] for line in lines}
    at = max(line["at_ns"] for line in lines)
    ends: list[Line] = []
    if "timeouts" not in kinds:
        ends.append({"kind": "timeouts", "at_ns": at, "seconds": DEADLINES})
    if "host_end" not in kinds:
        ends += _host_ends(lines, at)
    if "log" not in kinds:
        ends += [*_saga_rows(lines, at).values(), _log(lines, at)]
    return lines + ends


def _host_ends(lines: list[Line], at: int) -> list[Line]:
    ends: dict[str, Line] = {}
    for event in _events(lines):
        if event["type"] == "HostRegistered":
            host, epoch, _ = event["origin"]
            places: Line = {"pool": [], "open": [], "drained": False}
            target = event["pool_target"]
            life = {"host": host, "epoch": epoch, "pool_target": target}
            ends[host] = {"kind": "host_end", "at_ns": at, **life, **places}
    for line in lines:
        end = ends.get(line.get("host", ""))
        if line["kind"] == "host" and end is not None and line["epoch"] == end["epoch"]:
            _place(line, end)
    return list(ends.values())


def _place(line: Line, end: Line) -> None:
    label = line.get("label")
    match line["did"]:
        case "ready" if line.get("identity") is not None:
            end["pool"].append(label)
        case "promoted":
            if not line.get("cold"):
                end["pool"].remove(label)
            end["open"].append(label)
            end["drained"] = False
        case "demoted":
            end["open"].remove(label)
            end["pool"].append(label)
        case "closed" | "crashed":
            end["open"].remove(label)
        case "died" | "vanished":
            end["pool"].remove(label)
        case "drained":
            end.update(pool=[], drained=True)
        case _:
            pass


def _saga_rows(lines: list[Line], at: int) -> dict[int, Line]:
    rows: dict[int, Line] = {}
    for event in _events(lines):
        saga_id = event["saga_id"]
        if event["type"] == "SagaStarted":
            named = {"saga_id": saga_id, "name": event["name"], "cause": event["cause"]}
            empty: Line = {"state": "open", "result": None, "failure": None, "steps": []}
            rows[saga_id] = {"kind": "saga", "at_ns": at, **named, **empty}
        elif event["type"] in TERMINALS:
            ended = {"result": event.get("result"), "failure": event.get("reason")}
            rows[saga_id].update({"state": TERMINALS[event["type"]], **ended})
    for line in lines:
        if line["kind"] == "host" and line["did"] == "command" and not line.get("repeated"):
            _, saga_id, step = line["identity"]
            rows[saga_id].update(host=line["host"], epoch=line["epoch"])
            issued = {"step": step, "target": "HOST", "command": line["type"]}
            rows[saga_id]["steps"].append({**issued, "state": "settled", "failure": None})
    return rows


def _log(lines: list[Line], at: int) -> Line:
    """Let what came at one time be one blob."""
    times = [line["at_ns"] for line in lines if line["kind"] == "event"]
    starts = [1, *(n for n, (one, two) in enumerate(pairwise(times), 2) if one != two)]
    journal = [[one, two - 1] for one, two in pairwise([*starts, len(times) + 1])]
    log = next(line["identity"][0] for line in lines if line.get("identity"))
    highest = max(event["saga_id"] or 0 for event in _events(lines))
    high_water = {"version": len(times), "next_saga_id": highest + 1, "journal": journal}
    return {"kind": "log", "at_ns": at, "log": log, **high_water}


def _events(lines: list[Line]) -> list[Line]:
    return [line["event"] for line in lines if line["kind"] == "event"]


# --- told -----------------------------------------------------------------------------------------


def busy(*observers: str) -> list[Line]:
    """Two hosts, and everything that users and hosts do without a fault of the launcher."""
    telling = Telling(*observers)
    desk, shelf = telling.whole("desk"), telling.whole("shelf")
    one, two, three = telling.promote(desk), telling.promote(shelf), telling.promote(desk)
    telling.settle(two)
    telling.fail(one, "memory pressure")
    telling.open_cold(desk)
    refill = telling.refill(desk)
    telling.settle(three)
    telling.settle(refill)
    telling.demote(desk)
    telling.clean_up(telling.close(desk))
    one, two = telling.promote(desk), telling.promote(shelf)
    telling.settle(two)
    telling.settle(one)
    return telling.end()


def launcher_restart() -> list[Line]:
    """A launcher that is killed with a bracket open, comes back, and has its time anew."""
    telling = Telling()
    telling.process("launcher", "started")
    desk = telling.whole("desk")
    saga = telling.promote(desk)
    telling.wait(9)
    telling.process("launcher", "killed")
    telling.wait(30)
    telling.process("launcher", "started")
    telling.wait(14)
    telling.settle(saga)
    return telling.end()


def outage() -> list[Line]:
    """A log that cannot be written while a window is made, and can again."""
    telling = Telling()
    desk = telling.whole("desk")
    saga = telling.promote(desk)
    telling.wait(0.1)
    telling.outage("began")
    telling.wait(60)
    telling.outage("ended")
    telling.wait(14)
    telling.settle(saga)
    return telling.end()


def host_restart() -> list[Line]:
    """A host that is killed after a promote that nobody heard of, and lives again."""
    telling = Telling()
    for name in ("launcher", "desk", "shelf"):
        telling.process(name, "started")
    desk, shelf = telling.whole("desk"), telling.whole("shelf")
    telling.promote(desk)
    telling.promote_unheard(desk)
    telling.process("desk", "killed")
    telling.wait(1)
    telling.process("desk", "started")
    telling.whole("desk")
    telling.settle(telling.promote(shelf))
    return telling.end()


def late_window() -> list[Line]:
    """A host whose link is cut while it makes a window: the saga is over when it comes."""
    telling = Telling()
    desk, shelf = telling.whole("desk"), telling.whole("shelf")
    saga = telling.promote(desk)
    telling.fault("cut", "launcher-desk", "began")
    telling.wait(5)
    telling.give_up(saga, "saga timeout")
    telling.fault("cut", "launcher-desk", "ended")
    telling.late(saga)
    telling.settle(telling.promote(shelf))
    return telling.end()


def short_of_time() -> list[Line]:
    """A saga that a launcher goes on with when its time is nearly over, and that times out."""
    telling = Telling()
    telling.process("launcher", "started")
    desk = telling.whole("desk")
    saga = telling.promote(desk)
    telling.wait(4)
    telling.process("launcher", "killed")
    telling.wait(2)
    telling.process("launcher", "started")
    telling.wait(5)
    telling.give_up(saga, "saga timeout")
    telling.settle(telling.refill(desk))
    return telling.end()


def drift() -> list[Line]:
    """Windows that vanish one after the other, are missed, and are made up for."""
    telling = Telling()
    desk = telling.whole("desk")
    one = telling.vanish(desk)
    telling.drift(desk, one)
    two = telling.vanish(desk)
    telling.drift(desk, one, two)
    telling.reconcile(desk, one, two)
    for saga in [telling.refill(desk), telling.refill(desk)]:
        telling.settle(saga)
    return telling.end()


def pool_heals() -> list[Line]:
    """A pool that is short after the last fault, and whole 50 s later."""
    telling = Telling()
    desk = telling.whole("desk")
    saga = telling.promote(desk)
    telling.fail(saga, "memory pressure")
    telling.fault("memory_pressure", "desk")
    telling.wait(50)
    telling.settle(telling.refill(desk))
    telling.wait(40)
    telling.settle(telling.promote(desk))
    return telling.end()


# --- what looks wrong -----------------------------------------------------------------------------


def slow_but_in_time() -> list[Line]:
    """A saga of a host with a fault that takes its deadline and most of ten seconds."""
    telling = Telling()
    desk = telling.whole("desk")
    telling.fault("creation_never_ready", "desk")
    saga = telling.promote(desk)
    telling.wait(14)
    telling.settle(saga)
    return telling.end()


def fault_at_the_end() -> list[Line]:
    """A pool that is short while a fault is still on."""
    telling = Telling()
    desk = telling.whole("desk")
    saga = telling.promote(desk)
    telling.fault("creation_failed", "desk", "began")
    telling.fail(saga, "creation failed")
    return telling.end()


def observer_restart() -> list[Line]:
    """An observer whose process is started anew and reads all of it again."""
    lines = busy()
    middle = len(lines) // 2
    at = lines[middle]["at_ns"]
    again = [{**line, "at_ns": at + 2} for line in lines[:middle] if line["kind"] == "event"]
    life: Line = {"kind": "process", "name": "renderer", "pid": 0}
    first = {**life, "at_ns": 0, "did": "started"}
    ends = [{**life, "at_ns": at + 1, "did": did} for did in ("killed", "started")]
    return [first, *lines[:middle], *ends, *again, *lines[middle:]]


def _start_of_first_promote(lines: list[Line]) -> int:
    return next(
        number
        for number, line in enumerate(lines)
        if line["kind"] == "event" and line["event"].get("cause") is not None
    )


def truncated() -> list[Line]:
    """An observer that joined late, and was told where, and what was open there."""
    lines = busy("renderer", "late")
    return _cut(lines, "late", "truncated")


def truncated_for_all() -> list[Line]:
    """The only observer joined late; what was before is not known to anybody."""
    return _cut(busy(), "renderer", "truncated")


def goes_on() -> list[Line]:
    """A history that goes on with a log."""
    return _cut(busy(), "renderer", "begins")


def _cut(lines: list[Line], observer: str, kind: str) -> list[Line]:
    """Let an observer begin right after the first promote's bracket opened."""
    at = _start_of_first_promote(lines)
    start = lines[at]["event"]
    bracket = [{"saga_id": start["saga_id"], "name": start["name"]}]
    before = start["version"]
    where = {"before": before + 1} if kind == "truncated" else {"after": before}
    told = {"kind": kind, "at_ns": lines[at]["at_ns"], "observer": observer, **where}

    def kept(line: Line) -> bool:
        hers = line["kind"] == "event" and line["observer"] == observer
        return not hers or line["event"]["version"] > before

    return [
        *filter(kept, lines[: at + 1]),
        {**told, "open": bracket},
        *filter(kept, lines[at + 1 :]),
    ]


def lapsed() -> list[Line]:
    """An observer that missed the end of a bracket, and was told that it cannot have it."""
    lines = busy()
    end = next(
        number
        for number, line in enumerate(lines)
        if line["kind"] == "event" and line["event"]["type"] == "SagaFailed"
    )
    version = lines[end]["event"]["version"]
    gap = {version - 1, version}
    missed = [
        line for line in lines if line["kind"] != "event" or line["event"]["version"] not in gap
    ]
    open_there = [
        {"saga_id": row["saga_id"], "name": row["name"]} for row in _open_at(lines, version)
    ]
    told = {"kind": "truncated", "at_ns": lines[end]["at_ns"], "observer": "renderer"}
    cut = end - 1
    return [*missed[:cut], {**told, "before": version + 1, "open": open_there}, *missed[cut:]]


def _open_at(lines: list[Line], version: int) -> list[Line]:
    found: dict[int, Line] = {}
    for event in _events(lines):
        if event["version"] <= version:
            if event["type"] == "SagaStarted":
                found[event["saga_id"]] = event
            elif event["type"] in TERMINALS:
                found.pop(event["saga_id"], None)
    return list(found.values())


def read_in_an_outage() -> list[Line]:
    """What was committed before an outage, and read from the journal in it."""
    lines = outage()
    began = next(line["at_ns"] for line in lines if line["kind"] == "outage")
    events = [line for line in lines if line["kind"] == "event" and line["at_ns"] < began]
    events[-1]["at_ns"] = began + 5_000_000_000
    return lines


def command_again() -> list[Line]:
    """A command that came twice, and was answered from memory."""
    lines = busy()
    at, command = next((n, each) for n, each in enumerate(lines) if each.get("did") == "command")
    return [*lines[: at + 1], {**command, "repeated": True}, *lines[at + 1 :]]


def cached(make: Callable[[], list[Line]]) -> Callable[[], list[Line]]:
    """Give a maker that makes a history once, and hands a copy to everyone."""
    once = cache(make)
    return lambda: deepcopy(once())


SOUND: dict[str, Callable[[], list[Line]]] = {
    name: cached(make)
    for name, make in {
        "simulated": lambda: simulated(3, promotes=12),
        "simulated, one host": lambda: simulated(11, promotes=20, hosts=1),
        "simulated, links break": lambda: simulated(7, promotes=25, hosts=3, link_breaks=9),
        "real processes": of_real_processes,
        "busy": busy,
        "busy, two observers": lambda: busy("renderer", "mirror"),
        "launcher restart": launcher_restart,
        "outage": outage,
        "host restart": host_restart,
        "late window": late_window,
        "pool heals": pool_heals,
        "short of time": short_of_time,
        "drift": drift,
    }.items()
}
"""Nothing is wrong with these."""

ALLOWED: dict[str, Callable[[], list[Line]]] = {
    "within its bound": slow_but_in_time,
    "within its bound after a launcher restart": launcher_restart,
    "within its bound after an outage": outage,
    "a promote that was not taken before its host died": host_restart,
    "a window that comes after its saga was closed": late_window,
    "a pool that is whole 50 s after the last fault": pool_heals,
    "a pool that is short while a fault is on": fault_at_the_end,
    "an observer that starts again": observer_restart,
    "an observer that is told that it joined late": truncated,
    "nobody has the beginning": truncated_for_all,
    "a history that goes on with a log": goes_on,
    "an end that cannot be had": lapsed,
    "read from the journal in an outage": read_in_an_outage,
    "a command that came twice": command_again,
}
"""These look wrong, and are not."""
