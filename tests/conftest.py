"""What all tests stand on."""

import signal

import pytest


@pytest.fixture(autouse=True, scope="session")
def ctrl_c_reaches_children() -> None:
    """Take SIGINT as it usually is.

    A shell has what it starts in its background ignore it, and children would inherit that: then no
    test of what Ctrl-C does could pass.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
