from actors.timers import SECOND, LoopClock, Timers


def test_the_timer_that_is_due_longest_fires_first() -> None:
    timers = Timers()
    timers.set("late", 30)
    timers.set("early", 10)
    assert timers.next_due() == 10
    assert [timers.pop_due(40), timers.pop_due(40), timers.pop_due(40)] == ["early", "late", None]


def test_a_timer_that_is_not_due_does_not_fire() -> None:
    timers = Timers()
    timers.set("later", 10)
    assert timers.pop_due(9) is None
    assert timers.pop_due(10) == "later"


def test_a_replaced_timer_fires_only_at_its_new_time() -> None:
    timers = Timers()
    timers.set("key", 10)
    timers.set("key", 20)
    assert timers.pop_due(15) is None
    assert timers.pop_due(20) == "key"
    assert timers.next_due() is None


def test_a_cancelled_timer_never_fires() -> None:
    timers = Timers()
    timers.set("key", 10)
    timers.cancel("key")
    assert timers.pop_due(100) is None
    assert len(timers) == 0


def test_cancelled_timers_do_not_pile_up() -> None:
    timers = Timers()
    for number in range(10_000):
        timers.set(number, number)
        timers.cancel(number)
    timers.set("kept", 5)
    assert len(timers._heap) < 200  # noqa: SLF001 - the bound is the point
    assert timers.pop_due(5) == "kept"


def test_a_gap_of_more_than_a_second_does_not_count() -> None:
    clock = LoopClock(now=100)
    assert clock.look(100 + SECOND // 2) == SECOND // 2
    assert clock.look(100 + 60 * SECOND) == SECOND // 2
    assert clock.look(100 + 61 * SECOND) == SECOND // 2 + SECOND
