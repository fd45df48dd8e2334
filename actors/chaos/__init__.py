"""Chaos: a system of real processes under faults that are planned from a seed, then judged."""

from actors.chaos.profile import ChaosProfile, read_profile
from actors.chaos.run import ChaosOutcome, run_chaos

__all__ = ["ChaosOutcome", "ChaosProfile", "read_profile", "run_chaos"]
