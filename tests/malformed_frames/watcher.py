"""What an observer by hand prints, read while it runs."""

import json
import os
import subprocess
from typing import Any

Event = dict[str, Any]

CHUNK_BYTES = 65_536


class Watcher:
    """Reads an observer's lines.

    Attributes:
        events: what it printed so far.
        closed: the promotes whose bracket is closed.
        ended: whether it said its last.
    """

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        self.descriptor = process.stdout.fileno()
        self.events: list[Event] = []
        self.closed: set[str] = set()
        self.ended = False
        self._rest = b""
        self._promotes: dict[int, str] = {}
        self._sagas: dict[int, str] = {}

    def read(self) -> None:
        """Take what is there, waiting for it."""
        chunk = os.read(self.descriptor, CHUNK_BYTES)
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            self._see(json.loads(line))
        self.ended = not chunk

    def _see(self, event: Event) -> None:
        self.events.append(event)
        match event["type"]:
            case "PoolWindowPromoted":
                self._promotes[event["version"]] = event["promote_id"]
            case "SagaStarted" if event["cause"] in self._promotes:
                self._sagas[event["saga_id"]] = self._promotes[event["cause"]]
            case "SagaCompleted" | "SagaFailed" if event["saga_id"] in self._sagas:
                self.closed.add(self._sagas[event["saga_id"]])
