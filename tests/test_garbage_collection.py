"""What a promote makes is freed by reference counts: its processes need not look for cycles."""

import gc

from tests.launcher_harness import PlayedLauncher
from transport.garbage_collection import THRESHOLDS, rare_collections


def test_a_promote_leaves_no_cycle_behind_in_a_launcher() -> None:
    launcher = PlayedLauncher()
    host = launcher.filled_host(target=1)
    [ready] = launcher.pool_of(host)
    for number in range(20):
        host.promote(ready, f"promote-{number}")
        [ready] = host.answer_all()
        if number == 10:
            gc.collect()
            gc.disable()
    try:
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_collections_are_rare_only_while_the_loop_runs() -> None:
    before = gc.get_threshold()
    with rare_collections():
        assert gc.get_threshold() == THRESHOLDS
        assert gc.get_freeze_count() > 0
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0
