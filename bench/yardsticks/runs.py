"""One run of one yardstick: fresh processes, one closed loop, its figures."""

import tempfile
import time
from pathlib import Path

from bench.driver import Void
from bench.promote_ledger import VoidRunError
from bench.result import Run
from bench.scenario import ClosedArrivals
from bench.stage import START_SECONDS, Stage
from bench.yardsticks.catalogue import CATALOGUE
from bench.yardsticks.driver_process import DriverSettings, driver
from bench.yardsticks.yardstick import Site


def carry_out(name: str, arrivals: ClosedArrivals, run_seconds: float) -> Run:
    """Run a yardstick in processes of its own, and give the figures.

    Args:
        name: of the yardstick.
        arrivals: which promotes it makes.
        run_seconds: how long the driver may take, from its start to its last promote.

    Raises:
        VoidRunError: the run proves nothing; says why.
    """
    with tempfile.TemporaryDirectory(prefix="muxsaga-bench-") as directory, Stage() as stage:
        site = Site(Path(directory), arrivals.concurrency)
        CATALOGUE[name].load().start(stage, site)
        deadline = time.monotonic() + run_seconds
        settings = DriverSettings(name, site, arrivals, stage.pids, round(deadline * 1e9))
        pipe = stage.start("driver", driver, settings)
        outcome = stage.hear(pipe, deadline + START_SECONDS)
    if isinstance(outcome, Void):
        raise VoidRunError(outcome.reason)
    assert isinstance(outcome, Run)  # noqa: S101 - a driver says nothing else
    return outcome
