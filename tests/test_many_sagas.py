"""Twenty thousand sagas in flight in one launcher, and what an event costs then."""

from typing import NamedTuple

import pytest

from actors.engine import EngineSettings
from actors.step_queue import UNSENT_LIMIT
from tests.launcher_harness import PlayedHost, PlayedLauncher
from transport.messages import ReportPoolWindowAdded, SagaCompleted, SagaFailed

DEADLINES = {"pool_respawn_on_promote": 120.0}


class Work(NamedTuple):
    """What the launcher did so far."""

    turns: int
    look_ups: int
    events: int

    def since(self, before: "Work") -> "Work":
        return Work(*(now - then for now, then in zip(self, before, strict=True)))


def work(launcher: PlayedLauncher) -> Work:
    status = launcher.engine.status()
    return Work(status["actors"]["turns"], status["sagas"]["look_ups"], status["version"])


def promote_without_answer(launcher: PlayedLauncher, host: PlayedHost, count: int) -> None:
    """Promote one window again and again, by handing it back organically in between."""
    label = launcher.pool_of(host)[0]
    for number in range(count):
        host.promote(label, f"promote-{host.name}-{number}")
        host.report(ReportPoolWindowAdded(label=label))


@pytest.mark.timeout(120)
def test_twenty_thousand_sagas_in_flight_complete_and_cost_an_event_no_more_than_twenty() -> None:
    costs = {}
    for in_flight in (20, 20_000):
        launcher = PlayedLauncher(EngineSettings(timeouts=DEADLINES))
        hosts = [
            launcher.filled_host(f"host-{number}", f"{number}" * 32) for number in (1, 2, 3, 4)
        ]
        for host in hosts:
            promote_without_answer(launcher, host, in_flight // len(hosts))
        assert launcher.engine.status()["sagas"]["open"] == in_flight
        before = work(launcher)
        completed = len(launcher.of_type(SagaCompleted))
        for host in hosts:
            command = host.commands.pop(0)
            host.add(command.identity)
        costs[in_flight] = work(launcher).since(before)
        assert len(launcher.of_type(SagaCompleted)) == completed + len(hosts)
        for host in hosts:
            host.answer_all()
        assert len(launcher.of_type(SagaCompleted)) == in_flight + 2 * len(hosts)
        assert launcher.of_type(SagaFailed) == []
        assert launcher.engine.state.sagas == {}
    assert costs[20] == costs[20_000]
    assert costs[20] == Work(turns=4 * 3, look_ups=4 * 3, events=4 * 2)


def test_a_host_that_reads_but_does_not_answer_is_not_held_to_the_limit_of_unsent_steps() -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host()
    promote_without_answer(launcher, host, 2 * UNSENT_LIMIT)
    assert launcher.of_type(SagaFailed) == []
