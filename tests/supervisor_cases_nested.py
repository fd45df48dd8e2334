"""The OTP cases of supervisors under supervisors."""

from actors.supervision.child_spec import AutoShutdown, Strategy
from tests.supervisor_case_language import Case, supervisor

GROUP = {"group": supervisor("x y")}
UP = "start: +a +group +group/x +group/y +c ready | "
GIVE_UP = "crash group/x: +group/x | "
AGAIN = "-group/y +group +group/x +group/y"
ENDING = {
    "group": supervisor("x:transient:significant y", auto=AutoShutdown.ANY_SIGNIFICANT),
}
DEEP = {"group": supervisor("x inner", under={"inner": supervisor("p q", limit="0/5")})}
DEEP_UP = "start: +a +group +group/x +group/inner +group/inner/p +group/inner/q ready | "

NESTED_CASES = (
    Case(
        "a supervisor starts its children before its next sibling starts, and stops after it",
        supervisor("a group c", under=GROUP),
        UP + "stop: -c -group -group/y -group/x -a ended:shutdown",
    ),
    Case(
        "a crash under a supervisor is its own affair",
        supervisor("a group c", limit="0/5", under=GROUP),
        UP + "crash group/x: +group/x",
    ),
    Case(
        "a supervisor that gives up is restarted with all its children",
        supervisor("a group c", under=GROUP),
        UP + GIVE_UP + "crash group/x: " + AGAIN,
    ),
    Case(
        "a restarted supervisor begins with an empty window",
        supervisor("a group c", under=GROUP),
        UP + GIVE_UP + "crash group/x: " + AGAIN + " | crash group/x: +group/x",
    ),
    Case(
        "a transient supervisor that gives up is restarted",
        supervisor("a group:transient c", under=GROUP),
        UP + GIVE_UP + "crash group/x: " + AGAIN,
    ),
    Case(
        "a temporary supervisor that gives up is not restarted",
        supervisor("a group:temporary c", limit="0/5", under=GROUP),
        UP + GIVE_UP + "crash group/x: -group/y | stop: -c -a ended:shutdown",
    ),
    Case(
        "supervisors that give up again and again make their own supervisor give up",
        supervisor("a group c", limit="0/5", under=GROUP),
        UP + GIVE_UP + "crash group/x: -group/y -c -a ended:gave_up",
    ),
    Case(
        "a supervisor with a budget that gives up over it is forgotten",
        supervisor("a group:budget=0/5 c", under=GROUP),
        UP + GIVE_UP + "crash group/x: -group/y ~group | stop: -c -a ended:shutdown",
    ),
    Case(
        "a transient supervisor is not restarted after its auto-shutdown",
        supervisor("a group:transient c", under=ENDING),
        UP + "exit group/x: -group/y | stop: -c -a ended:shutdown",
    ),
    Case(
        "a permanent supervisor is restarted after its auto-shutdown",
        supervisor("a group c", under=ENDING),
        UP + "exit group/x: " + AGAIN,
    ),
    Case(
        "a supervisor whose child does not start has not started",
        supervisor("a group c", under=GROUP),
        "fail group/y 1 | start: +a +group +group/x +group/y -group/x -a ended:crashed",
    ),
    Case(
        "a supervisor whose restart fails is tried again",
        supervisor("a group c", limit="2/5", under=GROUP),
        UP + GIVE_UP + "fail group/x 1 |"
        "crash group/x: -group/y +group +group/x +group +group/x +group/y",
    ),
    Case(
        "a supervisor that does not stop by its deadline is killed with its children",
        supervisor("a group:shutdown=1 c", under=GROUP),
        UP + "hang group/y | stop: -c -group -group/y |"
        "wait 1: !group !group/y !group/x -a ended:shutdown",
    ),
    Case(
        "a one_for_all round stops and starts a supervisor with its children",
        supervisor("a group c", Strategy.ONE_FOR_ALL, under=GROUP),
        UP + "crash a: -c -group -group/y -group/x +a +group +group/x +group/y +c",
    ),
    Case(
        "a rest_for_one round is caused by a supervisor that gives up",
        supervisor("a group c", Strategy.REST_FOR_ONE, under=GROUP),
        UP + GIVE_UP + "crash group/x: -group/y -c +group +group/x +group/y +c",
    ),
    Case(
        "a supervisor that crashes itself takes its children with it",
        supervisor("a group c", under=GROUP),
        UP + "crash group: +group +group/x +group/y",
    ),
    Case(
        "a stop during the start of a supervisor stops what it has started",
        supervisor("a group c", under=GROUP),
        "neverstart group/y | start: +a +group +group/x +group/y |"
        "stop: -group -group/y -group/x -a ended:shutdown",
    ),
    Case(
        "giving up escalates level by level",
        supervisor("a group", under=DEEP),
        DEEP_UP + "crash group/inner/p: -group/inner/q +group/inner +group/inner/p +group/inner/q |"
        "crash group/inner/p: -group/inner/q -group/x"
        " +group +group/x +group/inner +group/inner/p +group/inner/q",
    ),
    Case(
        "a deep tree stops depth first from its end",
        supervisor("a group", under=DEEP),
        DEEP_UP + "stop: -group -group/inner -group/inner/q -group/inner/p -group/x"
        " -a ended:shutdown",
    ),
)
