"""How the labels of a job on a clock (`clocked`) ask what comes over an edge: one by one, or in groups.

Of the edge a label's message is, for each tick m in which it can end, the least over the voices a (`crossing`) of

    said[a](m - ticks(wait[a] + seconds)) + cost[a]

Labels that wait as long for each voice and pay as much form a group, which is asked once: to the tick of the arrival, and
from there to the end of each label. That rounds twice, but looks at so much fewer numbers that the tick can be finer.

Imports numpy; loaded only by a problem that leaves something to choose.
"""

from dataclasses import dataclass

import numpy as np

from skyflow.planner.bounds.groups import Groups
from skyflow.planner.bounds.pairwise import Floats, Ints

__all__ = ["Asked", "Clock", "Direct", "Grouped", "Paired", "Span", "gate"]

_MANY_CELLS = 40_000
"""About as many numbers as the second step of a group costs by being called."""
_ROUNDING = 1e-12
"""By what share seconds count as shorter or longer, so that rounding never makes a tick of nothing, or a second one."""


@dataclass(frozen=True, slots=True)
class Clock:
    """Ticks of some seconds; times are rounded down to them or up."""

    tick: float
    is_up: bool = False

    def ticks(self, seconds: Floats) -> Ints:
        """Return whole ticks."""
        counted = seconds / self.tick * (1 - _ROUNDING)
        ticks: Ints = (np.ceil(counted) if self.is_up else np.floor(counted)).astype(np.int64)
        return ticks


@dataclass(frozen=True, slots=True)
class Span:
    """The ticks of an edge's ends: by how many the target's first is later than the source's, and how many both have."""

    lead: int
    ahead: int
    back: int


@dataclass(frozen=True, slots=True)
class Asked:
    """What each voice costs each label of the target and how many seconds it takes; and the label's own seconds."""

    costs: Floats
    waits: Floats
    seconds: Floats


class Direct:
    """Every label asks every voice."""

    def __init__(self, asked: Asked, clock: Clock, span: Span) -> None:
        """Take an edge."""
        self._costs, self._span = asked.costs, span
        self._starts, self._back_starts = _starts(asked, clock, span)

    @property
    def cells(self) -> int:
        """How many numbers a message looks at."""
        return self._costs.size * self._span.ahead

    def forward(self, voices: Floats) -> Floats:
        """Return the least for each label and tick of the target, from the least by then of each voice."""
        said = _windows(voices, self._span.ahead, before=np.inf, after=voices[:, -1:])
        said = said[np.arange(len(voices))[:, None], self._starts]
        said += self._costs[:, :, None]
        message: Floats = said.min(axis=0)
        return message

    def backward(self, best: Floats) -> Floats:
        """Return the least for each voice and tick of the source, from the least from then on of each label."""
        said = _windows(best, self._span.back, before=best[:, :1], after=np.inf)
        said = said[np.arange(len(best)), self._back_starts]
        said += self._costs[:, :, None]
        message: Floats = said.min(axis=1)
        return message


class Grouped:
    """Groups of labels ask every voice; `of` says which group a label is in."""

    def __init__(self, asked: Asked, of: Ints, clock: Clock, span: Span) -> None:
        """Take an edge; costs and waits are those of groups, seconds those of labels."""
        self._costs, self._of, self._span, self._groups = asked.costs, of, span, Groups(of)
        durations, shifts = clock.ticks(asked.seconds), clock.ticks(asked.waits)
        begin = max(int(shifts.min()), span.lead - int(durations.max()))  # of the arrivals, on the source's clock
        end = min(int(shifts.max()) + span.back, span.lead - int(durations.min()) + span.ahead)
        self._width = width = max(1, end - begin)
        self._starts = np.clip(begin - shifts + width, 0, span.back + width)
        self._back_starts = np.clip(shifts - begin + span.back, 0, span.back + width)
        late = span.lead - durations - begin
        self._label_starts = np.clip(late + span.ahead, 0, span.ahead + width)
        self._label_back_starts = np.clip(width - late, 0, span.ahead + width)

    @property
    def cells(self) -> int:
        """How many numbers a message looks at."""
        return self._costs.size * self._width + len(self._of) * self._span.ahead

    def forward(self, voices: Floats) -> Floats:
        """Return the least for each label and tick of the target, from the least by then of each voice."""
        said = _windows(voices, self._width, before=np.inf, after=voices[:, -1:])
        said = said[np.arange(len(voices))[:, None], self._starts]
        said += self._costs[:, :, None]
        arrived: Floats = said.min(axis=0)
        ended = _windows(arrived, self._span.ahead, before=np.inf, after=arrived[:, -1:])
        message: Floats = ended[self._of, self._label_starts]
        return message

    def backward(self, best: Floats) -> Floats:
        """Return the least for each voice and tick of the source, from the least from then on of each label."""
        begun = _windows(best, self._width, before=best[:, :1], after=np.inf)
        arrived = self._groups.least(begun[np.arange(len(best)), self._label_back_starts])
        said = _windows(arrived, self._span.back, before=arrived[:, :1], after=np.inf)
        said = said[np.arange(len(arrived)), self._back_starts]
        said += self._costs[:, :, None]
        message: Floats = said.min(axis=1)
        return message


class Paired:
    """Every label asks one row of its own, so that costs and waits are lists."""

    def __init__(self, asked: Asked, clock: Clock, span: Span) -> None:
        """Take an edge."""
        self._costs, self._span = asked.costs[:, None], span
        self._starts, self._back_starts = _starts(asked, clock, span)

    @property
    def cells(self) -> int:
        """How many numbers a message looks at."""
        return self._costs.size * self._span.ahead

    def forward(self, rows: Floats) -> Floats:
        """Return what each label hears from its row."""
        said = _windows(rows, self._span.ahead, before=np.inf, after=rows[:, -1:])
        message: Floats = said[np.arange(len(rows)), self._starts] + self._costs
        return message

    def backward(self, best: Floats) -> Floats:
        """Return what each label says to its row."""
        said = _windows(best, self._span.back, before=best[:, :1], after=np.inf)
        message: Floats = said[np.arange(len(best)), self._back_starts] + self._costs
        return message


def gate(asked: Asked, clock: Clock, span: Span) -> Direct | Grouped:
    """Return the way to ask that looks at fewer numbers; where times are rounded up, for plans, they are so once only."""
    direct = Direct(asked, clock, span)
    if clock.is_up or direct.cells < _MANY_CELLS:
        return direct
    keys = _sum(asked.costs) + np.sqrt(3.0) * _sum(asked.waits)
    _, firsts, of = np.unique(keys, return_index=True, return_inverse=True)
    costs, waits = asked.costs[:, firsts], asked.waits[:, firsts]
    if not (np.array_equal(costs[:, of], asked.costs) and np.array_equal(waits[:, of], asked.waits)):
        return direct  # labels that differ happen to have one key
    grouped = Grouped(Asked(costs, waits, asked.seconds), of, clock, span)
    return grouped if 1.5 * grouped.cells + _MANY_CELLS / 2 < direct.cells else direct


def _starts(asked: Asked, clock: Clock, span: Span) -> tuple[Ints, Ints]:
    """Return where in the stretches of its row a label's message begins (`_windows`), and a row's in those of its label."""
    late = span.lead - clock.ticks(asked.waits + asked.seconds)
    whole = span.ahead + span.back
    return np.clip(late + span.ahead, 0, whole), np.clip(span.back - late, 0, whole)


def _sum(table: Floats) -> Floats:
    """Return a number for each column, the same for those that are the same."""
    weights = np.sqrt(np.arange(2.0, len(table) + 2))
    total: Floats = (table * weights[:, None]).sum(axis=0)
    return total


def _windows(rows: Floats, width: int, *, before: Floats | float, after: Floats | float) -> Floats:
    """Return, of each row, all stretches of a width, when what is before and after the row goes on for ever."""
    padded = np.empty((len(rows), rows.shape[1] + 2 * width))
    padded[:, :width], padded[:, width:-width], padded[:, -width:] = before, rows, after
    row, one = padded.strides
    return np.ndarray((len(rows), rows.shape[1] + width + 1, width), buffer=padded, strides=(row, one, one))
