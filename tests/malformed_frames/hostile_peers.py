"""The bad frames of a service, of one who never registered, and of one who asks nonsense."""

from collections.abc import Callable
from random import Random
from typing import Any

import msgpack

from tests.malformed_frames.bad_frame import BadFrame, bad
from tests.malformed_frames.noise import (
    any_epoch,
    continued,
    cut_off,
    no_string_key,
    not_utf8,
    random_bytes,
    too_deep,
)
from tests.malformed_frames.spoiled_messages import OTHER_LOG, spoil

Message = dict[str, Any]
Identity = list[Any]

SERVED = "PolishWindow"


def service_registration(name: str, epoch: str, as_of: int = 0) -> Message:
    """Give a good `Register` of a service."""
    return {
        "type": "Register",
        "protocol": 1,
        "role": "service",
        "host": name,
        "epoch": epoch,
        "first_held": as_of + 1,
        "as_of": as_of,
        "pool_target": 0,
        "drained": False,
        "serves": [SERVED],
        "confirms": 0,
        "part": 1,
        "parts": 1,
        "inventory": [],
    }


class HostileService:
    """A registered service that reports what only a host may, and settles what is not its own."""

    def __init__(self, random: Random, name: str, foreign: list[Identity]) -> None:
        self.name = name
        self.epoch = any_epoch(random)
        self.taken = 0
        self._random = random
        self._foreign = foreign

    def registration(self) -> Message:
        """Give a good `Register`."""
        return service_registration(self.name, self.epoch, self.taken)

    def spoiled_frames(self, at_least: int) -> list[BadFrame]:
        """Give good messages with one thing spoiled, in the order in which they are to be sent."""
        kinds: list[Callable[[], list[BadFrame]]] = [
            self._report_of_a_host,
            self._failure_of_another,
            self._spoiled_failure_twice,
            self._registration_as_a_host,
        ]
        frames: list[BadFrame] = []
        while len(frames) < at_least:
            frames.extend(self._random.choice(kinds)())
        return frames

    def _report_of_a_host(self) -> list[BadFrame]:
        report: Message = {"type": "ReportPanesReaped", "label": "window"}
        return [self._reports(report, [OTHER_LOG, 1, 0], "wrong_role")]

    def _failure_of_another(self) -> list[BadFrame]:
        report: Message = {"type": "ReportActionFailed", "reason": "out of spite"}
        return [self._reports(report, self._random.choice(self._foreign), "foreign_saga")]

    def _spoiled_failure_twice(self) -> list[BadFrame]:
        good = {"type": "ReportActionFailed", "identity": self._foreign[0], "reason": "no cloth"}
        report, fault = spoil(self._random, good)
        sequence = self.taken + 1
        self.taken += 1
        return [
            bad({"type": "Reports", "sequence": sequence, "reports": [report]}, fault, sequence)
        ] * 2

    def _registration_as_a_host(self) -> list[BadFrame]:
        changes: list[Message] = [{"pool_target": 2}, {"inventory": [["window", "open", None]]}]
        change = self._random.choice(changes)
        return [bad({**self.registration(), **change}, "wrong_role")]

    def _reports(self, report: Message, identity: Identity, fault: str) -> BadFrame:
        self.taken += 1
        reports = [{**report, "identity": identity}]
        return bad(
            {"type": "Reports", "sequence": self.taken, "reports": reports}, fault, self.taken
        )


def frames_of_a_stranger(random: Random, number: int) -> list[BadFrame]:
    """Give bad frames of one who never registered."""
    epoch = any_epoch(random)
    register = service_registration("stranger", epoch)
    goodbye: Message = {"type": "Goodbye"}
    reports: Message = {
        "type": "Reports",
        "sequence": 1,
        "reports": [{"type": "ReportPanesReaped", "identity": None, "label": "window"}],
    }

    def any_frame() -> BadFrame:
        message = random.choice([goodbye, reports, {"type": "Ping", "last": 0}])
        good_frame = msgpack.packb(random.choice([register, reports]))
        kinds = [
            random_bytes(random),
            random_bytes(random),
            cut_off(random, good_frame),
            continued(random, good_frame),
            not_utf8(),
            no_string_key(),
            too_deep(),
            bad(message, "not_registered"),
            bad(register, "service_taken"),
            bad(*spoil(random, message)),
        ]
        return random.choice(kinds)

    return [any_frame() for _ in range(number)]


def frames_of_an_asker(random: Random, number: int) -> list[BadFrame]:
    """Give bad frames for the query socket."""
    questions: list[Message] = [
        {"type": "ReplayQuestion", "number": 1, "log": None, "first": 1},
        {"type": "SnapshotQuestion", "number": 2, "offset": 0, "before": None},
        {"type": "StatusQuestion", "number": 3},
    ]

    def any_frame() -> BadFrame:
        question = random.choice(questions)
        kinds = [
            random_bytes(random),
            cut_off(random, msgpack.packb(question)),
            too_deep(),
            bad({"type": "Ping", "last": 0}, "unknown_type"),
            *[bad(*spoil(random, question)) for _ in range(4)],
        ]
        return random.choice(kinds)

    return [any_frame() for _ in range(number)]
