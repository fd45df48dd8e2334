"""Whether what is measured is machine code, and of the sources as they are."""

from importlib.machinery import EXTENSION_SUFFIXES
from importlib.util import find_spec
from pathlib import Path

from bench.result import ResultError

LIBRARY = "muxsaga__mypyc"
"""What the compiled modules share; each of them only leads there."""

REMEDY = "MUXSAGA_COMPILE=1 pip install -e ."


def is_compiled() -> bool:
    """Say whether this process has the launcher's modules compiled to machine code."""
    return _file("actors.engine").suffix != ".py"


def check_machine_code() -> None:
    """See that compiled modules are no older than their sources; without any, nothing.

    Raises:
        ResultError: a source was changed since, so figures would not be the checkout's.
    """
    if not is_compiled():
        return
    built = _file(LIBRARY).stat().st_mtime_ns
    for package in ("actors", "transport", "host_sim"):
        for extension in sorted(_file(package).parent.rglob(f"*{EXTENSION_SUFFIXES[0]}")):
            source = extension.with_name(extension.name.removesuffix(EXTENSION_SUFFIXES[0]) + ".py")
            if source.stat().st_mtime_ns > built:
                msg = f"{source} was changed after it was compiled: compile it again: {REMEDY}"
                raise ResultError(msg)


def _file(module: str) -> Path:
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        msg = f"{module} is not there, and compiled modules need it: compile again: {REMEDY}"
        raise ResultError(msg)
    return Path(spec.origin)
