"""The OTP cases of the start and the end of a supervisor."""

from actors.supervision.child_spec import AutoShutdown, Strategy
from tests.supervisor_case_language import LATER, Case, supervisor

ANY, EVERY = AutoShutdown.ANY_SIGNIFICANT, AutoShutdown.ALL_SIGNIFICANT
ALL, REST = Strategy.ONE_FOR_ALL, Strategy.REST_FOR_ONE
UP = "start: +a +b +c ready | "

START_CASES = (
    Case(
        "a failed start stops those already started in reverse",
        supervisor("a b c"),
        "fail c 1 | start: +a +b +c -b -a ended:crashed",
    ),
    Case(
        "after a failed start no later child is started",
        supervisor("a b c"),
        "fail a 1 | start: +a ended:crashed",
    ),
    Case(
        "a temporary child that does not start fails the supervisor's start too",
        supervisor("a b:temporary c"),
        "fail b 1 | start: +a +b -a ended:crashed",
    ),
    Case(
        "a supervisor without children is ready at once",
        supervisor(""),
        "start: ready | stop: ended:shutdown",
    ),
    Case(
        "the next child starts when the one before it answered",
        supervisor("a b c"),
        "slowstart a 1 | start: +a | wait 0.5 | wait 0.5: +b +c ready",
    ),
    Case(
        "a child that dies during the start is restarted when all are started",
        supervisor("a b c"),
        "slowstart b 1 | start: +a +b | crash a: | wait 1: +c ready +a",
    ),
    Case(
        "a child that died during the start is not stopped when a later one does not start",
        supervisor("a b c"),
        "slowstart b 1 | fail b 1 | start: +a +b | crash a: | wait 1: ended:crashed",
    ),
    Case(
        "a stop during the start stops the one that is starting, then the others",
        supervisor("a b c"),
        "neverstart b | start: +a +b | stop: -b -a ended:shutdown",
    ),
    Case(
        "one that starts and does not stop is killed at its deadline",
        supervisor("a b c"),
        "neverstart b | hang b | start: +a +b | stop: -b | wait 5: !b -a ended:shutdown",
    ),
)

SHUTDOWN_CASES = (
    Case(
        "a child is told to stop when the one after it has ended",
        supervisor("a b c"),
        UP + "slowstop c 1 | stop: -c | wait 1: -b -a ended:shutdown",
    ),
    Case(
        "a child that does not stop is killed at its deadline",
        supervisor("a b c"),
        UP + "hang b | stop: -c -b | wait 4.999 | wait 0.001: !b -a ended:shutdown",
    ),
    Case(
        "each child has its own deadline",
        supervisor("a b:shutdown=1 c:shutdown=2"),
        "start: +a +b +c ready | hang b | hang c | stop: -c | wait 2: !c -b |"
        "wait 1: !b -a ended:shutdown",
    ),
    Case(
        "a child with a shutdown of 0 is killed at once",
        supervisor("a b:shutdown=0 c"),
        UP + "stop: -c !b -a ended:shutdown",
    ),
    Case(
        "a child with a shutdown of none is waited for without end",
        supervisor("a b:shutdown=none c"),
        UP + "hang b | stop: -c -b | wait 3600 | exit b: -a ended:shutdown",
    ),
    Case(
        "when the time in total is over the rest is killed",
        supervisor("a b c", total=3.0),
        UP + "hang c | stop: -c | wait 3: !c !b !a ended:shutdown",
    ),
    Case(
        "deadlines run inside the time in total",
        supervisor("a b c:shutdown=2", total=3.0),
        UP + "hang b | hang c | stop: -c | wait 2: !c -b | wait 1: !b !a ended:shutdown",
    ),
    Case(
        "a child that ends by itself during the shutdown is not told to stop",
        supervisor("a b c"),
        UP + "slowstop c 1 | stop: -c | crash b: | wait 1: -a ended:shutdown",
    ),
    Case(
        "a child that crashes when told to stop has stopped",
        supervisor("a b c"),
        UP + "hang c | stop: -c | crash c: -b -a ended:shutdown",
    ),
    Case(
        "one that cannot be killed is abandoned at its deadline",
        supervisor("a b c"),
        UP + "hang b | unkillable b | stop: -c -b | wait 5: !b -a ended:shutdown",
    ),
    Case(
        "a supervisor that is killed kills its children in reverse",
        supervisor("a b c"),
        UP + "kill: !c !b !a ended:killed",
    ),
    Case(
        "a supervisor that is killed while it stops kills the one it waits for",
        supervisor("a b c"),
        UP + "hang c | stop: -c | kill: !c !b !a ended:shutdown",
    ),
    Case(
        "a stop while it gives up changes nothing",
        supervisor("a b c", limit="0/5"),
        UP + "slowstop b 1 | crash c: -b | stop: | wait 1: -a ended:gave_up",
    ),
    Case(
        "a stop in the middle of a round goes on from there",
        supervisor("a b c", ALL),
        UP + "slowstop c 1 | crash a: -c | stop: | wait 1: -b ended:shutdown",
    ),
    Case(
        "a stop while a restart waits forgets the restart",
        supervisor("a b c", backoff=LATER),
        UP + "crash b: | stop: -c -a ended:shutdown",
    ),
    Case(
        "a stop while a round waits forgets the round",
        supervisor("a b c", REST, backoff=LATER),
        UP + "crash b: -c | stop: -a ended:shutdown",
    ),
)

AUTO_SHUTDOWN_CASES = (
    Case(
        "any_significant: the normal end of a transient child ends the supervisor",
        supervisor("a b:transient:significant c", auto=ANY),
        UP + "exit b: -c -a ended:normal",
    ),
    Case(
        "any_significant: a crash that is followed by a restart does not",
        supervisor("a b:transient:significant c", auto=ANY),
        UP + "crash b: +b",
    ),
    Case(
        "any_significant: the crash of a temporary child does",
        supervisor("a b:temporary:significant c", auto=ANY),
        UP + "crash b: -c -a ended:normal",
    ),
    Case(
        "any_significant: the end of another child does not",
        supervisor("a:transient b:temporary:significant c", auto=ANY),
        UP + "exit a:",
    ),
    Case(
        "all_significant: only the end of the last one does",
        supervisor("a:transient:significant b:temporary:significant c", auto=EVERY),
        UP + "exit a: | crash b: -c ended:normal",
    ),
    Case(
        "terminate_child of a significant child does not end the supervisor",
        supervisor("a b:transient:significant c", auto=ANY),
        UP + "terminate b: -b",
    ),
    Case(
        "all_significant: one that was terminated is not waited for",
        supervisor("a:transient:significant b:transient:significant c", auto=EVERY),
        UP + "terminate a: -a | exit b: -c ended:normal",
    ),
    Case(
        "all_significant: one that waits for its restart is",
        supervisor("a:transient:significant b:transient:significant c", auto=EVERY, backoff=LATER),
        UP + "crash a: | exit b:",
    ),
    Case(
        "a significant child that a round stops does not end the supervisor",
        supervisor("a b:temporary:significant c", ALL, auto=ANY),
        UP + "crash a: -c -b +a +c",
    ),
    Case(
        "a significant child over its budget ends the supervisor",
        supervisor("a b:transient:significant:budget=0/5 c", auto=ANY),
        UP + "crash b: ~b -c -a ended:normal",
    ),
)
