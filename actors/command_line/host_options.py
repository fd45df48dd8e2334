"""The options that say how a host behaves: those of `muxsaga host`, and of every host of a run."""

from argparse import ArgumentParser, Namespace, _ArgumentGroup
from collections import Counter

from actors.command_line.command_error import UsageError
from actors.command_line.option_types import count_from, fault
from host_sim.faults import Fault, FaultError, FaultScript
from host_sim.spawn_time import DEFAULT_SPAWN_TIME, SpawnTimeError, parse_spawn_time


def add_host_behaviour(
    parser: ArgumentParser | _ArgumentGroup, *, pool_target: int | None, pool_target_help: str
) -> None:
    """Add them; `pool_target` is the default, None to tell whether one was given."""
    parser.add_argument(
        "--pool-target",
        type=count_from(0),
        default=pool_target,
        metavar="N",
        help=f"ready windows in the pool ({pool_target_help})",
    )
    parser.add_argument(
        "--spawn-time",
        default=DEFAULT_SPAWN_TIME,
        metavar="TIME",
        help="how long a window takes to be made: 0, 200ms, 150ms-300ms or "
        "normal:MEAN,DEVIATION (default: %(default)s)",
    )
    parser.add_argument(
        "--seed", type=count_from(0, 2**63 - 1), metavar="N", help="makes those times repeatable"
    )
    parser.add_argument(
        "--fault",
        type=fault,
        action="append",
        default=[],
        metavar="NAME[:COUNT]",
        help=f"misbehave, COUNT times (default: 1); may be repeated; {', '.join(Fault)}",
    )


def check_host_behaviour(options: Namespace) -> None:
    """Refuse a time or a fault that does not exist.

    Raises:
        UsageError: names the option and what there is.
    """
    try:
        parse_spawn_time(options.spawn_time)
    except SpawnTimeError as error:
        msg = f"--spawn-time: {error}"
        raise UsageError(msg) from error
    try:
        FaultScript(faults_of(options))
    except FaultError as error:
        msg = f"--fault: {error}"
        raise UsageError(msg) from error


def faults_of(options: Namespace) -> dict[str, int]:
    """Give how often each fault is to happen."""
    counts: Counter[str] = Counter()
    for name, count in options.fault:
        counts[name] += count
    return dict(counts)
