import random
from dataclasses import replace

import pytest

from actors.supervision.child_spec import (
    AutoShutdown,
    Backoff,
    ChildSpec,
    Intensity,
    Restart,
    SupervisorSpec,
)
from actors.supervision.supervisor import Supervisor
from actors.supervision.supervisor_errors import SpecError

A = ChildSpec("a", None)
ENDS = ChildSpec("a", None, restart=Restart.TRANSIENT, significant=True)

BAD_SPECS = {
    "two children of one name": SupervisorSpec((A, A)),
    "significant and permanent": SupervisorSpec(
        (replace(ENDS, restart=Restart.PERMANENT),), auto_shutdown=AutoShutdown.ANY_SIGNIFICANT
    ),
    "significant without auto-shutdown": SupervisorSpec((ENDS,)),
    "a negative shutdown": SupervisorSpec((replace(A, shutdown=-1),)),
    "a shutdown that is no number": SupervisorSpec((replace(A, shutdown=float("nan")),)),
    "an endless shutdown": SupervisorSpec((replace(A, shutdown=float("inf")),)),
    "a negative intensity": SupervisorSpec(intensity=Intensity(-1, 5)),
    "a period of 0": SupervisorSpec(intensity=Intensity(1, 0)),
    "a negative budget": SupervisorSpec((replace(A, budget=Intensity(-1, 5)),)),
    "a negative backoff": SupervisorSpec(backoff=Backoff(first=-1)),
    "a negative cap": SupervisorSpec(backoff=Backoff(cap=-1)),
    "a negative healthy time": SupervisorSpec(backoff=Backoff(healthy_after=-1)),
    "a negative time in total": SupervisorSpec(shutdown_total=-1),
    "a bad spec under it": SupervisorSpec((replace(A, start=SupervisorSpec((A, A))),)),
}


@pytest.mark.parametrize("spec", BAD_SPECS.values(), ids=BAD_SPECS.keys())
def test_a_supervisor_refuses_a_bad_spec(spec: SupervisorSpec) -> None:
    with pytest.raises(SpecError):
        Supervisor(spec, generator=random.Random(0))


def test_a_supervisor_refuses_to_add_a_child_with_a_bad_spec() -> None:
    supervisor = Supervisor(SupervisorSpec(), generator=random.Random(0))
    supervisor.start(0)
    with pytest.raises(SpecError, match=r"'a' is significant, but .* never"):
        supervisor.start_child(ENDS, 0)
    assert supervisor.which_children() == []
