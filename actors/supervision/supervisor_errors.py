"""What a supervisor refuses, and why: OTP's answers, as exceptions."""

from collections.abc import Hashable


class SpecError(ValueError):
    """The spec of a supervisor or of a child contradicts itself."""


class SupervisionError(Exception):
    """A supervisor could not do what it was asked; it and its children are as before."""


class NotRunningError(SupervisionError):
    """The supervisor was not started yet, is stopping, or is over."""

    def __init__(self) -> None:
        super().__init__("the supervisor is not running")


class ChildError(SupervisionError):
    """The request does not fit the child as it is.

    Attributes:
        name: the child's name.
    """

    template = ""

    def __init__(self, name: Hashable) -> None:
        super().__init__(self.template.format(name=name))
        self.name = name


class AlreadyStartedError(ChildError):
    """OTP's `already_started`: a child of that name lives."""

    template = "a child {name!r} is already started"


class AlreadyPresentError(ChildError):
    """OTP's `already_present`: there is such a spec, whose child does not live."""

    template = "a child {name!r} is already present; restart or delete it"


class ChildRunningError(ChildError):
    """OTP's `running`: it must be terminated first."""

    template = "the child {name!r} is running; terminate it first"


class ChildRestartingError(ChildError):
    """OTP's `restarting`: its restart is under way, or waits."""

    template = "the child {name!r} is about to be restarted"


class ChildNotFoundError(ChildError):
    """OTP's `not_found`."""

    template = "there is no child {name!r}"
