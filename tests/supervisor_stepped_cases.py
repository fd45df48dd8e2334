"""Runs the OTP cases through the in-thread world."""

from actors.supervision.child_spec import SHUTDOWN
from actors.supervision.stepped import MakeSupervisor, SteppedTree, make_supervisor
from actors.supervision.supervisor_errors import SupervisionError
from actors.supervision.supervisor_scripted import Script, What
from tests.supervisor_case_language import Case, Step, child

SEED = 3


def differences(case: Case, make: MakeSupervisor = make_supervisor) -> list[str]:
    """What happened otherwise than the case says, one line for each of its steps that did."""
    tree = SteppedTree(case.spec, seed=SEED, make=make)
    lines = []
    for step in case.steps:
        before = len(tree.history)
        error = _do(tree, step)
        happened = [
            str(each)
            for each in tree.history[before:]
            if not each.path or each.what not in {What.READY, What.ENDED}
        ]
        happened += error
        if happened != list(step.expected):
            lines.append(f"{step.verb} {'/'.join(step.path)}: {' '.join(happened)}")
    return lines


def _do(tree: SteppedTree, step: Step) -> list[str]:
    try:
        _act(tree, step)
    except (SupervisionError, LookupError) as error:
        return [type(error).__name__]
    return []


def _act(tree: SteppedTree, step: Step) -> None:
    path, argument = step.path, step.argument
    match step.verb:
        case "start" | "stop" | "kill":
            getattr(tree, step.verb)()
        case "crash":
            tree.crash(*path)
        case "exit":
            tree.exit(*path)
        case "shut":
            tree.exit(*path, reason=SHUTDOWN)
        case "wait":
            tree.advance(float(argument))
        case "add":
            tree.start_child(child(argument))
        case "terminate" | "restart" | "delete":
            getattr(tree, f"{step.verb}_child")(*path)
        case _:
            _change(tree.script(*path), step)


def _change(script: Script, step: Step) -> None:
    match step.verb:
        case "fail":
            script.failing_starts = int(step.argument)
        case "slowstart":
            script.start_takes = float(step.argument)
        case "neverstart":
            script.start_takes = None
        case "hang":
            script.stop_takes = None
        case "slowstop":
            script.stop_takes = float(step.argument)
        case "unkillable":
            script.unkillable = True
        case _:
            message = f"no such action: {step}"
            raise AssertionError(message)
