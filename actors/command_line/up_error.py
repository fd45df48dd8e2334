"""What is wrong in a file of `muxsaga up`."""

from pathlib import Path

from actors.command_line.command_error import UsageError


class UpFileError(UsageError):
    """The file is wrong: names it, the table and key, the value, and the remedy."""

    def __init__(self, file: Path, where: str, what: str) -> None:
        super().__init__(f"{file}: {where}: {what}" if where else f"{file}: {what}")


class ValueProblem(ValueError):  # noqa: N818 - it is one line of an error, not an error
    """What is wrong with a table: the key, the value, the remedy."""
