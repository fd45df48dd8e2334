"""Builds muxsaga, with the modules below compiled to machine code where that can be done.

    pip install .                          # compiled, where there is a C compiler
    pip install -e .                       # interpreted: an edited source is at once what runs
    MUXSAGA_COMPILE=1 pip install -e .     # compiled too; with 1, a missing compiler is an error
    MUXSAGA_COMPILE=0 pip install .        # interpreted

Everything else about the project is in pyproject.toml.
"""

import os
import shlex
import shutil
import sys
import sysconfig
import tomllib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent

SWITCH = "MUXSAGA_COMPILE"

MODULES = (
    "actors/coordinator_parts.py",
    "actors/core.py",
    "actors/dispatcher.py",
    "actors/engine.py",
    "actors/intake.py",
    "actors/journal_trim.py",
    "actors/launcher_link.py",
    "actors/launcher_passes.py",
    "actors/mailbox.py",
    "actors/pass_times.py",
    "actors/recorder.py",
    "actors/reducer.py",
    "actors/refill_plan.py",
    "actors/report_context.py",
    "actors/saga_brackets.py",
    "actors/saga_children.py",
    "actors/sagas/pool_fill.py",
    "actors/sqlite_row_writer.py",
    "actors/state.py",
    "actors/step_queue.py",
    "actors/supervision/mailbox_bounded.py",
    "actors/test_kit/dispatchers.py",
    "actors/timers.py",
    "actors/window_reports.py",
    "host_sim/command_executor.py",
    "host_sim/drift_watch.py",
    "host_sim/due_work.py",
    "host_sim/faults.py",
    "host_sim/history.py",
    "host_sim/host.py",
    "host_sim/idempotency.py",
    "host_sim/link_end.py",
    "host_sim/replies.py",
    "host_sim/spawn_time.py",
    "host_sim/user_actions.py",
    "host_sim/window.py",
    "host_sim/window_maker.py",
    "host_sim/windows.py",
    "transport/codec.py",
    "transport/event_stream/open_groups.py",
    "transport/event_stream/snapshot.py",
    "transport/host_session.py",
    "transport/labels.py",
    "transport/mirror.py",
)
"""What is compiled: the inner modules of the deterministic cores, through which every promote goes.

Not among them is what users subclass or what is made in ways that mypyc does not know: actors,
which Pykka makes with `__new__`, and message classes, whose annotations msgspec reads at run time.
"""

BUILDING = {"bdist_wheel", "build", "build_ext", "editable_wheel"}
"""The commands of setuptools that need the extension modules, not only the metadata."""


def is_wanted(*, editable: bool) -> bool:
    """Say whether the modules are to be compiled.

    Args:
        editable: for an editable installation, which is not unless the switch is set.

    Exits where the switch is neither 0 nor 1, or is 1 and something is missing for it.
    """
    value = os.environ.get(SWITCH)
    if value not in {None, "0", "1"}:
        sys.exit(f"{SWITCH} is {value!r}: set it to 1 to compile, or to 0 to not")
    if value == "0" or (value is None and editable):
        return False
    missing = missing_tool()
    if missing is None:
        return True
    if value == "1":
        sys.exit(f"{SWITCH}=1 needs {missing}, or set {SWITCH}=0")
    sys.stderr.write(f"muxsaga is not compiled, and slower for it: that needs {missing}\n")
    return False


def build_requirements() -> list[str]:
    """Give what compiling needs: mypy, and the dependencies whose types it reads."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    mypy = [each for each in project["optional-dependencies"]["lint"] if each.startswith("mypy")]
    return [*mypy, *project["dependencies"]]


def missing_tool() -> str | None:
    """Give what compiling needs and is not there, and how to get it; None if all is there."""
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")[0]
    if shutil.which(compiler) is None:
        return (
            f"a C compiler, and there is no {compiler!r}: install one (on Debian "
            "'apt install gcc', on macOS 'xcode-select --install'), or name another in CC"
        )
    headers = Path(sysconfig.get_path("include"))
    if not (headers / "Python.h").is_file():
        return (
            f"Python's headers, and there are none in {headers}: install them "
            "(on Debian 'apt install python3-dev')"
        )
    return None


def has_mypyc() -> bool:
    """Say whether mypyc is there: the build backend asks for it, unless pip is told to ask nobody.

    Exits where the switch is set, and it is not.
    """
    if find_spec("mypyc") is not None:
        return True
    needed = "mypyc: pip install 'mypy[mypyc]', or install without --no-build-isolation"
    if os.environ.get(SWITCH) == "1":
        sys.exit(f"{SWITCH}=1 needs {needed}")
    sys.stderr.write(f"muxsaga is not compiled, and slower for it: that needs {needed}\n")
    return False


def compiled_in_place() -> list[Path]:
    """Give the extension modules that an editable compiled installation left in the checkout."""
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    beside = [(ROOT / module).with_suffix(suffix) for module in MODULES]
    return [path for path in (*beside, *ROOT.glob(f"*__mypyc{suffix}")) if path.exists()]


def main() -> None:
    """Run setuptools."""
    from setuptools import setup  # noqa: PLC0415 - so that the list can be read without it

    options: dict[str, Any] = {}
    editable = "editable_wheel" in sys.argv
    if BUILDING.intersection(sys.argv) and is_wanted(editable=editable) and has_mypyc():
        from mypyc.build import mypycify  # noqa: PLC0415 - it is there only when compiling

        options["ext_modules"] = mypycify(
            list(MODULES), opt_level="3", debug_level="0", group_name="muxsaga"
        )
    elif editable:
        for path in compiled_in_place():
            path.unlink()
    setup(**options)


if __name__ == "__main__":
    main()
