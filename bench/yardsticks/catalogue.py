"""Every yardstick by name, and muxsaga itself among them. None is imported before it is wanted."""

from dataclasses import dataclass
from importlib import import_module

from bench.yardsticks.yardstick import Yardstick

MUXSAGA = "process"
"""What all others are compared with: muxsaga with its log in a file that survives `kill -9`."""

BUSY = 64
"""Promotes in flight where yardsticks are compared that take so many."""

FEW = 16
"""Promotes in flight where they are compared with DBOS, whose every step is a commit."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One yardstick, as the command and its output tell of it.

    Attributes:
        place: module and name of its `Yardstick`.
        concurrency: how many promotes are in flight, unless the user says.
        rate: promotes a second that a small machine makes of it, roughly: so a run's length can
            be chosen before it began. No figure depends on it.
        remark: what a reader of its figures has to know: what it is, or what it does not do.
    """

    place: tuple[str, str]
    concurrency: tuple[int, ...]
    rate: int
    remark: str

    def load(self) -> Yardstick:
        """Import it.

        Raises:
            ModuleNotFoundError: the library that it is made with is not installed.
        """
        module, name = self.place
        yardstick: Yardstick = getattr(import_module(f"bench.yardsticks.{module}"), name)
        return yardstick


NO_LOG = "no log, nothing is sent again, nothing recovers"
NOT_KEPT = "reports and events are not kept or sent again; an end is told before its commit"

CATALOGUE: dict[str, Entry] = {
    MUXSAGA: Entry(("muxsaga", "PROCESS"), (BUSY, FEW), 5_000, "muxsaga, as it is by default"),
    "power": Entry(
        ("muxsaga", "POWER"),
        (FEW,),
        3_000,
        "muxsaga; commits survive a power cut, as DBOS's do",
    ),
    "floor": Entry(("floor", "FLOOR"), (BUSY,), 20_000, "nothing but eleven bare frames"),
    "our-frames": Entry(
        ("our_frames", "OUR_FRAMES"),
        (BUSY,),
        30_000,
        "nothing but muxsaga's frames, in batches",
    ),
    "commit-per-write": Entry(
        ("muxsaga", "COMMIT_PER_WRITE"), (BUSY,), 2_000, "muxsaga, with a commit for each row"
    ),
    "thread-per-saga": Entry(
        ("thread_per_saga", "THREAD_PER_SAGA"), (BUSY,), 1_500, f"{NO_LOG}; nothing is validated"
    ),
    "xoscar": Entry(("xoscar_actors", "XOSCAR"), (BUSY,), 700, NO_LOG),
    "thespian": Entry(
        ("thespian_actors", "THESPIAN"), (BUSY,), 150, f"{NO_LOG}; messages have no order"
    ),
    "dbos": Entry(("dbos_workflows", "DBOS_AS_IT_COMES"), (FEW,), 40, NOT_KEPT),
    "dbos-wal": Entry(("dbos_workflows", "DBOS_IN_WAL_MODE"), (FEW,), 80, NOT_KEPT),
}
"""In the order in which they take turns."""
