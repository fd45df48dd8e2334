"""How a process of muxsaga's own collects garbage: seldom, for its loop makes no cycles.

CPython looks for cycles whenever 700 more containers were made than freed, and now and then through
everything that lives: with 100,000 sagas open that is a pause of half a second. What a loop makes
for a message is freed by its reference counts alone (`tests/test_garbage_collection.py`), so
nothing is lost by looking less often.
See <https://docs.python.org/3/library/gc.html#gc.set_threshold>.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

THRESHOLDS = (50_000, 20, 100)
"""Containers made and not freed until the young are looked at; how often that is done until the
middle-aged are, too; and that, until everything is."""


@contextmanager
def rare_collections() -> Iterator[None]:
    """Collect seldom while the block runs, and never look again at what was there before it.

    For a process whose main loop the block is: the settings are the whole interpreter's.
    """
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
