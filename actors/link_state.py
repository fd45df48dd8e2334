"""How a host's or service's link is, as one word and as a sentence; read from any thread."""

from enum import StrEnum

from actors.launcher_link import SILENT_INTERVALS, Peer
from transport.mirror import HostMirror


class LinkState(StrEnum):
    """How a peer's link is."""

    REGISTERED = "registered"
    SILENT = "silent"
    BLOCKED = "blocked"
    GONE = "gone"
    DISCONNECTED = "disconnected"
    LEFT = "left"
    UNSEEN = "unseen"


TROUBLED_FIRST = (
    LinkState.BLOCKED,
    LinkState.GONE,
    LinkState.SILENT,
    LinkState.DISCONNECTED,
    LinkState.UNSEEN,
    LinkState.REGISTERED,
    LinkState.LEFT,
)
"""In which order peers are shown where not all can be."""


def link_state(
    peer: Peer | None, mirror: HostMirror | None, *, now: int, heartbeat: int
) -> LinkState:
    """Give how a link is.

    Args:
        peer: its session; None if it has none.
        mirror: the host's windows; None for a service, or for a host that is not known.
        now: the loop's time, in nanoseconds.
        heartbeat: how often a peer is to be heard, in nanoseconds.
    """
    if mirror is not None and not mirror.live:
        return LinkState.LEFT
    if peer is None:
        return LinkState.UNSEEN
    if peer.connection is None or not peer.registered:
        return LinkState.DISCONNECTED
    if peer.gone:
        return LinkState.GONE
    if peer.blocked:
        return LinkState.BLOCKED
    silent = now - peer.heard > SILENT_INTERVALS * heartbeat
    return LinkState.SILENT if silent else LinkState.REGISTERED


def trouble_of(link: LinkState, who: str, heard_s: float | None) -> str | None:
    """Say what is wrong with a link, or None if nothing is.

    Args:
        link: how it is.
        who: what the peer is called.
        heard_s: how long ago it was heard, in seconds.
    """
    if link is LinkState.REGISTERED:
        return None
    said = _TROUBLES[link].format(who)
    return said if heard_s is None else f"{said}, last heard {heard_s:.1f} s ago"


_TROUBLES = {
    LinkState.SILENT: "{} is silent",
    LinkState.BLOCKED: "{} takes nothing: its connection is full",
    LinkState.GONE: "the connection of {} is gone",
    LinkState.DISCONNECTED: "{} is not connected",
    LinkState.LEFT: "{} has left",
    LinkState.UNSEEN: "{} did not register since this launcher started",
}
