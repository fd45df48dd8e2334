"""A whole system in one thread: launcher, hosts and observers under virtual time, from one seed."""

from actors.simulation.profile import Profile, read_profile
from actors.simulation.run import Run, run_seed

__all__ = ["Profile", "Run", "read_profile", "run_seed"]
