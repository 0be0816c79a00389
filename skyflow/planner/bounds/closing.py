"""What is left between the best plan and the bound that prices give, closed on a clock.

Where the goal has a cost, one model of jobs on a clock (`clocked`) does, with the best plan's value as its ceiling. Where
the makespan alone counts and the rest is limited, a time is put to the test: if everything that ends by then costs more
than the limits allow, it is a bound; if a plan turns up that ends by then, it is a better plan. Testing a time is much
sharper than pricing the limits, because all that costs too much is out at once. What a test has learnt is not lost: when
it rises too slowly to end in time, its deadline is made earlier, and whatever was out stays out; and the next test begins
with the messages of the first sweeps. Sweeps alone become slow near their end, so messages are moved on in the direction in
which they have changed, as far as that has worked out lately; a bound holds with any messages.

Imports numpy; loaded only by a problem that leaves something to choose.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from skyflow.planner.bounds.clocked import Clocked, Messages, Prices

if TYPE_CHECKING:
    from skyflow.planner.bounds.tradeoff import Tradeoff

__all__ = ["close"]

_CELLS = 40_000_000
"""About a fifth of a second for a pass there and back; the tick to begin with makes no more of them."""
_FEW_CELLS = 2_000_000
"""So few that a pass takes no longer with a finer tick: what it costs is the number of edges."""
_TICKS, _FEWEST_TICKS, _MOST_TICKS = 200, 16, 2_000
_SWEEPS = 30
_GAIN, _LOOK_BACK = 0.02, 4
"""A tick is halved when the last sweeps have closed less than this share of the gap."""
_CROP_EVERY, _LESSON = 3, 12
"""After how many sweeps dropped labels are forgotten; and up to which sweep a test teaches the one that it is a copy of."""
_STRIDE, _LONGER, _SHORTER, _LONGEST = 1.0, 1.25, 0.5, 4.0
"""By how many times their last changes messages are changed once more, and how that grows and shrinks as it works out."""
_LEADS = (0.0, 0.005, 0.01, 0.02)
"""By what share of the deadline a plan on the way expects to be late, in turn."""
_REPAIR_EVERY = 7
_PROMISING, _REPAIRABLE = 1.05, 1.1
"""By what share a plan on the way may cost more than the best one, or than the limits allow, and still be improved."""
_NARROW = 1e-3
"""The share of the makespan below which times are no longer told apart."""
_STEP, _SQUEEZE = 0.7, 0.8
"""Where between the bound and the best makespan a time is tested, and how much of that is left when it turns out too late."""
_SHARE = 0.15
"""Of the time that is left when a test begins, what it leaves to others."""
_TOLERANCE = 1e-9


def close(tradeoff: "Tradeoff") -> None:
    """Raise the bound of a search that has settled its prices, and look for better plans."""
    tradeoff.deepen()
    if tradeoff.goal.usd or tradeoff.goal.grams:
        _price(tradeoff)
    elif 0 < tradeoff.upper < math.inf and tradeoff.paid_back:
        _test_times(tradeoff)


def _price(tradeoff: "Tradeoff") -> None:
    limit = math.inf if tradeoff.limits.seconds is None else tradeoff.limits.seconds * (1 + _TOLERANCE)
    deadline = min(limit, _latest(tradeoff))
    if not 0 < deadline < math.inf:
        return
    bound = _Test(tradeoff, deadline).run() - tradeoff.paid_back
    tradeoff.bound = max(tradeoff.bound, min(bound, tradeoff.upper))


def _latest(tradeoff: "Tradeoff") -> float:
    """Return when a plan better than the best one ends at the latest, were all but time for nothing."""
    return tradeoff.upper / tradeoff.goal.seconds if tradeoff.goal.seconds else math.inf


def _test_times(tradeoff: "Tradeoff") -> None:
    """Test times between the bound and the best makespan."""
    tradeoff.bound = max(tradeoff.bound, tradeoff.paths.least(tradeoff.paths.bounds()))
    base = _Test(tradeoff, tradeoff.upper)
    if not base.settle():
        tradeoff.bound = tradeoff.upper
        return
    while not tradeoff.is_late() and not _is_narrow(tradeoff, tradeoff.upper):
        best = tradeoff.upper
        test = base.until(tradeoff.bound + _STEP * (best - tradeoff.bound))
        if test.refute():
            tradeoff.bound = max(tradeoff.bound, test.deadline)
        elif tradeoff.upper == best:
            return


def _is_narrow(tradeoff: "Tradeoff", time: float) -> bool:
    """Tell whether a time is as good as the bound."""
    return time - tradeoff.bound <= _NARROW * tradeoff.upper


class _Test:
    """One model on a clock, and the plans that it leads to."""

    def __init__(self, tradeoff: "Tradeoff", deadline: float, base: "_Test | None" = None) -> None:
        self.tradeoff, self.deadline, self.base = tradeoff, deadline, base
        self.is_for_time = not (tradeoff.goal.usd or tradeoff.goal.grams)
        usd, grams = tradeoff.weights
        self.prices = Prices(usd, grams, 0.0 if self.is_for_time else tradeoff.goal.seconds)
        self.bounds: list[float] = [-math.inf]
        """Bounds since the model was last changed."""
        self.turn = 0
        self.since: Messages | None = None
        """What the model's messages were after the last turn that was a multiple of `_CROP_EVERY`, if they can still be compared."""
        self.unpressed: Messages | None = None
        """What they were before they were last pressed on, likewise."""
        self.reached, self.stride = -math.inf, _STRIDE
        self.seen: set[tuple[int, ...]] = set()
        """Plans on the way that have been improved already."""
        self.ticks: int = _TICKS if base is None else base.ticks
        if base is not None:
            self.model: Clocked = base.model.until(deadline)
            return
        self.model = Clocked(tradeoff.network, self.prices, deadline=deadline, ticks=self.ticks)
        while self.model.cells > _CELLS and self.ticks > _FEWEST_TICKS:
            self.ticks //= 2
            self.model = Clocked(tradeoff.network, self.prices, deadline=deadline, ticks=self.ticks)
        self.model.begin_with(*tradeoff.learnt())

    def until(self, deadline: float) -> "_Test":
        """Return a test of an earlier deadline, which begins with what this one has learnt and teaches it in turn."""
        return _Test(self.tradeoff, deadline, self)

    @property
    def ceiling(self) -> float:
        """What costs more is of no interest."""
        paid_back = self.tradeoff.paid_back
        return paid_back if self.is_for_time else min(self.tradeoff.upper, self.tradeoff.most) + paid_back

    # --------------------------------------------------------------------------------------------------- three ways

    def settle(self) -> bool:
        """Sweep a few times and forget the labels that are out; tell whether any choice is left."""
        return self._sweep(_LESSON) and self.model.crop()

    def run(self) -> float:
        """Return what nothing that ends by the deadline costs less than, or infinity where that is above the ceiling."""
        while True:
            if not self._sweep(_SWEEPS):
                return math.inf
            if self._is_over() or not self._refine():
                return self.bounds[-1]

    def refute(self) -> bool:
        """Make the deadline earlier until nothing that ends by then is within the ceiling; tell whether that came about."""
        share = _SHARE * self.tradeoff.seconds_left()
        while not self._is_over() and not _is_narrow(self.tradeoff, self.deadline):
            before = self.tradeoff.seconds_left()
            if not self._sweep(2 * _LOOK_BACK):
                return True
            left = self.tradeoff.seconds_left()
            sweeps = (left - share) / max(before - left, 1e-9) * 2 * _LOOK_BACK
            if (self._has_stalled() or self.model.cells < _FEW_CELLS) and self._refine():
                continue
            if not self._is_reachable(sweeps):
                self._squeeze()
        return False

    def _is_over(self) -> bool:
        is_found = self.base is not None and self.tradeoff.upper <= self.deadline
        return is_found or self.tradeoff.is_late()

    @property
    def _gained(self) -> float:
        """What the last sweeps have gained."""
        return self.bounds[-1] - self.bounds[max(0, len(self.bounds) - 1 - _LOOK_BACK)]

    def _has_stalled(self) -> bool:
        return self._gained < _GAIN * (self.ceiling - self.bounds[-1])

    def _is_reachable(self, sweeps: float) -> bool:
        """Tell whether the bound is above the ceiling after so many sweeps more, if it goes on like this."""
        return self.bounds[-1] + max(0.0, sweeps / _LOOK_BACK) * self._gained >= self.ceiling

    def _refine(self) -> bool:
        """Halve the tick; tell whether it was worth it."""
        if self.ticks >= _MOST_TICKS or self.model.cells > _CELLS:
            return False
        self.ticks *= 2
        self.since = self.unpressed = None
        self.model.refine()
        self.bounds = self.bounds[-1:]
        return True

    def _squeeze(self) -> None:
        known = self.tradeoff.bound
        self.deadline = known + _SQUEEZE * (self.deadline - known)
        self.model = self.model.until(self.deadline)
        self.bounds = self.bounds[-1:]

    # -------------------------------------------------------------------------------------------------------- sweeps

    def _sweep(self, sweeps: int) -> bool:
        """Sweep until little is gained, so many times at most; tell whether anything is left within the ceiling."""
        for sweep in range(1, sweeps + 1):
            self.turn += 1
            model = self.model
            forward, made = model.forward(lead=_LEADS[self.turn % len(_LEADS)] * self.deadline)
            if forward < math.inf:
                self._offer(made)
            backward = model.backward() if forward < math.inf else math.inf
            self.bounds.append(max(self.bounds[-1], forward, backward))
            slack = _TOLERANCE * abs(self.ceiling)
            if self.bounds[-1] > self.ceiling + slack:
                return False
            model.drop(self.ceiling - forward + slack)
            phase = self.turn % _CROP_EVERY
            if phase == 0:
                self._judge_press(max(forward, backward))
            if self.base is not None and self.turn <= _LESSON and self.ticks == self.base.ticks:
                self.base.model.learn_from(model)
            elif phase == 0 and not model.crop():
                return False
            if phase == 0:
                self.since, self.unpressed = model.messages(), None
            elif phase == _CROP_EVERY - 1:
                self._press_on()
            if self._is_over() or (sweep > 2 * _LOOK_BACK and self._has_stalled()):
                break
        return True

    def _judge_press(self, reached: float) -> None:
        """Take back how messages were changed where the bound has fallen since; the better it has worked out, the further next."""
        if reached > self.reached:
            self.stride = min(_LONGEST, self.stride * _LONGER)
        elif self.unpressed is not None:
            self.stride *= _SHORTER
            self.model.said_ahead, self.model.said_back = self.unpressed
        self.reached = max(reached, self.reached)

    def _press_on(self) -> None:
        """Go on in the direction in which the messages have changed lately."""
        if self.since is not None:
            self.unpressed = self.model.messages()
            self.model.press_on(self.since, self.stride)

    def _offer(self, made: Sequence[int]) -> None:
        """Take note of a plan, improved if it is promising."""
        tradeoff, exchange = self.tradeoff, self.tradeoff.exchange
        tradeoff.offer_labels(made)
        figures = exchange.figures(made)
        if not self.is_for_time:
            if figures.seconds <= self.deadline and exchange.value(figures) < _PROMISING * tradeoff.upper:
                tradeoff.polish(list(made), deadline=figures.seconds if tradeoff.goal.seconds else self.deadline)
            return
        priced = self.prices.usd * figures.usd + self.prices.grams * figures.grams
        if figures.seconds <= self.deadline and priced < _PROMISING * tradeoff.paid_back:
            if tuple(made) not in self.seen:
                self.seen.add(tuple(made))
                tradeoff.polish(list(made), deadline=self.deadline)
        elif (
            self.turn % _REPAIR_EVERY == 0
            and figures.seconds < tradeoff.upper
            and priced < _REPAIRABLE * tradeoff.paid_back
        ):
            tradeoff.repair(list(made), deadline=max(figures.seconds, self.deadline))
