"""Profiles: how large a simulated world is, how busy, how hostile, and what it promises to inject.

A profile is a small TOML file in `profiles/`, or anywhere else. It is read strictly: a key that
nothing is known of, or a value of another type, is refused by name.
"""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from actors.profile_files import ProfileError, names_in, text_of
from actors.simulation.fault_plan import FaultKind
from host_sim.spawn_time import SpawnTimeError, parse_spawn_time

Share = Annotated[float, Meta(ge=0, le=1)]
Number = Annotated[int, Meta(ge=0, le=100_000)]
Some = Annotated[int, Meta(ge=1, le=100_000)]


PACKAGE = "actors.simulation"


class SystemShape(Struct, frozen=True, forbid_unknown_fields=True):
    """What runs. `spawn_time`: see `host_sim.spawn_time.parse_spawn_time`.

    Attributes:
        late_observers: how many further observers join while the run goes on.
        journal_events: how many events the journal keeps for replay.
        clock_drift: by how many millionths a machine's clock may go wrong.
    """

    hosts: Some
    observers: Some
    late_observers: Number
    pool_target: Some
    spawn_time: str
    journal_events: Some
    clock_drift: Annotated[int, Meta(ge=0, le=200_000)]


class Workload(Struct, frozen=True, forbid_unknown_fields=True):
    """What users do.

    Attributes:
        promotes: how many promotes there are at least.
        pause: between two actions of anybody, a distribution as `spawn_time` is.
        close, demote: shares of the actions that close or demote a window; the rest promote.
    """

    promotes: Number
    pause: str
    close: Share
    demote: Share


class Loop(Struct, frozen=True, forbid_unknown_fields=True):
    """How often what a loop is free to do rarely is done.

    Attributes:
        short_pass: a pass of the launcher reads only some of what waits.
        late_round: a process hears late that something came, so that more waits.
        tiny_sizes: a bound of the world is tiny; see `actors.simulation.sizes`.
    """

    short_pass: Share
    late_round: Share
    tiny_sizes: Share


class Promise(Struct, frozen=True, forbid_unknown_fields=True):
    """What every seed injects at least; one that injected less has failed."""

    promotes: Number
    faults: Number
    kinds: Number
    launcher_kills: Number
    host_kills: Number


class Profile(Struct, frozen=True, forbid_unknown_fields=True):
    """One profile.

    Attributes:
        summary: one sentence for people.
        delay: of every message, a distribution as `spawn_time` is.
        fault_seconds: within how many seconds all faults begin.
        faults: how many of each kind there are, at least and at most.
    """

    summary: str
    delay: str
    fault_seconds: Annotated[float, Meta(gt=0, le=3600)]
    system: SystemShape
    workload: Workload
    loop: Loop
    promise: Promise
    faults: dict[FaultKind, tuple[Number, Number]]


def profile_names() -> list[str]:
    """Give the names of the profiles that come with the package."""
    return names_in(PACKAGE)


def read_profile(name: str) -> Profile:
    """Give a profile, by the name of one that comes with the package, or by its file's path.

    Raises:
        ProfileError: there is none, or it is wrong.
    """
    return parse_profile(text_of(PACKAGE, name), name)


def parse_profile(text: str, name: str) -> Profile:
    """Read a profile.

    Raises:
        ProfileError: it is wrong.
    """
    try:
        profile = msgspec.toml.decode(text, type=Profile)
        for distribution in (profile.delay, profile.system.spawn_time, profile.workload.pause):
            parse_spawn_time(distribution)
        _check(profile)
    except (msgspec.DecodeError, SpawnTimeError, ValueError) as error:
        msg = f"profile {name}: {error}"
        raise ProfileError(msg) from error
    return profile


def _check(profile: Profile) -> None:
    for kind, (least, most) in profile.faults.items():
        if least > most:
            msg = f"faults.{kind} = [{least}, {most}] has more at least than at most"
            raise ValueError(msg)
    if profile.workload.close + profile.workload.demote >= 1:
        msg = "workload.close and workload.demote together leave no promotes"
        raise ValueError(msg)
