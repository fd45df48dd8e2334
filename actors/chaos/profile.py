"""Profiles of chaos: what runs, how busy users are, how often what goes wrong, what is promised.

A profile is a small TOML file in `profiles/`, or anywhere else. It is read strictly: a key that
nothing is known of, or a value of another type, is refused by name.
"""

from math import floor
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from actors.chaos.plan import AT_ONCE, ChaosKind, Rate
from actors.profile_files import ProfileError, names_in, text_of
from host_sim.spawn_time import SpawnTimeError, parse_spawn_time

PACKAGE = "actors.chaos"

Share = Annotated[float, Meta(ge=0, le=1)]
Some = Annotated[int, Meta(ge=1, le=64)]
PerMinute = Annotated[float, Meta(ge=0, le=6000)]


class SystemShape(Struct, frozen=True, forbid_unknown_fields=True):
    """What runs, beside the launcher and an observer that nothing is done to but its links.

    Attributes:
        observers: how many processes observe.
        spawn_time: how long a window takes; see `host_sim.spawn_time.parse_spawn_time`.
    """

    hosts: Some
    observers: Annotated[int, Meta(ge=0, le=64)]
    pool_target: Some
    spawn_time: str


class UserShape(Struct, frozen=True, forbid_unknown_fields=True):
    """What the user of each host does.

    Attributes:
        pause: between an answer and the next action, a distribution as `spawn_time` is.
        close, demote: shares of the actions that close or demote a window; the rest promote.
    """

    pause: str
    close: Share
    demote: Share


class Promise(Struct, frozen=True, forbid_unknown_fields=True):
    """What a run injects at least, in a minute of its duration; one that did less has failed."""

    process_faults: PerMinute
    link_faults: PerMinute

    def within(self, seconds: float) -> tuple[int, int]:
        """Give how many process faults and link faults are promised of a run of that duration."""
        minutes = seconds / 60
        return floor(self.process_faults * minutes), floor(self.link_faults * minutes)


class ChaosProfile(Struct, frozen=True, forbid_unknown_fields=True):
    """One profile.

    Attributes:
        summary: one sentence for people.
        faults: how often each kind happens, and for how long.
    """

    summary: str
    system: SystemShape
    users: UserShape
    promise: Promise
    faults: dict[ChaosKind, Rate]


def profile_names() -> list[str]:
    """Give the names of the profiles that come with the package."""
    return names_in(PACKAGE)


def read_profile(name: str) -> ChaosProfile:
    """Give a profile, by the name of one that comes with the package, or by its file's path.

    Raises:
        ProfileError: there is none, or it is wrong.
    """
    return parse_profile(text_of(PACKAGE, name), name)


def parse_profile(text: str, name: str) -> ChaosProfile:
    """Read a profile.

    Raises:
        ProfileError: it is wrong.
    """
    try:
        profile = msgspec.toml.decode(text, type=ChaosProfile)
        parse_spawn_time(profile.system.spawn_time)
        parse_spawn_time(profile.users.pause)
        _check(profile)
    except (msgspec.DecodeError, SpawnTimeError, ProfileError) as error:
        msg = f"profile {name}: {error}"
        raise ProfileError(msg) from error
    return profile


def _check(profile: ChaosProfile) -> None:
    for kind, rate in profile.faults.items():
        parse_spawn_time(rate.lasts)
        if kind in AT_ONCE and rate.lasts != "0":
            msg = f"faults.{kind} happens at once: it has no `lasts`"
            raise ProfileError(msg)
        if kind not in AT_ONCE and rate.lasts == "0":
            msg = f"faults.{kind} needs `lasts`, such as '200ms-2s'"
            raise ProfileError(msg)
    if profile.users.close + profile.users.demote >= 1:
        msg = "users.close and users.demote together leave no promotes"
        raise ProfileError(msg)
