"""A model on a clock (`clocked`), swept until no choice in it is worth its price: best first, in parts.

Sweeps alone become slow near their end, so messages are moved on in the direction in which they have changed, as far as
that has worked out lately; a bound holds with any messages. What sweeps leave open has two causes. Times are rounded down
to ticks: the tick is halved. And around cycles of jobs messages bound less than the truth: where many cycles meet in one
job, the model is divided by when that job ends, and each part is swept by itself. That is branch and bound (Land and Doig
1960); the part that is open widest comes first, and begins with what the whole had learnt.

Imports numpy; loaded only by a problem that leaves something to choose.
"""

import math
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, field

from skyflow.planner.bounds.clocked import Clocked, Messages

__all__ = ["Part", "Parts", "Watch"]

_CELLS = 25_000_000
"""About a tenth of a second for a pass there and back."""
_FEW_CELLS = 5_000_000
"""So few that a pass takes hardly longer with a finer tick: what it costs is the number of edges."""
_ALL_CELLS = 80_000_000
"""So many in all parts that no more of them are made, lest they fill the memory."""
_MOST_TICKS = 100_000
_GAIN, _ANY_GAIN, _LOOK_BACK = 0.02, 1e-3, 4
"""Sweeps have stalled when so many have closed less than this share of the gap, and are over when less than the second."""
_LOOK_AHEAD = 3
"""For how many times as many sweeps more a part is left as it is that will be closed by then, if it goes on like this."""
_CROP_EVERY = 4
"""After how many sweeps dropped labels are forgotten."""
_STRIDE, _LONGER, _SHORTER, _LONGEST = 1.0, 1.25, 0.5, 4.0
"""By how many times their last changes messages are changed once more, and how that grows and shrinks as it works out."""
_LEADS = (0.0, 0.005, 0.01, 0.02)
"""By what share of the deadline a plan on the way expects to be late, in turn."""
_ELASTICITY, _LEAST = 2.0, 1e-3
"""By what share a deadline is made earlier for every share of the ceiling that the bound is too low (twice as much where no
slack is left); and by what share at least."""
_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Watch:
    """What a search asks: above what it is too dear to be of interest, whether to stop, and how much time is left for all.

    `offer` takes the labels of plans on the way, one after so many sweeps.
    """

    ceiling: Callable[[], float]
    is_over: Callable[[], bool]
    seconds_left: Callable[[], float]
    offer: Callable[[Sequence[int]], None]
    plan_every: int = 1


@dataclass(slots=True)
class Part:
    """A model that is being swept; `turn` counts its sweeps, `bounds` are those since it was last changed."""

    model: Clocked
    deadline: float
    ticks: int
    turn: int = 0
    bounds: list[float] = field(default_factory=lambda: [-math.inf])
    _since: Messages | None = None
    """What the messages were after the last turn that was a multiple of `_CROP_EVERY`, if they can still be compared."""
    _unpressed: Messages | None = None
    """What they were before they were last pressed on, likewise."""
    _reached: float = -math.inf
    _stride: float = _STRIDE

    @property
    def bound(self) -> float:
        """What nothing in it costs less than."""
        return self.bounds[-1]

    # -------------------------------------------------------------------------------------------------------- sweeps

    def sweep(self, watch: Watch, *, sweeps: int, is_lesson: bool = False) -> bool:
        """Sweep a few times; tell whether anything is left below the ceiling. In a lesson no label is forgotten."""
        for _ in range(sweeps):
            self.turn += 1
            model = self.model
            leads, rest = divmod(self.turn, watch.plan_every)
            forward, made = model.forward(lead=None if rest else _LEADS[leads % len(_LEADS)] * self.deadline)
            if forward < math.inf and not rest:
                watch.offer(made)
            backward = model.backward() if forward < math.inf else math.inf
            self.bounds.append(max(self.bound, forward, backward))
            ceiling = watch.ceiling()
            slack = _TOLERANCE * abs(ceiling)
            if self.bound > ceiling + slack:
                return False
            model.drop(ceiling - forward + slack)
            if not self._end_turn(max(forward, backward), is_lesson=is_lesson):
                return False
            if watch.is_over():
                break
        return True

    def _end_turn(self, reached: float, *, is_lesson: bool) -> bool:
        """Forget what is out, and press on, each at its turn; tell whether every job has a label left."""
        phase = self.turn % _CROP_EVERY
        if phase == 0:
            self._judge_press(reached)
            if not is_lesson and not self.model.crop():
                return False
            self._since, self._unpressed = self.model.messages(), None
        elif phase == _CROP_EVERY - 1 and self._since is not None:
            self._unpressed = self.model.messages()
            self.model.press_on(self._since, self._stride)
        return True

    def _judge_press(self, reached: float) -> None:
        """Take back how messages were changed where the bound has fallen since; the better it has worked out, the further next."""
        if reached > self._reached:
            self._stride = min(_LONGEST, self._stride * _LONGER)
        elif self._unpressed is not None:
            self._stride *= _SHORTER
            self.model.said_ahead, self.model.said_back = self._unpressed
        self._reached = max(reached, self._reached)

    @property
    def _gained(self) -> float:
        """What the last sweeps have gained."""
        return self.bound - self.bounds[max(0, len(self.bounds) - 1 - _LOOK_BACK)]

    def has_stalled(self, ceiling: float, *, gain: float = _GAIN) -> bool:
        """Tell whether the last sweeps have gained next to nothing."""
        return len(self.bounds) > 2 * _LOOK_BACK and self._gained <= gain * (ceiling - self.bound)

    def is_promising(self, ceiling: float) -> bool:
        """Tell whether a few sweeps more close it, if it goes on like this."""
        return self._gained > 0 and self.bound + _LOOK_AHEAD * self._gained >= ceiling

    # ------------------------------------------------------------------------------------------------------- changes

    def is_coarse(self, most_cells: int) -> bool:
        """Tell whether its tick can be halved where that makes few cells enough."""
        return self.ticks < _MOST_TICKS and self.model.cells <= most_cells

    def refine(self, most_cells: int) -> bool:
        """Halve the tick where that makes few cells enough; tell whether it does."""
        if not self.is_coarse(most_cells):
            return False
        self.ticks *= 2
        self.model.refine()
        self.change(self.model)
        return True

    def divide(self) -> "Part | None":
        """Become the half of what it was, and return the other half; None where no job is worth dividing by."""
        halves = self.model.halves()
        if halves is None:
            return None
        other = copy(self)
        other.change(halves[1])
        self.change(halves[0])
        return other

    def hurry(self, deadline: float) -> None:
        """Make the deadline earlier, if it is later."""
        if deadline < self.deadline:
            self.deadline = deadline
            self.change(self.model.until(deadline))

    def change(self, model: Clocked) -> None:
        """Go on with another model, of no more than it had; the bound stays."""
        self.model, self.bounds = model, [self.bound]
        self._since = self._unpressed = None


class Parts:
    """What is open of a model."""

    def __init__(self, root: Part, watch: Watch) -> None:
        self.open, self.watch = [root], watch
        self.refuted = math.inf
        """The earliest deadline of the parts that are closed: by then nothing in them is below the ceiling."""

    @property
    def bound(self) -> float:
        """What nothing in the whole costs less than; infinite where nothing is left below the ceiling."""
        return min((part.bound for part in self.open), default=math.inf)

    def advance(self, *, sweeps: int, is_lesson: bool = False, slack: float = math.inf) -> bool:
        """Do a little for the part that is open widest; tell whether that can go on. In a lesson its labels stay as they are.

        Where that is open by more than the slack, a share of the ceiling, or nothing helps in time, all parts are given an
        earlier deadline, unless the slack is infinite: what counts in the end is the earliest.
        """
        if not self.open or self.watch.is_over():
            return False
        part = min(self.open, key=lambda part: part.bound)
        before, left = part.bound, self.watch.seconds_left()
        if not part.sweep(self.watch, sweeps=sweeps, is_lesson=is_lesson):
            self.open.remove(part)
            self.refuted = min(self.refuted, part.deadline)
            return bool(self.open)
        ceiling = self.watch.ceiling()
        missing = 1.0 - part.bound / ceiling
        if not is_lesson and missing > slack:
            self.hurry(_earlier(part.deadline, missing - slack, _ELASTICITY if slack else 2 * _ELASTICITY))
        elif not is_lesson and slack < math.inf and self._is_hopeless(part, part.bound - before, left):
            self.hurry(_earlier(part.deadline, missing, 1.0))
        elif not (is_lesson or part.is_promising(ceiling) or self._sharpen(part, ceiling)):
            if slack == math.inf:
                return False
            self.hurry(_earlier(part.deadline, missing, 1.0))
        return True

    def _is_hopeless(self, part: Part, gained: float, left: float) -> bool:
        """Tell whether a part that cannot be divided or made finer stays open until time is up, if it goes on like this."""
        took, left = left - self.watch.seconds_left(), self.watch.seconds_left()
        can_change = bool(part.model.hubs) or part.is_coarse(_FEW_CELLS) or len(part.bounds) <= 2 * _LOOK_BACK
        return not can_change and took * (self.watch.ceiling() - part.bound) > gained * left

    def _sharpen(self, part: Part, ceiling: float) -> bool:
        """Change the model where sweeps do not close it; tell whether there is anything left to do."""
        if part.refine(_FEW_CELLS):
            return True
        if sum(one.model.cells for one in [*self.open, part]) <= _ALL_CELLS:
            other = part.divide()
            if other is not None:
                self.open.append(other)
                return True
        return not part.has_stalled(ceiling) or part.refine(_CELLS) or not part.has_stalled(ceiling, gain=_ANY_GAIN)

    def hurry(self, deadline: float) -> None:
        """Let no part have a later deadline; what was out stays out."""
        for part in self.open:
            part.hurry(deadline)


def _earlier(deadline: float, share: float, elasticity: float) -> float:
    """Return an earlier deadline, by about a share as many times as time is elastic."""
    return float(deadline * (1.0 - min(0.5, max(_LEAST, share))) ** elasticity)
