"""One host's windows as events tell them, and what no event may say of a window."""

from dataclasses import dataclass, field

from transport.checker.told import Told
from transport.labels import window_number
from transport.mirror import NumberRanges


@dataclass(slots=True)
class WindowMirror:
    """The windows of one epoch of a host.

    Attributes:
        pool, open: labels, with the line that brought each there.
        leaving: labels that were removed to be promoted, with the promote id.
        short_since: when the pool came under its target; None while it is whole.
    """

    epoch: str
    target: int
    number: int
    drained: bool = False
    live: bool = True
    pool: dict[str, int] = field(default_factory=dict)
    open: dict[str, int] = field(default_factory=dict)
    leaving: dict[str, str | None] = field(default_factory=dict)
    short_since: int | None = None
    gone: NumberRanges = field(default_factory=NumberRanges)
    gone_labels: set[str] = field(default_factory=set)

    @property
    def is_short(self) -> bool:
        """Whether the pool is under the target in force."""
        return self.live and not self.drained and len(self.pool) < self.target

    def was_gone(self, label: str) -> bool:
        """Say whether a window of this label is gone for ever."""
        number = window_number(label, self.epoch)
        return label in self.gone_labels if number is None else number in self.gone

    def _lose(self, label: str) -> None:
        number = window_number(label, self.epoch)
        if number is None:
            self.gone_labels.add(label)
        else:
            self.gone.add(number)

    def apply(self, told: Told, number: int) -> str | None:
        """Make an event true; give what is wrong with it, if anything is."""
        match told.type:
            case "PoolWindowAdded":
                wrong = self._add(told, number)
            case "PoolWindowRemoved":
                wrong = self._remove(told)
            case "PoolWindowPromoted":
                wrong = self._promote(told)
            case "WindowOpened":
                wrong = self._open(told, number)
            case "WindowClosed":
                wrong = self._close(told)
            case "PoolDrained":
                self.drained = True
                left = ", ".join((*self.pool, *self.open))
                wrong = f"drains a pool while there is {left}" if left else None
            case "HostLeft":
                self.live = False
                left = ", ".join((*self.pool, *self.open))
                wrong = f"leaves {left} behind" if left else None
            case _:
                wrong = None
        return wrong

    def _promote(self, told: Told) -> str | None:
        if self.leaving.get(told.label, "") == told.fields.get("promote_id"):
            return None
        return f"promotes {told.label!r}, which was not removed for it"

    def _close(self, told: Told) -> str | None:
        self._lose(told.label)
        if self.open.pop(told.label, None) is not None:
            return None
        return f"closes {told.label!r}, which no user had"

    def _add(self, told: Told, number: int) -> str | None:
        label = told.label
        self.open.pop(label, None)
        was_there = label in self.pool
        self.pool[label] = number
        if not label:
            return "adds a window without a label"
        if was_there:
            return f"adds {label!r}, which is in the pool"
        if self.was_gone(label):
            return f"adds {label!r}, which is gone for ever"
        return None

    def _remove(self, told: Told) -> str | None:
        label = told.label
        was_there = self.pool.pop(label, None) is not None
        if told.fields.get("reason") == "promoted":
            self.leaving[label] = told.fields.get("promote_id")
        else:
            self._lose(label)
        return None if was_there else f"removes {label!r}, which is not in the pool"

    def _open(self, told: Told, number: int) -> str | None:
        label = told.label
        self.drained = False
        left = self.leaving.pop(label, "")
        was_there = label in self.open or label in self.pool
        self.open[label] = number
        if not label:
            return "opens a window without a label"
        if was_there or self.was_gone(label):
            return f"opens {label!r}, which is there, or gone for ever"
        promote = told.fields.get("promote_id")
        from_pool = not told.fields.get("cold") and not told.fields.get("reconciled")
        if from_pool and left != promote:
            return f"opens {label!r}, which was not promoted for it"
        return None
