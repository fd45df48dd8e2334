"""What the host really did, for a checker that trusts no report: plain maps, one a happening."""

from collections.abc import Callable
from typing import Any

from transport.codec import as_map
from transport.host_session import NumberedFrame
from transport.messages import CommandIdentity, Report

Record = Callable[[dict[str, Any]], None]
"""Takes one map of the history."""


class HostHistory:
    """One epoch's history, as lines of `transport.history`: `kind` is `host`, `did` says what.

    Args:
        host: whose it is.
        epoch: of which life.
        record: takes the maps; None keeps no history.
    """

    def __init__(self, host: str, epoch: str, record: Record | None) -> None:
        self._host = host
        self._epoch = epoch
        self._record = record

    def note(self, did: str, now: int, **fields: object) -> None:
        """Record one happening; identities among its fields are written as on the wire."""
        if self._record is not None:
            plain = {
                name: _on_the_wire(value) if isinstance(value, CommandIdentity) else value
                for name, value in fields.items()
            }
            self._record(self._whole(did, now, plain))

    def note_reports(self, frame: NumberedFrame, reports: list[Report], now: int) -> None:
        """Record each report of a frame, with its number and its own fields."""
        if self._record is not None:
            for sequence, report in enumerate(reports, frame.first):
                self._record(self._whole("report", now, {**as_map(report), "sequence": sequence}))

    def _whole(self, did: str, now: int, fields: dict[str, object]) -> dict[str, Any]:
        return {
            **fields,
            "kind": "host",
            "did": did,
            "host": self._host,
            "epoch": self._epoch,
            "at_ns": now,
        }


def _on_the_wire(identity: CommandIdentity) -> list[str | int]:
    return [identity.log, identity.saga_id, identity.step]
