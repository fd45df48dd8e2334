"""`muxsaga diag state` for people: aligned, and it says what it leaves out."""

from actors.command_line.aligned import aligned
from actors.command_line.diag_state import state_lines
from actors.open_saga_view import LoopHealth
from tests.launcher_harness import LOG_ID
from tests.test_command_targets import EXTENSION, launcher_with, opened, service_of
from transport.messages import InventoryWindow

QUERIES = {"answered": 2, "faults": {"too_large": 1}}


def test_columns_begin_where_their_head_does() -> None:
    assert list(aligned(("A", "LONG", "C"), [("wide one", "x", "y"), ("z", "x", "")])) == [
        "  A         LONG  C",
        "  wide one  x     y",
        "  z         x",
    ]


def test_the_whole_state_of_a_launcher_with_a_host_and_a_service() -> None:
    launcher = launcher_with(EXTENSION)
    service = service_of(launcher)
    host = opened(launcher)
    host.say_raw(b"\xc1")
    label = launcher.opened_of(host)[0]
    surplus = host.new_label()
    host.register(
        pool_target=0,
        inventory=(InventoryWindow(label, "open", None), InventoryWindow(surplus, "pool", None)),
    )
    state = {**launcher.engine.view.state(5), "queries": QUERIES}
    assert list(state_lines(state)) == [
        f"log       {LOG_ID}, version {state['version']}: ok",
        "launcher  running; its loop went round 0.0 s ago",
        "hosts and services  2: 2 registered",
        (
            "  NAME        ROLE     LINK        HEARD  TAKEN  POOL  OPEN  PENDING  UNSENT  "
            "EPOCH     MIRROR AND INVENTORY"
        ),
        (
            "  host-1      host     registered  0.0 s  1      1/0   1     0        0       "
            f"11111111  as of 1, 0.0 s ago: 1 differed: {surplus}"
        ),
        (
            "  thumbnails  service  registered  0.0 s  0      -     -     1        0       "
            "99999999  -"
        ),
        f"  pool of host-1: {surplus}",
        "served command types  1",
        "  COMMAND        SERVICE     LINK",
        "  TakeThumbnail  thumbnails  registered",
        "sagas in flight  1: 1 window_thumbnail",
        (
            "  ID  NAME              SINCE  DEADLINE   RESTARTS  "
            "WAITS FOR                                                               WHY"
        ),
        (
            "  1   window_thumbnail  0.0 s  in 10.0 s  0         "
            "the report of TakeThumbnail (step 0) from the service of TakeThumbnail  "
            "nothing is wrong: its time is not over"
        ),
        "sagas since its engine began  1 started, 0 completed, 0 failed",
        "queues  steps pending: 1, of them never handed over: 0; timers: 1",
        "  TO                            PENDING  UNSENT",
        "  the service of TakeThumbnail  1        0       flows",
        "counters  none",
        "bad frames on the link  1 not_messagepack",
        "questions  2 answered; bad ones: 1 too_large",
    ]
    assert service.commands


def test_what_is_not_told_one_by_one_is_counted_and_an_outage_is_named() -> None:
    launcher = launcher_with(EXTENSION)
    opened(launcher)
    out = LoopHealth(outage="disk full", outage_s=2.0)
    state = {**launcher.engine.view.state(0, out), "queries": QUERIES}
    lines = list(state_lines(state))
    assert lines[0].endswith(": unavailable for 2.0 s, and so long a pass is kept: disk full")
    at = lines.index("sagas in flight  1: 1 window_thumbnail")
    assert lines[at + 1] == "  and 1 more"
