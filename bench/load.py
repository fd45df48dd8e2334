"""What a series measures, so that series can be paired and grouped."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from bench.result import Series


class Load(NamedTuple):
    """What a series measures, but for the variant.

    Attributes:
        with_time_stamps: where the time goes was recorded too, which costs a little.
        number: tells series apart that are alike in all else, in their document's order.
    """

    arrivals: str
    concurrency: int | None
    offered_rate: float | None
    transport: str
    hosts: int
    observers: int
    in_flight: int
    spawn_time: str
    cpus: str
    with_time_stamps: bool
    number: int = 0

    def words(self) -> list[str]:
        """Give it for people: the arrivals, and what of the rest is not usual."""
        rate = self.offered_rate
        arrivals = (
            f"{self.concurrency} in flight" if rate is None else f"{self.arrivals} {rate:,.0f}/s"
        )
        return [arrivals, *self.ground()]

    def ground(self) -> list[str]:
        """Give for people what is not usual beside the arrivals."""
        unusual = {
            self.transport: self.transport != "ipc",
            f"{self.hosts} hosts": self.hosts > 1,
            f"{self.observers} observers": self.observers > 1,
            f"{self.in_flight:,} sagas open": self.in_flight > 0,
            f"spawn time {self.spawn_time}": self.spawn_time != "0",
            "launcher on a CPU of its own": self.cpus == "apart",
            "with time stamps": self.with_time_stamps,
            f"again {self.number}": self.number > 0,
        }
        return [words for words, holds in unusual.items() if holds]


Key = tuple[str, Load]
"""A variant under a load."""


def by_load(series: Sequence[Series]) -> dict[Key, Series]:
    """Give a document's series by what they measure, in their order."""
    found: dict[Key, Series] = {}
    seen = Counter[Key]()
    for each in series:
        load = Load(
            arrivals=each.arrivals,
            concurrency=each.concurrency,
            offered_rate=each.offered_rate,
            transport=each.transport,
            hosts=each.hosts,
            observers=each.observers,
            in_flight=each.in_flight,
            spawn_time=each.spawn_time,
            cpus=each.cpus,
            with_time_stamps=any(run.breakdown_us is not None for run in each.runs),
        )
        number = seen[each.variant, load]
        seen[each.variant, load] += 1
        found[each.variant, load._replace(number=number)] = each
    return found
