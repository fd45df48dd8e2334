"""How long and how random the fuzz tests are: in the suite, and in a long run (`tests.fuzz`).

In the suite every test gives the same examples each time, so that a run that fails, fails again.
"""

import os

from hypothesis import HealthCheck, Phase, settings

SCALE_VARIABLE = "MUXSAGA_FUZZ_SCALE"
"""Set by a long run: how many times the suite's examples each test has, from random seeds."""

_SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]

_PHASES = (Phase.explicit, Phase.generate, Phase.shrink)

settings.register_profile(
    "muxsaga-suite",
    phases=_PHASES,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=_SLOW,
)
settings.register_profile(
    "muxsaga-long",
    phases=_PHASES,
    derandomize=False,
    deadline=None,
    database=None,
    print_blob=True,
    report_multiple_bugs=True,
    suppress_health_check=_SLOW,
)


def fuzzed(examples: int, *, steps: int = 50) -> settings:
    """Give the settings of a fuzz test.

    Args:
        examples: how many the suite tries.
        steps: how many rules one example of a state machine runs at most.
    """
    scale = int(os.environ.get(SCALE_VARIABLE, "0"))
    profile = settings.get_profile("muxsaga-long" if scale else "muxsaga-suite")
    return settings(
        parent=profile, max_examples=examples * max(1, scale), stateful_step_count=steps
    )
