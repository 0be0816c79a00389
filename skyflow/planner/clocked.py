"""Jobs on a clock: what choices cost at least that keep a deadline, from costs that add up over labels with a time.

A label of job j is a pair (k, n): it runs on candidate k and ends in tick n, no earlier than n * tick seconds and before
the next tick. Of the edge (i, j) a label at place a and a label (k, m) go together when

    m >= n + floor((d[i,j] * P[a,b] + seconds[j,k]) / tick)    with b the place of k

which every real run satisfies, because the floor of a sum is at least the sum of the floors. So the deadline has become
which labels there are, and what is left is a pairwise model of costs that add up: the same message passing (TRW-S;
Kolmogorov 2006) bounds it. Time-indexed models are known for strong bounds (Pritsker, Watters and Wolfe 1969): a job
cannot be half as fast here, as it can where seconds are only priced. Messages are cheap, because a label only asks what
the best one up to its time, or from it on, costs: a running minimum.

A label whose min-marginal exceeds the ceiling is out, exactly; with what is left the tick can be halved, again and again.
The end of the run is one more job, with one candidate that takes no time, where a second of the makespan has its price.

Imports numpy; loaded only by a problem that leaves something to choose.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from skyflow.planner.network import Columns, Network
from skyflow.planner.pairwise import Floats, Ints

__all__ = ["Clocked", "Prices"]

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
        nothing = np.zeros(1)
        last = Columns(np.zeros(1, np.int64), np.zeros(1, np.int64), nothing, nothing, nothing)
        self.columns = [*network.columns, last]
        self.kept: list[Ints] = [np.arange(len(columns)) for columns in self.columns]
        self._open_windows(deadline)
        self._arrange()
        self._ahead = [np.zeros(self.unary[v].shape) for _, v in self.ends]  # by label of the target and tick
        self._back = [
            np.zeros((len(self.places[u]), self.unary[u].shape[1])) for u, _ in self.ends
        ]  # by place and tick
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
        ticks: Ints = np.floor(seconds / self.tick * (1 - _ROUNDING)).astype(np.int64)
        return ticks

    def _costs(self, columns: Columns) -> Floats:
        return self.prices.usd * columns.usd + self.prices.grams * columns.grams

    def _price_end(self) -> None:
        """Let each tick of the end cost what a run costs that ends no earlier."""
        ticks = self.first[self.end] + np.arange(self.unary[self.end].shape[1])
        costs = self.prices.seconds * self.tick * ticks
        self.unary[self.end] = np.where(np.isfinite(self.unary[self.end]), costs, np.inf)

    def _arrange(self) -> None:
        """Work out the places of each job, and for each edge, by place of the source and label of the target, cost and ticks."""
        self.places: list[Ints] = []
        self.spots: list[Ints] = []
        """For each label of a job, where its place is among the job's places."""
        for columns in self.columns:
            spots = columns.by_place()
            self.places.append(spots.places)
            self.spots.append(spots.of)
        self._costs_of: list[Floats] = []
        self._ticks_of: list[Ints] = []
        network = self.network
        per_gb = self.prices.usd * network.usd_per_gb + self.prices.grams * network.grams_per_gb
        for (u, v), gigabytes in zip(self.ends, self.gigabytes, strict=True):
            pairs = np.ix_(self.places[u], self.columns[v].place)
            self._costs_of.append(gigabytes * per_gb[pairs])
            waits = gigabytes * network.seconds_per_gb[pairs] if gigabytes else np.zeros(self._costs_of[-1].shape)
            self._ticks_of.append(self._ticks(waits + self.columns[v].seconds))

    @property
    def cells(self) -> int:
        """How many numbers one pass looks at."""
        return sum(costs.size * self.unary[v].shape[1] for costs, (_, v) in zip(self._costs_of, self.ends, strict=True))

    def begin_with(self, said: Sequence[Floats], flows: Sequence[float]) -> None:
        """Begin with what a model without a clock has learnt.

        `said` is, per edge of the network, what its target says of each place of its source; a flow is the price of a
        second on the edge, which makes it the dearer the later the source ends.
        """
        for e, (message, flow) in enumerate(zip(said, flows, strict=True)):
            ticks = np.arange(self._back[e].shape[1])
            self._back[e] = message[:, None] + flow * self.tick * ticks

    # ------------------------------------------------------------------------------------------- message passing

    def forward(self, *, lead: float = 0.0) -> tuple[float, list[int]]:
        """Pass messages along the edges; return the bound, and a choice made on the way.

        For the choice, jobs end `lead` seconds later than they really would when the future is asked what it costs.
        """
        bound, made = 0.0, [0] * self.end
        finishes = [0.0] * self.end
        self._slacks = []
        for j in range(self.end + 1):
            belief = self._belief(j)
            least = float(belief.min())
            if least == np.inf:
                return np.inf, made
            bound += least
            self._slacks.append(belief - least)
            if j < self.end:
                made[j], finishes[j] = self._pick(j, made, finishes, lead)
            bound += sum(self._send(e, self._slacks[j] / self._chains(j)) for e in self.out[j])
        return bound, [int(self.kept[j][a]) for j, a in enumerate(made)]

    def backward(self) -> float:
        """Pass messages against the edges and return the bound."""
        bound = 0.0
        slacks: list[Floats] = []
        for j in range(self.end, -1, -1):
            belief = self._belief(j)
            least = float(belief.min())
            if least == np.inf:
                return np.inf
            bound += least
            slacks.append(belief - least)
            bound += sum(self._send_back(e, slacks[-1] / self._chains(j)) for e in self.into[j])
        self._slacks = slacks[::-1]
        return bound

    def _chains(self, j: int) -> int:
        return max(len(self.out[j]), len(self.into[j]), 1)

    def _belief(self, j: int) -> Floats:
        belief = self.unary[j].copy()
        for e in self.into[j]:
            belief += self._ahead[e]
        for e in self.out[j]:
            belief += self._back[e][self.spots[j]]
        return belief

    def _send(self, e: int, share: Floats) -> float:
        """Tell an edge's target what its source knows, less the least of it, which is returned."""
        u, v = self.ends[e]
        best = np.minimum.accumulate(self._by_place(u, share) - self._back[e], axis=1)  # by then at the latest
        width = self.unary[v].shape[1]
        never, ever = np.full((len(best), width), np.inf), np.repeat(best[:, -1:], width, axis=1)
        windows = sliding_window_view(np.concatenate((never, best, ever), axis=1), width, axis=1)
        starts = np.clip(self.first[v] - self.first[u] - self._ticks_of[e] + width, 0, windows.shape[1] - 1)
        said = windows[np.arange(len(best))[:, None], starts]
        said += self._costs_of[e][:, :, None]
        message = said.min(axis=0)
        least = float(message.min())
        self._ahead[e] = self._finite(v, message, least, np.arange(len(message)))
        return least

    def _send_back(self, e: int, share: Floats) -> float:
        """Tell an edge's source what its target knows, less the least of it, which is returned."""
        u, v = self.ends[e]
        best = np.minimum.accumulate((share - self._ahead[e])[:, ::-1], axis=1)[:, ::-1]  # from then on
        width = self.unary[u].shape[1]
        never, ever = np.full((len(best), width), np.inf), np.repeat(best[:, :1], width, axis=1)
        windows = sliding_window_view(np.concatenate((ever, best, never), axis=1), width, axis=1)
        starts = np.clip(self.first[u] - self.first[v] + self._ticks_of[e] + width, 0, windows.shape[1] - 1)
        said = windows[np.arange(len(best))[None, :], starts]
        said += self._costs_of[e][:, :, None]
        message = said.min(axis=1)
        least = float(message.min())
        self._back[e] = self._finite(u, message, least, self.spots[u])
        return least

    def _finite(self, j: int, message: Floats, least: float, of_label: Ints) -> Floats:
        """Take the least off a message; labels that it rules out leave the job instead, so that no message is infinite."""
        if least == np.inf:
            self.unary[j][:] = np.inf
            return np.zeros(message.shape)
        message -= least
        is_out = message == np.inf
        if is_out.any():
            self.unary[j][is_out[of_label]] = np.inf
            message[is_out] = 0.0
        return message

    def _by_place(self, j: int, values: Floats) -> Floats:
        """Return the least of a job's labels at each place."""
        order = np.argsort(self.spots[j], kind="stable")
        if len(order) == len(self.places[j]):
            return values[order]
        starts = np.searchsorted(self.spots[j][order], np.arange(len(self.places[j])))
        least: Floats = np.minimum.reduceat(values[order], starts, axis=0)
        return least

    def _pick(self, j: int, made: Sequence[int], finishes: Sequence[float], lead: float) -> tuple[int, float]:
        """Choose the label that is cheapest beside those chosen before and what the future says; return it and its end."""
        columns, network = self.columns[j], self.network
        arrivals, costs = np.zeros(len(columns)), self._costs(columns)
        for e in self.into[j]:
            u = self.ends[e][0]
            waits = self.gigabytes[e] * network.seconds_per_gb[self.columns[u].place[made[u]], columns.place]
            np.maximum(arrivals, finishes[u] + waits, out=arrivals)
            costs += self._costs_of[e][self.spots[u][made[u]]]
        ends: Floats = arrivals + columns.seconds
        width = self.unary[j].shape[1]
        late = np.maximum(self._ticks(ends + lead) - self.first[j], 0)
        ticks, labels = np.minimum(late, width - 1), np.arange(len(columns))
        for e in self.out[j]:
            costs = costs + self._back[e][self.spots[j], ticks]
        costs[(late >= width) | np.isinf(self.unary[j][labels, ticks])] = np.inf
        pick = int(costs.argmin()) if np.isfinite(costs).any() else int(ends.argmin())
        return pick, float(ends[pick])

    # ---------------------------------------------------------------------------------------------------- labels

    def drop(self, room: float) -> None:
        """Drop the labels that cost so much more than the least; by the slacks of the last pass."""
        for costs, slacks in zip(self.unary, self._slacks, strict=True):
            costs[slacks > room] = np.inf

    def crop(self) -> bool:
        """Forget what has been dropped; tell whether every job has a label left."""
        labels, spans = [], []
        for costs in self.unary:
            is_open = np.isfinite(costs)
            if not is_open.any():
                return False
            ticks = np.flatnonzero(is_open.any(axis=0))
            labels.append(np.flatnonzero(is_open.any(axis=1)))
            spans.append(slice(int(ticks[0]), int(ticks[-1]) + 1))
        for e, (u, v) in enumerate(self.ends):
            self._ahead[e] = self._ahead[e][labels[v], spans[v]]
            self._back[e] = self._back[e][np.unique(self.spots[u][labels[u]]), spans[u]]
        for j, (kept, span) in enumerate(zip(labels, spans, strict=True)):
            self.unary[j] = self.unary[j][kept, span]
            self.kept[j], self.columns[j] = self.kept[j][kept], self.columns[j].only(kept)
            self.first[j] += span.start
        self._arrange()
        return True

    def refine(self) -> None:
        """Halve the tick; the messages stay, and every label becomes two."""
        self.tick /= 2
        self.first = [2 * first for first in self.first]
        self.unary = [np.repeat(costs, 2, axis=1) for costs in self.unary]
        self._ahead = [np.repeat(message, 2, axis=1) for message in self._ahead]
        self._back = [np.repeat(message, 2, axis=1) for message in self._back]
        self._price_end()
        self._arrange()
