"""`muxsaga diag state`: everything that a running launcher can say of itself."""

import json
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from actors.command_line.aligned import INDENT, aligned
from actors.command_line.command_error import CommandError
from actors.command_line.option_types import count_from, seconds
from actors.command_line.parsers import Subparsers, add_command
from actors.command_line.places import add_launcher_place, launcher_endpoints
from actors.command_line.status_command import START_IT
from transport.messages import StateAnswer, StateQuestion
from transport.messages.query import STATE_SAGAS
from transport.zeromq.query_client import QueryError, QueryTimeoutError, ask

OLDEST = 50

EXAMPLES = """\
examples:
  muxsaga diag state
  muxsaga diag state --sagas 5
  muxsaga diag state --json | jq '.peers.shown[] | select(.link != "registered")'

It is answered while the launcher's loop hangs or its log is out. --json has what the text leaves
out, such as whole epochs and counters that are 0.
"""


def add_diag_state(topics: Subparsers) -> None:
    """Add the command."""
    summary = "ask the launcher for everything: hosts, sagas in flight, queues, counters"
    parser = add_command(topics, "state", summary, EXAMPLES, execute)
    add_launcher_place(parser)
    parser.add_argument(
        "--sagas",
        type=count_from(0, STATE_SAGAS),
        default=OLDEST,
        metavar="N",
        help=f"how many open sagas one by one, the oldest first, up to {STATE_SAGAS} "
        "(default: %(default)s)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument(
        "--timeout", type=seconds, default=5.0, metavar="SECONDS", help="default: %(default)g"
    )


def execute(options: Namespace) -> int:
    """Print the launcher's answer."""
    where = launcher_endpoints(options)
    question = StateQuestion(number=1, sagas=options.sagas)
    try:
        answer = ask(where.query, question, StateAnswer, options.timeout, keys=where.keys)
    except QueryTimeoutError as error:
        msg = f"{error}{START_IT}"
        raise CommandError(msg) from error
    except QueryError as error:
        raise CommandError(str(error)) from error
    state = answer.state
    print(json.dumps(state) if options.json else "\n".join(state_lines(state)))  # noqa: T201
    return 0


def state_lines(state: Mapping[str, Any]) -> Iterator[str]:
    """Give a launcher's state, for people."""
    yield f"log       {state['log']}, version {state['version']}: {_log_words(state)}"
    yield (
        f"launcher  {'stopping' if state['stopping'] else 'running'}; "
        f"its loop went round {state['loop_quiet_s']:.1f} s ago"
    )
    yield from _peers(state["peers"])
    yield from _services(state["services"])
    yield from _sagas(state["sagas"])
    yield from _queues(state["queues"])
    yield from _counters(state)


def _log_words(state: Mapping[str, Any]) -> str:
    if state["log_outage"] is None:
        return "ok"
    return (
        f"unavailable for {state['log_outage_s']:.1f} s, and so long a pass is kept: "
        f"{state['log_outage']}"
    )


def _peers(peers: Mapping[str, Any]) -> Iterator[str]:
    half_way = peers["registering"]
    registering = f"; {half_way} half-way through a registration" if half_way else ""
    yield f"hosts and services  {peers['count']}{_parts(peers['by_link'])}{registering}"
    if not peers["shown"]:
        return
    heads = ("NAME", "ROLE", "LINK", "HEARD", "TAKEN", "POOL", "OPEN", "PENDING", "UNSENT")
    rows = [_peer_row(peer) for peer in peers["shown"]]
    yield from aligned((*heads, "EPOCH", "MIRROR AND INVENTORY"), rows)
    yield from _left_out(peers["count"], peers["shown"])
    for peer in peers["shown"]:
        if peer.get("pool"):
            more = _more(peer["pool_size"], peer["pool"])
            yield f"{INDENT}pool of {peer['name']}: {', '.join(peer['pool'])}{more}"


def _peer_row(peer: Mapping[str, Any]) -> list[str]:
    is_host = "pool_size" in peer
    pool = f"{peer['pool_size']}/{peer['target']}" if is_host else "-"
    return [
        peer["name"],
        peer["role"],
        peer["link"],
        _ago(peer.get("heard_s")),
        str(peer.get("reports_taken", "-")),
        f"{pool} drained" if peer.get("drained") else pool,
        str(peer["open"]) if is_host else "-",
        str(peer.get("pending_steps", "-")),
        str(peer.get("unsent_steps", "-")),
        peer["epoch"][:8] if peer["epoch"] else "-",
        _comparison(peer) if is_host else "-",
    ]


def _comparison(peer: Mapping[str, Any]) -> str:
    compared = peer.get("inventory")
    words = []
    if compared is not None:
        found = compared["differences"]
        labels = f": {', '.join(compared['labels'])}{_more(found, compared['labels'])}"
        said = f"{found} differed{labels}" if found else "equal"
        words.append(f"as of {compared['as_of']}, {_ago(compared['compared_s'])} ago: {said}")
    if peer.get("inventory_awaited"):
        words.append("the next is awaited")
    return "; ".join(words) or "never compared"


def _services(services: Mapping[str, Any]) -> Iterator[str]:
    if services["count"]:
        yield f"served command types  {services['count']}"
        rows = [(each["command"], each["service"], each["link"]) for each in services["shown"]]
        yield from aligned(("COMMAND", "SERVICE", "LINK"), rows)
        yield from _left_out(services["count"], services["shown"])


def _sagas(sagas: Mapping[str, Any]) -> Iterator[str]:
    yield f"sagas in flight  {sagas['open']}{_parts(sagas['by_name'])}"
    if sagas["oldest"]:
        heads = ("ID", "NAME", "SINCE", "DEADLINE", "RESTARTS", "WAITS FOR", "WHY")
        yield from aligned(heads, [_saga_row(saga) for saga in sagas["oldest"]])
    yield from _left_out(sagas["open"], sagas["oldest"])
    yield (
        f"sagas since its engine began  {sagas['started']} started, "
        f"{sagas['completed']} completed, {sagas['failed']} failed"
    )


def _saga_row(saga: Mapping[str, Any]) -> list[str]:
    deadline, failure = saga["deadline_s"], saga["last_failure"]
    return [
        str(saga["saga_id"]),
        saga["name"],
        _ago(saga["since_s"]),
        f"in {deadline:.1f} s" if deadline is not None else "-",
        f"{saga['restarts']}: {failure}" if failure is not None else str(saga["restarts"]),
        saga["waits_for"],
        "; ".join(saga["why"]),
    ]


def _queues(queues: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f"queues  steps pending: {queues['pending_steps']}, of them never handed over: "
        f"{queues['unsent_steps']}; timers: {queues['timers']}"
    )
    if queues["longest"]:
        rows = [
            (
                each["to"],
                str(each["pending_steps"]),
                str(each["unsent_steps"]),
                "flows" if each["flowing"] else "waits",
            )
            for each in queues["longest"]
        ]
        yield from aligned(("TO", "PENDING", "UNSENT", ""), rows)
    yield from _left_out(queues["count"], queues["longest"])


def _counters(state: Mapping[str, Any]) -> Iterator[str]:
    counters, queries = state["counters"], state["queries"]
    named = {name: value for name, value in counters.items() if name != "faults"}
    yield f"counters  {_named(named)}"
    yield f"bad frames on the link  {_named(counters['faults'])}"
    yield f"questions  {queries['answered']} answered; bad ones: {_named(queries['faults'])}"


def _named(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "none"


def _parts(counts: Mapping[str, int]) -> str:
    return f": {_named(counts)}" if counts else ""


def _left_out(count: int, shown: Sequence[object]) -> Iterator[str]:
    if count > len(shown):
        yield f"{INDENT}and {count - len(shown)} more"


def _more(count: int, shown: Sequence[object]) -> str:
    return f" and {count - len(shown)} more" if count > len(shown) else ""


def _ago(duration: float | None) -> str:
    return "-" if duration is None else f"{duration:.1f} s"
