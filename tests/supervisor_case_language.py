"""The language of the OTP cases: one line says what is done and what must follow from it.

A case is a supervisor's spec and a history such as

    start: +a +b ready | crash a: +a | stop: -b -a ended:shutdown

Each part is an action and, after the colon, everything that happens because of it, in order:
`+a` ordered to start, `-a` ordered to stop, `!a` killed, `?a` a requested start refused, `~a`
given up, `ready` and `ended:REASON` of the root, the name of an error that the request raised.
What a supervisor under another says of itself is not listed: its parent's reaction shows it.

Actions: start, stop, kill; crash, exit, shut (ends with the reason "shutdown") CHILD; wait SECONDS;
terminate, restart, delete CHILD; add CHILD; and for the child's behaviour from then on: fail CHILD
TIMES, slowstart CHILD SECONDS, neverstart, hang (on stop), slowstop CHILD SECONDS, unkillable.
A child in a spec or behind `add` is NAME and options: `b:temporary`, `b:transient:significant`,
`b:shutdown=0`, `b:shutdown=none`, `b:budget=2/5`.
A child under another supervisor is `group/b`.

An adapter runs a case by doing what `Case.steps` gives; what it cannot do (a thread's start
cannot be slow) it skips by `Case.verbs`.
"""

from dataclasses import dataclass, replace

from actors.supervision.child_spec import (
    AutoShutdown,
    Backoff,
    ChildSpec,
    Intensity,
    Restart,
    Strategy,
    SupervisorSpec,
)

AT_ONCE = Backoff()
LATER = Backoff(first=1000.0, cap=1000.0)
"""A wait that no case outlives: with the seed in use, more than a minute."""


@dataclass(frozen=True)
class Step:
    """One action, and what must happen because of it."""

    verb: str
    path: tuple[str, ...]
    argument: str
    expected: tuple[str, ...]


@dataclass(frozen=True)
class Case:
    title: str
    spec: SupervisorSpec
    history: str

    @property
    def steps(self) -> tuple[Step, ...]:
        return tuple(_parse_step(part) for part in self.history.split("|"))

    @property
    def verbs(self) -> frozenset[str]:
        return frozenset(step.verb for step in self.steps)


def _parse_step(part: str) -> Step:
    action, _, expected = part.strip().partition(": ") if ": " in part else (part.strip(), "", "")
    verb, *words = action.removesuffix(":").split()
    target = words[0] if words else ""
    if verb in {"wait", "add"}:
        return Step(verb, (), target, tuple(expected.split()))
    argument = words[1] if words[1:] else ""
    return Step(verb, tuple(target.split("/")) if target else (), argument, tuple(expected.split()))


def child(text: str, *, start: object = None) -> ChildSpec:
    """The child that the text describes."""
    name, *options = text.split(":")
    spec = ChildSpec(name, start)
    for option in options:
        key, _, value = option.partition("=")
        match key:
            case "significant":
                spec = replace(spec, significant=True)
            case "shutdown":
                spec = replace(spec, shutdown=None if value == "none" else float(value))
            case "budget":
                spec = replace(spec, budget=intensity(value))
            case _:
                spec = replace(spec, restart=Restart(key))
    return spec


def intensity(text: str) -> Intensity:
    """`RESTARTS/SECONDS`."""
    restarts, period = text.split("/")
    return Intensity(int(restarts), float(period))


def supervisor(
    children: str,
    strategy: Strategy = Strategy.ONE_FOR_ONE,
    *,
    limit: str = "1/5",
    auto: AutoShutdown = AutoShutdown.NEVER,
    backoff: Backoff = AT_ONCE,
    total: float | None = None,
    under: dict[str, SupervisorSpec] | None = None,
) -> SupervisorSpec:
    """The supervisor of the described children; `under` says which of them are supervisors."""
    groups = under or {}
    return SupervisorSpec(
        children=tuple(
            child(each, start=groups.get(each.split(":", maxsplit=1)[0]))
            for each in children.split()
        ),
        strategy=strategy,
        intensity=intensity(limit),
        auto_shutdown=auto,
        backoff=backoff,
        shutdown_total=total,
    )
