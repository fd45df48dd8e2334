"""Who may do what: the allow list of keys, as a value. No I/O.

A list is TOML with four tables. Under each stand names, with a public key or a list of them:

    [host]
    left = "..."        # may register as host "left", and follow the event stream
    [service]
    thumbnails = "..."  # may register as service "thumbnails"
    [observer]
    wall = "..."        # may follow the event stream and ask for replay, snapshot and status
    [operator]
    anna = "..."        # as an observer, and may act: end sagas, promote windows of hosts

A key may stand in several places; it may do everything that any of them allows.
"""

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

from transport.keys import KEY_LENGTH, Domain, is_key
from transport.messages import Role

SHOWN = 200
"""How many characters of a wrong value are told."""

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class AllowListError(ValueError):
    """An allow list is wrong; names the table, the name and the remedy."""


class Grant(StrEnum):
    """What a key may be: the tables of an allow list."""

    HOST = "host"
    SERVICE = "service"
    OBSERVER = "observer"
    OPERATOR = "operator"


ADMITTED: Mapping[Domain, frozenset[Grant]] = {
    Domain.LINK: frozenset({Grant.HOST, Grant.SERVICE, Grant.OPERATOR}),
    Domain.EVENTS: frozenset({Grant.HOST, Grant.OBSERVER, Grant.OPERATOR}),
    Domain.QUERY: frozenset({Grant.HOST, Grant.OBSERVER, Grant.OPERATOR}),
    Domain.CONTROL: frozenset({Grant.OPERATOR}),
}
"""Whose keys may connect where. The link's end is told by `KeyPolicy` what each may say."""


class KeyPolicy(Protocol):
    """What a launcher's core asks about the key of a connection."""

    def may_register(self, key: str, role: Role, name: str) -> bool:
        """Say whether this key may be this host or service."""

    def may_operate(self, key: str) -> bool:
        """Say whether this key may act as an operator."""


class Entry(NamedTuple):
    """One thing that a key may be."""

    grant: Grant
    name: str


@dataclass(frozen=True, slots=True)
class AllowList:
    """What each key may be. `entries`: by public key, in Z85."""

    entries: Mapping[str, frozenset[Entry]]

    def admits(self, domain: Domain, key: str) -> bool:
        """Say whether this key may connect to a socket."""
        return any(entry.grant in ADMITTED[domain] for entry in self.entries.get(key, ()))

    def may_register(self, key: str, role: Role, name: str) -> bool:
        """Say whether this key may be this host or service."""
        return Entry(Grant(role), name) in self.entries.get(key, ())

    def may_operate(self, key: str) -> bool:
        """Say whether this key may act as an operator."""
        return any(entry.grant is Grant.OPERATOR for entry in self.entries.get(key, ()))


def parse_allow_list(text: str) -> AllowList:
    """Give the allow list that a text is.

    Raises:
        AllowListError: it is not TOML, or something in it is wrong.
    """
    try:
        tables = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        msg = f"it is not TOML: {error}"
        raise AllowListError(msg) from error
    entries: defaultdict[str, set[Entry]] = defaultdict(set)
    for table, names in tables.items():
        for key, entry in _table(table, names):
            entries[key].add(entry)
    return AllowList({key: frozenset(found) for key, found in entries.items()})


def _table(table: str, names: Any) -> Iterator[tuple[str, Entry]]:
    known = ", ".join(f"[{grant}]" for grant in Grant)
    if table not in set(Grant):
        shown = table if table.isprintable() else repr(table)
        msg = f"there is no table [{shown}]: there are {known}"
        raise AllowListError(msg)
    if not isinstance(names, dict):
        msg = f'{table} is no table: write [{table}], and under it NAME = "PUBLIC KEY"'
        raise AllowListError(msg)
    for name, value in names.items():
        entry = Entry(Grant(table), _checked_name(table, name))
        for key in _keys(f"[{table}] {name}", value):
            yield key, entry


def _checked_name(table: str, name: str) -> str:
    if _ID.fullmatch(name) is None:
        msg = f"[{table}] {name!r} is no name: use 1 to 64 letters, digits, '.', '_' or '-'"
        raise AllowListError(msg)
    return name


def _keys(where: str, value: Any) -> list[str]:
    keys = value if isinstance(value, list) else [value]
    if isinstance(value, dict):
        msg = f"{where} is a table: put a name with a dot in quotes"
        raise AllowListError(msg)
    for key in keys:
        if not isinstance(key, str) or not is_key(key):
            msg = (
                f"{where} = {_shown(key)} is no public key: give the {KEY_LENGTH} characters that "
                "'muxsaga keygen' printed, in quotes, or a list of such keys"
            )
            raise AllowListError(msg)
    return keys


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
