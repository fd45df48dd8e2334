"""What the adapter needs of an incarnation, whatever it runs on."""

from typing import Protocol

from actors.supervision.child_spec import ExitKind, ExitReason


class LifeListener(Protocol):
    """Whoever is told what became of an incarnation; from any thread, each thing once."""

    def life_started(self) -> None:
        """The incarnation is up."""

    def life_not_started(self, reason: ExitReason) -> None:
        """There is no incarnation."""

    def life_ended(self, reason: ExitReason) -> None:
        """The incarnation is over."""


class Life(Protocol):
    """One incarnation of a child. Only for its supervisor's thread; no method waits."""

    def start(self) -> None:
        """Begin."""

    def stop(self, reason: ExitReason) -> None:
        """End after the message in work; `reason` is what the end will be if all goes well."""

    def kill(self, reason: ExitReason | None = None) -> None:
        """End now, or be abandoned."""

    def message_age(self) -> int | None:
        """For how long the message in work has been, in nanoseconds; from any thread."""


def crashed(error: BaseException) -> ExitReason:
    """The reason of an end by an exception."""
    text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return ExitReason(ExitKind.CRASHED, text, error)
