"""A second supervisor, written apart from the first, to be compared with it.

It keeps rows in a list and looks all of them through for what has to be done next; it has no
queues, no states by name and no timers of its own: what must be timed is computed from the rows
after every input. It shares the specs, effects and errors with the supervisor, and no code.
"""

import random
from collections.abc import Callable, Hashable, Iterator

from actors.supervision import effects as fx
from actors.supervision import supervisor_errors as errors
from actors.supervision.child_spec import (
    AutoShutdown,
    ChildSpec,
    ExitKind,
    ExitReason,
    Restart,
    Strategy,
    SupervisorSpec,
)
from actors.supervision.supervisor_child import ChildInfo, ChildState
from tests.supervisor_reference_row import BILLION, Row, overrun, state


class ReferenceSupervisor:
    def __init__(self, spec: SupervisorSpec, generator: random.Random) -> None:
        self.spec = spec
        self.generator = generator
        self.counter = 0
        self.rows: list[Row] = []
        self.stage = "new"
        self.halt: ExitReason | None = None
        self.sweep: tuple[int, int, str] | None = None  # first place, when, "clear" or "wait"
        self.rushed = False
        self.total: int | None = None
        self.crashes: tuple[int, ...] = ()
        self.timed: dict[Hashable, int] = {}
        self.out: list[fx.Effect] = []
        for each in spec.children:
            self.rows.append(Row(each, self.count(), "first", self.count()))

    def count(self) -> int:
        self.counter += 1
        return self.counter

    # -- inputs

    def start(self, now: int) -> list[fx.Effect]:
        self.stage = "first"
        return self.settle(now)

    def stop(self, now: int) -> list[fx.Effect]:
        self.halt_for(ExitReason(ExitKind.SHUTDOWN), now)
        return self.settle(now)

    def kill(self, now: int) -> list[fx.Effect]:
        self.halt_for(ExitReason(ExitKind.KILLED), now)
        self.rushed = True
        return self.settle(now)

    def child_started(self, name: Hashable, incarnation: int, now: int) -> list[fx.Effect]:
        for row in self.rows:
            if (row.spec.name, row.number, row.life) == (name, incarnation, "starting"):
                row.life, row.since, row.asked = "up", now, ""
        return self.settle(now)

    def start_failed(
        self, name: Hashable, incarnation: int, reason: ExitReason, now: int
    ) -> list[fx.Effect]:
        return self.child_exited(name, incarnation, reason, now)

    def child_exited(
        self, name: Hashable, incarnation: int, reason: ExitReason, now: int
    ) -> list[fx.Effect]:
        for row in list(self.rows):
            if (row.spec.name, row.number) == (name, incarnation) and row.life:
                life, row.life, row.deadline = row.life, "", None
                if self.halt is not None:
                    row.wanted = False
                elif life == "starting":
                    self.did_not_start(row, reason, now)
                elif life == "up":
                    row.death = (self.count(), reason)
                    if now - row.since >= self.spec.backoff.healthy_after * BILLION:
                        row.streak = 0
                elif row.dismissed:
                    self.rest(row)
                else:
                    self.hold(row)
        return self.settle(now)

    def timer_fired(self, key: Hashable, now: int) -> list[fx.Effect]:
        self.timed.pop(key, None)
        if key == "total":
            self.total, self.rushed = None, True
        elif key == "sweep":
            self.release()
        for row in self.rows:
            if key == ("again", row.spec.name):
                row.not_before, row.turn = None, self.count()
            elif key == ("force", row.spec.name):
                row.deadline = None
                self.force(row)
        return self.settle(now)

    def start_child(self, spec: ChildSpec, now: int) -> list[fx.Effect]:
        self.insist_running()
        for row in self.rows:
            if row.spec.name == spec.name:
                present = row.life or row.death
                raise (
                    errors.AlreadyStartedError(spec.name)
                    if present
                    else errors.AlreadyPresentError(spec.name)
                )
        row = Row(spec, self.count(), "new", self.count())
        row.held = self.sweep is not None
        self.rows.append(row)
        return self.settle(now)

    def terminate_child(self, name: Hashable, now: int) -> list[fx.Effect]:
        row = self.insist(name)
        row.dismissed = True
        if row.life in {"starting", "up"}:
            self.tell(row, now)
        elif not row.life and (row.wanted or row.death):
            self.rest(row)
        return self.settle(now)

    def restart_child(self, name: Hashable, now: int) -> list[fx.Effect]:
        row = self.insist_down(name)
        row.wanted, row.asked, row.streak, row.turn = True, "again", 0, self.count()
        row.held = self.sweep is not None and row.place >= self.sweep[0]
        return self.settle(now)

    def delete_child(self, name: Hashable, now: int) -> list[fx.Effect]:
        self.rows.remove(self.insist_down(name))
        return self.settle(now)

    def which_children(self) -> list[ChildInfo]:
        return [ChildInfo(row.spec.name, state(row), row.number, row.spec) for row in self.rows]

    def insist_running(self) -> None:
        if self.stage not in {"first", "on"} or self.halt is not None:
            raise errors.NotRunningError

    def insist(self, name: Hashable) -> Row:
        self.insist_running()
        for row in self.rows:
            if row.spec.name == name:
                return row
        raise errors.ChildNotFoundError(name)

    def insist_down(self, name: Hashable) -> Row:
        row = self.insist(name)
        if row.life or row.death:
            raise errors.ChildRunningError(name)
        if row.wanted:
            raise errors.ChildRestartingError(name)
        return row

    # -- rules

    def settle(self, now: int) -> list[fx.Effect]:
        rules: tuple[Callable[[int], bool], ...] = (
            self.forcing,
            self.halting,
            self.clearing,
            self.starting,
            self.mourning,
        )
        while self.stage not in {"new", "over"} and any(rule(now) for rule in rules):
            pass
        self.time_what_must_be()
        out, self.out = self.out, []
        return out

    def forcing(self, now: int) -> bool:
        told = [row for row in self.rows if row.life == "told" and not row.forced]
        if not (self.rushed and told):
            return False
        self.force(told[-1])
        return True

    def halting(self, now: int) -> bool:
        if self.halt is None:
            return False
        alive = [row for row in self.rows if row.life]
        if not alive:
            self.stage, self.total = "over", None
            self.time_what_must_be()
            self.out.append(fx.Ended(self.halt))
        elif alive[-1].life != "told":
            self.tell(alive[-1], now)
        return False

    def clearing(self, now: int) -> bool:
        if self.halt is not None or self.sweep is None or self.sweep[2] == "wait":
            return False
        first, when, _ = self.sweep
        for row in [row for row in reversed(self.rows) if row.place >= first]:
            if row.life:
                if row.life != "told":
                    self.tell(row, now)
                return False
            if row.death:
                self.hold(row)
        self.sweep = (first, when, "wait")
        if when <= now:
            self.release()
        return True

    def waits_in_order(self) -> bool:
        if self.halt is not None or (self.sweep is not None and self.sweep[2] == "clear"):
            return True
        ordered = self.stage == "first" or self.spec.strategy != Strategy.ONE_FOR_ONE
        return ordered and any(row.life in {"starting", "told"} for row in self.rows)

    def starting(self, now: int) -> bool:
        if self.waits_in_order():
            return False
        ready = sorted(
            (row for row in self.rows if state(row) == ChildState.QUEUED), key=lambda row: row.turn
        )
        if self.stage == "first" and not (ready and ready[0].asked == "first"):
            self.stage = "on"
            self.out.append(fx.Ready())
        elif ready:
            row = ready[0]
            row.life, row.number = "starting", row.number + 1
            row.forced = row.dismissed = False
            self.out.append(fx.StartChild(row.spec, row.number))
        else:
            return False
        return True

    def mourning(self, now: int) -> bool:
        dead = sorted((row.death[0], row.place, row) for row in self.rows if row.death)
        if self.waits_in_order() or not dead:
            return False
        row = dead[0][2]
        reason = row.death[1] if row.death else ExitReason(ExitKind.NORMAL)
        row.death = None
        kind = row.spec.restart
        if kind == Restart.PERMANENT or (kind == Restart.TRANSIENT and reason.abnormal):
            self.again(row, reason, now)
        else:
            self.rest(row)
            self.perhaps_halt(row, now)
        return True

    # -- consequences

    def did_not_start(self, row: Row, reason: ExitReason, now: int) -> None:
        asked, row.asked = row.asked, ""
        if asked == "first":
            self.halt_for(ExitReason(ExitKind.CRASHED), now)
        elif not asked:
            self.again(row, reason, now)
        else:
            row.wanted = False
            if asked == "new":
                self.rows.remove(row)
            self.out.append(fx.StartRefused(row.spec.name, reason))

    def again(self, row: Row, reason: ExitReason, now: int) -> None:
        if row.spec.budget is not None:
            row.crashes += (now,)
            if overrun(row.crashes, now, row.spec.budget):
                self.rows.remove(row)
                self.out.append(fx.ChildGivenUp(row.spec.name, reason))
                self.perhaps_halt(row, now)
                return
        else:
            self.crashes += (now,)
            if overrun(self.crashes, now, self.spec.intensity):
                row.wanted = False
                self.halt_for(ExitReason(ExitKind.GAVE_UP), now)
                return
        row.streak += 1
        when = now + self.pause(row.streak)
        if self.spec.strategy == Strategy.ONE_FOR_ONE:
            row.not_before = when if when > now else None
            row.turn = self.count()
        else:
            self.begin_sweep(row, when)

    def pause(self, streak: int) -> int:
        pause = self.spec.backoff.first
        if not pause:
            return 0
        for _ in range(streak - 1):
            pause = min(pause * 2, self.spec.backoff.cap)
        pause = min(pause, self.spec.backoff.cap)
        return int(self.generator.random() * round(pause * BILLION))

    def begin_sweep(self, cause: Row, when: int) -> None:
        first = cause.place if self.spec.strategy == Strategy.REST_FOR_ONE else 0
        if self.sweep is not None:
            first = min(first, self.sweep[0])
        self.sweep = (first, when, "clear")
        for row in list(self.rows):
            if row.place >= first and not row.life:
                if row.death or not row.wanted:
                    self.hold(row)
                row.held = True

    def hold(self, row: Row) -> None:
        row.death, row.held, row.wanted, row.asked = None, True, True, ""
        if row.spec.restart == Restart.TEMPORARY:
            self.rows.remove(row)

    def release(self) -> None:
        self.sweep = None
        for row in self.rows:
            if row.held:
                row.held, row.turn = False, self.count()

    def rest(self, row: Row) -> None:
        asked, row.asked = row.asked, ""
        row.wanted = row.held = False
        row.death = row.not_before = None
        if row.spec.restart == Restart.TEMPORARY or asked == "new":
            self.rows.remove(row)
        if asked in {"new", "again"}:
            self.out.append(fx.StartRefused(row.spec.name, ExitReason(ExitKind.SHUTDOWN)))

    def perhaps_halt(self, gone: Row, now: int) -> None:
        if not gone.spec.significant:
            return
        others = [
            row
            for row in self.rows
            if row is not gone and row.spec.significant and (row.life or row.death or row.wanted)
        ]
        if self.spec.auto_shutdown == AutoShutdown.ANY_SIGNIFICANT or not others:
            self.halt_for(ExitReason(ExitKind.NORMAL), now)

    def halt_for(self, reason: ExitReason, now: int) -> None:
        if self.halt is not None:
            return
        self.halt, self.sweep = reason, None
        if self.stage == "new":
            self.stage = "first"
        for row in self.rows:
            if not row.life:
                row.wanted, row.held, row.death, row.not_before = False, False, None, None
        total = self.spec.shutdown_total
        if total == 0:
            self.rushed = True
        elif total is not None and any(row.life for row in self.rows):
            self.total = now + round(total * BILLION)

    def tell(self, row: Row, now: int) -> None:
        row.life = "told"
        patience = row.spec.shutdown
        if self.rushed or patience == 0:
            self.force(row)
            return
        self.out.append(fx.StopChild(row.spec.name, row.number))
        row.deadline = None if patience is None else now + round(patience * BILLION)

    def force(self, row: Row) -> None:
        row.forced, row.deadline = True, None
        self.out.append(fx.KillChild(row.spec.name, row.number))

    # -- time

    def must_be_timed(self) -> Iterator[tuple[Hashable, int]]:
        if self.total is not None:
            yield "total", self.total
        if self.sweep is not None and self.sweep[2] == "wait":
            yield "sweep", self.sweep[1]
        for row in self.rows:
            if row.not_before is not None:
                yield ("again", row.spec.name), row.not_before
            if row.deadline is not None:
                yield ("force", row.spec.name), row.deadline

    def time_what_must_be(self) -> None:
        wanted = dict(self.must_be_timed())
        self.out.extend(fx.CancelTimer(key) for key in self.timed if key not in wanted)
        self.out.extend(
            fx.SetTimer(key, due) for key, due in wanted.items() if self.timed.get(key) != due
        )
        self.timed = wanted
