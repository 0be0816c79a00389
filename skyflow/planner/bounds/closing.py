"""What is left between the best plan and the bound that prices give, closed on a clock.

Where the goal has a cost, one model of jobs on a clock (`clocked`), bounded in `parts`, does, with the best plan's value as
its ceiling. Where the makespan alone counts and the rest is limited, a time is put to the test: if everything that ends by
then costs more than the limits allow, it is a bound; if a plan turns up that ends by then, it is a better plan. Testing a
time is much sharper than pricing the limits, because all that costs too much is out at once. The first time is one
hundredth below the best makespan. What a test has learnt is not lost: as its time goes by, parts that are still open are
given earlier and earlier times, and whatever was out stays out; and the next test begins with the messages of the first
sweeps.

Imports numpy; loaded only by a problem that leaves something to choose.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from skyflow.planner.bounds.clocked import Clocked, Prices
from skyflow.planner.bounds.parts import Part, Parts, Watch

if TYPE_CHECKING:
    from skyflow.planner.bounds.tradeoff import Tradeoff

__all__ = ["close"]

_CELLS = 25_000_000
"""About a fifth of a second for a pass there and back; the tick to begin with makes no more of them."""
_TICKS, _FEWEST_TICKS = 400, 25
_SWEEPS, _FEW_SWEEPS, _LITTLE = 9, 3, 0.5
"""How many sweeps are made at a time, and when but so little of a test's time is left."""
_WAIT = 6
"""How many plans on the way are looked at before one that is not promising is improved; twice as many after it was for nothing."""
_PROMISING, _REPAIRABLE = 1.05, 1.15
"""By what share a plan on the way may cost more than the best one, or than the limits allow, and still be improved."""
_NARROW = 1e-3
"""The share of the makespan below which times are no longer told apart."""
_FIRST, _STEP = 0.99, 0.7
"""The earliest time to test, as a share of the best makespan; and where between the bound and the best one others are."""
_SLACK, _BEND, _SPAN = 0.2, 2.5, 0.87
"""By what share of the ceiling a test may be open when it begins, and how that falls to nothing as that much of its time is gone."""
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
    plans = _Plans(tradeoff, deadline)
    parts = Parts(_root(tradeoff, deadline), Watch(plans.ceiling, tradeoff.is_late, plans.offer))
    while parts.bound < plans.ceiling() * (1 - _TOLERANCE) and parts.advance(sweeps=_SWEEPS):
        pass
    tradeoff.bound = max(tradeoff.bound, min(parts.bound - tradeoff.paid_back, tradeoff.upper))


def _latest(tradeoff: "Tradeoff") -> float:
    """Return when a plan better than the best one ends at the latest, were all but time for nothing."""
    return tradeoff.upper / tradeoff.goal.seconds if tradeoff.goal.seconds else math.inf


def _root(tradeoff: "Tradeoff", deadline: float) -> Part:
    """Return a model of all choices."""
    usd, grams = tradeoff.weights
    prices = Prices(usd, grams, tradeoff.goal.seconds if tradeoff.goal.usd or tradeoff.goal.grams else 0.0)
    ticks = _FEWEST_TICKS
    model = Clocked(tradeoff.network, prices, deadline=deadline, ticks=ticks)
    for finer in (4, 4, 2):  # what is too fine may not fit into the memory
        if ticks * finer <= _TICKS and model.cells * finer <= _CELLS:
            ticks *= finer
            model = Clocked(tradeoff.network, prices, deadline=deadline, ticks=ticks)
    model.begin_with(*tradeoff.learnt())
    return Part(model, deadline, ticks)


def _test_times(tradeoff: "Tradeoff") -> None:
    """Test times between the bound and the best makespan."""
    tradeoff.bound = max(tradeoff.bound, tradeoff.paths.least(tradeoff.paths.bounds()))
    root = _root(tradeoff, tradeoff.upper)
    while not tradeoff.is_late() and tradeoff.upper - tradeoff.bound > _NARROW * tradeoff.upper:
        best = tradeoff.upper
        refuted = _test(tradeoff, root, max(_FIRST * best, tradeoff.bound + _STEP * (best - tradeoff.bound)))
        if refuted <= tradeoff.bound and tradeoff.upper == best:
            return
        tradeoff.bound = max(tradeoff.bound, min(refuted, tradeoff.upper))


def _test(tradeoff: "Tradeoff", root: Part, time: float) -> float:
    """Return a time by which no choice within the limits ends; zero where it is late before one is known.

    It begins with what the root has learnt, and teaches it in turn. Where a better plan turns up, or time runs out, the
    time to test becomes an earlier one.
    """
    begun, share = tradeoff.seconds_left(), time / tradeoff.upper
    part = Part(root.model.until(time), time, root.ticks)
    plans = _Plans(tradeoff, time)
    parts = Parts(part, Watch(plans.ceiling, tradeoff.is_late, plans.offer))
    parts.advance(sweeps=_SWEEPS, is_lesson=True)
    root.model.learn_from(part.model)
    left = 1.0
    while parts.advance(sweeps=_SWEEPS if left > _LITTLE else _FEW_SWEEPS, slack=_SLACK * left**_BEND):
        plans.deadline = min(plans.deadline, share * tradeoff.upper)  # a better plan may have turned up
        parts.hurry(plans.deadline)
        if any(part.deadline <= tradeoff.bound for part in parts.open):
            break
        left = max(0.0, 1.0 - (1.0 - tradeoff.seconds_left() / begun) / _SPAN)
    return 0.0 if parts.open else parts.refuted


class _Plans:
    """What becomes of plans on the way. Improving them becomes rarer while it is for nothing."""

    def __init__(self, tradeoff: "Tradeoff", deadline: float) -> None:
        self.tradeoff, self.deadline = tradeoff, deadline
        self.is_for_time = not (tradeoff.goal.usd or tradeoff.goal.grams)
        self._seen: set[tuple[int, ...]] = set()
        """Those that have been improved already."""
        self._pause = self._rest = 0
        """How many promising plans are passed over after one that was improved, and how many of them are still to come."""
        self._wait = self._idle = _WAIT
        """The same of plans that are not promising, one of which is chosen."""
        self._chosen: list[int] = []
        self._priced = math.inf
        """The cheapest one of these, and what it costs."""

    def ceiling(self) -> float:
        """Return what a choice costs too much above, at the prices of the limits."""
        paid_back = self.tradeoff.paid_back
        return paid_back if self.is_for_time else min(self.tradeoff.upper, self.tradeoff.most) + paid_back

    def offer(self, made: Sequence[int]) -> None:
        """Take note of a plan, improved if it is promising."""
        tradeoff, exchange = self.tradeoff, self.tradeoff.exchange
        tradeoff.offer_labels(made)
        figures = exchange.figures(made)
        if not self.is_for_time:
            if figures.seconds <= self.deadline and exchange.value(figures) < _PROMISING * tradeoff.upper:
                tradeoff.polish(list(made), deadline=figures.seconds if tradeoff.goal.seconds else self.deadline)
            return
        usd, grams = tradeoff.weights
        priced = usd * figures.usd + grams * figures.grams
        if figures.seconds <= self.deadline and priced < _PROMISING * tradeoff.paid_back:
            self._polish(made)
        elif figures.seconds < tradeoff.upper and priced < min(self._priced, _REPAIRABLE * tradeoff.paid_back):
            self._chosen, self._priced = list(made), priced
        self._idle -= 1
        if self._idle <= 0 and self._priced < math.inf:
            self._repair()

    def _polish(self, made: Sequence[int]) -> None:
        """Improve a promising plan."""
        self._rest -= 1
        if self._rest < 0 and tuple(made) not in self._seen:
            best = self.tradeoff.upper
            self._seen.add(tuple(made))
            self.tradeoff.polish(list(made), deadline=self.deadline)
            self._pause = 0 if self.tradeoff.upper < best else self._pause + 1
            self._rest = self._pause

    def _repair(self) -> None:
        """Improve the cheapest of the latest plans that are not promising."""
        best, ends = self.tradeoff.upper, self.tradeoff.exchange.figures(self._chosen).seconds
        if ends < best:
            self.tradeoff.repair(self._chosen, deadline=max(ends, self.deadline))
        self._wait = _WAIT if self.tradeoff.upper < best else 2 * self._wait
        self._idle, self._priced = self._wait, math.inf
