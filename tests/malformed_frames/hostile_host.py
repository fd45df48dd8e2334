"""A registered host that sends next to nothing but bad frames, of every kind that a host can."""

from collections.abc import Callable
from random import Random
from typing import Any

import msgpack

from tests.malformed_frames.bad_frame import BadFrame, bad
from tests.malformed_frames.noise import any_epoch, cut_off, not_utf8, too_deep
from tests.malformed_frames.spoiled_messages import spoil

Message = dict[str, Any]
Identity = list[Any]

NEVER_STARTED = 2**62
NEVER_ISSUED = 1
OPEN, READY, OTHER_READY, NEXT, AFTER_NEXT = range(1, 6)


class HostileHost:
    """Makes bad frames that each begin as a good one, and knows how each is refused.

    What is sent must be sent in the order in which it was made: reports have numbers.
    """

    def __init__(self, random: Random, name: str) -> None:
        self.name = name
        self.epoch = any_epoch(random)
        self.taken = 0
        self._random = random
        self._pending: Identity = []
        self._foreign: list[Identity] = []

    def registration(self) -> Message:
        """Give a good `Register`, with the windows that this host keeps to the end."""
        return {
            "type": "Register",
            "protocol": 1,
            "role": "host",
            "host": self.name,
            "epoch": self.epoch,
            "first_held": self.taken + 1,
            "as_of": self.taken,
            "pool_target": 3,
            "drained": False,
            "serves": [],
            "confirms": 0,
            "part": 1,
            "parts": 1,
            "inventory": [
                [self.label(OPEN), "open", None],
                [self.label(READY), "pool", None],
                [self.label(OTHER_READY), "pool", None],
            ],
        }

    def know(self, pending: Identity, foreign: list[Identity]) -> None:
        """Learn of the step that this host owes, and of pending steps of others."""
        log, saga_id, _ = pending
        self._pending = pending
        self._foreign = [
            *foreign,
            [log, NEVER_STARTED, 0],
            [log, saga_id, NEVER_ISSUED],
        ]

    def label(self, number: int | str) -> str:
        """Give the label of one of this host's windows."""
        return f"window-{self.epoch}-{number}"

    def settling(self, owed: list[Identity]) -> bytes:
        """Give the good reports that settle what this host owes."""
        return self._frame(
            [
                {
                    "type": "ReportPoolWindowAdded",
                    "identity": identity,
                    "label": self.label(NEXT + number),
                }
                for number, identity in enumerate(owed)
            ]
        )

    def spoiled_frames(self, at_least: int) -> list[BadFrame]:
        """Give good messages with one thing spoiled, in the order in which they are to be sent."""
        kinds: list[Callable[[], list[BadFrame]]] = [
            self._spoiled_envelope,
            self._spoiled_report_twice,
            self._spoiled_report_twice,
            self._untrue_reports,
            self._reports_of_a_foreign_saga,
            self._repacked_reports,
            self._unwanted_registration,
        ]
        frames: list[BadFrame] = []
        while len(frames) < at_least:
            frames.extend(self._random.choice(kinds)())
        return frames

    def broken_frames(self, number: int) -> list[BadFrame]:
        """Give frames of reports that cannot be read at all."""
        frames = []
        for _ in range(number):
            message = {
                "type": "Reports",
                "sequence": self.taken + 1,
                "reports": self._true_reports(),
            }
            too_many = {**message, "reports": [self._closed()] * 257}
            kinds = [
                cut_off(self._random, msgpack.packb(message)),
                bad(too_many, "too_long"),
                not_utf8(),
                too_deep(),
            ]
            frames.append(self._random.choice(kinds))
        return frames

    def _spoiled_envelope(self) -> list[BadFrame]:
        message = self._random.choice(
            [
                self.registration(),
                {"type": "Reports", "sequence": self.taken + 1, "reports": self._true_reports()},
                {"type": "Ping", "last": self.taken},
                {"type": "Goodbye"},
            ]
        )
        return [bad(*spoil(self._random, message))]

    def _spoiled_report_twice(self) -> list[BadFrame]:
        """A report that cannot be read is asked for once more, and then skipped."""
        reports: list[Any] = self._true_reports()
        place = self._random.randrange(len(reports))
        if self._random.random() < 0.05:
            reports[place], fault = self._random.choice([7, None, "report", []]), "not_a_map"
        else:
            reports[place], fault = spoil(self._random, reports[place])
        sequence = self.taken + 1
        frame = self._frame(reports)
        return [BadFrame(frame, fault, sequence)] * 2

    def _untrue_reports(self) -> list[BadFrame]:
        sequence = self.taken + 1
        frame = self._frame(self._random.choice(self._contradictions()))
        return [BadFrame(frame, "contradiction", sequence)]

    def _reports_of_a_foreign_saga(self) -> list[BadFrame]:
        identity = self._random.choice(self._foreign)
        report = self._random.choice(
            [
                self._added(NEXT),
                {"type": "ReportActionFailed", "reason": "out of spite"},
                {"type": "ReportPanesReaped", "label": self.label(OPEN)},
            ]
        )
        sequence = self.taken + 1
        frame = self._frame([{**report, "identity": identity}])
        return [BadFrame(frame, "foreign_saga", sequence)]

    def _repacked_reports(self) -> list[BadFrame]:
        """Reports of which some are taken already, and some are not."""
        if not self.taken:
            return []
        reports = [self._closed(), self._added(NEXT)]
        message = {"type": "Reports", "sequence": self.taken, "reports": reports}
        return [bad(message, "out_of_turn", self.taken)]

    def _unwanted_registration(self) -> list[BadFrame]:
        """A `Register` that can be read, and is refused all the same."""
        message = self.registration()
        twice = [*message["inventory"], [self.label(OPEN), "pool", None]]
        kinds: list[tuple[Message, str]] = [
            ({"protocol": 2}, "wrong_protocol"),
            ({"serves": ["SpawnPoolWindow"]}, "wrong_role"),
            ({"role": "service"}, "wrong_role"),
            ({"part": 2, "parts": 2}, "out_of_turn"),
            ({"inventory": twice}, "contradiction"),
        ]
        if self.taken:
            kinds.append(({"as_of": self.taken - 1}, "out_of_turn"))
        change, fault = self._random.choice(kinds)
        return [bad({**message, **change}, fault)]

    def _frame(self, reports: list[Any]) -> bytes:
        sequence = self.taken + 1
        self.taken += len(reports)
        frame: bytes = msgpack.packb({"type": "Reports", "sequence": sequence, "reports": reports})
        return frame

    def _true_reports(self) -> list[Message]:
        """Give reports that are good as long as nothing in them is spoiled."""
        return self._random.choice(
            [
                [self._added(NEXT)],
                [self._demoted(OPEN)],
                [self._removed("died", None)],
                self._promote(),
                [{**self._opened(), "label": self.label(NEXT), "cold": True}],
                [self._closed()],
                [self._settled("ReportPanesReaped", label=self.label(OPEN))],
                [self._settled("ReportPoolDrained", label=self.label(OPEN))],
                [self._settled("ReportPoolNotLast", label=self.label(OPEN))],
                [self._settled("ReportActionFailed", reason="no memory")],
                [self._drift()],
            ]
        )

    def _contradictions(self) -> list[list[Message]]:
        removed, promoted, opened = self._promote()
        other = {"label": self.label(OTHER_READY)}
        return [
            [self._added(READY)],
            [self._added(NEXT), self._added(AFTER_NEXT)],
            [self._demoted(NEXT)],
            [self._demoted(READY)],
            [{**self._added(NEXT), "label": f"window-{any_epoch(self._random)}-{NEXT}"}],
            [{**self._added(NEXT), "label": self.label(f"0{NEXT}")}],
            [{**self._added(NEXT), "label": self.label(2**53)}],
            [{**self._added(NEXT), "label": "a window"}],
            [{**removed, "reason": "died"}],
            [{**removed, "promote_id": None}],
            [{**self._removed("died", None), "label": self.label(OPEN)}],
            [removed],
            [promoted],
            [opened],
            [removed, promoted],
            [removed, opened],
            [removed, opened, promoted, promoted],
            [removed, {**promoted, "promote_id": "another"}, opened],
            [removed, {**promoted, **other}, opened],
            [removed, promoted, {**opened, **other}],
            [removed, promoted, {**opened, "cold": True}],
            [{**opened, "cold": True}],
            [{**opened, "label": self.label(OPEN), "cold": True}],
            [{**self._closed(), **other}],
            [self._closed(), self._closed()],
            [self._settled("ReportPanesReaped", label=self.label(OPEN))],
            [self._settled("ReportPoolNotLast", label=self.label(OPEN))],
            [self._demoted(OPEN), self._added(READY)],
        ]

    def _added(self, number: int) -> Message:
        return self._settled("ReportPoolWindowAdded", label=self.label(number))

    def _demoted(self, number: int) -> Message:
        return {"type": "ReportPoolWindowAdded", "identity": None, "label": self.label(number)}

    def _removed(self, reason: str, promote_id: str | None) -> Message:
        return {
            "type": "ReportPoolWindowRemoved",
            "identity": None,
            "label": self.label(READY),
            "reason": reason,
            "promote_id": promote_id,
        }

    def _promote(self) -> list[Message]:
        promote_id = f"promote-{self.epoch}"
        whole = {"identity": None, "label": self.label(READY), "promote_id": promote_id}
        return [
            self._removed("promoted", promote_id),
            {"type": "ReportPoolWindowPromoted", **whole},
            self._opened(),
        ]

    def _opened(self) -> Message:
        return {
            "type": "ReportWindowOpened",
            "identity": None,
            "label": self.label(READY),
            "promote_id": f"promote-{self.epoch}",
            "cold": False,
        }

    def _closed(self) -> Message:
        return {
            "type": "ReportWindowClosed",
            "identity": None,
            "label": self.label(OPEN),
            "crash_detected": False,
        }

    def _drift(self) -> Message:
        return {
            "type": "ReportPoolDrift",
            "identity": None,
            "at_sequence": self.taken,
            "missing": [],
            "surplus": [],
        }

    def _settled(self, name: str, **fields: object) -> Message:
        return {"type": name, "identity": self._pending, **fields}
