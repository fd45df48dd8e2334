"""A link with keys, at the launcher's core: whose key may do what."""

from actors.engine import EngineSettings
from tests.launcher_harness import PlayedHost, PlayedLauncher
from transport.allow_list import AllowList, Entry, Grant
from transport.messages import (
    CancelSaga,
    Fenced,
    Goodbye,
    Message,
    Ping,
    Refused,
    Register,
    SagaCancelled,
    SagaFailed,
)

LEFT, RIGHT, SERVICE, ANNA = "left's key", "right's key", "a service's key", "anna's key"

ALLOWED = AllowList(
    {
        LEFT: frozenset({Entry(Grant.HOST, "left")}),
        RIGHT: frozenset({Entry(Grant.HOST, "right")}),
        SERVICE: frozenset({Entry(Grant.SERVICE, "left")}),
        ANNA: frozenset({Entry(Grant.OPERATOR, "left")}),
    }
)


class KeyedHost(PlayedHost):
    """A played host whose connection has a key."""

    key: str | None = None

    def say_raw(self, *frames: bytes) -> None:
        self.launcher.engine.receive(self.connection, frames, self.launcher.now, self.key)
        self.launcher.end_pass()


def host(launcher: PlayedLauncher, name: str, key: str | None, epoch: str = "1" * 32) -> KeyedHost:
    connection = f"connection-{len(launcher.hosts)}".encode()
    played = KeyedHost(launcher, name, epoch, connection)
    played.key = key
    launcher.hosts[connection] = played
    return played


def keyed_launcher() -> PlayedLauncher:
    return PlayedLauncher(EngineSettings(allowed=ALLOWED))


def test_a_host_registers_with_its_own_key_alone() -> None:
    launcher = keyed_launcher()
    for key in (RIGHT, SERVICE, ANNA, "nobody's", None):
        refused = host(launcher, "left", key)
        refused.register()
        assert refused.refusals() == ["not_allowed"]
    assert launcher.engine.link.peers == {}
    assert launcher.engine.view.status()["faults"] == {"not_allowed": 5}
    assert launcher.events == []
    left = host(launcher, "left", LEFT)
    left.register()
    assert left.refusals() == []
    assert launcher.engine.view.status()["hosts"]["left"]["registered"]


def test_a_service_registers_with_a_services_key() -> None:
    launcher = keyed_launcher()
    refused = host(launcher, "left", LEFT)
    refused.register(role="service", serves=("Anything",))
    assert refused.refusals() == ["not_allowed"]
    service = host(launcher, "left", SERVICE)
    service.register(role="service", serves=("Anything",))
    assert service.refusals() == []
    assert launcher.engine.view.status()["hosts"]["left"]["role"] == "service"


def test_an_impostor_with_another_hosts_key_changes_nothing() -> None:
    launcher = keyed_launcher()
    left = host(launcher, "left", LEFT)
    left.register(pool_target=1)
    launcher.advance(1.1)
    [label] = left.answer_all()
    left.promote(label, "a promote")
    before = launcher.engine.view.status()
    assert before["sagas"]["open"] == 1
    impostor = host(launcher, "left", RIGHT)
    for epoch in (left.epoch, "3" * 32):
        impostor.say(_register("left", epoch, part=1), _register("left", epoch, part=2))
        impostor.say(_register("left", epoch))
    impostor.say(Goodbye())
    after = launcher.engine.view.status()
    assert impostor.refusals() == [*["not_allowed"] * 6, "not_registered"]
    assert {**after, "faults": {}} == {**before, "faults": {}}
    assert Fenced(by="3" * 32) not in left.received
    left.answer_all()
    sagas = launcher.engine.view.status()["sagas"]
    assert (sagas["open"], sagas["failed"]) == (0, 0)


def test_an_epoch_that_is_over_is_not_told_to_a_stranger() -> None:
    launcher = keyed_launcher()
    for epoch in ("1" * 32, "2" * 32):
        host(launcher, "left", LEFT, epoch).register()
    impostor = host(launcher, "left", RIGHT, "1" * 32)
    impostor.register()
    assert [type(message) for message in impostor.received] == [Refused]


def test_a_frame_of_a_registered_host_on_another_connection_is_not_registered() -> None:
    launcher = keyed_launcher()
    host(launcher, "left", LEFT).register()
    stranger = host(launcher, "left", LEFT)
    stranger.say(Ping(last=0))
    assert stranger.refusals() == ["not_registered"]


def test_without_an_allow_list_whoever_reaches_the_link_may_be_anybody() -> None:
    launcher = PlayedLauncher()
    left = host(launcher, "left", None)
    left.register()
    assert left.refusals() == []


def _register(name: str, epoch: str, part: int | None = None) -> Message:
    return Register(
        host=name,
        epoch=epoch,
        first_held=1,
        as_of=0,
        pool_target=2,
        part=part or 1,
        parts=1 if part is None else 2,
    )


def test_only_an_operators_key_ends_a_saga() -> None:
    launcher = keyed_launcher()
    left = host(launcher, "left", LEFT)
    left.register()
    launcher.advance(0.25)
    [saga_id, _] = launcher.engine.state.sagas
    for key in (LEFT, SERVICE, "nobody's", None):
        asker = host(launcher, "asker", key)
        asker.say(CancelSaga(number=1, saga_id=saga_id, reason="because"))
        assert asker.refusals() == ["not_allowed"]
    assert launcher.of_type(SagaFailed) == []
    anna = host(launcher, "anna", ANNA)
    anna.say(CancelSaga(number=1, saga_id=saga_id, reason="because"))
    assert anna.received == [SagaCancelled(number=1, saga_id=saga_id)]
    assert [each.saga_id for each in launcher.of_type(SagaFailed)] == [saga_id]
