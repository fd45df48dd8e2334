"""What may be wrong with one field, by its type in docs/protocol.md, and the fault that it is."""

from typing import Any

import msgpack

Wrong = tuple[Any, str]

LARGEST = 2**63 - 1
LARGEST_SEQUENCE = 2**62
NO_INTEGERS: tuple[Wrong, ...] = (
    ("7", "wrong_type"),
    (7.0, "wrong_type"),
    (7.5, "wrong_type"),
    (True, "wrong_type"),
    (b"\x07", "wrong_type"),
    ([7], "wrong_type"),
    ({"7": 7}, "wrong_type"),
    (msgpack.Timestamp(7), "wrong_type"),
)
NO_STRINGS: tuple[Wrong, ...] = (
    (7, "wrong_type"),
    (False, "wrong_type"),
    (b"window", "wrong_type"),
    (["window"], "wrong_type"),
    ({"window": "window"}, "wrong_type"),
    (msgpack.ExtType(5, b"window"), "wrong_type"),
)
NO_BOOLEANS: tuple[Wrong, ...] = (
    (0, "wrong_type"),
    (1, "wrong_type"),
    ("true", "wrong_type"),
    ([], "wrong_type"),
    (None, "wrong_type"),
)
NO_ARRAYS: tuple[Wrong, ...] = (
    (7, "wrong_type"),
    ("window", "wrong_type"),
    (b"\x90", "wrong_type"),
    ({}, "wrong_type"),
)
NIL: Wrong = (None, "wrong_type")


def no_integer(low: int, high: int = LARGEST) -> tuple[Wrong, ...]:
    """Give what is no `int` from low to high."""
    return (*NO_INTEGERS, NIL, (low - 1, "out_of_range"), (high + 1, "out_of_range"))


def no_text(longest: int) -> tuple[Wrong, ...]:
    """Give what is no string of at most so many characters."""
    return (*NO_STRINGS, NIL, ("\N{SNOWMAN}" * (longest + 1), "too_long"))


def no_word(*, nil: bool = False) -> tuple[Wrong, ...]:
    """Give what is none of a few given words; nil may be one."""
    words = (("attic", "out_of_range"), ("", "out_of_range"))
    return (*NO_STRINGS, *words) if nil else (*NO_STRINGS, *words, NIL)


def no_identity(log: str, saga_id: int) -> tuple[Wrong, ...]:
    """Give what is no `CommandIdentity?`, each with one thing wrong with a good one."""
    return (
        *NO_ARRAYS,
        ([log, saga_id], "missing_field"),
        ([], "missing_field"),
        ([log, 0, 0], "out_of_range"),
        ([log, -1, 0], "out_of_range"),
        ([log, LARGEST + 1, 0], "out_of_range"),
        ([log, str(saga_id), 0], "wrong_type"),
        ([log, None, 0], "wrong_type"),
        ([log, saga_id, -1], "out_of_range"),
        ([log, saga_id, False], "wrong_type"),
        ([log, saga_id, 0.0], "wrong_type"),
        ([log[1:], saga_id, 0], "out_of_range"),
        ([log + "0", saga_id, 0], "too_long"),
        ([7, saga_id, 0], "wrong_type"),
        ({"log": log, "saga_id": saga_id, "step": 0}, "wrong_type"),
    )


def no_labels() -> tuple[Wrong, ...]:
    """Give what is no `[Label]` of at most 100."""
    elements = tuple(([label], fault) for label, fault in no_text(255))
    return (*NO_ARRAYS, NIL, *elements, (["window"] * 101, "too_long"))


def no_inventory(log: str, saga_id: int) -> tuple[Wrong, ...]:
    """Give what is no `[InventoryWindow]`."""
    windows: list[Wrong] = [
        (["window-1", "pool"], "missing_field"),
        ([], "missing_field"),
        ("window-1", "wrong_type"),
        ({"label": "window-1", "place": "pool", "identity": None}, "wrong_type"),
        (["x" * 256, "pool", None], "too_long"),
        *((["window-1", place, None], fault) for place, fault in no_word()),
        *((["window-1", "pool", wrong], fault) for wrong, fault in no_identity(log, saga_id)),
    ]
    return (*NO_ARRAYS, NIL, *(([window], fault) for window, fault in windows))


NO_PROMOTE_ID: tuple[Wrong, ...] = (*NO_STRINGS, NIL, ("", "out_of_range"), ("p" * 81, "too_long"))
NO_PROMOTE_ID_OR_NIL: tuple[Wrong, ...] = tuple(wrong for wrong in NO_PROMOTE_ID if wrong != NIL)
NO_EPOCH: tuple[Wrong, ...] = (
    *NO_STRINGS,
    NIL,
    ("0" * 31, "out_of_range"),
    ("F" * 32, "out_of_range"),
    ("g" * 32, "out_of_range"),
    ("0" * 33, "too_long"),
)
NO_HOST_ID: tuple[Wrong, ...] = (
    *NO_STRINGS,
    NIL,
    ("", "out_of_range"),
    ("the host", "out_of_range"),
    ("h\N{LATIN SMALL LETTER O WITH DIAERESIS}st", "out_of_range"),
    ("h" * 65, "too_long"),
)
NO_NAMES: tuple[Wrong, ...] = (
    *NO_ARRAYS,
    NIL,
    ([""], "out_of_range"),
    ([7], "wrong_type"),
    (["n" * 129], "too_long"),
)
