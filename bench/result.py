"""The JSON document that a benchmark leaves, and its reader and writer.

A document has the environment and any number of series. A series is one variant under one load;
its runs are repeats of the same measurement, each in fresh processes. Times are in microseconds or
seconds, as their names say; histograms hold nanoseconds.
"""

from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

SCHEMA: Final = 3
"""Rises when the document changes its form."""

Benchmark = Literal["promotes", "yardsticks"]
Arrivals = Literal["closed", "constant", "poisson"]
Transport = Literal["ipc", "tcp", "curve"]
Cpus = Literal["shared", "apart"]

Count = Annotated[int, Meta(ge=0)]
Positive = Annotated[int, Meta(ge=1)]
Amount = Annotated[float, Meta(ge=0)]
LoadAverages = tuple[float, float, float]


class ResultError(ValueError):
    """A file is no benchmark's document of this schema; names the file and the remedy."""


class CommitCost(Struct, frozen=True, kw_only=True):
    """Median of small SQLite commits in WAL mode, in the directory where logs go."""

    normal_us: Amount
    full_us: Amount


class Environment(Struct, frozen=True, kw_only=True):
    """What a benchmark ran on: without it, a figure means nothing.

    Attributes:
        began: when, as ISO 8601 in UTC.
        cores: how many this process may run on.
        libraries: versions by name.
        revision: of the repository; with `-dirty` where files differ from it or are not in it.
        compiled: the launcher's modules were machine code; see `MUXSAGA_COMPILE` in setup.py.
        load_before, load_after: averages of the last 1, 5 and 15 minutes.
        calibration_before, calibration_after: rounds a second of a fixed piece of Python work.
        command: the arguments of `python -m bench`.
    """

    began: str
    cpu: str
    cores: Positive
    kernel: str
    python: str
    libraries: dict[str, str]
    revision: str
    load_before: LoadAverages
    load_after: LoadAverages
    calibration_before: Amount
    calibration_after: Amount
    commit: CommitCost
    command: list[str] = []
    compiled: bool = False

    @property
    def code(self) -> str:
        """What the launcher's modules were, in a word."""
        return "compiled" if self.compiled else "interpreted"


class Latency(Struct, frozen=True, kw_only=True):
    """A run's latencies in microseconds, of all its measured promotes."""

    p50: Amount
    p90: Amount
    p99: Amount
    p99_9: Amount
    max: Amount
    mean: Amount


class Moment(Struct, frozen=True, kw_only=True):
    """A stretch of a run: the promotes that completed in it.

    Attributes:
        at_s: when it begins, in seconds from the beginning of the measured part.
        p50_us, p99_us: their latency; 0 where none completed.
    """

    at_s: Amount
    completed: Count
    p50_us: Amount
    p99_us: Amount


class Run(Struct, frozen=True, kw_only=True):
    """One measurement in processes of its own.

    Attributes:
        rate: completed promotes a second.
        promotes: how many were measured.
        seconds: how long that took.
        histogram: HdrHistogram V2, compressed, as base64; of nanoseconds.
        breakdown_us: where a promote's time goes, the mean by segment; they sum to the mean
            latency. None where it was not recorded.
        cpu_s: CPU seconds by process during the measured part.
        rss_bytes: resident memory by process at its end.
    """

    rate: Amount
    promotes: Positive
    seconds: Amount
    latency_us: Latency
    histogram: str
    time_series: list[Moment] = []
    breakdown_us: dict[str, float] | None = None
    cpu_s: dict[str, float] = {}
    rss_bytes: dict[str, int] = {}


class Series(Struct, frozen=True, kw_only=True):
    """One variant under one load.

    Attributes:
        name: for people, unique in its document.
        variant: `floor`, `memory`, `process`, `power`, or the name of a yardstick.
        concurrency: how many promotes are in flight in a closed loop; None in an open one.
        offered_rate: promotes a second in an open loop; None in a closed one.
        in_flight: how many other sagas are open all the time.
        spawn_time: until a window is ready, as `muxsaga host --spawn-time` takes it.
        cpus: whether the processes share all CPUs, or the launcher has the first one to itself.
        note: what a reader has to know, such as what a yardstick does not do.
    """

    name: str
    variant: str
    arrivals: Arrivals
    concurrency: Positive | None = None
    offered_rate: Amount | None = None
    transport: Transport = "ipc"
    hosts: Positive = 1
    observers: Positive = 1
    in_flight: Count = 0
    spawn_time: str = "0"
    cpus: Cpus = "shared"
    note: str = ""
    runs: Annotated[list[Run], Meta(min_length=1)]


class Knee(Struct, frozen=True, kw_only=True):
    """The highest offered rate of a sweep that a variant still served.

    Attributes:
        load: what was swept, for people: the variant and the other dimensions.
        rate: offered promotes a second; None where not even the lowest rate was served.
        reason: what happened at the next rate.
    """

    load: str
    variant: str
    arrivals: Arrivals
    rate: Amount | None
    reason: str


class Document(Struct, frozen=True, kw_only=True):
    """Everything that one command measured."""

    benchmark: Benchmark
    schema: Literal[3] = SCHEMA
    environment: Environment
    series: list[Series]
    knees: list[Knee] = []


class _Head(Struct):
    """What tells a document of another schema from any other file."""

    benchmark: str
    schema: int


def encode_document(document: Document) -> bytes:
    """Give a document as indented JSON with a newline at its end."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def write_document(path: Path, document: Document) -> None:
    """Write a document to a file, in place of what was there.

    Raises:
        ResultError: the file cannot be written.
    """
    try:
        path.write_bytes(encode_document(document))
    except OSError as error:
        raise _unwritable(path, error) from error


def check_writable(path: Path) -> None:
    """Find out before a long measurement whether its document can be written.

    Raises:
        ResultError: the file cannot be written.
    """
    existed = path.exists()
    try:
        path.open("ab").close()
        if not existed:
            path.unlink()
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> ResultError:
    return ResultError(f"{path} cannot be written: {error.strerror}: choose another place")


def read_document(path: Path) -> Document:
    """Give a file's document.

    Raises:
        ResultError: it cannot be read, or is no document of this schema.
    """
    remedy = "give a file that 'python -m bench promotes --output FILE' wrote"
    try:
        text = path.read_bytes()
        head = msgspec.json.decode(text, type=_Head)
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror}: {remedy}"
        raise ResultError(msg) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        msg = f"{path} is no document of a benchmark ({error}): {remedy}"
        raise ResultError(msg) from error
    if head.schema != SCHEMA:
        msg = f"{path} has schema {head.schema}, and this is read: {SCHEMA}; measure again"
        raise ResultError(msg)
    try:
        document = msgspec.json.decode(text, type=Document)
    except msgspec.ValidationError as error:
        msg = f"{path} is no document of a benchmark ({error}): {remedy}"
        raise ResultError(msg) from error
    names = [series.name for series in document.series]
    for name in names:
        if names.count(name) > 1:
            msg = f"{path} has two series of the name {name!r}: {remedy}"
            raise ResultError(msg)
    return document
