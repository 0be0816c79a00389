"""The placement problem as pure data: the sets and parameters of the mathematics, already filtered; knows no solver.

Sets        jobs j in J, candidates k in K[j], places a in A, edges (i, j) in E, capacities c
Parameters  usd[j,k] dollars, grams[j,k] of CO2 and seconds[j,k] of a job on a candidate; place[j,k]; per edge d[i,j]
            gigabytes; Q[a,b] dollars, G[a,b] grams and P[a,b] seconds per gigabyte; for each capacity the units that a
            candidate takes up and how many there are at one time; limits on dollars, grams and seconds; start[j,k],
            those of the seconds in which the machine starts
A choice    one candidate per job

The same problem is stated in the SkyPilot paper (Yang et al., NSDI 2023, section "Optimizer") with tables per pair of
candidates; here they are per pair of places, because a transfer depends on nothing else.

Data that comes from outside, or has to end somewhere, is a job with one candidate that takes no time and costs nothing;
so is a job that has run already. Nothing else in the planner needs to know of them.
"""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from skyflow.model.catalog import Offering
from skyflow.planner.hours import Hours

__all__ = ["Candidates", "Capacity", "Choice", "Edge", "Limits", "PlacementProblem", "Table", "Takeover"]

Choice = tuple[int, ...]
"""The decision: for every job, in the order of `PlacementProblem.jobs`, the index of its candidate."""

Table = tuple[tuple[float, ...], ...]
"""A figure for every ordered pair of places, indexed [source][destination]."""


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """The candidates of one job, as columns: a thousand jobs with a thousand each are 32 MB, not a million objects.

    `place` holds indices into the transfer tables. The order is the stable one that breaks the last ties. `offerings`
    is empty where nothing is known of the machines but these figures. `startup` are those of the seconds in which the
    machine starts; it is empty where none does. `curve` are the numbers of their grids in `PlacementProblem.hours`, -1 where
    nothing is known, and empty where hours do not count. Jobs that are alike may share one value.
    """

    place: "array[int]"
    seconds: "array[float]"
    usd: "array[float]"
    grams: "array[float]"
    offerings: tuple[Offering, ...] = ()
    startup: "array[float]" = field(default_factory=lambda: array("d"))
    curve: "array[int]" = field(default_factory=lambda: array("q"))

    @classmethod
    def of(
        cls,
        rows: Iterable[tuple[int, float, float, float]],
        offerings: Iterable[Offering] = (),
        startup: Iterable[float] = (),
        curve: Iterable[int] = (),
    ) -> "Candidates":
        """Return candidates from rows of place, seconds, dollars and grams."""
        place, seconds, usd, grams = array("q"), array("d"), array("d"), array("d")
        for row in rows:
            place.append(row[0])
            seconds.append(row[1])
            usd.append(row[2])
            grams.append(row[3])
        starting = array("d", startup)
        curves = array("q", curve)
        return cls(
            place, seconds, usd, grams, tuple(offerings),
            starting if any(starting) else array("d"),
            curves if any(number >= 0 for number in curves) else array("q"),
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.place)

    def name(self, index: int) -> str:
        """Return what to call one of them."""
        return self.offerings[index].id if self.offerings else f"{self.place[index]}.{index}"

    def only(self, kept: Sequence[int]) -> "Candidates":
        """Return some of them, in the order of their indices."""
        return Candidates.of(
            ((self.place[k], self.seconds[k], self.usd[k], self.grams[k]) for k in kept),
            (self.offerings[k] for k in kept) if self.offerings else (),
            (self.startup[k] for k in kept) if self.startup else (),
            (self.curve[k] for k in kept) if self.curve else (),
        )

    def startup_seconds(self, index: int) -> float:
        """Return how long the machine of one of them takes to start."""
        return self.startup[index] if self.startup else 0.0

    def working_share(self, index: int) -> float:
        """Return the share of its time, and so of its dollars and grams, that one of them does not spend on starting."""
        seconds = self.seconds[index]
        return 1.0 - self.startup_seconds(index) / seconds if seconds else 1.0


@dataclass(frozen=True, slots=True)
class Edge:
    """Job `target` needs job `source` and reads `gigabytes` of its data; both are indices, source < target.

    `position` is the edge's own index in `PlacementProblem.edges`.
    """

    position: int
    source: int
    target: int
    gigabytes: float


@dataclass(frozen=True, slots=True)
class Takeover:
    """Job `target` takes over the machine of job `source`, which it needs, when both run on the same offering.

    It saves the start of a machine and the transfer over the edge between them, `position`. `match` gives, for each
    candidate of the target whose machine has to be started, the candidate of the source that is the same; else -1.
    """

    position: int
    source: int
    target: int
    match: "array[int]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """Something of which there are `units` at any one time: slots of a machine, a quota of vCPUs, a pool.

    `uses[j]` gives, for each candidate of job j, the units it takes up while it runs; None where the job takes none.
    """

    name: str
    units: float
    uses: "tuple[array[float] | None, ...]"

    def use(self, job: int, candidate: int) -> float:
        """Return what a job on a candidate takes up."""
        column = self.uses[job]
        return 0.0 if column is None else column[candidate]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What no plan may exceed; None where there is no limit. Dollars, grams of CO2, seconds from start to end."""

    usd: float | None = None
    grams: float | None = None
    seconds: float | None = None

    def __bool__(self) -> bool:
        return any(limit is not None for limit in (self.usd, self.grams, self.seconds))

    def named(self) -> Mapping[str, float]:
        """Return the limits that are set, by the name of what they limit."""
        values = {"usd": self.usd, "grams": self.grams, "seconds": self.seconds}
        return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class PlacementProblem:
    """One instance.

    `jobs` are in an order in which they can run. The transfer tables are indexed [source][destination]. `heirs` are the
    edges over which a machine may be taken over, by their positions; no two of them have an end in common. With `hours`, what
    a job emits depends on when it runs, and jobs may wait.
    """

    jobs: tuple[str, ...]
    candidates: tuple[Candidates, ...]
    edges: tuple[Edge, ...]
    usd_per_gb: Table
    seconds_per_gb: Table
    grams_per_gb: Table
    capacities: tuple[Capacity, ...] = ()
    limits: Limits = field(default_factory=Limits)
    heirs: tuple[int, ...] = ()
    hours: Hours | None = None

    @cached_property
    def takeovers(self) -> tuple[Takeover, ...]:
        """What may be taken over by whom, where any of their candidates are the same."""
        known: dict[tuple[int, int], array[int]] = {}
        found = []
        for position in self.heirs:
            edge = self.edges[position]
            before, after = self.candidates[edge.source], self.candidates[edge.target]
            if (id(before), id(after)) not in known:
                known[id(before), id(after)] = _matched(before, after)
            match = known[id(before), id(after)]
            if any(k >= 0 for k in match):
                found.append(Takeover(position, edge.source, edge.target, match))
        return tuple(found)

    @cached_property
    def incoming(self) -> tuple[tuple[Edge, ...], ...]:
        """The edges that end at each job, in the order of `edges`."""
        return self._by_end("target")

    @cached_property
    def outgoing(self) -> tuple[tuple[Edge, ...], ...]:
        """The edges that start at each job, in the order of `edges`."""
        return self._by_end("source")

    def _by_end(self, end: str) -> tuple[tuple[Edge, ...], ...]:
        grouped: list[list[Edge]] = [[] for _ in self.jobs]
        for edge in self.edges:
            grouped[getattr(edge, end)].append(edge)
        return tuple(map(tuple, grouped))

    @property
    def is_settled(self) -> bool:
        """Whether no job has a choice."""
        return all(len(options) == 1 for options in self.candidates)

    def place(self, job: int, choice: Choice) -> int:
        """Return where a job runs."""
        return self.candidates[job].place[choice[job]]

    def limited_by(self, limits: Limits) -> "PlacementProblem":
        """Return the same problem under other limits."""
        return replace(self, limits=limits)


def _machines(offering: Offering) -> tuple[str, int, int]:
    return offering.id, offering.nodes, offering.on_demand_nodes


def _matched(before: Candidates, after: Candidates) -> "array[int]":
    """Return, for each candidate that has to be started, which of those before is the same number of the same machines."""
    same: Iterable[int] = range(len(after))
    if before is not after:
        index = {_machines(one): k for k, one in enumerate(before.offerings)}
        same = (index.get(_machines(one), -1) for one in after.offerings)
    return array("q", (k if after.startup_seconds(here) else -1 for here, k in enumerate(same)))
