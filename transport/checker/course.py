"""What was done to the processes, links and log of a history, and since when there is peace."""

from transport.history_lines import FaultLine, OutageLine, ProcessLine, TruncatedLine

LAUNCHER = "launcher"
_DOWN = {"ended", "killed", "stopped"}


class Course:
    """How a history went, up to the line taken last.

    Attributes:
        now: the latest time of any line.
        anew_at: when the launcher was last started, continued or disturbed, or an outage ended:
            brackets' times count from then.
        outage_since: when the outage that is on began, or None.
        outage_number: its line.
        disturbed_at: when the last fault of any kind was.
        restarted: the observer that begins anew with the next line: it was started after it was
            down, and is told version 1. One that is told another goes on where it was.
        restarts: processes that were started after they were down, and told nothing since.
        down: processes that ended, were killed or stand still.
        had_outage: there was an outage.
        truncated: an observer was told that it cannot have everything.
    """

    def __init__(self) -> None:
        self.now = 0
        self.anew_at = 0
        self.outage_since: int | None = None
        self.outage_number = 0
        self.disturbed_at = 0
        self.restarted = ""
        self.restarts: dict[str, tuple[int, ProcessLine]] = {}
        self.down: set[str] = set()
        self.had_outage = False
        self.truncated = False
        self._last_fault: dict[str, int] = {}
        self._lasting: set[tuple[str, str]] = set()

    @property
    def paused(self) -> bool:
        """Whether the launcher cannot end anything: it is down, or its log is."""
        return LAUNCHER in self.down or self.outage_since is not None

    def leaves_in_peace(self, host: str) -> bool:
        """Say whether no fault lasts, and neither a host nor the launcher or its log is down."""
        return not self._lasting and not self.paused and host not in self.down

    def peace_until(self, at_ns: int) -> int:
        """Give for how long nothing was done to anybody, and nobody was down, in nanoseconds."""
        if self._lasting or self.paused or self.down:
            return 0
        return at_ns - max(self.disturbed_at, self.anew_at)

    @property
    def fault_lasts(self) -> bool:
        """Whether a fault that began has not ended."""
        return bool(self._lasting)

    def take(self, number: int, line: object) -> None:
        """Take the next line."""
        match line:
            case ProcessLine():
                self._take_process(number, line)
            case FaultLine():
                self._take_fault(line)
            case OutageLine(did="began"):
                self.had_outage = True
                if self.outage_since is None:
                    self.outage_since, self.outage_number = line.at_ns, number
            case OutageLine():
                self.outage_since = None
                self.anew_at = self.disturbed_at = line.at_ns
            case TruncatedLine():
                self.truncated = True
            case _:
                pass

    def _take_process(self, number: int, line: ProcessLine) -> None:
        if line.did in _DOWN:
            self.down.add(line.name)
            if line.did != "ended":
                self._disturb(line.name, line.at_ns)
        elif line.did in {"started", "continued"}:
            if line.name in self.down:
                self._disturb(line.name, line.at_ns)
                if line.did == "started":
                    self.restarts[line.name] = number, line
            self.down.discard(line.name)
            if line.name == LAUNCHER:
                self.anew_at = line.at_ns

    def _take_fault(self, line: FaultLine) -> None:
        if line.did == "began":
            self._lasting.add((line.fault, line.target))
        elif line.did == "ended":
            self._lasting.discard((line.fault, line.target))
        self._disturb(line.target, line.at_ns)
        if line.target == LAUNCHER:
            self.anew_at = line.at_ns

    def _disturb(self, target: str, at_ns: int) -> None:
        self.disturbed_at = at_ns
        self._last_fault[target] = at_ns

    def last_fault_of(self, name: str) -> int | None:
        """Give when a process or one of its links had its last fault; None for never."""
        times = [at for target, at in self._last_fault.items() if _concerns(target, name)]
        return max(times, default=None)

    def has_lasting_fault(self, name: str) -> bool:
        """Say whether a fault of a process or of one of its links lasts."""
        return name in self.down or any(_concerns(target, name) for _, target in self._lasting)

    @property
    def launcher_was_spared(self) -> bool:
        """Whether nothing was ever done to the launcher or its log."""
        return not self.had_outage and LAUNCHER not in self._last_fault


def _concerns(target: str, name: str) -> bool:
    """Say whether a fault's target is a process, or a link that ends at it."""
    return target == name or target.startswith(f"{name}-") or target.endswith(f"-{name}")
