import json
import subprocess
import sys

from actors.command_line.diag_command import tree_lines
from tests.real_system import RealSystem


def test_the_tree_of_a_running_launcher_shows_what_each_saga_waits_for() -> None:
    with RealSystem() as system:
        system.start("host", "host", "--spawn-time", "0")
        system.start("launcher", "launcher")
        system.wait_for(lambda: system.pool_is_whole("host-1"), "whole pool")
        system.inject("host-1", "no_answer", 1)
        system.promote("host-1")
        system.wait_for(lambda: not system.pool_is_whole("host-1"), "promote")
        command = ["diag", "tree", "--json", "--runtime-directory", str(system.directory)]
        done = subprocess.run(
            [sys.executable, "-m", "actors.command_line.main", *command],
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
        )
    [coordinator] = json.loads(done.stdout)["children"]
    [saga] = coordinator["children"]
    assert (coordinator["name"], coordinator["count"]) == ("coordinator", 1)
    assert saga["name"] == "3 pool_respawn_on_promote"
    assert saga["waits_for"] == "SpawnPoolWindow"


def test_a_tree_is_shown_a_line_a_node_and_says_how_many_it_does_not_show() -> None:
    leaf = {
        "name": "7 pool_refill",
        "state": "working",
        "inbox": 2,
        "message_age_ms": 12.5,
        "waits_for": "SpawnPoolWindow",
        "restarts": 1,
        "last_failure": "ValueError: bad",
    }
    root = {"name": "coordinator", "state": "idle", "inbox": 0, "count": 3, "children": [leaf]}
    assert list(tree_lines(root)) == [
        "coordinator  idle  0 waiting",
        (
            "  7 pool_refill  working  2 waiting  in work for 12.5 ms  waits for SpawnPoolWindow  "
            "1 restarts  last failure: ValueError: bad"
        ),
        "  and 2 older sagas",
    ]
