"""A whole system in one thread: launcher, hosts and observers under virtual time, from one seed."""

from actors.simulation.world import SimulationSettings, simulate

__all__ = ["SimulationSettings", "simulate"]
