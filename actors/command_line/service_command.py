"""`muxsaga service`: the process that takes an extension's commands to `SRV`."""

from argparse import Namespace
from dataclasses import replace
from pathlib import Path

from actors.command_line.command_error import UsageError
from actors.command_line.host_command import check_history
from actors.command_line.option_types import host_id, seconds
from actors.command_line.parsers import Subparsers, add_command, add_extension
from actors.command_line.places import add_launcher_place, launcher_endpoints
from actors.supervision.process_spec import ParentLink
from host_sim.service_process import ServiceProcessSettings, run_service

EXAMPLES = """\
examples:
  muxsaga service --extension my_package.my_saga
"""


def add_service(subparsers: Subparsers) -> None:
    """Add the command."""
    summary = "run the service of an extension"
    parser = add_command(subparsers, "service", summary, EXAMPLES, execute)
    parser.add_argument(
        "--service-id", type=host_id, default="service", metavar="ID", help="default: %(default)s"
    )
    parser.add_argument(
        "--heartbeat", type=seconds, default=1.0, metavar="SECONDS", help="default: %(default)g"
    )
    parser.add_argument(
        "--history", type=Path, metavar="FILE", help="add what it really does, as JSON lines"
    )
    add_extension(parser)
    add_launcher_place(parser)


def run_as_child(settings: ServiceProcessSettings, parent: ParentLink) -> int:
    """Run a service that ends with its parent."""
    return run_service(replace(settings, life_line=parent.life_line), parent.ready)


def execute(options: Namespace) -> int:
    """Run a service until it is told to stop."""
    settings = service_settings(options)
    name = f"muxsaga service {settings.service}"
    return run_service(settings, lambda: print(f"{name}: ready", flush=True))  # noqa: T201


def service_settings(options: Namespace) -> ServiceProcessSettings:
    """Give what a service is started with.

    Raises:
        UsageError: names the option and the remedy.
    """
    if not options.extension:
        msg = "service needs --extension MODULE: a module that exports SERVICE"
        raise UsageError(msg)
    check_history(options.history)
    return ServiceProcessSettings(
        service=options.service_id,
        endpoints=launcher_endpoints(options),
        extensions=tuple(options.extension),
        heartbeat=options.heartbeat,
        history=options.history,
    )
