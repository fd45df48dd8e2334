"""Tests that are of interpreted modules alone: compiled ones have nothing to take hold of."""

import pytest

from bench.machine_code import is_compiled

interpreted_only = pytest.mark.skipif(
    is_compiled(),
    reason="compiled functions are neither replaced nor counted, compiled classes not subclassed",
)
