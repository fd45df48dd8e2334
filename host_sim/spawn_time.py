"""How long a window takes to be made: a distribution, written as text."""

import random
import re
from dataclasses import dataclass

DEFAULT_SPAWN_TIME = "normal:200ms,30ms"
"""What a cold window takes: nearly always between 150 and 300 ms."""

_UNITS = {"us": 1_000, "ms": 1_000_000, "s": 1_000_000_000}
_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(us|ms|s)")


class SpawnTimeError(ValueError):
    """The text names no distribution; says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """Always the same, in nanoseconds."""

    time: int

    def draw(self, generator: random.Random) -> int:
        """Give a time in nanoseconds."""
        del generator
        return self.time


@dataclass(frozen=True, slots=True)
class Uniform:
    """Anything from `low` to `high`, in nanoseconds."""

    low: int
    high: int

    def draw(self, generator: random.Random) -> int:
        """Give a time in nanoseconds."""
        return generator.randint(self.low, self.high)


@dataclass(frozen=True, slots=True)
class Normal:
    """The bell curve, in nanoseconds, cut off at 0."""

    mean: int
    deviation: int

    def draw(self, generator: random.Random) -> int:
        """Give a time in nanoseconds."""
        return max(0, round(generator.gauss(self.mean, self.deviation)))


SpawnTime = Fixed | Uniform | Normal


def parse_spawn_time(text: str) -> SpawnTime:
    """Give the distribution that a text names: `0`, `200ms`, `150ms-300ms`, `normal:200ms,30ms`.

    Raises:
        SpawnTimeError: it names none.
    """
    kind, colon, rest = text.partition(":")
    if colon:
        if kind != "normal" or rest.count(",") != 1:
            msg = f"spawn time {text!r}: the only named distribution is normal:MEAN,DEVIATION"
            raise SpawnTimeError(msg)
        mean, _, deviation = rest.partition(",")
        return Normal(parse_duration(mean), parse_duration(deviation))
    if "-" not in text:
        return Fixed(parse_duration(text))
    low_text, _, high_text = text.partition("-")
    low, high = parse_duration(low_text), parse_duration(high_text)
    if low > high:
        msg = f"spawn time {text!r}: the first duration must not be the longer one"
        raise SpawnTimeError(msg)
    return Uniform(low, high)


def parse_duration(text: str) -> int:
    """Give the nanoseconds in a text such as `0`, `250us`, `200ms` or `1.5s`.

    Raises:
        SpawnTimeError: it is no duration.
    """
    stripped = text.strip()
    if stripped == "0":
        return 0
    found = _DURATION.fullmatch(stripped)
    if found is None:
        msg = f"{text!r} is no duration: write a number and us, ms or s, such as 200ms, or 0"
        raise SpawnTimeError(msg)
    return round(float(found[1]) * _UNITS[found[2]])
