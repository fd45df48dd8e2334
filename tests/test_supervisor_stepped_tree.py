import pytest

from actors.supervision.child_spec import Backoff, ChildSpec, ExitKind, Restart, SupervisorSpec
from actors.supervision.stepped import SteppedTree

GROUP = ChildSpec("group", SupervisorSpec((ChildSpec("x", None),)))


def history(tree: SteppedTree) -> str:
    return " ".join(map(str, tree.history))


def test_the_example_of_the_page_holds() -> None:
    tree = SteppedTree(SupervisorSpec(children=(ChildSpec("db", None), ChildSpec("web", None))))
    tree.start()
    tree.crash("db")
    tree.script("web").stop_takes = None
    tree.stop()
    tree.advance(5.0)
    assert history(tree) == "+db +web ready +db -web !web -db ended:shutdown"


def test_the_history_has_the_time_and_what_supervisors_under_it_say() -> None:
    tree = SteppedTree(SupervisorSpec((GROUP,)))
    tree.script("group", "x").start_takes = 1.5
    tree.start()
    tree.advance(2.0)
    tree.stop()
    assert history(tree) == (
        "+group +group/x ready:group ready -group -group/x ended:group:shutdown ended:shutdown"
    )
    assert [each.at for each in tree.history] == [0, 0, *[1_500_000_000] * 2, *[2_000_000_000] * 4]
    assert tree.seconds == 2.0


def test_what_lives_is_listed_and_the_end_is_told() -> None:
    tree = SteppedTree(SupervisorSpec((GROUP, ChildSpec("a", None, restart=Restart.TEMPORARY))))
    assert tree.lives() == []
    tree.start()
    assert tree.lives() == [("group",), ("group", "x"), ("a",)]
    tree.exit("a")
    assert tree.lives() == [("group",), ("group", "x")]
    before = tree.ended
    tree.kill()
    after = tree.ended
    assert before is None
    assert after is not None
    assert after.kind is ExitKind.KILLED


def test_a_command_to_a_child_that_does_not_live_says_so() -> None:
    tree = SteppedTree(SupervisorSpec((ChildSpec("a", None),)))
    tree.start()
    with pytest.raises(LookupError, match=r"no child lives at \('b',\)"):
        tree.crash("b")
    with pytest.raises(LookupError, match=r"\('a',\) is not a supervisor"):
        tree.supervisor("a")


def test_the_same_seed_gives_the_same_history() -> None:
    def run(seed: int) -> list[int]:
        spec = SupervisorSpec((ChildSpec("a", None),), backoff=Backoff(first=10.0))
        tree = SteppedTree(spec, seed=seed)
        tree.start()
        tree.crash("a")
        tree.advance(10.0)
        return [each.at for each in tree.history]

    assert run(1) == run(1) != run(2)
