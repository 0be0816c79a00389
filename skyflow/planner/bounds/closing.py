"""What is left between the best plan and the bound that prices give, closed on a clock.

Where the goal has a cost, one model of jobs on a clock (`clocked`), bounded in `parts`, does, with the best plan's value as
its ceiling. Where the makespan alone counts and the rest is limited, a time is put to the test: if everything that ends by
then costs more than the limits allow, it is a bound; if a plan turns up that ends by then, it is a better plan. Testing a
time is much sharper than pricing the limits, because all that costs too much is out at once. The first time is one
hundredth below the best makespan. What a test has learnt is not lost: as its time goes by, parts that are still open are
given earlier and earlier times, and whatever was out stays out; and the next test begins with the messages of the first
sweeps. Plans that models suggest on the way are pressed (`press`): the nearer to a better one, and the more they have helped,
the more often.

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
_SWEEPS = 4
"""How many sweeps are made at a time."""
_PLAN_EVERY = 3
"""After how many sweeps of a test a plan is made on the way."""
_WAIT = 1
"""How many plans that are not promising are looked at before the nearest is pressed; twice as many after it was for nothing."""
_PROMISING = 0.05
"""How far a plan on the way may be from a better one, as a share of the limits, to be promising."""
_NARROW = 1e-3
"""The share of the makespan below which times are no longer told apart."""
_FIRST, _STEP = 0.99, 0.35
"""The earliest time to test, as a share of the best makespan; and where between the bound and the best one others are."""
_SLACK, _BEND, _SPAN = 0.2, 2.5, 0.92
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
    parts = Parts(_root(tradeoff, deadline), Watch(plans.ceiling, tradeoff.is_late, tradeoff.seconds_left, plans.offer))
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
    time = max(_FIRST * tradeoff.upper, tradeoff.bound + _STEP * (tradeoff.upper - tradeoff.bound))
    while not tradeoff.is_late() and tradeoff.upper - tradeoff.bound > _NARROW * tradeoff.upper:
        best = tradeoff.upper
        refuted = _test(tradeoff, root, time)
        least = time if refuted <= tradeoff.bound and tradeoff.upper == best else math.inf
        tradeoff.bound = max(tradeoff.bound, min(refuted, tradeoff.upper))
        if tradeoff.bound < _FIRST * tradeoff.upper:
            tradeoff.deepen()
        time = tradeoff.bound + _STEP * (min(tradeoff.upper, least) - tradeoff.bound)
        if time - tradeoff.bound < _NARROW * tradeoff.upper * _STEP:
            return


def _test(tradeoff: "Tradeoff", root: Part, time: float) -> float:
    """Return a time by which no choice within the limits ends; zero where it is late before one is known.

    It begins with what the root has learnt, and teaches it in turn. Where a better plan turns up, or time runs out, the
    time to test becomes an earlier one.
    """
    begun, share = tradeoff.seconds_left(), time / tradeoff.upper
    part = Part(root.model.until(time), time, root.ticks)
    plans = _Plans(tradeoff, time)
    parts = Parts(part, Watch(plans.ceiling, tradeoff.is_late, tradeoff.seconds_left, plans.offer, _PLAN_EVERY))
    parts.advance(sweeps=_SWEEPS, is_lesson=True)
    root.model.learn_from(part.model)
    left = 1.0
    while parts.advance(sweeps=_SWEEPS, slack=_SLACK * left**_BEND):
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
        self._seen: set[tuple[int, ...]] = set()
        """Those that have been improved already."""
        self._pause = self._rest = 0
        """How many promising plans are passed over after one that was pressed, and how many of them are still to come."""
        self._wait = self._idle = _WAIT
        """How many plans are looked at before the nearest one is improved, and how many of them are still to come."""
        self._nearest: tuple[float, list[int]] | None = None
        """How far it is from keeping the deadline and the limits, as a share of both."""

    def ceiling(self) -> float:
        """Return what a choice costs too much above, at the prices of the limits."""
        tradeoff, paid_back = self.tradeoff, self.tradeoff.paid_back
        return paid_back if tradeoff.is_for_time else min(tradeoff.upper, tradeoff.most) + paid_back

    def offer(self, made: Sequence[int]) -> None:
        """Take note of a plan, improved if it is promising."""
        tradeoff, exchange = self.tradeoff, self.tradeoff.exchange
        tradeoff.offer_labels(made)
        figures = exchange.figures(made)
        if tradeoff.is_for_time:
            usd, grams = tradeoff.weights
            late, dear = (
                figures.seconds / self.deadline,
                (usd * figures.usd + grams * figures.grams) / tradeoff.paid_back,
            )
            self._press(max(0.0, late - 1.0) + max(0.0, dear - 1.0), list(made))
        elif figures.seconds <= self.deadline and exchange.value(figures) < (1.0 + _PROMISING) * tradeoff.upper:
            tradeoff.polish(list(made), deadline=figures.seconds if tradeoff.goal.seconds else self.deadline)

    def _press(self, distance: float, made: list[int]) -> None:
        """Press a plan that is near to a better one, and of the others the nearest of some."""
        if tuple(made) in self._seen:
            return
        if distance < _PROMISING:
            self._rest -= 1
            if self._rest < 0:
                self._pause = 0 if self._has_helped(made) else self._pause + 1
                self._rest = self._pause
            return
        if self._nearest is None or distance < self._nearest[0]:
            self._nearest = distance, made
        self._idle -= 1
        if self._idle <= 0:
            self._wait = _WAIT if self._has_helped(self._nearest[1]) else 2 * self._wait
            self._idle, self._nearest = self._wait, None

    def _has_helped(self, made: list[int]) -> bool:
        """Press a plan; tell whether the best one is another one now."""
        best = self.tradeoff.upper
        self._seen.add(tuple(made))
        self.tradeoff.press(made, deadline=self.deadline)
        return self.tradeoff.upper < best
