"""What is left between the best plan and the bound that prices give, closed on a clock.

Where the goal has a cost, one model of jobs on a clock (`clocked`) does, with the best plan's value as its ceiling. Where
the makespan alone counts and the rest is limited, a time is put to the test: if everything that ends by then costs more
than the limits allow, it is a bound; if a plan turns up that ends by then, it is a better plan. Testing a time is much
sharper than pricing the limits, because all that costs too much is out at once.

Imports numpy; loaded only by a problem that leaves something to choose.
"""

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from skyflow.planner.clocked import Clocked, Prices

if TYPE_CHECKING:
    from skyflow.planner.tradeoff import Tradeoff

__all__ = ["close"]

_CELLS = 10_000_000
"""About a tenth of a second for a pass there and back; the tick to begin with makes no more of them."""
_TICKS, _FEWEST_TICKS, _MOST_TICKS = 200, 16, 2_000
_SWEEPS = 30
_GAIN, _LOOK_BACK = 0.02, 4
"""A tick is halved when the last sweeps have closed less than this share of the gap."""
_CROP_EVERY = 3
_LEADS = (0.0, 0.005, 0.01, 0.02)
"""By what share of the deadline a plan on the way expects to be late, in turn."""
_REPAIR_EVERY = 7
_PROMISING, _REPAIRABLE = 1.05, 1.25
"""By what share a plan on the way may cost more than the best one, or than the limits allow, and still be improved."""
_NARROW = 1e-3
"""The share of the makespan below which times are no longer told apart."""
_STEP, _COARSE = 0.5, 0.2
"""Where between the bound and what is not known a time is tested, and the share of the gap that is not divided further."""
_WORK, _MOST_WORK = 150_000_000, 1_500_000_000
"""Cells that a test of one time may look at, to begin with and at most; about one second and ten."""
_TOLERANCE = 1e-9


def close(tradeoff: "Tradeoff") -> None:
    """Raise the bound of a search that has settled its prices, and look for better plans."""
    if tradeoff.goal.usd or tradeoff.goal.grams:
        _price(tradeoff)
    else:
        _bisect(tradeoff)


def _price(tradeoff: "Tradeoff") -> None:
    limit = math.inf if tradeoff.limits.seconds is None else tradeoff.limits.seconds * (1 + _TOLERANCE)
    deadline = min(limit, _latest(tradeoff))
    if not 0 < deadline < math.inf:
        return
    paid_back = tradeoff.paid_back
    test = _Test(tradeoff, deadline, math.inf)
    bound = test.run(lambda: tradeoff.upper + paid_back) - paid_back
    tradeoff.bound = max(tradeoff.bound, min(bound, tradeoff.upper))


def _latest(tradeoff: "Tradeoff") -> float:
    """Return when a plan better than the best one ends at the latest, were all but time for nothing."""
    return tradeoff.upper / tradeoff.goal.seconds if tradeoff.goal.seconds else math.inf


def _bisect(tradeoff: "Tradeoff") -> None:
    """Test times between the bound and the best makespan; those that stay open are tested longer once all others are."""
    work, undecided = _WORK, tradeoff.upper if tradeoff.paid_back else math.inf
    has_more = False  # to find in tests that were cut short
    while undecided < math.inf and not tradeoff.is_late():
        if tradeoff.upper - tradeoff.bound <= _NARROW * tradeoff.upper:
            return
        time = tradeoff.bound + _STEP * (undecided - tradeoff.bound)
        test = _Test(tradeoff, time, work)
        if test.run(lambda: tradeoff.paid_back) > tradeoff.paid_back:
            tradeoff.bound = time
        elif tradeoff.upper > time:
            undecided = time
            has_more |= test.work < 0
        undecided = min(undecided, tradeoff.upper)
        if undecided - tradeoff.bound < _COARSE * (tradeoff.upper - tradeoff.bound):
            if not has_more or work > _MOST_WORK:
                return
            work, undecided, has_more = 2 * work, tradeoff.upper, False


class _Test:
    """One model on a clock, and the plans that it leads to."""

    def __init__(self, tradeoff: "Tradeoff", deadline: float, work: float) -> None:
        self.tradeoff, self.deadline, self.work = tradeoff, deadline, work
        self.is_for_time = not (tradeoff.goal.usd or tradeoff.goal.grams)
        usd, grams = tradeoff.weights
        self.prices = Prices(usd, grams, 0.0 if self.is_for_time else tradeoff.goal.seconds)
        self.turn = 0

    def run(self, ceiling: Callable[[], float]) -> float:
        """Return what nothing that ends by the deadline costs less than, or infinity where that is above the ceiling."""
        ticks = _TICKS
        model = Clocked(self.tradeoff.network, self.prices, deadline=self.deadline, ticks=ticks)
        while model.cells > _CELLS and ticks > _FEWEST_TICKS:
            ticks //= 2
            model = Clocked(self.tradeoff.network, self.prices, deadline=self.deadline, ticks=ticks)
        model.begin_with(*self.tradeoff.learnt())
        bound = -math.inf
        while True:
            bound = self._swept(model, bound, ceiling)
            if bound == math.inf or self._is_over():
                return bound
            if ticks >= _MOST_TICKS or model.cells > 4 * _CELLS:
                return bound
            ticks *= 2
            model.refine()

    def _is_over(self) -> bool:
        is_found = self.is_for_time and self.tradeoff.upper <= self.deadline
        return is_found or self.work < 0 or self.tradeoff.is_late()

    def _swept(self, model: Clocked, bound: float, ceiling: Callable[[], float]) -> float:
        """Sweep until little is gained; return the bound, infinite if it has reached the ceiling."""
        bounds = [bound]
        for sweep in range(1, _SWEEPS + 1):
            self.turn += 1
            forward, made = model.forward(lead=_LEADS[self.turn % len(_LEADS)] * self.deadline)
            if forward < math.inf:
                self._offer(made)
            backward = model.backward() if forward < math.inf else math.inf
            bounds.append(max(bounds[-1], forward, backward))
            slack = _TOLERANCE * abs(ceiling())
            if bounds[-1] > ceiling() + slack:
                return math.inf
            model.drop(ceiling() - forward + slack)
            if sweep % _CROP_EVERY == 0 and not model.crop():
                return math.inf
            self.work -= model.cells
            if self._is_over():
                break
            gap = ceiling() - bounds[-1]
            if sweep > 2 * _LOOK_BACK and bounds[-1] - bounds[-1 - _LOOK_BACK] < _GAIN * gap:
                break
        return bounds[-1]

    def _offer(self, made: Sequence[int]) -> None:
        """Take note of a plan, improved if it is promising."""
        tradeoff, exchange = self.tradeoff, self.tradeoff.exchange
        tradeoff.offer_labels(made)
        figures = exchange.figures(made)
        if not self.is_for_time:
            if figures.seconds <= self.deadline and exchange.value(figures) < _PROMISING * tradeoff.upper:
                tradeoff.polish(list(made), deadline=figures.seconds if tradeoff.goal.seconds else self.deadline)
            return
        if self.turn % _REPAIR_EVERY:
            return
        priced = self.prices.usd * figures.usd + self.prices.grams * figures.grams
        if figures.seconds < tradeoff.upper and priced < _REPAIRABLE * tradeoff.paid_back:
            tradeoff.polish(list(made), deadline=max(figures.seconds, self.deadline))
