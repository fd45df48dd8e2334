"""An engine that is made anew from the log goes on with every saga, and closes every bracket."""

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from actors.engine import Engine, EngineSettings
from actors.engine_keeper import EngineGaveUpError, EngineKeeper
from actors.intake import ReportKey
from actors.launcher_extension import LauncherExtension, LoadedExtension, known_types
from actors.reducer import ReportContext
from actors.sagas import PoolRespawnOnPromote
from actors.state import State
from tests.launcher_harness import PlayedHost, PlayedLauncher
from transport.codec import Codec, as_map, encode
from transport.frame_fault import FrameFault
from transport.message_types import MessageTypes
from transport.messages import (
    Event,
    Fenced,
    HostRegistered,
    InventoryWindow,
    NotRegistered,
    Recorded,
    Registered,
    Report,
    ReportPanesReaped,
    ReportPoolNotLast,
    ReportPoolWindowRemoved,
    Reports,
    ReportWindowClosed,
    SagaCompleted,
    SagaFailed,
    SagaStarted,
)


def inventory(launcher: PlayedLauncher, host: PlayedHost) -> tuple[InventoryWindow, ...]:
    return (
        *(InventoryWindow(label, "pool", None) for label in launcher.pool_of(host)),
        *(InventoryWindow(label, "open", None) for label in launcher.opened_of(host)),
    )


def reregister(launcher: PlayedLauncher, host: PlayedHost) -> None:
    host.register(inventory=inventory(launcher, host))


def test_versions_ids_and_the_mirror_go_on_where_they_were() -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host()
    host.promote(launcher.pool_of(host)[0], "promote-1")
    host.answer_all()
    pool, opened, last = launcher.pool_of(host), launcher.opened_of(host), launcher.events[-1]
    launcher.restart()
    assert (launcher.pool_of(host), launcher.opened_of(host)) == (pool, opened)
    reregister(launcher, host)
    host.promote(pool[0], "promote-2")
    host.answer_all()
    versions = [event.version for event in launcher.events]
    assert versions == list(range(1, len(versions) + 1))
    ids = [event.saga_id for event in launcher.of_type(SagaStarted)]
    assert ids == [1, 2, 3, 4]
    assert last.version < launcher.events[-1].version


def test_a_frame_of_a_connection_that_the_old_engine_knew_is_answered_not_registered() -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host()
    launcher.restart()
    host.promote(launcher.pool_of(host)[0], "promote-1")
    assert host.received[-2] == NotRegistered()
    assert launcher.of_type(SagaStarted)[2:] == []


def test_a_host_in_the_same_epoch_registers_again_without_a_new_registration_event() -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host()
    launcher.restart()
    reregister(launcher, host)
    assert len(launcher.of_type(HostRegistered)) == 1
    answers = [message for message in host.received if isinstance(message, Registered)]
    assert answers[-1].taken == host.sequence


def test_a_pending_step_goes_out_again_and_its_bracket_completes_once() -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host()
    host.promote(launcher.pool_of(host)[0], "promote-1")
    [before] = host.commands
    host.commands.clear()
    launcher.restart()
    assert host.commands == []
    reregister(launcher, host)
    assert host.commands == [before]
    [label] = host.answer_all()
    assert [event.result for event in launcher.of_type(SagaCompleted)][2:] == [label]
    assert launcher.of_type(SagaFailed) == []


def test_a_saga_of_two_steps_goes_on_at_its_second() -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host()
    host.promote(launcher.pool_of(host)[0], "promote-1")
    host.answer_all()
    label = launcher.opened_of(host)[0]
    host.report(ReportWindowClosed(label=label))
    [reap] = host.commands
    host.report(ReportPanesReaped(label=label, identity=reap.identity))
    drain = host.commands[-1]
    launcher.restart()
    host.commands.clear()
    reregister(launcher, host)
    assert host.commands == [drain]
    host.report(ReportPoolNotLast(label=label, identity=drain.identity))
    assert launcher.of_type(SagaCompleted)[-1].result == "not_last"


def test_a_host_that_comes_back_in_a_new_epoch_ends_its_sagas_at_once() -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host()
    host.promote(launcher.pool_of(host)[0], "promote-1")
    launcher.restart()
    new = launcher.host(host.name, "2" * 32)
    new.register()
    assert [event.reason for event in launcher.of_type(SagaFailed)] == ["host restarted"]
    host.register()
    assert isinstance(host.received[-1], Fenced)


def test_a_superseded_epoch_stays_fenced() -> None:
    launcher = PlayedLauncher()
    old = launcher.filled_host()
    launcher.host(old.name, "2" * 32).register()
    launcher.restart()
    old.register()
    assert old.received[-1] == Fenced(by="2" * 32)


def test_a_recovered_saga_has_five_seconds_at_least_and_three_extensions_at_most() -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host()
    host.promote(launcher.pool_of(host)[0], "promote-1")
    for _ in range(3):
        launcher.advance(4.5)
        launcher.restart()
    assert launcher.of_type(SagaFailed) == []
    launcher.advance(4.5)
    launcher.restart()
    launcher.advance(1)
    assert [event.reason for event in launcher.of_type(SagaFailed)] == ["saga timeout"]


def test_a_saga_kind_that_is_not_known_any_more_fails_and_stops_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host()
    host.promote(launcher.pool_of(host)[0], "promote-1")
    host.report(ReportPoolWindowRemoved(label=launcher.pool_of(host)[0], reason="died"))
    launcher.advance(1.2)
    monkeypatch.setattr(PoolRespawnOnPromote, "name", "renamed")
    launcher.restart()
    [failed] = launcher.of_type(SagaFailed)
    assert failed.reason == "saga pool_respawn_on_promote is not known any more"
    reregister(launcher, host)
    host.commands.pop(0)
    assert len(launcher.engine.state.sagas) == 1


class ReportPoison(Report, frozen=True, kw_only=True):
    """Its arm raises."""


def poison_arm(state: State, report: Report, context: ReportContext) -> Sequence[Event]:
    msg = "poison"
    raise ZeroDivisionError(msg)


POISON = LoadedExtension(
    MessageTypes(reports=(ReportPoison,)), LauncherExtension(arms={ReportPoison: poison_arm})
)


class Kept:
    """A played launcher under an engine keeper."""

    def __init__(self, budget: int = 3) -> None:
        codec = Codec(known_types([POISON]))
        self.launcher = PlayedLauncher(EngineSettings(extensions=(POISON,)), codec)
        self.keeper = EngineKeeper(self.make, budget)
        self.host = self.launcher.filled_host()

    def make(self, poisonous: frozenset[ReportKey]) -> Engine:
        self.launcher.engine = self.launcher.engine_from_log(poisonous)
        return self.launcher.engine

    def say(self, frame: bytes) -> None:
        """Let the host say something, registering anew when its connection is not known."""
        try:
            self.host.say_raw(frame)
        except ZeroDivisionError as error:
            self.keeper.replace(error, self.launcher.now)
            reregister(self.launcher, self.host)

    def poison(self) -> bytes:
        reports = [as_map(ReportPoison())]
        return encode(Reports(sequence=self.host.sequence + 1, reports=reports))


def test_a_report_that_was_in_work_at_two_crashes_is_refused_and_takes_its_number() -> None:
    kept = Kept()
    for _ in range(3):
        kept.say(kept.poison())
    assert kept.keeper.crashes == 2
    assert kept.launcher.engine.link.faults[FrameFault.POISONOUS] == 1
    kept.host.sequence += 1
    kept.host.promote(kept.launcher.pool_of(kept.host)[0], "promote-1")
    kept.host.answer_all()
    assert len(kept.launcher.of_type(SagaCompleted)) == 3


def test_too_many_crashes_within_a_minute_end_the_process() -> None:
    kept = Kept(budget=2)
    kept.say(kept.poison())
    with pytest.raises(EngineGaveUpError, match="crashed 2 times within a minute: poison"):
        kept.say(kept.poison())


def test_crashes_that_are_more_than_a_minute_apart_do_not_end_the_process() -> None:
    kept = Kept(budget=2)
    for _ in range(2):
        kept.say(kept.poison())
        kept.launcher.now += 61_000_000_000
    assert kept.keeper.crashes == 2


def test_a_coordinator_that_crashes_ends_its_pass_and_nothing_of_it_leaves() -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host()
    events = len(launcher.events)
    with pytest.raises(RuntimeError, match="the coordinator crashed"):
        launcher.engine.crash_coordinator()
    launcher.restart()
    reregister(launcher, host)
    assert len(launcher.events) == events
    host.promote(launcher.pool_of(host)[0], "promote-1")
    host.answer_all()
    assert len(launcher.of_type(SagaCompleted)) == 3


def opaque_event() -> Recorded:
    raw = {"type": "Forgotten", "version": 3, "saga_id": None, "origin": None}
    return Codec().decode_event(raw)


@pytest.mark.parametrize("spoil", ["command", "event"])
def test_an_open_saga_whose_rows_are_not_known_any_more_fails_and_stops_no_other(
    spoil: str,
) -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host()
    for number in range(2):
        host.promote(launcher.pool_of(host)[0], f"promote-{number}")
    contents = launcher.log.load()
    one, other = contents.open_sagas
    if spoil == "command":
        one.steps[0] = replace(one.steps[0], command=b"\x07")
    else:
        one.delivered.append(opaque_event())
    launcher.engine = Engine(EngineSettings(), contents=contents, epoch="b" * 32, now=0)
    launcher.end_pass()
    [failed] = launcher.of_type(SagaFailed)
    assert failed.saga_id == one.opened.saga_id
    assert ("expected a map" if spoil == "command" else "fed a Forgotten") in failed.reason
    host.commands.clear()
    reregister(launcher, host)
    assert [each.identity and each.identity.saga_id for each in host.commands] == [
        other.opened.saga_id
    ]
