"""What `muxsaga run` shows while it runs: a live table in a terminal, plain lines elsewhere."""

import os
from collections.abc import Sequence
from itertools import islice
from types import TracebackType
from typing import Protocol, Self, TextIO

from rich.bar import Bar
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from actors.command_line.progress import ClosedBracket, Progress
from actors.command_line.promote_driver import PromoteDriver, RunPlan, Stage
from transport.labels import LABEL_PREFIX

REFRESH_NS = 100_000_000
"""How often the terminal is drawn, in nanoseconds."""

BAR_WIDTH = 20
BRACKETS_SHOWN = 10
SAGAS_SHOWN = 6


class RunView(Protocol):
    """Shows a run."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def say(self, line: str) -> None:
        """Show a line that stays."""

    def show(self, closed: Sequence[ClosedBracket], now: int) -> None:
        """Show what is new."""


def make_view(
    stream: TextIO, driver: PromoteDriver, progress: Progress, plan: RunPlan, *, plain: bool
) -> RunView:
    """Give the view that suits a stream; `plain` shows lines where it is no terminal."""
    if stream.isatty() and os.environ.get("TERM", "dumb") != "dumb":
        return TerminalView(Console(file=stream), driver, progress, plan)
    return PlainView(stream, driver, progress) if plain else SilentView()


class SilentView:
    """Shows nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass

    def say(self, line: str) -> None:
        """Show nothing."""

    def show(self, closed: Sequence[ClosedBracket], now: int) -> None:
        """Show nothing."""


class PlainView(SilentView):
    """One line a stage and one a bracket that closes, for logs and pipes."""

    def __init__(self, stream: TextIO, driver: PromoteDriver, progress: Progress) -> None:
        self._stream = stream
        self._driver = driver
        self._progress = progress
        self._stage: Stage | None = None

    def say(self, line: str) -> None:
        """Write a line."""
        self._stream.write(f"{line}\n")
        self._stream.flush()

    def show(self, closed: Sequence[ClosedBracket], now: int) -> None:
        """Write a line for each bracket, and one for a new stage."""
        del now
        lines = [self._bracket_line(each) for each in closed]
        if self._driver.stage is not self._stage:
            self._stage = self._driver.stage
            lines.append(f"{self._stage.value}; pools: {self._pools()}")
        if lines:
            self.say("\n".join(lines))

    def _bracket_line(self, bracket: ClosedBracket) -> str:
        mark = "failed" if bracket.failed else "done"
        return (
            f"{bracket.name} {bracket.saga_id} {mark}: {bracket.host} "
            f"{outcome_shown(bracket)} in {bracket.took_ms:.0f} ms; "
            f"{len(self._progress.open)} in flight; pools: {self._pools()}"
        )

    def _pools(self) -> str:
        hosts = self._driver.mirror.hosts.values()
        return ", ".join(f"{each.host} {len(each.pool)}/{each.target}" for each in hosts)


class TerminalView:
    """A table that is drawn anew ten times a second, by the run's own loop."""

    def __init__(
        self, console: Console, driver: PromoteDriver, progress: Progress, plan: RunPlan
    ) -> None:
        self._driver = driver
        self._progress = progress
        self._plan = plan
        self._drawn = 0
        self._live = Live(Text("starting"), console=console, auto_refresh=False)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.stop()

    def say(self, line: str) -> None:
        """Show a line above the table."""
        self._live.console.print(line, markup=False, highlight=False)

    def show(self, closed: Sequence[ClosedBracket], now: int) -> None:
        """Draw, if it is time."""
        del closed  # `Progress` keeps them
        if now - self._drawn >= REFRESH_NS or self._driver.stage is Stage.FINISHED:
            self._drawn = now
            self._live.update(self._render(now), refresh=True)

    def _render(self, now: int) -> RenderableType:
        return Group(
            self._head(),
            Panel(self._hosts(), title="hosts", title_align="left", border_style="blue"),
            Panel(self._sagas(now), title=self._saga_title(), title_align="left"),
            Panel(self._brackets(), title=self._bracket_title(), title_align="left", height=12),
        )

    def _head(self) -> RenderableType:
        driver, plan = self._driver, self._plan
        grid = Table.grid(padding=(0, 2))
        done = Bar(max(1, plan.promotes), 0, driver.settled, width=BAR_WIDTH * 2, color="green")
        latency = self._progress.latencies_ms
        shown = "  ".join(f"{name} {value:.0f} ms" for name, value in latency.items())
        grid.add_row(
            Text(driver.stage.value, style="bold"),
            done,
            f"{driver.settled}/{plan.promotes} promotes",
            Text(shown or "no latency yet", style="cyan"),
        )
        return grid

    def _hosts(self) -> RenderableType:
        table = Table.grid(padding=(0, 2), expand=False)
        table.add_row(*(Text(each, style="dim") for each in ("host", "pool", "", "open", "sagas")))
        for name in self._plan.hosts:
            host = self._driver.mirror.hosts.get(name)
            if host is None:
                table.add_row(name, Text("not registered", style="yellow"))
                continue
            size, target = len(host.pool), host.target
            colour = "green" if size >= target else "yellow"
            table.add_row(
                name,
                Bar(max(1, target), 0, min(size, max(1, target)), width=BAR_WIDTH, color=colour),
                "drained" if host.drained else f"{size}/{target}",
                f"{len(host.opened)}",
                f"{self._progress.in_flight(name)}",
            )
        return table

    def _saga_title(self) -> str:
        return f"sagas in flight: {len(self._progress.open)}"

    def _sagas(self, now: int) -> RenderableType:
        table = Table.grid(padding=(0, 2))
        for each in islice(self._progress.open.values(), SAGAS_SHOWN):
            age = max(0.0, (now - each.since_ns) / 1e6)
            table.add_row(f"{each.saga_id}", each.name, each.host, f"{age:.0f} ms")
        for _ in range(SAGAS_SHOWN - table.row_count):
            table.add_row("")
        return table

    def _bracket_title(self) -> str:
        progress = self._progress
        failed = f", {progress.failed_count} failed" if progress.failed_count else ""
        return f"brackets closed: {progress.closed_count}{failed}"

    def _brackets(self) -> RenderableType:
        table = Table.grid(padding=(0, 2))
        for each in list(self._progress.closed)[-BRACKETS_SHOWN:]:
            style = "red" if each.failed else "green"
            table.add_row(
                f"{each.saga_id}",
                each.name,
                each.host,
                Text(outcome_shown(each), style=style),
                f"{each.took_ms:.0f} ms",
            )
        return table


def outcome_shown(bracket: ClosedBracket) -> str:
    """Give a bracket's result, a window's label as its number, or why it failed."""
    outcome = bracket.outcome
    if bracket.failed or not outcome.startswith(LABEL_PREFIX):
        return outcome
    return f"window {outcome.rpartition('-')[2]}"
