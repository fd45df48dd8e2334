"""The allow list's file, read again when it has changed."""

import logging
import stat
from pathlib import Path

from transport.allow_list import AllowList, AllowListError, parse_allow_list
from transport.keys import Domain
from transport.messages import Role

logger = logging.getLogger("muxsaga.keys")

WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH

Version = tuple[int, int, int]
"""Tells two contents of a path apart: modification time, size, inode."""


class AllowListFile:
    """A file's allow list, as it was when somebody connected last.

    `admits` looks at the file, and is for one thread. The other questions are answered from what
    that thread read last, in any thread.

    Args:
        path: the file.

    Raises:
        AllowListError: it cannot be read, or something in it is wrong; names it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._version = _version_of(path)
        self._list = read_allow_list(path)

    def admits(self, domain: Domain, key: str) -> bool:
        """Say whether a key may connect to a socket, by the file as it is now.

        One that has become unreadable or wrong changes nothing: the last good one stays in force,
        and a warning is logged once for each change.
        """
        version = _version_of(self._path)
        if version != self._version:
            self._version = version
            try:
                self._list = read_allow_list(self._path)
            except AllowListError as error:
                logger.warning("%s; the list read before stays in force", error)
        return self._list.admits(domain, key)

    def may_register(self, key: str, role: Role, name: str) -> bool:
        """Say whether this key may be this host or service."""
        return self._list.may_register(key, role, name)

    def may_operate(self, key: str) -> bool:
        """Say whether this key may act as an operator."""
        return self._list.may_operate(key)


def read_allow_list(path: Path) -> AllowList:
    """Give a file's allow list.

    Raises:
        AllowListError: it cannot be read, others may write it, or something in it is wrong; names
            it.
    """
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        msg = f"allow list {path} cannot be read: {reason}"
        raise AllowListError(msg) from error
    if mode & WRITABLE_BY_OTHERS:
        msg = (
            f"allow list {path} can be written by others (mode {mode:04o}), who could let "
            f"themselves in: run 'chmod go-w {path}'"
        )
        raise AllowListError(msg)
    try:
        return parse_allow_list(text)
    except AllowListError as error:
        msg = f"allow list {path}: {error}"
        raise AllowListError(msg) from error


def _version_of(path: Path) -> Version | None:
    try:
        facts = path.stat()
    except OSError:
        return None
    return facts.st_mtime_ns, facts.st_size, facts.st_ino
