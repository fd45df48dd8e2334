"""What goes wrong with a system of processes, other than what its history shows."""


class ProcessSystemError(RuntimeError):
    """A system cannot be started, or something did not come in time; says what, and how it is."""


class SystemInterruptedError(Exception):
    """Somebody asked to stop while a system was waited for."""

    def __init__(self) -> None:
        super().__init__("interrupted")
