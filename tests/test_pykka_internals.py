"""Canaries: each underscore name of Pykka that is used, and what it is relied on for."""

import inspect
import queue
import re
from typing import Any

import pykka
import pytest
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


class Hosted(pykka.ThreadingActor):
    def on_stop(self) -> None:
        message = "bad end"
        raise ValueError(message)


class Host:
    def __init__(self) -> None:
        self.inbox: queue.Queue[Any] = queue.Queue()
        self.errors: list[BaseException | None] = []

    def failed(self, error: BaseException | None) -> None:
        self.errors.append(error)


def test_an_actor_makes_its_inbox_by_a_method_that_may_know_the_instance() -> None:
    host = Host()
    actor = pykka_internals.make_hosted(Hosted, host, (), {})
    assert actor.actor_inbox is host.inbox
    assert actor.actor_ref.actor_inbox is host.inbox


def test_what_on_stop_raises_goes_through_the_method_that_we_override() -> None:
    host = Host()
    actor = pykka_internals.make_hosted(Hosted, host, (), {})
    pykka_internals.handle_receive(actor, pykka_internals.StopMessage())
    assert [str(error) for error in host.errors] == ["bad end"]
    assert actor.actor_stopped.is_set()


def test_a_failure_logs_unregisters_and_sets_the_stopped_flag() -> None:
    assert list(inspect.signature(pykka.Actor._handle_failure).parameters) == [  # noqa: SLF001
        "self",
        "exception_type",
        "exception_value",
        "traceback",
    ]
    host = Host()
    actor = pykka_internals.make_hosted(Hosted, host, (), {})
    pykka.ActorRegistry.register(actor.actor_ref)
    pykka_internals.fail_actor(actor, ValueError("bad"))
    assert pykka.ActorRegistry.get_by_class(Hosted) == []
    assert actor.actor_stopped.is_set()


def test_a_start_by_pykka_calls_the_loop_starter_that_we_refuse() -> None:
    assert "obj._start_actor_loop()" in inspect.getsource(pykka.Actor.start)
    actor = pykka_internals.make_hosted(Hosted, Host(), (), {})
    with pytest.raises(TypeError, match="started by its supervisor"):
        actor._start_actor_loop()  # noqa: SLF001


def test_the_hosted_class_of_a_class_is_made_once_and_not_inherited() -> None:
    class Derived(Hosted):
        pass

    made = pykka_internals.hosted_class(Hosted)
    assert pykka_internals.hosted_class(Hosted) is made
    assert issubclass(pykka_internals.hosted_class(Derived), Derived)
    assert made.__name__ == "Hosted"


def test_an_actor_class_makes_futures_without_an_instance() -> None:
    assert isinstance(pykka_internals.new_future(Hosted), pykka.ThreadingFuture)


def test_an_answer_that_comes_twice_is_refused_with_the_error_that_we_expect() -> None:
    future = pykka.ThreadingFuture[str]()
    future.set("first")
    with pytest.raises(queue.Full):
        future.set("second")
    pykka_internals.answer(Envelope("question", future), "second")
    pykka_internals.answer_error(Envelope("question", future), ValueError())
    assert future.get() == "first"


def test_a_future_keeps_its_answer_where_a_dispatched_one_looks_for_it() -> None:
    future = pykka.ThreadingFuture[str]()
    assert future._result is None  # noqa: SLF001
    future.set("answer")
    assert future._result is not None  # noqa: SLF001


def test_a_proxy_needs_of_its_ref_what_a_proxy_target_has() -> None:
    source = inspect.getsource(pykka.ActorProxy) + inspect.getsource(pykka.CallableProxy)
    used = set(re.findall(r"actor_ref\.(\w+)\(", source))
    in_docstrings = {"proxy"}
    assert used - in_docstrings == {"is_alive", "_actor_weakref", "ask", "tell"}
