"""The launcher's process: what it is started with, and what it is made of."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import zmq

from actors.engine import Engine, EngineSettings
from actors.engine_keeper import EngineKeeper, MakeEngine
from actors.injected_crash import saga_crashes
from actors.intake import ReportKey
from actors.launcher_extension import LoadedExtension, known_types, load_launcher_extension
from actors.launcher_loop import LauncherLoop
from actors.launcher_sockets import LauncherSockets
from actors.memory_saga_log import MemorySagaLog
from actors.pass_times import PassTimes
from actors.query_thread import QueryThread
from actors.saga_log import SagaLog
from actors.sqlite_saga_log import Durability, SqliteSagaLog
from transport.codec import Codec
from transport.endpoints import Endpoints, is_tcp
from transport.garbage_collection import rare_collections
from transport.keys import Domain, ServerKeys
from transport.process_signals import StopSignals
from transport.zeromq.authenticator import Doorkeeper, authenticated, keys_at


@dataclass(frozen=True, slots=True)
class LauncherSettings:
    """What a launcher process is started with; plain values, so that it can cross a spawn.

    Attributes:
        endpoints: where it binds.
        keys: its keys on `tcp`, and who may connect; None for sockets without keys.
        heartbeat: seconds between heartbeats.
        timeouts: seconds by saga name, where they differ from the saga's own.
        extensions: names of extension modules.
        journal_events: how many events the journal keeps for replay.
        log: file of the saga log; None for one in memory, which ends with the process.
        durability: what a commit to the file survives.
        life_line: see `StopSignals`.
        engine_budget: how many crashes of the engine within a minute end the process.
        crash_sagas: how likely a saga's actor is to crash at a message, from 0 to 1; for tests.
        crash_coordinator: seconds between crashes of the coordinator; None for none; for tests.
        crash_seed: makes the crashes repeatable; None for chance.
        times: file to which the times of its passes are written when it ends, for
            `actors.pass_times.read_notes`; None for no such record.
    """

    endpoints: Endpoints
    keys: ServerKeys | None = None
    heartbeat: float = 1.0
    timeouts: dict[str, float] = field(default_factory=dict)
    extensions: tuple[str, ...] = ()
    journal_events: int = 200_000
    log: Path | None = None
    durability: Durability = "process"
    life_line: int | None = None
    engine_budget: int = 3
    crash_sagas: float = 0.0
    crash_coordinator: float | None = None
    crash_seed: int | None = None
    times: Path | None = None


def run_launcher(
    settings: LauncherSettings,
    ready: Callable[[], None] = lambda: None,
    *,
    make_log: "MakeLog | None" = None,
    make_context: Callable[[], zmq.Context[Any]] = zmq.Context,
) -> int:
    """Run a launcher until it is told to stop, and give its exit status.

    Args:
        settings: what it is started with.
        ready: called once, when its sockets are bound.
        make_log: opens the saga log; by default `open_log`.
        make_context: makes the ZeroMQ context of every socket.

    Raises:
        zmq.ZMQError: an endpoint cannot be bound.
        ExtensionError: an extension cannot be loaded.
        LogRefusedError: the log's file cannot be used.
        EndpointError: another launcher has the log.
        AllowListError: the allow list cannot be used.
    """
    doorkeeper = None if settings.keys is None else Doorkeeper(settings.keys)
    extensions = tuple(load_launcher_extension(name) for name in settings.extensions)
    engine_settings = _engine_settings(settings, extensions, doorkeeper)
    log = (make_log or open_log)(settings, Codec(known_types(extensions)))
    times = None if settings.times is None else PassTimes()
    if times is not None:
        engine_settings = replace(engine_settings, make_dispatcher=times.dispatcher)
    try:
        keeper = EngineKeeper(_engine_maker(log, engine_settings), settings.engine_budget)
        with (
            StopSignals(settings.life_line) as signals,
            make_context() as context,
            authenticated(context, doorkeeper),
        ):
            loop = LauncherLoop(
                keeper,
                log if times is None else times.log(log),
                signals=signals,
                context=context,
                endpoints=settings.endpoints,
                doorkeeper=doorkeeper,
                crash_coordinator=settings.crash_coordinator,
                make_sockets=LauncherSockets if times is None else times.sockets,
            )
            keys = keys_at(doorkeeper, Domain.QUERY)
            query = QueryThread(context, settings.endpoints.query, log.reader(), loop, keys=keys)
            query.start()
            try:
                ready()
                with rare_collections():
                    return loop.run()
            finally:
                query.stop()
                loop.close()
                if times is not None and settings.times is not None:
                    times.write(settings.times)
    finally:
        if isinstance(log, SqliteSagaLog):
            log.close()


def _engine_maker(log: SagaLog, settings: EngineSettings) -> MakeEngine:
    """Give what makes an engine from what the log has, at start and after a crash."""
    epoch = secrets.token_hex(16)

    def make(poisonous: frozenset[ReportKey]) -> Engine:
        now = time.monotonic_ns()
        return Engine(
            settings,
            contents=log.load(),
            epoch=epoch,
            now=now,
            wall_offset=time.time_ns() - now,
            poisonous=poisonous,
        )

    return make


def _engine_settings(
    settings: LauncherSettings,
    extensions: tuple[LoadedExtension, ...],
    doorkeeper: Doorkeeper | None,
) -> EngineSettings:
    link_has_keys = is_tcp(settings.endpoints.link)
    return EngineSettings(
        settings.heartbeat,
        settings.timeouts,
        extensions,
        before_saga_turn=saga_crashes(settings.crash_sagas, settings.crash_seed),
        allowed=doorkeeper.allowed if doorkeeper is not None and link_has_keys else None,
    )


def open_log(settings: LauncherSettings, codec: Codec) -> SagaLog:
    """Give the saga log that the settings ask for.

    Raises:
        LogRefusedError: its file cannot be used.
        EndpointError: another launcher has it.
    """
    log_id, keep = secrets.token_hex(16), settings.journal_events
    if settings.log is None:
        return MemorySagaLog(log_id, journal_events=keep, codec=codec, wall=time.time_ns)
    return SqliteSagaLog(
        settings.log,
        new_log_id=log_id,
        durability=settings.durability,
        journal_events=keep,
        codec=codec,
        wall=time.time_ns,
    )


MakeLog = Callable[[LauncherSettings, Codec], SagaLog]
"""Opens a saga log, as the settings ask for, for the message types that a codec knows."""
