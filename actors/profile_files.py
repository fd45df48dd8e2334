"""Profiles: small TOML files that say how hostile a run is, of a package's own or of users'."""

from importlib import resources
from pathlib import Path


class ProfileError(ValueError):
    """A profile cannot be used; names the file, and what is wrong in it."""


def names_in(package: str) -> list[str]:
    """Give the names of the profiles that come with a package, in its `profiles/`."""
    return sorted(
        entry.name.removesuffix(".toml")
        for entry in (resources.files(package) / "profiles").iterdir()
        if entry.name.endswith(".toml")
    )


def text_of(package: str, name: str) -> str:
    """Give a profile's text, by the name of one that comes with a package, or by its file's path.

    Raises:
        ProfileError: there is none, or it cannot be read.
    """
    if name in names_in(package):
        source = resources.files(package) / "profiles" / f"{name}.toml"
        return source.read_text(encoding="utf-8")
    path = Path(name)
    if path.suffix != ".toml":
        msg = f"there is no profile {name!r}; there are {', '.join(names_in(package))}, or a file "
        raise ProfileError(msg + "whose name ends with .toml")
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"profile {name}: {error}"
        raise ProfileError(msg) from error
