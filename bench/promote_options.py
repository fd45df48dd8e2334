"""The options of `python -m bench promotes`."""

import os
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any, get_args

from bench.option_types import number
from bench.result import Cpus, Transport
from bench.scenario import (
    MOST_PROMOTES,
    ClosedArrivals,
    Ground,
    OpenArrivals,
    Scenario,
    Variant,
    on_ground,
)
from host_sim.spawn_time import SpawnTimeError, parse_spawn_time

TRANSPORTS: tuple[Transport, ...] = get_args(Transport)
CPUS: tuple[Cpus, ...] = get_args(Cpus)
MOST_CONCURRENCY = 512
"""So many answers surely fit into the queue of a host's control socket."""

MOST_HOSTS = 4
MOST_OBSERVERS = 64
MOST_IN_FLIGHT = 100_000
LONGEST_SECONDS = 3600.0
FASTEST = 100_000.0
FIRST_RATE = 250.0
"""Promotes a second: the most that can be offered, and where a sweep begins."""


EPILOG = """\
examples:
  python -m bench promotes
      closed loops of 1, 8, 64 and 512 promotes in flight, five runs of each variant in turn
  python -m bench promotes --concurrency 64 --variants memory,process,power --output log.json
      what the log in a file costs; the document is for 'compare' and 'plot'
  python -m bench promotes --concurrency 64 --variants process --in-flight 10,100000
      the same load beside ten open sagas and beside 100,000, and the memory of each
  python -m bench promotes --arrivals poisson --sweep --variants floor,process
      open loop: rates up to the knee, then five runs of each at half of it
  python -m bench promotes --arrivals constant --rates 500,1000 --transport ipc,curve
      latency at two fixed rates, over two kinds of link
  python -m bench promotes --concurrency 1,64 --variants process --breakdown
      where a promote's time goes
  python -m bench promotes --concurrency 1 --cpus shared,apart --variants floor,process
      what it gives to let the launcher have a CPU to itself
  python -m bench promotes --concurrency 64 --repeats 1 --promotes 500 --json
      a quick look, as JSON

Options that take lists, with commas between, are combined: every variant on every ground under
every load. Each run has processes of its own: a launcher, the hosts, and a driver that observes.
Windows become ready at once, and stay open. "floor" only sends the eleven messages of a promote,
one bare frame each, over the same kinds of socket; "memory" is a launcher with its log in memory,
"process" one with its log in a file that survives kill -9, "power" one whose file survives a power
cut too.

In a closed loop a latency runs from the moment the host takes the window out of its pool, in an
open loop from the moment the promote was due, until the driver has the decoded SagaCompleted. Every
event of every run is judged: a run with a lost, doubled, failed, crossed or cold promote is void,
and ends the command with status 1.
"""


def add_options(parser: ArgumentParser) -> None:
    """Add the options."""
    parser.description = "Measure concurrent promotes, beside a floor that only sends the messages."
    parser.epilog = EPILOG
    load = parser.add_argument_group("load")
    load.add_argument(
        "--arrivals",
        choices=["closed", "constant", "poisson"],
        default="closed",
        help="what starts a promote: the completion of another (default), or the clock",
    )
    load.add_argument(
        "--concurrency",
        type=_list(number(1, MOST_CONCURRENCY)),
        default=[1, 8, 64, 512],
        metavar="LIST",
        help=f"closed loop: how many in flight, at most {MOST_CONCURRENCY} (default 1,8,64,512)",
    )
    load.add_argument(
        "--promotes",
        type=number(1, MOST_PROMOTES),
        default=4000,
        metavar="N",
        help="closed loop: measured in each run (default 4000)",
    )
    load.add_argument(
        "--rates",
        type=_list(_rate),
        metavar="LIST",
        help="open loop: promotes due a second; with --sweep, the first one (default 250)",
    )
    load.add_argument(
        "--sweep",
        action="store_true",
        help="open loop: raise the rate until it is not served, then measure at half of the knee",
    )
    load.add_argument(
        "--seconds",
        type=_seconds,
        default=5.0,
        help="open loop: how long each run is measured (default 5)",
    )
    load.add_argument(
        "--seed", type=number(0, 2**31), default=1, help="of Poisson arrivals (default 1)"
    )
    _add_ground(parser)
    runs = parser.add_argument_group("runs")
    runs.add_argument(
        "--repeats",
        type=number(1, 1000),
        default=5,
        metavar="N",
        help="runs of each variant, in turn (default 5)",
    )
    runs.add_argument(
        "--run-seconds",
        type=_seconds,
        default=300.0,
        metavar="SECONDS",
        help="longest run (default 300)",
    )
    runs.add_argument(
        "--breakdown",
        action="store_true",
        help="have the launcher note its times, which costs some, and say where the time goes, the "
        "making of windows included",
    )
    runs.add_argument("--json", action="store_true", help="print the JSON document")
    runs.add_argument("--output", type=Path, metavar="FILE", help="write the JSON document there")


def _add_ground(parser: ArgumentParser) -> None:
    ground = parser.add_argument_group("ground")
    ground.add_argument(
        "--variants",
        type=_list(_one_of(*Variant)),
        default=["floor", "memory", "process"],
        metavar="LIST",
        help="floor,memory,process,power (default: all but power)",
    )
    ground.add_argument(
        "--transport",
        type=_list(_one_of(*TRANSPORTS)),
        default=["ipc"],
        metavar="LIST",
        help="ipc,tcp,curve: tcp is without keys, curve with keys of the run's own (default ipc)",
    )
    ground.add_argument(
        "--hosts",
        type=_list(number(1, MOST_HOSTS)),
        default=[1],
        metavar="LIST",
        help=f"over how many hosts, at most {MOST_HOSTS} (default 1)",
    )
    ground.add_argument(
        "--observers",
        type=_list(number(1, MOST_OBSERVERS)),
        default=[1],
        metavar="LIST",
        help=f"at most {MOST_OBSERVERS}; one decodes, the others only receive (default 1)",
    )
    ground.add_argument(
        "--in-flight",
        type=_list(number(0, MOST_IN_FLIGHT)),
        default=[0],
        metavar="LIST",
        help=f"sagas that are open all the time, at most {MOST_IN_FLIGHT:,} (default 0)",
    )
    ground.add_argument(
        "--spawn-time",
        type=_spawn_time,
        default="0",
        metavar="TIME",
        help="until a window is ready: 0 (default), 200ms, normal:200ms,30ms, ...",
    )
    ground.add_argument(
        "--cpus",
        type=_list(_one_of(*CPUS)),
        default=["shared"],
        metavar="LIST",
        help="shared,apart: all processes on all CPUs, or the launcher on the first one and the "
        "others on the rest, the floor's likewise (default shared)",
    )


def check_options(options: Namespace) -> str | None:
    """Give what is wrong with options that are right each by itself; None if nothing is."""
    if "apart" in options.cpus and len(os.sched_getaffinity(0)) == 1:
        return "--cpus apart needs two CPUs, and this process may use one"
    if options.breakdown and any(options.in_flight):
        return "--breakdown is without --in-flight: a launcher with open sagas does not end at once"
    if options.arrivals == "closed":
        wrong = [name for name in ("rates", "sweep") if getattr(options, name)]
        return f"--{wrong[0]} is for --arrivals constant or poisson" if wrong else None
    if not options.rates and not options.sweep:
        return f"--arrivals {options.arrivals} needs --rates or --sweep"
    return None


def grounds(options: Namespace) -> list[Ground]:
    """Give every ground that the options ask for."""
    return [
        Ground(transport, hosts, observers, in_flight, options.spawn_time, cpus)
        for transport, hosts, observers, in_flight, cpus in product(
            options.transport, options.hosts, options.observers, options.in_flight, options.cpus
        )
    ]


def scenarios(options: Namespace, arrivals: ClosedArrivals | OpenArrivals) -> list[Scenario]:
    """Give every variant on every ground, each once, under one load."""
    combined = product(grounds(options), map(Variant, options.variants))
    return list(
        dict.fromkeys(
            Scenario(
                variant,
                arrivals,
                on_ground(variant, ground),
                breakdown=options.breakdown and variant is not Variant.FLOOR,
            )
            for ground, variant in combined
        )
    )


def closed_loads(options: Namespace) -> list[ClosedArrivals]:
    """Give the closed loops that the options ask for."""
    return [ClosedArrivals(each, options.promotes) for each in options.concurrency]


def open_loads(options: Namespace) -> list[OpenArrivals]:
    """Give the open loops that the options ask for; for a sweep, its first."""
    return [
        OpenArrivals(options.arrivals, rate, options.seconds, options.seed)
        for rate in options.rates or [FIRST_RATE]
    ]


def _list(read: Callable[[str], Any]) -> Callable[[str], list[Any]]:
    def read_list(text: str) -> list[Any]:
        values = [read(each) for each in text.split(",")]
        for value in values:
            if values.count(value) > 1:
                msg = f"{value!r} is there twice in {text!r}"
                raise ArgumentTypeError(msg)
        return values

    return read_list


def _one_of(*known: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in known:
            msg = f"{text!r} is none of {', '.join(known)}"
            raise ArgumentTypeError(msg)
        return text

    return read


def _amount(text: str, unit: str, most: float) -> float:
    try:
        amount = float(text)
    except ValueError:
        amount = 0.0
    if not 0 < amount <= most:
        msg = f"{text!r} is no number of {unit} above 0, at most {most:,.0f}"
        raise ArgumentTypeError(msg)
    return amount


def _rate(text: str) -> float:
    return _amount(text, "promotes a second", FASTEST)


def _seconds(text: str) -> float:
    return _amount(text, "seconds", LONGEST_SECONDS)


def _spawn_time(text: str) -> str:
    try:
        parse_spawn_time(text)
    except SpawnTimeError as error:
        raise ArgumentTypeError(str(error)) from error
    return text
