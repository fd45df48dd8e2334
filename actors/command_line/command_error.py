"""What the user can put right: one line on stderr, and an exit status."""

USAGE = 2
"""Exit status where the command line itself was wrong."""

FAILED = 1
"""Exit status where the command was right, and could not do it."""

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells have it (128 + SIGINT)."""


class CommandError(Exception):
    """A command cannot do what it was asked; names the value and the remedy.

    Attributes:
        status: the exit status.
    """

    def __init__(self, message: str, status: int = FAILED) -> None:
        super().__init__(message)
        self.status = status


class UsageError(CommandError):
    """The command line is wrong."""

    def __init__(self, message: str) -> None:
        super().__init__(message, USAGE)
