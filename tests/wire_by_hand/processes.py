"""The OS processes that the tests over the real wire start, and end again."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
END_SECONDS = 20.0


@contextmanager
def launcher_process(directory: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """Run a launcher that is ready; it is to end in order, and to say nothing on stderr."""
    with muxsaga_process("launcher", directory, *options) as launcher:
        assert launcher.stdout is not None
        said = launcher.stdout.readline()
        assert said == "muxsaga launcher: ready\n", launcher.communicate(timeout=END_SECONDS)
        yield launcher


@contextmanager
def muxsaga_process(
    command: str, directory: Path, *options: str
) -> Iterator[subprocess.Popen[str]]:
    """Run a muxsaga command; it is to end in order, and to say nothing on stderr."""
    module = [sys.executable, "-m", "actors.command_line.main"]
    place = ["--runtime-directory", str(directory)]
    with started([*module, command, *place, *options]) as process:
        yield process
        assert process.poll() is None, process.communicate()
        process.terminate()
        _, complaints = process.communicate(timeout=END_SECONDS)
        assert (process.returncode, complaints) == (0, "")


@contextmanager
def started(arguments: list[str]) -> Iterator[subprocess.Popen[str]]:
    """Start a process, and leave none behind."""
    process = subprocess.Popen(
        arguments, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    with process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def program(name: str) -> Callable[..., list[str]]:
    """Give the command line of a program by hand, for its arguments."""

    def arguments(*given: str) -> list[str]:
        return [sys.executable, str(HERE / name), *given]

    return arguments
