"""The message types that an observer on the command line knows."""

from collections.abc import Sequence

from actors.command_line.command_error import UsageError
from actors.launcher_extension import known_types, load_launcher_extension
from transport.codec import Codec


def codec_for(extensions: Sequence[str]) -> Codec:
    """Give a codec that knows the core's messages and those of extension modules.

    Raises:
        ExtensionError: a module cannot be loaded; names it.
        UsageError: two of them define different messages of one name.
    """
    loaded = [load_launcher_extension(name) for name in extensions]
    try:
        return Codec(known_types(loaded))
    except ValueError as error:
        msg = f"--extension: {error}"
        raise UsageError(msg) from error
