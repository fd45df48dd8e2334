"""The parts of the launcher, and which files are whose."""

from enum import StrEnum

from bench.profiling.stacks import Frame


class Part(StrEnum):
    """A part of the launcher, as tables and flame graphs name it."""

    SOCKETS = "sockets"
    CODEC = "codec"
    LINK = "link"
    REDUCER = "reducer"
    STATE = "state"
    ACTORS = "actors"
    LOG = "log"
    PASSES = "passes"
    QUERIES = "queries"
    REST = "rest"


MEANING = {
    Part.SOCKETS: "ZeroMQ: poll, receive, send, publish",
    Part.CODEC: "MessagePack in and out, validation, blobs",
    Part.LINK: "sessions: registration, order of reports, steps that wait, acknowledgements",
    Part.REDUCER: "reports become events",
    Part.STATE: "events numbered and applied: recorder, state, mirror",
    Part.ACTORS: "dispatcher, coordinator, sagas, timers",
    Part.LOG: "rows and the commit",
    Part.PASSES: "the loop, the passes and the engine around all this",
    Part.QUERIES: "the query thread: replay, snapshot, status",
    Part.REST: "everything else",
}

_OWNERS = {
    "transport/zeromq/": Part.SOCKETS,
    "actors/launcher_sockets.py": Part.SOCKETS,
    "transport/codec": Part.CODEC,
    "transport/family.py": Part.CODEC,
    "transport/frame_fault.py": Part.CODEC,
    "transport/message": Part.CODEC,
    "actors/intake.py": Part.LINK,
    "actors/launcher_link.py": Part.LINK,
    "actors/link_state.py": Part.LINK,
    "actors/registration.py": Part.LINK,
    "actors/challenges.py": Part.LINK,
    "actors/step_queue.py": Part.LINK,
    "actors/reducer": Part.REDUCER,
    "actors/report_context.py": Part.REDUCER,
    "actors/window_reports.py": Part.REDUCER,
    "actors/recorder.py": Part.STATE,
    "actors/state.py": Part.STATE,
    "transport/mirror.py": Part.STATE,
    "transport/labels.py": Part.STATE,
    "actors/coordinator": Part.ACTORS,
    "actors/core.py": Part.ACTORS,
    "actors/dispatche": Part.ACTORS,
    "actors/mailbox": Part.ACTORS,
    "actors/pykka_internals.py": Part.ACTORS,
    "actors/refill_plan.py": Part.ACTORS,
    "actors/saga": Part.ACTORS,
    "actors/supervision/": Part.ACTORS,
    "actors/timers.py": Part.ACTORS,
    "actors/saga_log.py": Part.LOG,
    "actors/memory_saga_log.py": Part.LOG,
    "actors/sqlite_": Part.LOG,
    "actors/journal_trim.py": Part.LOG,
    "transport/event_stream/snapshot.py": Part.LOG,
    "actors/engine": Part.PASSES,
    "actors/launcher_loop.py": Part.PASSES,
    "actors/launcher_pass": Part.PASSES,
    "actors/launcher_process.py": Part.PASSES,
    "actors/pass_times.py": Part.PASSES,
    "transport/process_signals.py": Part.PASSES,
    "actors/query_thread.py": Part.QUERIES,
    "transport/event_stream/query_session.py": Part.QUERIES,
}
"""Beginnings of files' names; the longest that fits decides."""


def part_of_file(file: str) -> Part:
    """Give whose a file of the product is."""
    fitting = [beginning for beginning in _OWNERS if file.startswith(beginning)]
    return _OWNERS[max(fitting, key=len)] if fitting else Part.REST


def part_of(frames: tuple[Frame, ...]) -> Part:
    """Give whose work a stack is: that of the innermost function that is muxsaga's own.

    What a library does for a part is the part's.
    """
    for frame in reversed(frames):
        if frame.is_product:
            return part_of_file(frame.file)
    return Part.REST
