"""The build backend: setuptools', which is given mypy where modules are to be compiled.

What is compiled, and when, is in setup.py. See PEP 517 for the hooks.
"""

from collections.abc import Mapping

from setuptools import build_meta
from setuptools.build_meta import (
    build_editable,
    build_sdist,
    build_wheel,
    get_requires_for_build_sdist,
    prepare_metadata_for_build_editable,
    prepare_metadata_for_build_wheel,
)

from setup import build_requirements, is_wanted

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]

Settings = Mapping[str, str | list[str] | None] | None


def get_requires_for_build_wheel(config_settings: Settings = None) -> list[str]:
    """Give what a build of a wheel needs, beside what pyproject.toml names."""
    return _required(config_settings, editable=False)


def get_requires_for_build_editable(config_settings: Settings = None) -> list[str]:
    """Give what an editable installation needs, beside what pyproject.toml names."""
    return _required(config_settings, editable=True)


def _required(config_settings: Settings, *, editable: bool) -> list[str]:
    required = build_meta.get_requires_for_build_wheel(config_settings)
    return [*required, *(build_requirements() if is_wanted(editable=editable) else [])]
