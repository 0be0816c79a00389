"""Jobs on a clock: what choices cost at least that keep a deadline, from costs that add up over labels with a time.

A label of job j is a pair (k, n): it runs on candidate k and ends in tick n, no earlier than n * tick seconds and before
the next tick; so it starts in tick m = n - floor(seconds[j,k] / tick) or before. Of the edge (i, j) a label that ends at
place a in tick n and one that starts at place b in tick m or before go together when

    m >= n + floor(d[i,j] * P[a,b] / tick)

which every real run satisfies, because the floor of a sum is at least the sum of the floors. So the deadline has become
which labels there are, and what is left is a pairwise model of costs that add up: the same message passing (TRW-S;
Kolmogorov 2006) bounds it. Time-indexed models are known for strong bounds (Pritsker, Watters and Wolfe 1969): a job
cannot be half as fast here, as it can where seconds are only priced. Messages are cheap: they are of places and ticks, not
of candidates, and who starts only asks what the best one that ends by then costs, a running minimum.

A label whose min-marginal exceeds the ceiling is out, exactly; with what is left the tick can be halved, again and again.
The end of the run is one more job, with one candidate that takes no time, where a second of the makespan has its price.

Imports numpy; loaded only by a problem that leaves something to choose.
"""

from collections.abc import Callable, Collection, Sequence
from copy import copy
from dataclasses import dataclass

import numpy as np

from skyflow.planner.bounds.crossing import Clock, Crossing, Link, Span
from skyflow.planner.bounds.groups import Groups
from skyflow.planner.bounds.network import Columns, Network
from skyflow.planner.bounds.pairwise import Floats, Ints, Truths
from skyflow.planner.bounds.starts import Starts

__all__ = ["Clocked", "Messages", "Prices"]

Messages = tuple[list[Floats], list[Floats]]
"""What each edge says to its target, and what to its source."""

_WORTH_CROPPING = 0.9
"""The share of a job's labels and ticks beyond which it is not made smaller."""
_HUB = 0.2
"""The share of the graph's cycles that meet in a job by which it is worth dividing."""
_ROUNDING = 1e-12
"""Seconds count as so much shorter, as a share, so that rounding never makes a tick of nothing."""


@dataclass(frozen=True, slots=True)
class Prices:
    """What a dollar, a gram, and a second of the makespan cost in the model."""

    usd: float
    grams: float
    seconds: float


class Clocked:
    """A model being bounded; labels count among those that the network keeps."""

    def __init__(self, network: Network, prices: Prices, *, deadline: float, ticks: int) -> None:
        """Take a network whose jobs each have a label that can keep the deadline."""
        self.network, self.prices, self.tick = network, prices, deadline / ticks
        self.end = len(network.columns)
        """The job that stands for the end of the run."""
        self.ends = [*network.ends]
        self.gigabytes = [*network.gigabytes]
        self.out: list[list[int]] = [[] for _ in range(self.end + 1)]
        self.into: list[list[int]] = [[] for _ in range(self.end + 1)]
        sources = {u for u, _ in network.ends}
        self.ends += [(j, self.end) for j in range(self.end) if j not in sources]
        self.gigabytes += [0.0] * (len(self.ends) - len(network.ends))
        for e, (u, v) in enumerate(self.ends):
            self.out[u].append(e)
            self.into[v].append(e)
        cycles = len(self.ends) - self.end
        self.hubs = [j for j in range(self.end) if len(self.out[j]) + len(self.into[j]) - 2 >= max(1.0, _HUB * cycles)]
        nothing = np.zeros(1)
        last = Columns(np.zeros(1, np.int64), np.zeros(1, np.int64), nothing, nothing, nothing)
        self.columns = [*network.columns, last]
        self.kept: list[Ints] = [np.arange(len(columns)) for columns in self.columns]
        self._cost_per_gb = prices.usd * network.usd_per_gb + prices.grams * network.grams_per_gb
        self._voices = network.voices(usd=bool(prices.usd), grams=bool(prices.grams))
        self._open_windows(deadline)
        self.places: list[Ints] = [nothing.astype(np.int64)] * len(self.columns)
        self.spots = [*self.places]
        """For each label of a job, where its place is among the job's places."""
        self._by = [Groups(spots) for spots in self.spots]
        """The labels of a job by place."""
        self._starts: dict[int, Starts] = {}
        nowhere = np.zeros((1, 1), np.bool_)
        self._closed_starts, self._closed_ends = [nowhere] * len(self.columns), [nowhere] * len(self.columns)
        """By place and tick, what messages have ruled out already."""
        self._crossings: dict[int, Crossing] = {}
        self._arrange(range(len(self.columns)))
        self.said_ahead = [np.zeros((len(self.places[v]), self._starts[v].count)) for _, v in self.ends]
        """By place and tick of the start of the target."""
        self.said_back = [np.zeros((len(self.places[u]), self.unary[u].shape[1])) for u, _ in self.ends]
        """By place and tick of the end of the source."""
        self._slacks: list[Floats] = []

    def _open_windows(self, deadline: float) -> None:
        """Make the labels: of each candidate the ticks in which it can end if the run is to keep the deadline."""
        bounds = self.network.paths().bounds()
        soonest = max((float(head.min()) for head in bounds.heads), default=0.0)
        heads, tails = [*bounds.heads, np.array([soonest])], [*bounds.tails, np.zeros(1)]
        self.first: list[int] = []
        """The tick of each job's first column."""
        self.unary: list[Floats] = []
        """What each label costs by itself; infinite where it is out."""
        for columns, head, tail in zip(self.columns, heads, tails, strict=True):
            earliest = self._ticks(head)
            latest = np.floor((deadline - tail) / self.tick * (1 + _ROUNDING) + _ROUNDING).astype(np.int64)
            first = int(earliest.min())
            ticks = np.arange(first, max(first, int(latest.max())) + 1)
            is_open = (ticks >= earliest[:, None]) & (ticks <= latest[:, None])
            self.first.append(first)
            self.unary.append(np.where(is_open, self._costs(columns)[:, None], np.inf))
        self._price_end()

    def _ticks(self, seconds: Floats) -> Ints:
        return Clock(self.tick).ticks(seconds)

    def _costs(self, columns: Columns) -> Floats:
        return self.prices.usd * columns.usd + self.prices.grams * columns.grams

    def _price_end(self) -> None:
        """Let each tick of the end cost what a run costs that ends no earlier."""
        ticks = self.first[self.end] + np.arange(self.unary[self.end].shape[1])
        costs = self.prices.seconds * self.tick * ticks
        self.unary[self.end] = np.where(np.isfinite(self.unary[self.end]), costs, np.inf)

    def _arrange(self, changed: Collection[int]) -> None:
        """Work out the places of some jobs, and what their edges say of labels, places and ticks as they are now."""
        moved = set()
        for j in changed:
            spots, took = self.columns[j].by_place(), self._ticks(self.columns[j].seconds)
            if not np.array_equal(spots.places, self.places[j]):
                moved.add(j)
            self.places[j], self.spots[j], self._by[j] = spots.places, spots.of, Groups(spots.of)
            self._starts[j] = Starts(self.first[j], took, self.unary[j] < np.inf, spots.of)
            self._closed_starts[j] = np.zeros((len(spots.places), self._starts[j].count), np.bool_)
            self._closed_ends[j] = np.zeros((len(spots.places), self.unary[j].shape[1]), np.bool_)
        for e, (u, v) in enumerate(self.ends):
            if u in changed or v in changed:
                span = Span(self._starts[v].first - self.first[u], self._starts[v].count, self.unary[u].shape[1])
                known = None if u in moved or v in moved else self._crossings.get(e)
                clock = Clock(self.tick)
                self._crossings[e] = known.at(clock, span) if known else Crossing(self._link(e), clock, span)

    def _link(self, e: int) -> Link:
        (u, v), network = self.ends[e], self.network
        return Link(
            there=self.places[u],
            here=self.places[v],
            seconds=np.zeros(len(self.places[v])),
            gigabytes=self.gigabytes[e],
            voices=self._voices,
            cost_per_gb=self._cost_per_gb,
            seconds_per_gb=network.seconds_per_gb,
        )

    @property
    def cells(self) -> int:
        """How many numbers one pass looks at."""
        said = sum(ahead.size + back.size for ahead, back in zip(self.said_ahead, self.said_back, strict=True))
        labels = sum(costs.size for costs in self.unary)
        return labels + said + sum(crossing.cells for crossing in self._crossings.values())

    def begin_with(self, said: Sequence[Floats], flows: Sequence[float]) -> None:
        """Begin with what a model without a clock has learnt.

        `said` is, per edge of the network, what its target says of each place of its source; a flow is the price of a
        second on the edge, which makes it the dearer the later the source ends.
        """
        for e, (message, flow) in enumerate(zip(said, flows, strict=True)):
            ticks = np.arange(self.said_back[e].shape[1])
            self.said_back[e] = message[:, None] + flow * self.tick * ticks

    # ------------------------------------------------------------------------------------------- message passing

    def forward(self, *, lead: float | None = 0.0) -> tuple[float, list[int]]:
        """Pass messages along the edges; return the bound, and a choice made on the way.

        For the choice, jobs end `lead` seconds later than they really would when the future is asked what it costs; without
        a lead no choice is made.
        """
        bound, made = 0.0, [0] * self.end
        finishes = [0.0] * self.end
        for j in range(self.end + 1):
            belief = self._by[j].least(self._heard(j)) + self._future(j)
            least = float(belief.min())
            if least == np.inf:
                return np.inf, made
            bound += least
            if j < self.end and lead is not None:
                made[j], finishes[j] = self._pick(j, made, finishes, lead)
            belief -= least
            belief /= self._chains(j)
            bound += sum(self._send(e, belief) for e in self.out[j])
        return bound, [int(self.kept[j][a]) for j, a in enumerate(made)]

    def backward(self) -> float:
        """Pass messages against the edges and return the bound."""
        bound = 0.0
        slacks: list[Floats] = []
        for j in range(self.end, -1, -1):
            belief = self._heard(j)
            if self.out[j]:
                belief += self._future(j)[self.spots[j]]
            least = float(belief.min())
            if least == np.inf:
                return np.inf
            bound += least
            belief -= least
            slacks.append(belief)
            if self.into[j]:
                begun = self._by[j].least(self._starts[j].by_start(belief))
                begun /= self._chains(j)
                bound += sum(self._send_back(e, begun) for e in self.into[j])
        self._slacks = slacks[::-1]
        return bound

    def _chains(self, j: int) -> int:
        return max(len(self.out[j]), len(self.into[j]), 1)

    def _heard(self, j: int) -> Floats:
        """Return what each label costs, with what the sources say."""
        if not self.into[j]:
            return self.unary[j].copy()
        said = self.said_ahead[self.into[j][0]]
        for e in self.into[j][1:]:
            said = said + self.said_ahead[e]
        heard = self._starts[j].by_end(said)
        heard += self.unary[j]
        return heard

    def _future(self, j: int) -> Floats:
        """Return what the targets say, by place and tick of the end."""
        if not self.out[j]:
            return np.zeros((1, 1))
        said = self.said_back[self.out[j][0]]
        for e in self.out[j][1:]:
            said = said + self.said_back[e]
        return said

    def _send(self, e: int, share: Floats) -> float:
        """Tell an edge's target what its source knows at its places, less the least of it, which is returned."""
        best = np.minimum.accumulate(share - self.said_back[e], axis=1)  # by then at the latest
        message = self._crossings[e].forward(best)
        least = float(message.min())
        v = self.ends[e][1]
        self.said_ahead[e] = self._finite(message, least, lambda is_out: self._close_starts(v, is_out))
        return least

    def _send_back(self, e: int, share: Floats) -> float:
        """Tell an edge's source what its target knows, less the least of it, which is returned."""
        best = np.minimum.accumulate((share - self.said_ahead[e])[:, ::-1], axis=1)[:, ::-1]  # from then on
        message = self._crossings[e].backward(best)
        least = float(message.min())
        u = self.ends[e][0]
        self.said_back[e] = self._finite(message, least, lambda is_out: self._close_ends(u, is_out))
        return least

    def _finite(self, message: Floats, least: float, close: Callable[[Truths], None]) -> Floats:
        """Take the least off a message; labels that it rules out leave the job instead, so that no message is infinite."""
        is_out = message == np.inf
        if is_out.any():
            close(is_out)
            message[is_out] = least if least < np.inf else 0.0
        message -= least if least < np.inf else 0.0
        return message

    def _close_starts(self, j: int, is_out: Truths) -> None:
        if (is_out & ~self._closed_starts[j]).any():
            out_now = self._starts[j].by_end(is_out)
            self.unary[j][out_now] = np.inf
            self._closed_starts[j] = is_out | self._closed_starts[j]

    def _close_ends(self, j: int, is_out: Truths) -> None:
        if (is_out & ~self._closed_ends[j]).any():
            self.unary[j][is_out[self.spots[j]]] = np.inf
            self._closed_ends[j] = is_out | self._closed_ends[j]

    def _pick(self, j: int, made: Sequence[int], finishes: Sequence[float], lead: float) -> tuple[int, float]:
        """Choose the label that is cheapest beside those chosen before and what the future says; return it and its end."""
        columns, network = self.columns[j], self.network
        arrivals, costs = np.zeros(len(columns)), self._costs(columns)
        for e in self.into[j]:
            u = self.ends[e][0]
            waits = self.gigabytes[e] * network.seconds_per_gb[self.columns[u].place[made[u]], columns.place]
            np.maximum(arrivals, finishes[u] + waits, out=arrivals)
            costs += self.gigabytes[e] * self._cost_per_gb[self.columns[u].place[made[u]], columns.place]
        ends: Floats = arrivals + columns.seconds
        width = self.unary[j].shape[1]
        late = np.maximum(self._ticks(ends + lead) - self.first[j], 0)
        ticks, labels = np.minimum(late, width - 1), np.arange(len(columns))
        for e in self.out[j]:
            costs = costs + self.said_back[e][self.spots[j], ticks]
        costs[(late >= width) | np.isinf(self.unary[j][labels, ticks])] = np.inf
        pick = int(costs.argmin()) if np.isfinite(costs).any() else int(ends.argmin())
        return pick, float(ends[pick])

    # ---------------------------------------------------------------------------------------------------- labels

    def drop(self, room: float) -> None:
        """Drop the labels that cost so much more than the least; by the slacks of the last pass."""
        for costs, slacks in zip(self.unary, self._slacks, strict=True):
            costs[slacks > room] = np.inf

    def crop(self) -> bool:
        """Forget what has been dropped, where that is a good part of a job's labels; tell whether every job has one left."""
        changed: dict[int, tuple[Ints, slice]] = {}
        for j, costs in enumerate(self.unary):
            is_open = costs < np.inf
            labels, ticks = np.flatnonzero(is_open.any(axis=1)), np.flatnonzero(is_open.any(axis=0))
            if not len(labels):
                return False
            span = slice(int(ticks[0]), int(ticks[-1]) + 1)
            if len(labels) * (span.stop - span.start) <= _WORTH_CROPPING * costs.size:
                changed[j] = labels, span
        for e, (u, _) in enumerate(self.ends):
            if u in changed:
                labels, span = changed[u]
                self.said_back[e] = self.said_back[e][np.unique(self.spots[u][labels]), span]
        firsts = {j: self._starts[j].first for j in changed}
        for j, (labels, span) in changed.items():
            for e in self.into[j]:
                self.said_ahead[e] = self.said_ahead[e][np.unique(self.spots[j][labels])]
            self.unary[j] = self.unary[j][labels, span]
            self.kept[j], self.columns[j] = self.kept[j][labels], self.columns[j].only(labels)
            self.first[j] += span.start
        self._arrange(changed)
        for j in changed:
            for e in self.into[j]:
                self.said_ahead[e] = self._starts[j].taken(self.said_ahead[e], firsts[j])
        return True

    def _copied(self) -> "Clocked":
        twin = copy(self)
        twin.kept, twin.columns, twin.first = [*self.kept], [*self.columns], [*self.first]
        twin.said_ahead, twin.said_back = [*self.said_ahead], [*self.said_back]
        twin.unary = [costs.copy() for costs in self.unary]
        twin.places, twin.spots, twin._by = [*self.places], [*self.spots], [*self._by]  # noqa: SLF001 -- a copy of it
        twin._starts, twin._crossings = dict(self._starts), dict(self._crossings)  # noqa: SLF001
        twin._closed_starts, twin._closed_ends = [*self._closed_starts], [*self._closed_ends]  # noqa: SLF001
        return twin

    def until(self, deadline: float) -> "Clocked":
        """Return a copy in which the run ends by an earlier deadline; it begins with what this one has learnt."""
        earlier = self._copied()
        last = int(deadline / self.tick * (1 + _ROUNDING)) - self.first[self.end]
        earlier.unary[self.end][:, max(0, last + 1) :] = np.inf
        return earlier

    def halves(self) -> "tuple[Clocked, Clocked] | None":
        """Return a copy in which a job where many cycles meet ends early, and one in which it ends late.

        Around a cycle, messages let such a job end early for the one neighbour and late for the other; in the halves it
        can do so less. None where there is no such job, or all of them end in one tick.
        """
        spans = {}
        for j in self.hubs:
            ticks = np.flatnonzero(np.isfinite(self.unary[j]).any(axis=0))
            if len(ticks) and ticks[-1] > ticks[0]:
                spans[j] = int(ticks[0]), int(ticks[-1])
        if not spans:
            return None
        j = max(spans, key=lambda j: (len(self.out[j]) + len(self.into[j]) - 2) * (spans[j][1] - spans[j][0]))
        middle = (spans[j][0] + spans[j][1] + 1) // 2
        early, late = self._copied(), self._copied()
        early.unary[j][:, middle:] = np.inf
        late.unary[j][:, :middle] = np.inf
        return early, late

    def learn_from(self, other: "Clocked") -> None:
        """Take the messages of a copy with the same labels: whatever they are, the bound holds."""
        self.said_ahead, self.said_back = [*other.said_ahead], [*other.said_back]

    def messages(self) -> Messages:
        """Return what the ends of all edges say now."""
        return [*self.said_ahead], [*self.said_back]

    def press_on(self, since: Messages, stride: float) -> None:
        """Let messages change once more as they have since they were others, so many times as much; the bound holds with any."""
        ahead, back = since
        self.said_ahead = [now + stride * (now - then) for now, then in zip(self.said_ahead, ahead, strict=True)]
        self.said_back = [now + stride * (now - then) for now, then in zip(self.said_back, back, strict=True)]

    def refine(self) -> None:
        """Halve the tick; the messages stay, and every label becomes two."""
        self.tick /= 2
        self.first = [2 * first for first in self.first]
        self.unary = [np.repeat(costs, 2, axis=1) for costs in self.unary]
        firsts = [2 * starts.first for _, starts in sorted(self._starts.items())]
        self.said_back = [np.repeat(message, 2, axis=1) for message in self.said_back]
        self._price_end()
        self._arrange(range(len(self.columns)))
        for e, (_, v) in enumerate(self.ends):
            self.said_ahead[e] = self._starts[v].taken(np.repeat(self.said_ahead[e], 2, axis=1), firsts[v])
