"""Refuses specs that contradict themselves, before anything is started."""

import math

from actors.supervision.child_spec import (
    AutoShutdown,
    ChildSpec,
    Intensity,
    Restart,
    SupervisorSpec,
)
from actors.supervision.supervisor_errors import SpecError


def check_supervisor_spec(spec: SupervisorSpec) -> None:
    """Raise `SpecError` if the spec, or one of a supervisor under it, contradicts itself."""
    _check_intensity(spec.intensity, "the supervisor's intensity")
    for attribute in ("first", "cap", "healthy_after"):
        _check_seconds(getattr(spec.backoff, attribute), f"backoff.{attribute}")
    if spec.shutdown_total is not None:
        _check_seconds(spec.shutdown_total, "shutdown_total")
    names = set()
    for child in spec.children:
        check_child_spec(child, spec.auto_shutdown)
        if child.name in names:
            message = f"two children are named {child.name!r}"
            raise SpecError(message)
        names.add(child.name)


def check_child_spec(spec: ChildSpec, auto_shutdown: AutoShutdown) -> None:
    """Raise `SpecError` if the spec cannot be a child of a supervisor with that auto-shutdown."""
    of_child = f"of child {spec.name!r}"
    if spec.shutdown is not None:
        _check_seconds(spec.shutdown, f"shutdown {of_child}")
    if spec.budget is not None:
        _check_intensity(spec.budget, f"the budget {of_child}")
    if spec.significant and spec.restart is Restart.PERMANENT:
        message = f"child {spec.name!r} is permanent: it never ends, and cannot be significant"
        raise SpecError(message)
    if spec.significant and auto_shutdown is AutoShutdown.NEVER:
        message = f"child {spec.name!r} is significant, but the supervisor's auto_shutdown is never"
        raise SpecError(message)
    if isinstance(spec.start, SupervisorSpec):
        check_supervisor_spec(spec.start)


def _check_intensity(intensity: Intensity, what: str) -> None:
    if intensity.restarts < 0:
        message = f"{what} must allow 0 restarts or more, not {intensity.restarts}"
        raise SpecError(message)
    if not (math.isfinite(intensity.period) and intensity.period > 0):
        message = f"{what} must have a period of more than 0 seconds, not {intensity.period}"
        raise SpecError(message)


def _check_seconds(seconds: float, what: str) -> None:
    if not (math.isfinite(seconds) and seconds >= 0):
        message = f"{what} must be 0 seconds or more, not {seconds}"
        raise SpecError(message)
