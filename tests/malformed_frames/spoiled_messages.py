"""Messages that are right but for one thing, and the fault that each of them is."""

from collections.abc import Sequence
from random import Random
from typing import Any

from tests.malformed_frames.spoiled_fields import (
    LARGEST_SEQUENCE,
    NO_BOOLEANS,
    NO_EPOCH,
    NO_HOST_ID,
    NO_NAMES,
    NO_PROMOTE_ID,
    NO_PROMOTE_ID_OR_NIL,
    Wrong,
    no_identity,
    no_integer,
    no_inventory,
    no_labels,
    no_text,
    no_word,
)

Message = dict[str, Any]
Spoiled = tuple[Message, str]

OTHER_LOG = "0" * 32
NO_LABEL = no_text(255)
NO_REMOVAL = no_word()

WRONG_FIELDS: dict[str, dict[str, Sequence[Wrong]]] = {
    "Register": {
        "protocol": no_integer(0),
        "role": no_word(),
        "host": NO_HOST_ID,
        "epoch": NO_EPOCH,
        "first_held": no_integer(1, LARGEST_SEQUENCE),
        "as_of": no_integer(0),
        "pool_target": no_integer(0, 1_000_000),
        "drained": NO_BOOLEANS,
        "serves": NO_NAMES,
        "confirms": no_integer(0),
        "part": no_integer(1, 100),
        "parts": no_integer(1, 100),
        "inventory": no_inventory(OTHER_LOG, 1),
    },
    "Reports": {
        "sequence": no_integer(1, LARGEST_SEQUENCE),
        "reports": (
            (7, "wrong_type"),
            (None, "wrong_type"),
            ("reports", "wrong_type"),
            ({}, "wrong_type"),
            ([], "out_of_range"),
        ),
    },
    "Ping": {"last": no_integer(0)},
    "Goodbye": {},
    "ReportPoolWindowAdded": {"label": NO_LABEL},
    "ReportPoolWindowRemoved": {
        "label": NO_LABEL,
        "reason": NO_REMOVAL,
        "promote_id": NO_PROMOTE_ID_OR_NIL,
    },
    "ReportPoolWindowPromoted": {"label": NO_LABEL, "promote_id": NO_PROMOTE_ID},
    "ReportWindowOpened": {"label": NO_LABEL, "promote_id": NO_PROMOTE_ID, "cold": NO_BOOLEANS},
    "ReportWindowClosed": {"label": NO_LABEL, "crash_detected": NO_BOOLEANS},
    "ReportPanesReaped": {"label": NO_LABEL},
    "ReportPoolDrained": {"label": NO_LABEL},
    "ReportPoolNotLast": {"label": NO_LABEL},
    "ReportActionFailed": {"reason": no_text(1_024)},
    "ReportPoolDrift": {
        "at_sequence": no_integer(0),
        "missing": no_labels(),
        "surplus": no_labels(),
    },
    "ReplayQuestion": {
        "number": no_integer(0, 2**53),
        "log": tuple(wrong for wrong in no_text(32) if wrong[0] is not None),
        "first": no_integer(1, LARGEST_SEQUENCE),
    },
    "SnapshotQuestion": {
        "number": no_integer(0, 2**53),
        "offset": no_integer(0),
        "before": tuple(wrong for wrong in no_integer(0) if wrong[0] is not None),
    },
    "StatusQuestion": {"number": no_integer(0, 2**53)},
}
NOT_UPWARD = ("Registered", "Commands", "Acknowledge", "Events", "StatusAnswer", "SpawnPoolWindow")
NO_TYPE = (7, None, True, ["Ping"], "", "ping", "NoSuchMessage", *NOT_UPWARD)
STRANGE_KEYS = ("colour", "", "Type", "saga_id", "identity_", "\N{SNOWMAN}")


def spoil(random: Random, message: Message) -> Spoiled:
    """Give the message with one thing wrong, and the fault that it is."""
    name = message["type"]
    wrong_fields = dict(WRONG_FIELDS[name])
    if "identity" in message:
        log, saga_id, _ = message["identity"] or (OTHER_LOG, 1, 0)
        wrong_fields["identity"] = no_identity(log, saga_id)
    field = random.choice([*wrong_fields, "type"])
    way = random.choice(["lack", "add", "change", "change", "change", "change"])
    if way == "lack":
        return {key: value for key, value in message.items() if key != field}, "missing_field"
    if way == "add":
        return {**message, random.choice(STRANGE_KEYS): random.choice([None, 7, "", [], {}])}, (
            "unknown_field"
        )
    if field == "type":
        return {**message, "type": random.choice(NO_TYPE)}, "unknown_type"
    value, fault = random.choice(wrong_fields[field])
    return {**message, field: value}, fault
