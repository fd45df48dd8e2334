"""All three targets of a command really deliver: host, service, and the launcher itself."""

from collections.abc import Sequence
from typing import ClassVar, Self

import pytest

from actors.engine import EngineSettings
from actors.launcher_extension import (
    ExtensionError,
    LauncherExtension,
    LoadedExtension,
    known_types,
    load_launcher_extension,
)
from actors.reducer import ReportContext
from actors.saga import Done, IssueCmd, Saga, SagaAction, SagaContext, SnapshotValue, Target, Wait
from actors.saga_brackets import UNREACHABLE
from actors.saga_children import BUDGET
from actors.state import State
from docs.examples import window_thumbnails as thumbnails
from tests.launcher_harness import PlayedHost, PlayedLauncher
from transport.codec import Codec
from transport.frame_fault import FrameFault
from transport.message_types import MessageTypes
from transport.messages import (
    Command,
    Event,
    InventoryWindow,
    Refused,
    Report,
    ReportPoolWindowAdded,
    ReportWindowOpened,
    SagaCompleted,
    SagaFailed,
    SagaStarted,
    SpawnPoolWindow,
)

EXTENSION = load_launcher_extension("docs.examples.window_thumbnails")
CODEC = Codec(known_types([EXTENSION]))


def launcher_with(*extensions: LoadedExtension) -> PlayedLauncher:
    return PlayedLauncher(
        EngineSettings(extensions=extensions), codec=Codec(known_types(extensions))
    )


def opened(launcher: PlayedLauncher) -> PlayedHost:
    """Give a host without a pool that has just opened a window cold."""
    host = launcher.host()
    host.register(pool_target=0)
    host.report(ReportWindowOpened(label=host.new_label(), promote_id="promote-1", cold=True))
    return host


def service_of(launcher: PlayedLauncher, epoch: str = "9" * 32) -> PlayedHost:
    service = launcher.host("thumbnails", epoch)
    service.register(role="service", serves=("TakeThumbnail",))
    return service


def draw(service: PlayedHost) -> None:
    [command] = service.commands
    service.commands.clear()
    assert isinstance(command, thumbnails.TakeThumbnail)
    service.report(
        thumbnails.ReportThumbnailTaken(
            label=command.label, picture="[picture]", identity=command.identity
        )
    )


def test_a_saga_of_an_extension_goes_through_service_host_and_launcher() -> None:
    launcher = launcher_with(EXTENSION)
    service = service_of(launcher)
    host = opened(launcher)
    draw(service)
    [show] = host.commands
    assert isinstance(show, thumbnails.ShowThumbnail)
    host.report(thumbnails.ReportThumbnailShown(label=show.label, identity=show.identity))
    [completed] = launcher.of_type(SagaCompleted)
    assert completed.result == show.label
    own = [type(each) for each in launcher.events if each.saga_id == completed.saga_id]
    assert own == [
        SagaStarted,
        thumbnails.ThumbnailTaken,
        thumbnails.ThumbnailShown,
        thumbnails.ThumbnailNoted,
        SagaCompleted,
    ]


def test_a_step_for_a_service_waits_until_there_is_one() -> None:
    launcher = launcher_with(EXTENSION)
    opened(launcher)
    launcher.advance(1)
    draw(service_of(launcher))
    assert len(launcher.of_type(thumbnails.ThumbnailTaken)) == 1


def test_a_step_for_a_service_that_never_comes_ends_at_the_deadline_as_unreachable() -> None:
    launcher = launcher_with(EXTENSION)
    opened(launcher)
    launcher.advance(10.1)
    assert launcher.of_type(SagaFailed)[0].reason == UNREACHABLE


def test_a_pending_step_is_sent_to_the_services_next_epoch_under_the_same_identity() -> None:
    launcher = launcher_with(EXTENSION)
    first = service_of(launcher, "8" * 32)
    opened(launcher)
    [before] = first.commands
    second = service_of(launcher, "9" * 32)
    assert second.commands == [before]
    draw(second)
    assert len(launcher.of_type(thumbnails.ThumbnailTaken)) == 1


def test_a_superseded_service_settles_nothing() -> None:
    launcher = launcher_with(EXTENSION)
    first = service_of(launcher, "8" * 32)
    opened(launcher)
    service_of(launcher, "9" * 32)
    draw(first)
    assert launcher.of_type(thumbnails.ThumbnailTaken) == []


def test_a_host_cannot_settle_a_services_step() -> None:
    launcher = launcher_with(EXTENSION)
    service = service_of(launcher)
    host = opened(launcher)
    [command] = service.commands
    host.report(thumbnails.ReportThumbnailTaken(label="x", picture="", identity=command.identity))
    [refused] = [each for each in host.received if isinstance(each, Refused)]
    assert refused.fault == FrameFault.FOREIGN_SAGA


class Ticked(Event, frozen=True, kw_only=True):
    """An event of no host."""


class Tick(Command, frozen=True, kw_only=True):
    """Nobody handles it."""


class ReportTick(Report, frozen=True, kw_only=True):
    """Of a host, but its event names none."""


class OnTick(Saga):
    name: ClassVar[str] = "on_tick"
    timeout: ClassVar[float] = 1.0
    triggers: ClassVar[tuple[type[Event], ...]] = (Ticked,)
    target: ClassVar[Target] = Target.HOST
    command: ClassVar[Command] = SpawnPoolWindow()

    @classmethod
    def from_trigger(cls, event: Event) -> Self | None:
        return cls()

    def input_snapshot(self) -> dict[str, SnapshotValue]:
        return {}

    def start(self, context: SagaContext) -> SagaAction:
        return IssueCmd(self.target, self.command)

    def on_event(self, event: Event, context: SagaContext) -> SagaAction:
        return Wait()


class SelfTick(OnTick):
    name: ClassVar[str] = "self_tick"
    target: ClassVar[Target] = Target.LAUNCHER_SELF
    command: ClassVar[Command] = Tick()


class TwoSteps(OnTick):
    name: ClassVar[str] = "two_steps"

    def start(self, context: SagaContext) -> SagaAction:
        return IssueCmd(Target.SRV, Tick())

    def on_event(self, event: Event, context: SagaContext) -> SagaAction:
        return IssueCmd(Target.SRV, Tick())


class Crashing(OnTick):
    name: ClassVar[str] = "crashing"

    def start(self, context: SagaContext) -> SagaAction:
        msg = "cannot begin"
        raise ZeroDivisionError(msg)


class Finishing(OnTick):
    name: ClassVar[str] = "finishing"

    def start(self, context: SagaContext) -> SagaAction:
        return Done("at once")


def tick_arm(state: State, report: Report, context: ReportContext) -> Sequence[Event]:
    return (Ticked(),)


def ticked(kind: type[Saga]) -> PlayedLauncher:
    extension = LoadedExtension(
        MessageTypes(commands=(Tick,), reports=(ReportTick,), events=(Ticked,)),
        LauncherExtension(sagas=(kind,), arms={ReportTick: tick_arm}),
    )
    launcher = launcher_with(extension)
    host = launcher.host()
    host.register(pool_target=0)
    host.report(ReportTick())
    return launcher


def test_a_command_to_the_host_of_a_trigger_without_one_fails_the_saga_and_says_so() -> None:
    [failed] = ticked(OnTick).of_type(SagaFailed)
    assert (
        failed.reason == "on_tick issued SpawnPoolWindow to HOST, but its trigger came of no host"
    )


def test_a_command_that_the_launcher_has_no_handler_for_fails_the_saga() -> None:
    [failed] = ticked(SelfTick).of_type(SagaFailed)
    assert failed.reason == "Tick failed: LookupError: no handler for Tick in the launcher"


def test_a_saga_that_raises_closes_its_bracket_as_failed_with_the_exceptions_summary() -> None:
    launcher = ticked(Crashing)
    [failed] = launcher.of_type(SagaFailed)
    assert failed.reason == "saga actor crashed: ZeroDivisionError: cannot begin"
    assert launcher.engine.view.status()["actors"]["crashed"] == 1 + BUDGET.restarts
    assert launcher.engine.state.sagas == {}


def test_a_saga_that_is_done_at_once_has_a_whole_bracket() -> None:
    launcher = ticked(Finishing)
    [started], [completed] = launcher.of_type(SagaStarted), launcher.of_type(SagaCompleted)
    assert completed.version == started.version + 1
    assert completed.result == "at once"


def test_a_bracket_cannot_trigger_a_saga() -> None:
    class Endless(OnTick):
        name: ClassVar[str] = "endless"
        triggers: ClassVar[tuple[type[Event], ...]] = (SagaStarted,)

    with pytest.raises(ValueError, match="endless: SagaStarted is a bracket"):
        launcher_with(LoadedExtension(MessageTypes(), LauncherExtension(sagas=(Endless,))))


def test_two_sagas_of_one_name_are_refused() -> None:
    class Twin(OnTick):
        name: ClassVar[str] = "pool_refill"

    with pytest.raises(ValueError, match="two sagas are named 'pool_refill'"):
        launcher_with(LoadedExtension(MessageTypes(), LauncherExtension(sagas=(Twin,))))


def test_an_extension_that_is_none_is_refused_by_name() -> None:
    with pytest.raises(ExtensionError, match=r"'no\.such\.module' cannot be imported"):
        load_launcher_extension("no.such.module")
    with pytest.raises(ExtensionError, match="'json' must export MESSAGES"):
        load_launcher_extension("json")


def test_a_window_that_came_back_after_its_saga_failed_is_not_asked_for_twice() -> None:
    launcher = PlayedLauncher()
    host = launcher.host()
    host.register(pool_target=1)
    launcher.advance(5.4)
    [failed] = launcher.of_type(SagaFailed)
    [command] = host.commands
    label = host.new_label()
    host.report(ReportPoolWindowAdded(label=label, identity=command.identity))
    host.register(inventory=(InventoryWindow(label, "pool", command.identity),))
    launcher.advance(10)
    assert len(launcher.of_type(SagaStarted)) == 1
    assert failed.reason == "saga timeout"
