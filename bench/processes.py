"""What the processes of a stage run: launcher and host, the floor's and the real ones."""

from dataclasses import replace
from multiprocessing.connection import Connection

from actors.launcher_process import LauncherSettings, run_launcher
from bench.floor import FloorLauncherSettings, run_floor_host, run_floor_launcher
from bench.places import HostPlace
from bench.sinks import SinksSettings, run_sinks
from host_sim.host_process import HostProcessSettings, run_host


def floor_launcher(settings: FloorLauncherSettings, life_line: int, pipe: Connection) -> int:
    """Run a floor launcher."""
    return run_floor_launcher(settings, life_line, lambda: pipe.send("ready"))


def floor_host(place: HostPlace, life_line: int, pipe: Connection) -> int:
    """Run a floor host."""
    return run_floor_host(place, life_line, lambda: pipe.send("ready"))


def muxsaga_launcher(settings: LauncherSettings, life_line: int, pipe: Connection) -> int:
    """Run a launcher."""
    return run_launcher(replace(settings, life_line=life_line), lambda: pipe.send("ready"))


def muxsaga_host(settings: HostProcessSettings, life_line: int, pipe: Connection) -> int:
    """Run a host."""
    return run_host(replace(settings, life_line=life_line), lambda: pipe.send("ready"))


def sinks(settings: SinksSettings, life_line: int, pipe: Connection) -> int:
    """Run sinks."""
    return run_sinks(settings, life_line, lambda: pipe.send("ready"))
