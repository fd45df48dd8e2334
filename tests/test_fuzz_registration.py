"""Fuzz: a registration whose inventory comes in parts, in any order, lost, twice, or mixed up."""

from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz_profiles import fuzzed
from tests.launcher_harness import PlayedHost, PlayedLauncher
from transport.labels import window_label
from transport.messages import InventoryWindow, Register, Registered

EPOCH = "1" * 32
AS_OF = {"old": 4, "new": 9}

Saying = tuple[str, str, int, int]
"""On which connection, of which registration, which part of how many."""


@st.composite
def scripts(draw: st.DrawFn) -> list[Saying]:
    """Give whole registrations, with parts lost, said twice and in the wrong place."""
    sides, names = st.sampled_from(["left", "right"]), st.sampled_from(sorted(AS_OF))
    chunks = draw(st.lists(st.tuples(sides, names, st.integers(1, 3)), min_size=1, max_size=6))
    script = [(side, of, part, parts) for side, of, parts in chunks for part in range(1, parts + 1)]
    places = st.integers(0, 20)
    edits = st.tuples(st.sampled_from(["lose", "double", "move"]), places, places)
    for what, at, to in draw(st.lists(edits, max_size=3)):
        if script:
            one = script[at % len(script)]
            if what != "double":
                script.remove(one)
            if what != "lose":
                script.insert(to % (len(script) + 1), one)
    return script


def window(of: str, part: int) -> InventoryWindow:
    label = window_label(EPOCH, 10 * (1 + sorted(AS_OF).index(of)) + part)
    return InventoryWindow(label=label, place="pool", identity=None)


def said(of: str, part: int, parts: int) -> Register:
    return Register(
        host="desk",
        epoch=EPOCH,
        first_held=AS_OF[of] + 1,
        as_of=AS_OF[of],
        pool_target=0,
        part=part,
        parts=parts,
        inventory=(window(of, part),),
    )


def whole(heard: list[Register]) -> bool:
    """Say whether a connection ended with a whole registration: its parts, in their order."""
    last = heard[-1]
    tail = heard[-last.parts :]
    return len(tail) == last.parts and all(
        (each.as_of, each.part, each.parts) == (last.as_of, number, last.parts)
        for number, each in enumerate(tail, 1)
    )


def accepted(host: PlayedHost) -> int:
    return sum(isinstance(message, Registered) for message in host.received)


@given(scripts())
@fuzzed(150)
def test_a_registration_counts_once_all_its_parts_came_in_order_and_only_as_a_whole(
    script: list[Saying],
) -> None:
    launcher = PlayedLauncher()
    hosts = {side: launcher.host("desk", EPOCH) for side in ("left", "right")}
    heard: dict[str, list[Register]] = {side: [] for side in hosts}
    newest = 0
    pool: set[str] = set()
    closed: set[str] = set()
    for side, of, number, parts in script:
        message = said(of, number, parts)
        heard[side].append(message)
        before = accepted(hosts[side])
        hosts[side].say(message)
        complete = whole(heard[side])
        # An inventory older than what was taken since would bring windows back that are gone.
        counts = complete and AS_OF[of] >= newest
        assert accepted(hosts[side]) == before + counts
        if complete:
            heard[side].clear()
        if counts:
            newest = AS_OF[of]
            has = {window(of, each).label for each in range(1, parts + 1)}
            closed |= pool - has
            pool = has - closed
            assert set(launcher.pool_of(hosts[side])) == pool
