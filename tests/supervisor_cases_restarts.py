"""The OTP cases of restarts: which children, and how many are too many."""

from actors.supervision.child_spec import Strategy
from tests.supervisor_case_language import Case, supervisor

ALL, REST = Strategy.ONE_FOR_ALL, Strategy.REST_FOR_ONE
UP = "start: +a +b +c ready | "

RESTART_CASES = (
    Case(
        "children start left to right and stop in reverse",
        supervisor("a b c"),
        UP + "stop: -c -b -a ended:shutdown",
    ),
    Case("one_for_one restarts only the one that crashed", supervisor("a b c"), UP + "crash b: +b"),
    Case(
        "a permanent child is restarted after a normal end", supervisor("a b c"), UP + "exit b: +b"
    ),
    Case(
        "a permanent child is restarted after a shutdown of its own",
        supervisor("a b c"),
        UP + "shut b: +b",
    ),
    Case(
        "a transient child is not restarted after a normal end, and is not stopped again",
        supervisor("a b:transient c"),
        UP + "exit b: | stop: -c -a ended:shutdown",
    ),
    Case(
        "a transient child is not restarted after a shutdown of its own",
        supervisor("a b:transient c"),
        UP + "shut b:",
    ),
    Case(
        "a transient child is restarted after a crash",
        supervisor("a b:transient c"),
        UP + "crash b: +b",
    ),
    Case(
        "a transient child that ended normally keeps its spec",
        supervisor("a b:transient c"),
        UP + "exit b: | add b: AlreadyPresentError | restart b: +b",
    ),
    Case(
        "a temporary child is not restarted after a crash, and is forgotten",
        supervisor("a b:temporary c"),
        UP + "crash b: | restart b: ChildNotFoundError | add b: +b",
    ),
    Case(
        "a temporary child is not restarted after a normal end",
        supervisor("a b:temporary c"),
        UP + "exit b: | stop: -c -a ended:shutdown",
    ),
    Case(
        "the crash of a temporary child does not count",
        supervisor("a b:temporary c", limit="0/5"),
        UP + "crash b:",
    ),
    Case(
        "a restarted child keeps its place in the order of shutdown",
        supervisor("a b c"),
        UP + "crash a: +a | stop: -c -b -a ended:shutdown",
    ),
    Case(
        "one_for_all stops the others in reverse and starts all in order",
        supervisor("a b c", ALL),
        UP + "crash b: -c -a +a +b +c",
    ),
    Case(
        "one_for_all after the crash of the last",
        supervisor("a b c", ALL),
        UP + "crash c: -b -a +a +b +c",
    ),
    Case(
        "one_for_all after the normal end of a permanent child",
        supervisor("a b c", ALL),
        UP + "exit a: -c -b +a +b +c",
    ),
    Case(
        "one_for_all leaves the others alone after the normal end of a transient child",
        supervisor("a b:transient c", ALL),
        UP + "exit b:",
    ),
    Case(
        "one_for_all leaves the others alone after the crash of a temporary child",
        supervisor("a b:temporary c", ALL),
        UP + "crash b:",
    ),
    Case(
        "a temporary child is stopped by a one_for_all round and not started again",
        supervisor("a b:temporary c", ALL),
        UP + "crash a: -c -b +a +c | delete b: ChildNotFoundError",
    ),
    Case(
        "a one_for_all round starts a transient child that had ended normally",
        supervisor("a b:transient c", ALL),
        UP + "exit b: | crash a: -c +a +b +c",
    ),
    Case(
        "a one_for_all round starts a child that had been terminated",
        supervisor("a b c", ALL),
        UP + "terminate b: -b | crash a: -c +a +b +c",
    ),
    Case(
        "rest_for_one restarts the one that crashed and those after it",
        supervisor("a b c", REST),
        UP + "crash b: -c +b +c",
    ),
    Case(
        "rest_for_one after the crash of the first",
        supervisor("a b c", REST),
        UP + "crash a: -c -b +a +b +c",
    ),
    Case("rest_for_one after the crash of the last", supervisor("a b c", REST), UP + "crash c: +c"),
    Case(
        "rest_for_one leaves the others alone after the normal end of a transient child",
        supervisor("a b:transient c", REST),
        UP + "exit b:",
    ),
    Case(
        "a temporary child is stopped by a rest_for_one round and not started again",
        supervisor("a b c:temporary", REST),
        UP + "crash a: -c -b +a +b",
    ),
    Case(
        "a temporary child before the crashed one notices nothing of rest_for_one",
        supervisor("a:temporary b c", REST),
        UP + "crash b: -c +b +c",
    ),
    Case(
        "a child that was added comes after all others for rest_for_one",
        supervisor("a b c", REST),
        UP + "add d: +d | crash c: -d +c +d",
    ),
)

INTENSITY_CASES = (
    Case(
        "the second crash in five seconds is too many by default",
        supervisor("a b c"),
        UP + "crash a: +a | crash a: -c -b ended:gave_up",
    ),
    Case(
        "a crash after the period is counted anew",
        supervisor("a b c"),
        UP + "crash a: +a | wait 5.001 | crash a: +a",
    ),
    Case(
        "a crash exactly one period ago still counts",
        supervisor("a b c"),
        UP + "crash a: +a | wait 5 | crash a: -c -b ended:gave_up",
    ),
    Case(
        "with an intensity of 0 the first crash gives up",
        supervisor("a b c", limit="0/5"),
        UP + "crash b: -c -a ended:gave_up",
    ),
    Case(
        "as many restarts as the intensity are allowed, and no more",
        supervisor("a b c", limit="3/5"),
        UP + "crash a: +a | crash b: +b | crash a: +a | crash c: -b -a ended:gave_up",
    ),
    Case(
        "the window slides",
        supervisor("a b c", limit="2/10"),
        UP + "crash a: +a | wait 6 | crash a: +a | wait 5 | crash a: +a | wait 4 |"
        "crash a: -c -b ended:gave_up",
    ),
    Case(
        "the intensity is shared by all children",
        supervisor("a b c"),
        UP + "crash a: +a | crash b: -c -a ended:gave_up",
    ),
    Case(
        "a failed restart counts and is tried again",
        supervisor("a b c", limit="2/5"),
        UP + "fail a 1 | crash a: +a +a | crash a: -c -b ended:gave_up",
    ),
    Case(
        "restarts that fail give up in the end",
        supervisor("a b c", limit="2/5"),
        UP + "fail a 9 | crash a: +a +a -c -b ended:gave_up",
    ),
    Case(
        "normal ends of transient children do not count",
        supervisor("a b:transient c:transient", limit="0/5"),
        UP + "exit b: | exit c:",
    ),
    Case(
        "a whole one_for_all round counts once",
        supervisor("a b c", ALL, limit="1/5"),
        UP + "crash a: -c -b +a +b +c | crash b: -c -a ended:gave_up",
    ),
    Case(
        "a whole rest_for_one round counts once",
        supervisor("a b c", REST, limit="1/5"),
        UP + "crash a: -c -b +a +b +c | crash b: -c -a ended:gave_up",
    ),
    Case(
        "a failed start in a one_for_all round counts and begins another round",
        supervisor("a b c", ALL, limit="2/5"),
        UP + "fail b 1 | crash a: -c -b +a +b -a +a +b +c | crash c: -b -a ended:gave_up",
    ),
    Case(
        "a failed start in a rest_for_one round is tried again from that child on",
        supervisor("a b c", REST, limit="2/5"),
        UP + "fail c 1 | crash b: -c +b +c +c",
    ),
    Case(
        "failed starts in a round give up in the end",
        supervisor("a b c", ALL, limit="1/5"),
        UP + "fail b 1 | crash a: -c -b +a +b -a ended:gave_up",
    ),
    Case(
        "the exit of a child before its start was answered is a failed start",
        supervisor("a b c", limit="2/5"),
        UP + "neverstart a | crash a: +a | crash a: +a | crash a: -c -b ended:gave_up",
    ),
    Case(
        "a child over its own budget is forgotten, and nobody else notices",
        supervisor("a b:budget=1/5 c"),
        UP
        + "crash b: +b | crash b: ~b | restart b: ChildNotFoundError | stop: -c -a ended:shutdown",
    ),
    Case(
        "restarts within a budget do not count for the supervisor",
        supervisor("a b:budget=3/5 c", limit="0/5"),
        UP + "crash b: +b | crash b: +b",
    ),
    Case(
        "other children do not count for a budget",
        supervisor("a b:budget=1/5 c", limit="5/5"),
        UP + "crash a: +a | crash a: +a | crash b: +b",
    ),
    Case(
        "a failed restart counts for the budget",
        supervisor("a b:budget=2/5 c"),
        UP + "fail b 9 | crash b: +b +b ~b",
    ),
    Case(
        "within its budget a child causes a one_for_all round, over it none",
        supervisor("a b:budget=1/5 c", ALL, limit="0/5"),
        UP + "crash b: -c -a +a +b +c | crash b: ~b | stop: -c -a ended:shutdown",
    ),
)
