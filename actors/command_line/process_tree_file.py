"""The live tree of `muxsaga up`, in a file of its runtime directory: also readable while it hangs.

`up` writes it anew, whole, whenever something happens; `muxsaga diag tree` reads it. Whoever wrote
it is named in it, so that the file of one that is gone is not taken for a running one.
"""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from actors.supervision.process_supervisor import ProcessSupervisor
from actors.supervision.supervisor_child import ChildFacts

FILE_NAME = "processes.json"


def write_process_tree(directory: Path, supervisor: ProcessSupervisor, now: int) -> None:
    """Write what is to be seen of every process.

    Raises:
        OSError: the file cannot be written.
    """
    facts = supervisor.machine.facts(now)
    tree = {"name": "up", "pid": os.getpid(), "children": list(_nodes(facts, supervisor))}
    new = directory / f"{FILE_NAME}.{os.getpid()}"
    new.write_text(json.dumps(tree), encoding="utf-8")
    new.replace(directory / FILE_NAME)


def read_process_tree(directory: Path) -> dict[str, Any] | None:
    """Give the tree that a running `up` wrote last; None if none runs there."""
    try:
        tree: dict[str, Any] = json.loads((directory / FILE_NAME).read_text(encoding="utf-8"))
        os.kill(tree["pid"], 0)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return tree


def remove_process_tree(directory: Path) -> None:
    """Take the file away: nothing runs any more."""
    (directory / FILE_NAME).unlink(missing_ok=True)


def _nodes(facts: Iterable[ChildFacts], supervisor: ProcessSupervisor) -> Iterable[dict[str, Any]]:
    for child in facts:
        failure = child.last_failure
        yield {
            "name": str(child.name),
            "state": str(child.state),
            "pid": supervisor.pid(child.name),
            "incarnation": child.incarnation,
            "restarts": child.restarts,
            "last_failure": str(failure) if failure is not None else None,
        }
