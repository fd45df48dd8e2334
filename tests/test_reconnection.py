"""How long a host waits before its next connection."""

from random import Random

from host_sim.reconnection import FIRST_PAUSE, LONGEST_PAUSE, Reconnection


class Longest(Random):
    """Chance that always gives the most."""

    def randint(self, a: int, b: int) -> int:
        return b


def pauses(reconnection: Reconnection, count: int, *, refused: bool = False) -> list[int]:
    found = []
    for now in range(count):
        reconnection.lost(now, refused=refused)
        found.append(reconnection.at - now)
    return found


def test_the_longest_pause_doubles_up_to_its_bound_and_begins_anew_once_registered() -> None:
    reconnection = Reconnection(Longest())
    expected = [FIRST_PAUSE << doubled for doubled in range(5)]
    assert pauses(reconnection, 7) == [*expected, LONGEST_PAUSE, LONGEST_PAUSE]
    reconnection.registered()
    assert pauses(reconnection, 1) == [FIRST_PAUSE]


def test_chance_shortens_a_pause_unless_the_launcher_refused() -> None:
    assert min(pauses(Reconnection(Random(1)), 100)) < FIRST_PAUSE
    refused = pauses(Reconnection(Random(1)), 100, refused=True)
    assert min(refused) >= LONGEST_PAUSE // 2
    assert max(refused) <= LONGEST_PAUSE
