"""How a plan of chaos is carried out on real processes."""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from actors.chaos.injector import Injector
from actors.chaos.plan import ChaosKind, PlannedFault
from actors.process_system import ProcessSystem, ProcessSystemSettings
from actors.process_system.links import LinkName, link_names
from transport.fault_proxy import Direction, FaultKind
from transport.history import read_history
from transport.history_lines import FaultLine, ProcessLine

LINK = LinkName("host-1", "link")


@pytest.fixture
def system() -> Iterator[ProcessSystem]:
    with (
        tempfile.TemporaryDirectory(prefix="muxsaga-") as path,
        ProcessSystem(Path(path), ProcessSystemSettings(hosts=1, relayed=True)) as system,
    ):
        yield system


def carry_out(system: ProcessSystem, plan: Sequence[PlannedFault]) -> Injector:
    injector = Injector(system, plan)

    def is_done() -> bool:
        injector.go_on()
        return injector.done

    system.wait_for(is_done, "the plan to be carried out")
    return injector


def test_what_cannot_be_done_yet_waits_until_it_can(system: ProcessSystem) -> None:
    injector = carry_out(
        system,
        [
            PlannedFault(0.0, ChaosKind.KILL_LAUNCHER, "launcher", None, 0.0, 0.5),
            PlannedFault(0.0, ChaosKind.STOP_LAUNCHER, "launcher", None, 0.2, 0.5),
            PlannedFault(0.0, ChaosKind.SILENCE, LINK, Direction.UP, 0.1, 0.5),
            PlannedFault(0.0, ChaosKind.SILENCE, LINK, Direction.DOWN, 0.1, 0.5),
        ],
    )
    assert injector.counts == {
        ChaosKind.KILL_LAUNCHER: 1,
        ChaosKind.STOP_LAUNCHER: 1,
        ChaosKind.SILENCE: 2,
    }
    assert (injector.process_faults, injector.link_faults) == (2, 2)
    lines = list(read_history(system.end()))
    launcher = [line.did for line in lines if isinstance(line, ProcessLine)]
    assert [did for did in launcher if did in {"killed", "stopped", "continued"}] == [
        *("killed", "stopped", "continued")
    ]
    silences = [(line.fault, line.did) for line in lines if isinstance(line, FaultLine)]
    assert silences == [
        ("silence up link", "began"),
        ("silence up link", "ended"),
        ("silence down link", "began"),
        ("silence down link", "ended"),
    ]
    assert system.violations() == []


def test_a_link_that_carries_nothing_by_itself_is_made_to(
    system: ProcessSystem,
) -> None:
    query = LinkName("witness", "query")
    injector = carry_out(
        system, [PlannedFault(0.0, ChaosKind.CORRUPT, query, Direction.UP, 0.0, 0.0)]
    )
    assert system.relay("witness", "query").counts == {FaultKind.CORRUPT: 1}
    assert injector.counts == {ChaosKind.CORRUPT: 1}


def test_every_link_that_can_be_named_is_one_that_somebody_has() -> None:
    settings = ProcessSystemSettings(
        observers=1, extensions=("docs.examples.window_thumbnails",), relayed=True
    )
    with (
        tempfile.TemporaryDirectory(prefix="muxsaga-") as path,
        ProcessSystem(Path(path), settings) as system,
    ):
        relays = {name: system.relay(*name) for name in link_names(settings)}
        assert LinkName("service", "link") in relays
        system.wait_for(
            lambda: all(relay.connections == 1 for relay in relays.values()), "every connection"
        )
