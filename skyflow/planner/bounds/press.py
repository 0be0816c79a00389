"""Plans that end sooner within the same limits.

A plan is hastened until it ends a little sooner than the best one, whatever that costs, and then made cheaper along trees
(`woods`) until the limits allow it; and so on. That ends in a plan which only others than its neighbours beat. So plans to
begin with come from a model on a clock (`clocked`) of a time sooner still, in which dear labels are dropped long before they
are proven useless: a dive. All this asks much of few labels; so it is done among those that prices like best.

Imports numpy; loaded only by a problem that leaves something to choose.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from random import Random

from skyflow.model.objective import Goal
from skyflow.planner.bounds.clocked import Clocked, Prices
from skyflow.planner.bounds.exchange import Exchange
from skyflow.planner.bounds.network import Network
from skyflow.planner.bounds.pairwise import Floats
from skyflow.planner.bounds.woods import Woods

__all__ = ["Press"]

_LEAST_STEP, _FIRST_STEP, _MOST_STEP = 0.002, 0.03, 0.12
"""By what share of the best makespan the next plan has to end sooner."""
_SHORTER, _LONGER = 3, 2
"""How a step changes when it has failed, and when it has not."""
_CLOSE, _DEAR, _HOPEFUL = 0.02, 0.06, 0.5
"""By what share a plan may be above the best makespan and the limits to be worth pressing, and a hastened one above the limits."""
_NEAR, _NO_FARTHER = 0.12, 0.005
"""How far from the deadline and the limits a suggested plan may be, at all and beyond the nearest one, to be worth pressing."""
_DEPTH = 0.7
"""How far from what no plan can end before to the best makespan the time of a dive is."""
_TICKS, _MOST_TICKS, _CELLS = 64, 1_000, 1_500_000
"""How fine the clock of a dive is, and up to how many cells of its model it is made finer."""
_LEADS = (0.0, 0.005, 0.01, 0.02)
"""By what share of the deadline a suggested plan expects to be late, in turn."""
_SWEEPS, _DROP_EVERY = 24, 2
_ROOM = 0.08
"""The share of what the model leaves below the limits by which a label may be dearer than the best one to be kept."""


class Press:
    """Plans of a network for the least makespan within limits on dollars and grams, of which one counts `usd` and `grams`."""

    def __init__(self, network: Network, goal: Goal, random: Random, *, usd: float, grams: float) -> None:
        self.network, self.usd, self.grams = network, usd, grams
        self.is_late: Callable[[], bool] = lambda: False
        """Whether time is up; whoever presses plans sets it."""
        self.exchange = Exchange(network, goal, is_late=self._is_late)
        self.paths = self.exchange.paths
        self.woods = Woods(network, self.paths, random, usd=usd, grams=grams)
        limits = self.exchange.limits
        self._ceiling = usd * (limits.usd or 0.0) + grams * (limits.grams or 0.0)
        self._pressed: set[tuple[int, ...]] = set()

    def _is_late(self) -> bool:
        return self.is_late()

    # --------------------------------------------------------------------------------------------------- one plan

    def polished(self, made: Sequence[int], known: Sequence[int] | None, *, deadline: float) -> Sequence[int] | None:
        """Return the best plan that comes of labels when they are also exchanged for cheaper ones by a deadline, likewise."""
        exchange = self.exchange
        made = exchange.cheaper(made, deadline=deadline, usd=self.usd, grams=self.grams)
        soonest = math.inf if known is None else self.paths.makespan(known)
        if self.paths.makespan(made) < (1 + _CLOSE) * soonest:
            made = exchange.anew(made, deadline=deadline, usd=self.usd, grams=self.grams)
        made = exchange.faster(made)
        if self._excess(made) > _DEAR or self.paths.makespan(made) > (1 + _CLOSE) * soonest:
            return None
        return self.best(made, known)

    def best(self, at: Sequence[int], known: Sequence[int] | None) -> Sequence[int] | None:
        """Return the best plan that comes of labels, if it is within the limits and sooner than a known one."""
        found, step = None, _LEAST_STEP
        if self._excess(at) <= 0 and (known is None or self.paths.makespan(at) < self.paths.makespan(known)):
            found = known = at
        while not self.is_late():
            made = self._made(at, self.paths.makespan(at) if known is None else (1 - step) * self.paths.makespan(known))
            if made is not None:
                found = known = at = made
                step = min(_MOST_STEP, max(_FIRST_STEP, _LONGER * step))
            elif known is None or step < _SHORTER * _LEAST_STEP:
                break
            else:
                at, step = known, step / _SHORTER
        return found

    def _made(self, at: Sequence[int], deadline: float) -> Sequence[int] | None:
        """Return what labels become that is within the limits and keeps a deadline."""
        hastened = self.exchange.hastened(at, deadline=deadline, usd=self.usd, grams=self.grams)
        if hastened is None or deadline <= 0 or self._excess(hastened) > _HOPEFUL:
            return None
        made = self.woods.improved(hastened, deadline=deadline, is_late=self.is_late, enough=self._ceiling)
        return made if self._excess(made) <= 0 else None

    def _excess(self, at: Sequence[int]) -> float:
        return self.exchange.excess(self.exchange.figures(at))

    # --------------------------------------------------------------------------------------------------- dives

    def dive(
        self, known: Sequence[int], said: Sequence[Floats], flows: Sequence[float], *, bound: float
    ) -> Sequence[int]:
        """Return the best plan that is found from one within the limits on.

        `said` and `flows` are what a model without a clock has learnt, as `Clocked.begin_with` takes it; no plan ends before
        the bound.
        """
        best = self.best(known, known) or known
        while not self.is_late():
            ends = self.paths.makespan(best)
            deadline = bound + _DEPTH * (ends - bound)
            if ends - deadline <= _LEAST_STEP * ends:
                break
            best = self._dived(best, deadline, said, flows)
            if self.paths.makespan(best) > deadline:
                bound = deadline
        return best

    def _dived(
        self, best: Sequence[int], deadline: float, said: Sequence[Floats], flows: Sequence[float]
    ) -> Sequence[int]:
        nearest = _NEAR
        for made in self._suggested(deadline, said, flows):
            distance = max(0.0, self.paths.makespan(made) / deadline - 1) + max(0.0, self._excess(made))
            if distance < nearest + _NO_FARTHER and tuple(made) not in self._pressed:
                nearest = min(nearest, distance)
                self._pressed.add(tuple(made))
                best = self.best(made, best) or best
            if self.is_late() or self.paths.makespan(best) <= deadline:
                break
        return best

    def _suggested(self, deadline: float, said: Sequence[Floats], flows: Sequence[float]) -> Iterator[list[int]]:
        """Yield plans from a model on a clock of what ends by a deadline, while it leaves any within the limits."""
        ticks, bound = _TICKS, -math.inf
        model = Clocked(self.network, Prices(self.usd, self.grams, 0.0), deadline=deadline, ticks=ticks)
        model.begin_with(said, flows)
        for sweep in range(1, _SWEEPS + 1):
            forward, made = model.forward(lead=_LEADS[sweep % len(_LEADS)] * deadline)
            if forward == math.inf:
                return
            yield made
            bound = max(bound, forward, model.backward())
            if bound > self._ceiling:
                return
            if sweep % _DROP_EVERY == 0:
                model.drop(_ROOM * (self._ceiling - bound))
                if not model.crop():
                    return
                if model.cells < _CELLS and ticks < _MOST_TICKS:
                    model.refine()
                    ticks *= 2
