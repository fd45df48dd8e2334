"""py-spy beside a process: started, ended in order, and read."""

import os
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.profiling.stacks import Stack, read_stacks
from bench.result import ResultError

START_SECONDS = 20.0
"""How long py-spy may take until it samples."""

END_SECONDS = 20.0
"""How long py-spy may take to write what it has; then it is killed."""

NO_PERMISSION = ("permission denied", "operation not permitted", "eperm")

REMEDY = (
    "let it: 'sudo sysctl kernel.yama.ptrace_scope=0', in a container '--cap-add SYS_PTRACE'; "
    "or use '--profiler cprofile', which needs no permission"
)
PLAN_B = "try '--profiler cprofile'"

NO_SAMPLE = "py-spy took no sample: let the run last longer, with more '--promotes'"

SAMPLING = b"Sampling process"
"""What py-spy says when it has found its way into the process."""


def find_py_spy() -> str:
    """Give where py-spy is: beside this Python, or in the path.

    Raises:
        ResultError: nowhere.
    """
    beside = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    found = shutil.which("py-spy", path=beside)
    if found is None:
        msg = "py-spy is not installed: pip install '.[bench]', or use '--profiler cprofile'"
        raise ResultError(msg)
    return found


class PySpy:
    """Samples a process from outside while the context lasts.

    Args:
        program: see `find_py_spy`.
        process_id: whom to sample.
        output: where py-spy writes the stacks.
        rate: samples a second.

    Attributes:
        process: py-spy's own; None before the context.

    Raises (on entering):
        ResultError: py-spy could not begin; says why and what helps.
    """

    def __init__(self, program: str, process_id: int, output: Path, *, rate: int) -> None:
        self._output = output
        self._command = [
            *(program, "record", "--pid", str(process_id), "--output", str(output)),
            *("--format", "raw", "--function", "--full-filenames", "--rate", str(rate)),
        ]
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(  # noqa: S603 - py-spy, and our own arguments
            self._command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is the caller's to pass on
        )
        try:
            self._wait_until_it_samples(self.process)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def _end(self) -> None:
        process = self.process
        if process is not None:
            if process.poll() is None:
                process.kill()
            process.communicate()

    def _wait_until_it_samples(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        said, deadline = b"", time.monotonic() + START_SECONDS
        while SAMPLING not in said:
            left = max(0.0, deadline - time.monotonic())
            if not select.select([process.stdout], [], [], left)[0]:
                msg = f"py-spy did not begin within {START_SECONDS:.0f} s: {PLAN_B}"
                raise ResultError(msg)
            piece = os.read(process.stdout.fileno(), 4096)
            if not piece:
                raise ResultError(_explained(said.decode(errors="replace"), process.wait()))
            said += piece

    def stacks(self) -> list[Stack]:
        """End the sampling, and give what was sampled. Once, within the context.

        Raises:
            ResultError: py-spy could not sample, or had nothing; says why and what helps.
        """
        process = self.process
        assert process is not None  # noqa: S101 - within the context
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        try:
            said, _ = process.communicate(timeout=END_SECONDS)
        except subprocess.TimeoutExpired as error:
            msg = f"py-spy did not end within {END_SECONDS:.0f} s: try a lower '--rate'"
            raise ResultError(msg) from error
        if process.returncode == -signal.SIGINT:
            raise ResultError(NO_SAMPLE)
        if process.returncode or not self._output.exists():
            raise ResultError(_explained(said.decode(errors="replace"), process.returncode))
        stacks = read_stacks(self._output.read_text(encoding="utf-8").splitlines())
        if not stacks:
            raise ResultError(NO_SAMPLE)
        return stacks


def _explained(said: str, status: int) -> str:
    last = said.strip().rpartition("\n")[2] or f"it ended with status {status}"
    if any(wording in said.lower() for wording in NO_PERMISSION):
        return f"py-spy may not look into the launcher ({last}): {REMEDY}"
    return f"py-spy cannot sample the launcher: {last}: {PLAN_B}"
