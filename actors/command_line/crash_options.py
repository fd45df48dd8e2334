"""Options that make sagas and coordinator crash on purpose, and how much of it is borne."""

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from dataclasses import replace

from actors.command_line.option_types import count_from, seconds
from actors.launcher_process import LauncherSettings


def add_crashes(parser: ArgumentParser) -> None:
    """Add them."""
    group = parser.add_argument_group("crashes on purpose, for tests")
    group.add_argument(
        "--crash-sagas",
        type=_share,
        default=0.0,
        metavar="SHARE",
        help="sagas' actors crash at this share of their messages, such as 0.1",
    )
    group.add_argument(
        "--crash-coordinator",
        type=seconds,
        metavar="SECONDS",
        help="the coordinator crashes this often",
    )
    group.add_argument(
        "--crash-seed", type=count_from(0, 2**32), metavar="N", help="makes the crashes repeatable"
    )
    group.add_argument(
        "--engine-budget",
        type=count_from(1),
        default=3,
        metavar="N",
        help="so many crashes of the coordinator or reducer within a minute end the launcher "
        "(default: %(default)s)",
    )


def with_crashes(settings: LauncherSettings, options: Namespace) -> LauncherSettings:
    """Give the settings with what these options say."""
    return replace(
        settings,
        engine_budget=options.engine_budget,
        crash_sagas=options.crash_sagas,
        crash_coordinator=options.crash_coordinator,
        crash_seed=options.crash_seed,
    )


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        msg = f"{text!r} is no share from 0 to 1"
        raise ArgumentTypeError(msg)
    return value
