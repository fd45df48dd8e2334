"""`muxsaga host`: the process that owns windows."""

import contextlib
from argparse import Namespace
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import zmq

from actors.command_line.command_error import CommandError, UsageError
from actors.command_line.host_options import add_host_behaviour, check_host_behaviour, faults_of
from actors.command_line.key_options import ALLOW, add_partner
from actors.command_line.option_types import host_id, seconds
from actors.command_line.parsers import Subparsers, add_command, add_extension
from actors.command_line.places import add_launcher_place, host_place
from actors.supervision.process_spec import ParentLink
from host_sim.host_process import HostProcessSettings, run_host

EXAMPLES = """\
examples:
  muxsaga host
  muxsaga host --host-id left --pool-target 4 --spawn-time 150ms-300ms
  muxsaga host --fault creation_failed:2 --history host.jsonl
  muxsaga host --host-id left --tcp 192.0.2.7:7400 --key left.key --launcher-key launcher.key.pub
"""


def add_host(subparsers: Subparsers) -> None:
    """Add the command."""
    parser = add_command(subparsers, "host", "run a host", EXAMPLES, execute)
    parser.add_argument(
        "--host-id", type=host_id, default="host-1", metavar="ID", help="default: %(default)s"
    )
    add_host_behaviour(parser, pool_target=2, pool_target_help="default: 2")
    parser.add_argument(
        "--heartbeat", type=seconds, default=1.0, metavar="SECONDS", help="default: %(default)g"
    )
    parser.add_argument(
        "--history", type=Path, metavar="FILE", help="add what it really does, as JSON lines"
    )
    add_extension(parser)
    place = add_launcher_place(parser)
    place.add_argument("--control", metavar="ENDPOINT", help="its own socket for user actions")
    add_partner(place, ALLOW)


def execute(options: Namespace) -> int:
    """Run a host until it is told to stop, or a later one of the same id takes its place."""
    settings = host_settings(options)
    name = f"muxsaga host {settings.host}"
    return start_host(settings, lambda: print(f"{name}: ready", flush=True))  # noqa: T201


def host_settings(options: Namespace) -> HostProcessSettings:
    """Give what a host is started with.

    Raises:
        UsageError: names the option and the remedy.
    """
    check_host_behaviour(options)
    check_history(options.history)
    place = host_place(options, options.host_id)
    return HostProcessSettings(
        host=options.host_id,
        endpoints=place.endpoints,
        control=place.control,
        control_keys=place.control_keys,
        pool_target=options.pool_target,
        spawn_time=options.spawn_time,
        heartbeat=options.heartbeat,
        seed=options.seed,
        faults=faults_of(options),
        extensions=tuple(options.extension),
        history=options.history,
    )


def start_host(settings: HostProcessSettings, ready: Callable[[], None]) -> int:
    """Run a host, and give its exit status.

    Raises:
        CommandError: its control socket cannot be bound; names it.
        EndpointError: another process has it; names that one.
        HostExtensionError: an extension cannot be used.
    """
    with bind_errors(settings.control) as note_ready:

        def when_ready() -> None:
            note_ready()
            ready()

        return run_host(settings, when_ready)


def run_as_child(settings: HostProcessSettings, parent: ParentLink) -> int:
    """Run a host that ends with its parent."""
    return start_host(replace(settings, life_line=parent.life_line), parent.ready)


@contextlib.contextmanager
def bind_errors(endpoint: str) -> Iterator[Callable[[], None]]:
    """Turn errors of binding into one that names the endpoint, until the function is called.

    Raises:
        CommandError: a socket could not be bound.
    """
    is_ready = False

    def note_ready() -> None:
        nonlocal is_ready
        is_ready = True

    try:
        yield note_ready
    except (zmq.ZMQError, OSError) as error:
        if is_ready:
            raise
        msg = f"cannot bind {endpoint}: {error}; stop what is there, or choose another place"
        raise CommandError(msg) from error


def check_history(path: Path | None) -> None:
    """Refuse a history file that cannot be written.

    Raises:
        UsageError: names it, and why.
    """
    if path is None:
        return
    try:
        path.open("ab").close()
    except OSError as error:
        msg = f"--history {path}: {error.strerror}: choose a file that you can write"
        raise UsageError(msg) from error
