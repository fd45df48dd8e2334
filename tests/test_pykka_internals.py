"""Canaries: each underscore name of Pykka that is used, and what it is relied on for."""

import inspect
from typing import Any

import pykka
from pykka._envelope import Envelope

from actors import pykka_internals


def test_the_stop_message_is_what_a_stop_puts_into_the_inbox() -> None:
    class Idle(pykka.ThreadingActor):
        pass

    actor = Idle.start()
    seen: list[Any] = []
    put = actor.actor_inbox.put

    def spy(envelope: Envelope[Any]) -> None:
        seen.append(envelope.message)
        put(envelope)

    actor.actor_inbox.put = spy  # type: ignore[method-assign]
    actor.stop(timeout=5)
    assert [type(message) for message in seen] == [pykka_internals.StopMessage]


def test_an_envelope_has_a_message_and_who_to_reply_to() -> None:
    assert Envelope.__slots__ == ["message", "reply_to"]


def test_handle_receive_takes_exactly_one_message() -> None:
    assert list(inspect.signature(pykka.Actor._handle_receive).parameters) == ["self", "message"]  # noqa: SLF001


def test_an_actors_ref_is_kept_under_the_name_that_we_set() -> None:
    source = inspect.getsource(pykka.Actor)
    assert "self._actor_ref = ActorRef(self)" in source


def test_a_ref_reads_the_attributes_that_a_dispatched_actor_sets() -> None:
    source = inspect.getsource(pykka.ActorRef.__init__)
    for name in ("actor_urn", "actor_inbox", "actor_stopped"):
        assert f"actor.{name}" in source


def test_an_ask_makes_its_future_with_the_actor_class() -> None:
    assert "self.actor_class._create_future()" in inspect.getsource(pykka.ActorRef.ask)


def test_pykka_handles_exactly_these_messages_itself() -> None:
    source = inspect.getsource(pykka.Actor._handle_receive)  # noqa: SLF001
    names = {kind.__name__ for kind in pykka_internals.CONTROL_MESSAGES}
    assert source.count("isinstance(message") == len(names)
    assert all(f"messages.{name}" in source for name in names)
