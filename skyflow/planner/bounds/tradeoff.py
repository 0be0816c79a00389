"""Cost against time, and limits: a Lagrangian bound, and plans from what it makes cheap.

Limits on dollars and grams, and the makespan itself, are priced instead of enforced. A second of the makespan is paid for
along paths: a flow from the start of the run to its end, as large as the price of a second, charges every job and
transfer on its way for its time. Whatever the flow and the prices are, the cheapest choice under them is a bound, and it
is one of costs that add up (`pairwise`). Better prices come from the choices that they lead to: a path that became long
gets a larger part of the flow (exponentiated gradient over paths; Takimoto and Warmuth 2003), a limit that was missed a
higher price. A label whose bound exceeds the best known plan is out, exactly.

Imports numpy; loaded only by a problem that leaves something to choose.
"""

import math
from collections.abc import Callable, Sequence
from itertools import chain
from random import Random

import numpy as np

from skyflow.model.objective import Goal
from skyflow.planner.bounds.exchange import Exchange, Figures, Priced
from skyflow.planner.bounds.gathered import gathered
from skyflow.planner.bounds.likely import likely
from skyflow.planner.bounds.network import Network
from skyflow.planner.bounds.pairwise import Floats, Ints, Pairwise
from skyflow.planner.bounds.press import Press
from skyflow.planner.bounds.woods import Woods
from skyflow.planner.problem import Choice

__all__ = ["Tradeoff"]

_TOLERANCE = 1e-9
_HEAT = 0.1
"""How even the flow is spread over the paths: the share of the makespan that a path may be shorter by and still count."""
_FORGET = 0.03
"""The weight of the newest choice among those that shape the flow."""
_RATE, _RATE_TURNS = 0.5, 30
"""How much a missed limit raises its price, and over how many turns that becomes less."""
_PLAN_EVERY, _PLAN_GROWTH = 5, 1.15
"""Plans cost more than bounds, and become rarer as prices settle."""
_SHRINK_EVERY = 20
_SETTLED = 40
"""Turns after which a clock says more than prices do, where the makespan alone is the goal."""
_WARM = 5
"""Sweeps from which a model that may be new has learnt enough."""
_SHARE_OF_DIVES = 0.25
"""Of the time that is left when prices have settled."""
_PATIENCE = 80
_LATENESS = 5.0
_SHARES = (0.9, 1.0)
_BETWEEN = (0.4, 0.7, 0.95)
"""Where between the bound and the best makespan a plan should end that is worth making."""


class Tradeoff:
    """One search for the best choice within limits; choices count among all candidates."""

    def __init__(self, network: Network, goal: Goal, *, seconds_left: Callable[[], float]) -> None:
        self.goal, self.limits, self.seconds_left = goal, network.problem.limits, seconds_left
        self.bound, self.upper = -math.inf, math.inf
        self.best: Choice | None = None
        self.prices = dict.fromkeys(self.limits.named(), 0.0)
        self._turns = 0
        self._random = Random(0)  # noqa: S311 -- no secret
        self._press: Press | None = None
        self._next_plan = _PLAN_EVERY
        self._span = 0.0
        self._lengths = np.zeros(len(network.ends))  # how long the edges with their targets were in late choices
        self._starts = np.zeros(len(network.columns))
        self._settle_on(network)

    def _settle_on(self, network: Network) -> None:
        self.network = network
        self.exchange = Exchange(network, self.goal, is_late=self.is_late)
        self.paths = self.exchange.paths
        self._model: Pairwise | None = None

    def is_late(self) -> bool:
        """Tell whether time is up."""
        return self.seconds_left() <= 0

    @property
    def is_proven(self) -> bool:
        """Whether the best choice known is the best there is."""
        return self.bound >= self.upper * (1 - _TOLERANCE)

    @property
    def most(self) -> float:
        """What a plan that keeps the limits is worth at most: infinite where the goal counts what is not limited."""
        limits = self.limits.named()
        weights = {"usd": self.goal.usd, "grams": self.goal.grams, "seconds": self.goal.seconds}
        return sum(weight * limits.get(name, math.inf) for name, weight in weights.items() if weight)

    @property
    def is_refuted(self) -> bool:
        """Whether no choice keeps the limits: what is left costs more than they allow together."""
        return self.bound > self.most * (1 + _TOLERANCE) or self.bound == math.inf

    @property
    def is_for_time(self) -> bool:
        """Whether the makespan alone is the goal, within limits on the rest."""
        return not (self.goal.usd or self.goal.grams)

    def offer(self, choice: Choice) -> None:
        """Take note of a choice if it keeps the limits and is the best so far."""
        at = self.network.labels(choice)
        if at is not None:
            self.offer_labels(at)

    def offer_labels(self, at: Sequence[int]) -> None:
        """Take note of labels, likewise."""
        figures = self.exchange.figures(at)
        value = self.exchange.value(figures)
        if value < self.upper and self.exchange.is_within(figures):
            self.upper, self.best = value, self.network.choice(at)

    def gather(self) -> None:
        """Take note of plans in which all jobs run at one place, and of what the best of them becomes."""
        usd, grams = self._worth
        best: list[int] | None = None
        for at in gathered(self.network, usd=usd, grams=grams):
            upper = self.upper
            self.offer_labels(at)
            if self.upper < upper:
                best = at
            if self.is_late():
                return
        if best is not None and not self.is_for_time:
            self.polish(best, deadline=self.paths.makespan(best))

    def price_from(self, unlimited: Choice, extremes: dict[str, Choice]) -> None:
        """Guess what the limits cost, from the best choice without them and those that are least in what is limited."""
        free = self.exchange.figures(self.network.nearest(unlimited))
        for name, choice in extremes.items():
            least = self.exchange.figures(self.network.nearest(choice))
            saved = getattr(free, name) - getattr(least, name)
            dearer = self.exchange.value(least) - self.exchange.value(free)
            if saved > 0:
                self.prices[name] = max(dearer, 1e-3 * abs(self.exchange.value(free))) / saved

    # -------------------------------------------------------------------------------------------------- prices

    @property
    def weights(self) -> tuple[float, float]:
        """What a dollar and a gram count in the goal, with the prices of their limits."""
        return self.goal.usd + self.prices.get("usd", 0.0), self.goal.grams + self.prices.get("grams", 0.0)

    @property
    def _worth(self) -> tuple[float, float]:
        """What a dollar and a gram count between plans that end as soon: in the goal, or else as far as they are limited."""
        return (self.goal.usd, self.goal.grams) if self.goal.usd or self.goal.grams else self.weights

    @property
    def paid_back(self) -> float:
        """What all that the limits on dollars and grams allow would cost at the prices of these limits."""
        return sum(self.prices[name] * limit for name, limit in self.limits.named().items() if name != "seconds")

    def learnt(self) -> tuple[list[Floats], list[float]]:
        """Return, per edge, what its target says of each place of its source, and the price of a second."""
        flows, inflows = self._flow(self.goal.seconds + self.prices.get("seconds", 0.0))
        model = self._priced(flows, inflows).model
        self._warmed(model)
        return [model.heard(e, 1) for e in range(len(flows))], flows

    # --------------------------------------------------------------------------------------------------- bound

    def solve(self, *, is_enough: Callable[[], bool], turns: int = 2_000) -> None:
        """Look for better prices, and for plans along the way."""
        idle = 0
        for _ in range(_SETTLED if self.is_for_time and self.best is not None else turns):
            bound, upper = self.bound, self.upper
            self._turn()
            if self.is_proven or self.is_refuted or is_enough() or self.is_late():
                return
            gap = max(self.upper - self.bound, 0.0)
            has_gained = self.bound - bound > 1e-3 * gap or self.upper < upper - 1e-3 * gap
            idle = 0 if has_gained else idle + 1
            if idle >= _PATIENCE:
                return

    def _turn(self) -> None:
        flows, inflows = self._flow(self.goal.seconds + self.prices.get("seconds", 0.0))
        priced = self._priced(flows, inflows)
        model = priced.model
        forward, _, first = model.forward()
        backward, slacks, second = model.backward()
        paid_back = self.paid_back + self.prices.get("seconds", 0.0) * (self.limits.seconds or 0.0)
        self.bound = max(self.bound, max(forward, backward) - paid_back)
        for at in (first, second):
            model.improve(at)
            self.offer_labels(_labels(at, priced))
        self._learn(_labels(min((first, second), key=model.value_at), priced), flows, inflows)
        if self._turns >= self._next_plan and not (self.is_for_time and self.best is not None):
            self._next_plan = int(self._turns * _PLAN_GROWTH) + _PLAN_EVERY
            for deadline in self._deadlines():
                self._plan(priced, deadline)
        if self._turns % _SHRINK_EVERY == 0 and self.upper < math.inf:
            self._shrink(priced, slacks, self.upper + paid_back - forward)

    def _priced(self, flows: Sequence[float], inflows: Sequence[float]) -> Priced:
        """Price everything; of the labels at one place only the cheapest can be part of the cheapest choice."""
        usd, grams = self.weights
        own = [
            usd * column.usd + grams * column.grams + inflow * column.seconds
            for column, inflow in zip(self.network.columns, inflows, strict=True)
        ]
        picks = [_cheapest(costs, spots.of) for costs, spots in zip(own, self.network.spots, strict=True)]
        unary = [costs[labels] for costs, labels in zip(own, picks, strict=True)]
        network = self.network
        per_gb = usd * network.usd_per_gb + grams * network.grams_per_gb
        tables = [
            gigabytes * (per_gb[np.ix_(network.spots[u].places, network.spots[v].places)] + flow * seconds)
            for gigabytes, seconds, flow, (u, v) in zip(
                network.gigabytes, self.paths.tables, flows, network.ends, strict=True
            )
        ]
        if self._model is None:
            self._model = Pairwise(unary, network.ends, tables, [1.0] * len(tables))
        else:
            self._model.retune(unary, tables)
        return Priced(own, picks, unary, tables, self._model)

    def _flow(self, size: float) -> tuple[list[float], list[float]]:
        """Return the part of the flow on each edge and into each job: longer paths get more, exponentially."""
        count = len(self.network.columns)
        flows, inflows = [0.0] * len(self.network.ends), [0.0] * count
        if not size:
            return flows, inflows
        heat = max(self._span, 1e-12) * _HEAT / math.sqrt(max(1, self._turns))
        edge, start = self._lengths / heat, self._starts / heat
        rest = [0.0] * count  # the logarithm of the weight of all paths from the end of a job to the end of the run
        for j in range(count - 1, -1, -1):
            if self.paths.out[j]:
                rest[j] = _log_sum([edge[e] + rest[self.network.ends[e][1]] for e in self.paths.out[j]])
        first = [j for j in range(count) if not self.paths.into[j]]
        total = _log_sum([start[j] + rest[j] for j in first])
        for j in first:
            inflows[j] = size * math.exp(start[j] + rest[j] - total)
        for e in chain.from_iterable(self.paths.out):
            u, v = self.network.ends[e]
            flows[e] = inflows[u] * math.exp(edge[e] + rest[v] - rest[u])
            inflows[v] += flows[e]
        return flows, inflows

    def _learn(self, at: Sequence[int], flows: Sequence[float], inflows: Sequence[float]) -> None:
        """Take what a choice shows into the lengths of the paths and into the prices of limits."""
        self._turns += 1
        took = np.array([float(column.seconds[a]) for column, a in zip(self.network.columns, at, strict=True)])
        waits = np.array([self.paths.wait(e, at) for e in range(len(self.network.ends))])
        targets = [v for _, v in self.network.ends]
        weight = max(1.0 / self._turns, _FORGET)
        self._lengths += weight * (waits + took[targets] - self._lengths)
        self._starts += weight * (took - self._starts)
        figures = self.exchange.figures(at)
        self._span += weight * (figures.seconds - self._span)
        size = self.goal.seconds + self.prices.get("seconds", 0.0)
        if size:  # what the bound counts as the makespan: the mean over the paths of the flow
            seconds = (float(np.dot(inflows, took)) + float(np.dot(flows, waits))) / size
            figures = Figures(figures.usd, figures.grams, seconds)
        for name, limit in self.limits.named().items():
            miss = 3.0 * (getattr(figures, name) - limit) / max(limit, 1e-9)
            rate = _RATE / (1.0 + self._turns / _RATE_TURNS)
            self.prices[name] *= math.exp(rate * max(-1.0, min(1.0, miss)))

    def _dearer(self, priced: Priced, slacks: dict[int, Floats]) -> list[Floats]:
        """Return, per label, how much more than the least a choice with it costs under the prices."""
        dearer = []
        for j, spots in enumerate(self.network.spots):
            at_place = slacks[j] if j in slacks else np.zeros(len(spots.places))
            dearer.append((at_place - priced.unary[j])[spots.of] + priced.own[j])
        return dearer

    def _shrink(self, priced: Priced, slacks: dict[int, Floats], room: float) -> None:
        """Drop the labels with which no plan can beat the best one, if that makes the network a good deal smaller."""
        room += _TOLERANCE * abs(self.upper)
        labels = [np.arange(len(columns)) for columns in self.network.columns]
        kept = [np.flatnonzero(dearer <= room) for dearer in self._dearer(priced, slacks)]
        if not all(map(len, kept)):
            self.bound = self.upper
        elif sum(map(len, kept)) < 0.9 * sum(map(len, labels)):
            self._settle_on(self.network.without(kept.__getitem__))

    # --------------------------------------------------------------------------------------------------- plans

    def _deadlines(self) -> list[float]:
        """Return by when a plan should end that is worth making."""
        deadline = math.inf if self.limits.seconds is None else self.limits.seconds
        if not self.goal.seconds:
            return [deadline]
        at = None if self.best is None else self.network.labels(self.best)
        if at is None:
            return [min(deadline, 1.2 * self._span), min(deadline, 2.0 * self._span)]
        best = self.paths.makespan(at)
        if not (self.goal.usd or self.goal.grams):
            return [self.bound + share * (min(deadline, best) - self.bound) for share in _BETWEEN]
        return [min(deadline, share * best) for share in (0.95, 0.99, 1.03)]

    def _plan(self, priced: Priced, deadline: float) -> None:
        ways = self._ways()
        longest = max(map(float.__add__, ways, map(float, self._starts)), default=0.0)
        per_second = _LATENESS * (self.goal.seconds + self.prices.get("seconds", 0.0))
        for share in _SHARES if deadline < math.inf else (1.0,):
            scale = share if not self.goal.seconds else share * min(1.0, deadline / max(longest, 1e-9))
            made = self.exchange.constructed(
                priced, [scale * way for way in ways], deadline=deadline, per_second=per_second
            )
            figures = self.exchange.figures(made)
            if figures.seconds > deadline * (1 + _TOLERANCE) or self.exchange.value(figures) > 1.3 * self.upper:
                continue
            self.polish(made, deadline=deadline)
            if self.is_late():
                return

    def polish(self, made: list[int], *, deadline: float) -> None:
        """Take note of what labels become when they are exchanged for better ones that keep the limits and a deadline."""
        usd, grams = self._worth
        made = self.exchange.cheaper(made, deadline=deadline, usd=usd, grams=grams)
        if deadline < math.inf and self.exchange.value(self.exchange.figures(made)) < 1.02 * self.upper:
            made = self.exchange.anew(made, deadline=deadline, usd=usd, grams=grams)
        self.offer_labels(made)
        if self.goal.seconds:
            self.offer_labels(self.exchange.faster(made))

    def deepen(self) -> None:
        """Look for plans near the best one, or near what prices like, again and again while that makes it better."""
        if self.is_for_time:
            self._dive()
            return
        upper = math.inf
        usd, grams = self._worth
        while self.best is not None and self.upper < upper * (1 - _TOLERANCE) and not self.is_late():
            upper, at = self.upper, self.network.labels(self.best)
            if at is None:
                return
            woods = Woods(self.network, self.paths, self._random, usd=usd, grams=grams)
            made = woods.improved(at, deadline=self.paths.makespan(at), is_late=self.is_late)
            self.offer_labels(made)
            if self.goal.seconds and self.exchange.is_within(self.exchange.figures(made)):
                self.offer_labels(self.exchange.faster(made))

    def _dive(self) -> None:
        """Look for plans that end sooner, among the labels that prices like."""
        at = None if self.best is None else self.network.labels(self.best)
        if at is None or not self.paid_back:
            return
        flows, inflows = self._flow(self.goal.seconds + self.prices.get("seconds", 0.0))
        priced = self._priced(flows, inflows)
        slacks = self._warmed(priced.model)
        core = likely(self.network, self._dearer(priced, slacks), at)
        said = [
            priced.model.heard(e, 1)[np.searchsorted(self.network.spots[u].places, core.spots[u].places)]
            for e, (u, _) in enumerate(core.ends)
        ]
        rest = (1 - _SHARE_OF_DIVES) * self.seconds_left()
        usd, grams = self.weights
        self._press = Press(core, self.goal, self._random, usd=usd, grams=grams)
        self._press.is_late = lambda: self.seconds_left() <= rest
        begin = core.nearest(self.network.choice(at))
        self.offer(core.choice(self._press.dive(begin, said, flows, bound=max(self.bound, 0.0))))
        self._press.is_late = self.is_late

    def _warmed(self, model: Pairwise) -> dict[int, Floats]:
        """Let a model that may be new learn, and return how much more than the least each label costs in it."""
        slacks: dict[int, Floats] = {}
        for _ in range(_WARM):
            model.forward(tries=False)
            _, slacks, _ = model.backward(tries=False)
        return slacks

    def press(self, made: Sequence[int], *, deadline: float) -> None:
        """Take note of what labels become when they are made to end sooner than the best plan, among the labels that prices like."""
        if self._press is not None:
            core = self._press.network
            known = None if self.best is None else core.labels(self.best)
            begin = core.nearest(self.network.choice(made))
            found = self._press.polished(begin, known, deadline=deadline)
            if found is not None:
                self.offer(core.choice(found))

    def _ways(self) -> list[float]:
        """Return how long it took lately from the end of each job to the end of the run."""
        ways = [0.0] * len(self.network.columns)
        for j in range(len(ways) - 1, -1, -1):
            for e in self.paths.out[j]:
                ways[j] = max(ways[j], float(self._lengths[e]) + ways[self.network.ends[e][1]])
        return ways


def _cheapest(costs: Floats, spots: Ints) -> Ints:
    """Return the cheapest label of each place, among equals the first."""
    order = np.lexsort((costs, spots))
    labels: Ints = order[np.flatnonzero(np.diff(spots[order], prepend=-1))]
    return labels


def _labels(at: Sequence[int], priced: Priced) -> list[int]:
    """Return the labels that stand for places."""
    return [int(picks[a]) for picks, a in zip(priced.picks, at, strict=True)]


def _log_sum(values: Sequence[float]) -> float:
    largest = max(values)
    return largest + math.log(sum(math.exp(value - largest) for value in values))
