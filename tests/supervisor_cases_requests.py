"""The OTP cases of requests while it runs, and of what happens in the middle of a round."""

from actors.supervision.child_spec import Strategy
from tests.supervisor_case_language import LATER, Case, supervisor

ALL, REST = Strategy.ONE_FOR_ALL, Strategy.REST_FOR_ONE
UP = "start: +a +b +c ready | "

REQUEST_CASES = (
    Case(
        "an added child is started, and stops first",
        supervisor("a b c"),
        UP + "add d: +d | stop: -d -c -b -a ended:shutdown",
    ),
    Case(
        "an added child that does not start is forgotten, and nobody else notices",
        supervisor("a b c", limit="0/5"),
        UP + "fail d 1 | add d: +d ?d | add d: +d",
    ),
    Case(
        "a child that runs cannot be added", supervisor("a b c"), UP + "add a: AlreadyStartedError"
    ),
    Case(
        "a child that is down cannot be added",
        supervisor("a b c"),
        UP + "terminate a: -a | add a: AlreadyPresentError",
    ),
    Case(
        "a terminated child is not restarted, and not stopped again",
        supervisor("a b c", limit="0/5"),
        UP + "terminate b: -b | stop: -c -a ended:shutdown",
    ),
    Case(
        "terminating a child that is down is no mistake",
        supervisor("a b c"),
        UP + "terminate b: -b | terminate b:",
    ),
    Case(
        "a terminated temporary child is forgotten",
        supervisor("a b:temporary c"),
        UP + "terminate b: -b | restart b: ChildNotFoundError",
    ),
    Case(
        "a terminated child has its deadline",
        supervisor("a b:shutdown=2 c"),
        UP + "hang b | terminate b: -b | wait 2: !b | restart b: +b",
    ),
    Case(
        "a terminated child can be restarted",
        supervisor("a b c"),
        UP + "terminate b: -b | restart b: +b | stop: -c -b -a ended:shutdown",
    ),
    Case(
        "a requested restart that fails leaves the child down and does not count",
        supervisor("a b c", limit="0/5"),
        UP + "fail b 1 | terminate b: -b | restart b: +b ?b | restart b: +b",
    ),
    Case(
        "a child that runs cannot be restarted or deleted",
        supervisor("a b c"),
        UP + "restart b: ChildRunningError | delete b: ChildRunningError",
    ),
    Case(
        "a deleted child is gone",
        supervisor("a b c"),
        UP + "terminate b: -b | delete b: | restart b: ChildNotFoundError | add b: +b |"
        "stop: -b -c -a ended:shutdown",
    ),
    Case(
        "what is not there cannot be terminated, restarted or deleted",
        supervisor("a b c"),
        UP + "terminate x: ChildNotFoundError | restart x: ChildNotFoundError |"
        "delete x: ChildNotFoundError",
    ),
    Case(
        "a child that waits for its restart cannot be added, restarted or deleted",
        supervisor("a b c", backoff=LATER),
        UP + "crash b: | add b: AlreadyPresentError | restart b: ChildRestartingError |"
        "delete b: ChildRestartingError",
    ),
    Case(
        "terminating a child that waits for its restart calls the restart off",
        supervisor("a b c", backoff=LATER),
        UP + "crash b: | terminate b: | wait 2000 | restart b: +b",
    ),
    Case(
        "a child that is added during the start is started after the others",
        supervisor("a b c"),
        "slowstart b 1 | start: +a +b | add d: | wait 1: +c ready +d",
    ),
    Case(
        "a child that is added during a round is started at its end",
        supervisor("a b c", ALL),
        UP + "slowstop c 1 | crash a: -c | add d: | wait 1: -b +a +b +c +d",
    ),
    Case(
        "a child that is terminated while it starts does not stop the others' start",
        supervisor("a b c"),
        "neverstart b | start: +a +b | terminate b: -b +c ready",
    ),
    Case(
        "a stopping supervisor takes no requests",
        supervisor("a b c"),
        UP + "hang c | stop: -c | add d: NotRunningError | terminate a: NotRunningError",
    ),
)

ROUND_CASES = (
    Case(
        "a child that dies while its round stops the others counts for nothing",
        supervisor("a b c", ALL),
        UP + "slowstop c 1 | crash a: -c | crash b: | wait 1: +a +b +c",
    ),
    Case(
        "a child that dies while its round starts the others causes the next round",
        supervisor("a b c", ALL, limit="5/5"),
        UP
        + "slowstart b 1 | crash c: -b -a +a +b | crash a: | wait 1: +c -c -b +a +b | wait 1: +c",
    ),
    Case(
        "a child before a rest_for_one round that dies meanwhile causes the next round",
        supervisor("a b c", REST, limit="5/5"),
        UP + "slowstop c 1 | crash b: -c | crash a: | wait 1: +b +c -c | wait 1: -b +a +b +c",
    ),
    Case(
        "a child before a rest_for_one round that waits widens the round",
        supervisor("a b c", REST, limit="5/5", backoff=LATER),
        UP + "crash c: | crash b: | crash a: | wait 2000: +a +b +c",
    ),
    Case(
        "a child that does not stop for its round is killed at its deadline",
        supervisor("a b c", ALL),
        UP + "hang c | crash a: -c | wait 5: !c -b +a +b +c",
    ),
    Case(
        "a child that is terminated while its round stops the others stays down",
        supervisor("a b c", ALL),
        UP + "slowstop c 1 | crash a: -c | terminate c: | wait 1: -b +a +b",
    ),
    Case(
        "the child that caused a round is terminated while the round waits, and the others return",
        supervisor("a b c", ALL, backoff=LATER),
        UP + "crash a: -c -b | terminate a: | wait 2000: +b +c",
    ),
    Case(
        "a temporary child that dies while its round stops the others is forgotten",
        supervisor("a b:temporary c", ALL),
        UP
        + "slowstop c 1 | crash a: -c | crash b: | wait 1: +a +c | restart b: ChildNotFoundError",
    ),
)
