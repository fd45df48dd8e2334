"""`muxsaga launcher`: the process that runs the sagas."""

from argparse import ArgumentTypeError, Namespace
from collections.abc import Callable
from dataclasses import replace

from actors.command_line.command_error import UsageError
from actors.command_line.crash_options import add_crashes, with_crashes
from actors.command_line.host_command import bind_errors
from actors.command_line.log_options import add_log
from actors.command_line.option_types import count_from, seconds
from actors.command_line.parsers import Subparsers, add_command, add_extension
from actors.command_line.places import add_launcher_binding, hold_places, launcher_binding
from actors.launcher_extension import load_launcher_extension, saga_kinds
from actors.launcher_process import LauncherSettings, run_launcher
from actors.supervision.process_spec import ParentLink

EXAMPLES = """\
examples:
  muxsaga launcher
  muxsaga launcher --runtime-directory /tmp/demo --timeout pool_refill=10
  muxsaga launcher --log sagas.sqlite --extension my_package.my_saga
  muxsaga launcher --tcp 127.0.0.1:7400 --insecure
  muxsaga launcher --tcp 0.0.0.0:7400 --key launcher.key --allow allow.toml
"""


def add_launcher(subparsers: Subparsers) -> None:
    """Add the command."""
    parser = add_command(subparsers, "launcher", "run the launcher", EXAMPLES, execute)
    add_launcher_binding(parser)
    parser.add_argument(
        "--heartbeat", type=seconds, default=1.0, metavar="SECONDS", help="default: %(default)g"
    )
    parser.add_argument(
        "--timeout",
        type=_timeout,
        action="append",
        default=[],
        metavar="NAME=SECONDS",
        help="how long sagas of this name may take; may be repeated",
    )
    parser.add_argument(
        "--journal-events",
        type=count_from(1, 10**9),
        default=200_000,
        metavar="N",
        help="how many events are kept for replay (default: %(default)s)",
    )
    add_log(parser)
    add_extension(parser)
    add_crashes(parser)


def execute(options: Namespace) -> int:
    """Run a launcher until it is told to stop."""
    settings = launcher_settings(options)
    return run_alone(settings, lambda: print("muxsaga launcher: ready", flush=True))  # noqa: T201


def launcher_settings(options: Namespace) -> LauncherSettings:
    """Give what a launcher is started with.

    Raises:
        UsageError: names the option and the remedy.
        ExtensionError: an extension cannot be loaded.
    """
    endpoints, keys = launcher_binding(options)
    settings = LauncherSettings(
        endpoints=endpoints,
        keys=keys,
        heartbeat=options.heartbeat,
        timeouts=_timeouts(options.timeout, options.extension),
        extensions=tuple(options.extension),
        journal_events=options.journal_events,
        log=options.log,
        durability=options.durability,
    )
    return with_crashes(settings, options)


def run_alone(settings: LauncherSettings, ready: Callable[[], None]) -> int:
    """Run a launcher as the only one at its endpoints, and give its exit status.

    Raises:
        EndpointError: another launcher is there; names it.
        CommandError: an endpoint cannot be bound; names it.
        ExtensionError: an extension cannot be loaded.
    """
    link = settings.endpoints.link
    with bind_errors(f"{link} and its neighbours") as note_ready, hold_places(settings.endpoints):

        def when_ready() -> None:
            note_ready()
            ready()

        return run_launcher(settings, when_ready)


def run_as_child(settings: LauncherSettings, parent: ParentLink) -> int:
    """Run a launcher that ends with its parent."""
    return run_alone(replace(settings, life_line=parent.life_line), parent.ready)


def _timeout(text: str) -> tuple[str, float]:
    name, equals, rest = text.partition("=")
    if not name or not equals:
        msg = f"{text!r} is no NAME=SECONDS"
        raise ArgumentTypeError(msg)
    return name, seconds(rest)


def _timeouts(given: list[tuple[str, float]], extensions: list[str]) -> dict[str, float]:
    if not given:
        return {}
    known = {kind.name for kind in saga_kinds(map(load_launcher_extension, extensions))}
    for name, _ in given:
        if name not in known:
            msg = f"--timeout: there is no saga {name!r}; there are {', '.join(sorted(known))}"
            raise UsageError(msg)
    return dict(given)
