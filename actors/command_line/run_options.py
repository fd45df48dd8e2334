"""The options of `muxsaga run`, and the plan that they mean."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from actors.command_line.crash_options import add_crashes
from actors.command_line.host_command import check_history
from actors.command_line.host_options import add_host_behaviour, check_host_behaviour
from actors.command_line.key_options import add_insecure
from actors.command_line.log_options import add_log
from actors.command_line.option_types import count_from, rate, seconds
from actors.command_line.parsers import add_extension
from actors.command_line.promote_driver import RunPlan

GENEROUS_SECONDS = 300.0
"""How long a run may take at least, and a second more for each promote."""


def add_run_options(parser: ArgumentParser) -> None:
    """Add them."""
    what = parser.add_argument_group("what is run")
    what.add_argument(
        "--hosts", type=count_from(1, 64), default=2, metavar="N", help="default: %(default)s"
    )
    what.add_argument(
        "--promotes", type=count_from(0), default=20, metavar="N", help="default: %(default)s"
    )
    pace = what.add_mutually_exclusive_group()
    pace.add_argument(
        "--concurrency",
        type=count_from(1, 100_000),
        default=4,
        metavar="C",
        help="promotes open at once, in all; on one host at most C / hosts rounded up "
        "(default: %(default)s)",
    )
    pace.add_argument(
        "--rate", type=rate, metavar="R", help="promotes a second at fixed times, instead"
    )
    add_host_behaviour(
        what, pool_target=None, pool_target_help="default: max(2, C / hosts rounded up)"
    )
    _add_verdict(parser)
    where = parser.add_argument_group("where it runs")
    where.add_argument(
        "--runtime-directory",
        type=Path,
        metavar="DIR",
        help="private directory of the Unix sockets (default: a new one, removed at the end)",
    )
    where.add_argument(
        "--tcp",
        metavar="HOST:PORT",
        help="the launcher on three TCP ports from PORT, loopback only; needs --insecure",
    )
    add_log(where)
    add_insecure(where)
    add_extension(parser)
    add_crashes(parser)


def _add_verdict(parser: ArgumentParser) -> None:
    out = parser.add_argument_group("what comes out")
    out.add_argument(
        "--history", type=Path, metavar="FILE", help="write the history there, as JSON lines"
    )
    out.add_argument(
        "--json", action="store_true", help="print one JSON document instead of the summary"
    )
    out.add_argument("--allow-cold", action="store_true", help="cold promotes are no fault")
    out.add_argument(
        "--timeout",
        type=seconds,
        metavar="SECONDS",
        help=f"give up after this (default: {GENEROUS_SECONDS:g}, and 1 a promote)",
    )


def check_run_options(options: Namespace) -> None:
    """Refuse what cannot work, before anything is started; fill in what depends on other options.

    Raises:
        UsageError: names the option and the remedy.
    """
    check_host_behaviour(options)
    if options.timeout is None:
        options.timeout = GENEROUS_SECONDS + options.promotes
    if options.pool_target is None:
        per_host = plan_of(options).concurrency_per_host
        options.pool_target = max(2, per_host)
    check_history(options.history)


def plan_of(options: Namespace) -> RunPlan:
    """Give the plan that the options mean."""
    return RunPlan(
        hosts=tuple(f"host-{number}" for number in range(1, options.hosts + 1)),
        promotes=options.promotes,
        concurrency=options.concurrency,
        rate=options.rate,
    )
