"""The options that say where a launcher keeps its saga log."""

from argparse import ArgumentParser, _ArgumentGroup
from pathlib import Path


def add_log(parser: ArgumentParser | _ArgumentGroup) -> None:
    """Add them."""
    parser.add_argument(
        "--log",
        type=Path,
        metavar="FILE",
        help="keep sagas and events in this file, so that they go on after the launcher's end "
        "(default: in memory)",
    )
    parser.add_argument(
        "--durability",
        choices=("process", "power"),
        default="process",
        help="what the log survives: kill -9, or a power cut too (default: %(default)s)",
    )
