"""The texts that a saga's end brings: its result, or why it failed."""

from traceback import format_exception_only

OUTCOME_LIMIT = 1024
"""So many characters of a result or a reason are kept and published."""


def outcome_text(text: str) -> str:
    """Give as much of a result or reason as can be published.

    What UTF-8 has no bytes for becomes `?`: an exception about a file whose name is no UTF-8 brings
    such characters, and neither the event stream nor the log could take them.
    """
    text = text[:OUTCOME_LIMIT]
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def summary_of(error: BaseException) -> str:
    """Give an exception's type and text."""
    return "".join(format_exception_only(error)).strip()
