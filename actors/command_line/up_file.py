"""The file of `muxsaga up`: what runs, where, and by which restart rules."""

import tomllib
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from actors.command_line.child_specs import (
    LAUNCHER,
    LAUNCHER_GRACE,
    PEER_GRACE,
    host_child,
    launcher_child,
    service_child,
)
from actors.command_line.command_error import CommandError
from actors.command_line.host_command import add_host, host_settings
from actors.command_line.launcher_command import add_launcher, launcher_settings
from actors.command_line.places import default_directory
from actors.command_line.service_command import add_service, service_settings
from actors.command_line.up_error import UpFileError, ValueProblem
from actors.command_line.up_options import CommandTable, place_arguments
from actors.command_line.up_values import Table
from actors.launcher_extension import load_launcher_extension
from actors.supervision.child_spec import (
    AutoShutdown,
    Backoff,
    ChildSpec,
    Intensity,
    Restart,
    Strategy,
    SupervisorSpec,
)
from actors.supervision.supervisor_errors import SpecError
from actors.supervision.supervisor_spec_check import check_supervisor_spec
from host_sim.extension import load_handlers
from transport.endpoints import private_directory

SILENCE_SECONDS = 10.0
"""After how long without a sign of life a process is killed, in seconds."""

INTENSITY = Intensity(restarts=5, period=60.0)
BACKOFF = Backoff(first=0.2, cap=10.0, healthy_after=30.0)


def read_up_file(file: Path) -> SupervisorSpec:
    """Give what a file says, checked: hosts and services first, the launcher last.

    Raises:
        UpFileError: the file cannot be read, or something in it is wrong; names it.
    """
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UpFileError(file, "", f"cannot be read: {reason}") from error
    except (ValueError, RecursionError) as error:
        raise UpFileError(file, "", f"is not TOML: {error}") from error
    return _UpFile(file, Table(values)).spec()


def runtime_directory_of(file: Path) -> Path:
    """Give the runtime directory of a file that is sound.

    Raises:
        EndpointError: it is not private.
    """
    values = tomllib.loads(file.read_text(encoding="utf-8"))
    named = values.get("runtime-directory")
    return private_directory(Path(named) if named is not None else default_directory())


class _UpFile:
    """One file, read from the top down."""

    def __init__(self, file: Path, top: Table) -> None:
        self._file = file
        self._top = top
        self._names: set[str] = set()
        with self._at(""):
            self._extensions = top.texts("extension")
            self._places = place_arguments(top)

    def spec(self) -> SupervisorSpec:
        """Give everything."""
        with self._at(""):
            rules, launcher = self._top.table("supervisor"), self._top.table("launcher")
            hosts, services = self._top.tables("host"), self._top.tables("service")
            self._top.end()
        children = [
            *self._children("host", hosts, CommandTable("host", add_host), _host),
            *self._children("service", services, CommandTable("service", add_service), _service),
        ]
        if launcher is not None:
            command = CommandTable("launcher", add_launcher)
            children.append(self._child("[launcher]", launcher, command, _launcher))
        with self._at("[supervisor]"):
            spec = _with_rules(rules or Table({}), tuple(children))
            if not children:
                msg = "there is nothing to run: add [launcher], [[host]] or [[service]]"
                raise UpFileError(self._file, "", msg)
            check_supervisor_spec(spec)
        return spec

    def _children(
        self,
        kind: str,
        tables: list[Table],
        command: CommandTable,
        make: Callable[[Namespace], ChildSpec],
    ) -> list[ChildSpec]:
        return [
            self._child(f"[[{kind}]] {number}", table, command, make)
            for number, table in enumerate(tables, start=1)
        ]

    def _child(
        self,
        where: str,
        table: Table,
        command: CommandTable,
        make: Callable[[Namespace], ChildSpec],
    ) -> ChildSpec:
        with self._at(where):
            options = command.read(table, self._extensions, self._places)
            child = _with_supervision(table, make(options))
            table.end()
            if child.name in self._names or (child.name == LAUNCHER and make is not _launcher):
                msg = f"id = {child.name!r} is taken: every process needs a name of its own"
                raise ValueProblem(msg)
            self._names.add(str(child.name))
            return child

    @contextmanager
    def _at(self, where: str) -> Iterator[None]:
        try:
            yield
        except UpFileError:
            raise
        except (CommandError, SpecError, ValueError) as error:
            what = str(error).removeprefix("--")
            raise UpFileError(self._file, where, what) from error


def _with_rules(table: Table, children: Sequence[ChildSpec]) -> SupervisorSpec:
    spec = SupervisorSpec(
        tuple(children),
        strategy=table.choice("strategy", Strategy, Strategy.ONE_FOR_ONE),
        intensity=Intensity(
            table.count("restarts", INTENSITY.restarts), table.period("period", INTENSITY.period)
        ),
        auto_shutdown=table.choice("auto-shutdown", AutoShutdown, AutoShutdown.NEVER),
        backoff=Backoff(
            first=table.seconds("backoff-first", BACKOFF.first),
            cap=table.seconds("backoff-cap", BACKOFF.cap),
            healthy_after=table.seconds("healthy-after", BACKOFF.healthy_after),
        ),
        shutdown_total=table.seconds_or_never("shutdown-total", None, "unlimited"),
    )
    table.end()
    return spec


def _with_supervision(table: Table, child: ChildSpec) -> ChildSpec:
    grace = LAUNCHER_GRACE if child.name == LAUNCHER else PEER_GRACE
    process = replace(
        child.start,
        ready_within=table.period("ready-within", child.start.ready_within),
        silence=table.seconds_or_never("silence", SILENCE_SECONDS, "unlimited"),
    )
    if process.silence is not None and process.silence < 2:  # noqa: PLR2004
        msg = f"silence = {process.silence:g} is wrong: loops beat once a second, give 2 or more"
        raise ValueProblem(msg)
    return replace(
        child,
        start=process,
        restart=table.choice("restart", Restart, Restart.PERMANENT),
        shutdown=table.seconds_or_never("shutdown", grace, "unlimited"),
        significant=table.flag("significant"),
    )


def _launcher(options: Namespace) -> ChildSpec:
    for module in options.extension:
        load_launcher_extension(module)
    return launcher_child(launcher_settings(options))


def _host(options: Namespace) -> ChildSpec:
    load_handlers(options.extension, "HOST")
    return host_child(host_settings(options))


def _service(options: Namespace) -> ChildSpec:
    settings = service_settings(options)
    if not load_handlers(options.extension, "SERVICE").extension.handlers:
        msg = f"id = {settings.service!r} has nothing to do: no extension exports a SERVICE"
        raise ValueProblem(msg)
    return service_child(settings)
