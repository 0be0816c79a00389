"""From jobs and offerings to a placement problem."""

from array import array
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from itertools import chain
from typing import TYPE_CHECKING

from skyflow.errors import InternalError
from skyflow.model.catalog import Offering, Place, TransferRates
from skyflow.model.planning import Spill
from skyflow.model.resources import LOCAL
from skyflow.planner.estimates import Knowledge, Timing, timing_of
from skyflow.planner.hours import Hours
from skyflow.planner.jobs import OutsideData, PlanningJob, Pool
from skyflow.planner.problem import Candidates, Capacity, Edge, Limits, PlacementProblem
from skyflow.planner.sharing.savings import find_heirs

if TYPE_CHECKING:
    from skyflow.planner.columns import Columns

__all__ = ["LOCAL_SLOTS", "Problem", "build_problem"]

_Uses = tuple["array[float] | None", ...]
"""What each candidate of a job takes up, by pool; None where none takes up anything."""

LOCAL_SLOTS = "slots of this machine"
"""The name of the capacity that every plan has."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A placement problem, and what its figures stand for.

    The first jobs of `placement` are those of the plan in `jobs`; what follows are the ends of `outputs`. `knowledge` is
    what the figures of the candidates come from. `sources` are the inputs from outside, by the index that stands for them.
    `spill` is the rule by which jobs leave machines that are there for rented ones; without it, all are alike.
    """

    placement: PlacementProblem
    jobs: tuple[PlanningJob, ...]
    positions: tuple[int, ...]
    knowledge: Knowledge
    outside: dict[int, OutsideData] = field(default_factory=dict)
    spill: Spill | None = None

    def timing(self, index: int, candidate: int) -> Timing:
        """Return how long a job of the plan, by its index in `placement`, takes on one of its candidates, and why."""
        offering = self.placement.candidates[index].offerings[candidate]
        return timing_of(self._job_at[index], offering, self.knowledge)

    @cached_property
    def _job_at(self) -> dict[int, PlanningJob]:
        return dict(zip(self.positions, self.jobs, strict=True))


def build_problem(
    jobs: Sequence[PlanningJob],
    *,
    transfers: TransferRates,
    local_slots: int,
    knowledge: Knowledge | None = None,
    pools: Sequence[Pool] = (),
    limits: Limits | None = None,
    hours: Hours | None = None,
) -> Problem:
    """State the problem, with jobs in an order in which they can run and candidates in a stable one.

    A candidate that alone takes up more of a pool than there is, is left out; when a job has no other, it stays, and the
    job waits for ever in no schedule: the pool then counts as large enough for it.

    Raises:
        InternalError: the caller broke the contract: a duplicate key, an unknown need, a cycle, no candidate, a place
            without transfer rates, less than one slot.
    """
    if local_slots < 1:
        raise InternalError(f"the local machine cannot run {local_slots} jobs at once")
    ordered = _in_running_order(jobs)
    slots = Pool(name=LOCAL_SLOTS, units=local_slots, takes=lambda offering: float(offering.provider == LOCAL))
    maker = _Maker(ordered, transfers, knowledge or Knowledge(), (slots, *pools))
    for job in ordered:
        maker.add(job)
    for job in ordered:
        maker.add_outputs(job)
    return maker.made(limits or Limits(), hours)


class _Maker:
    """A problem being made, job by job."""

    def __init__(
        self, jobs: Sequence[PlanningJob], transfers: TransferRates, knowledge: Knowledge, pools: Sequence[Pool]
    ) -> None:
        self.jobs, self.transfers, self.knowledge, self.pools = jobs, transfers, knowledge, pools
        self.names: list[str] = []
        self.candidates: list[Candidates] = []
        self.uses: list[_Uses] = []
        self.edges: list[Edge] = []
        self.position: dict[str, int] = {}
        self.outside: dict[int, OutsideData] = {}
        self._known: dict[tuple[object, ...], tuple[Candidates, _Uses]] = {}

    def add(self, job: PlanningJob) -> None:
        """Add a job, after the places where its inputs from outside are."""
        gigabytes = dict(job.data_gb)
        if unknown := gigabytes.keys() - set(job.needs):
            raise InternalError(f"job '{job.key}' takes data from {sorted(unknown)}, which it does not need")
        sources = [self._fixed(data, f"{data.name} for {job.key}") for data in job.outside if not data.is_output]
        here = self.position[job.key] = len(self.names)
        self.names.append(job.key)
        # jobs of one matrix are alike: they share their candidates, and the planner looks at those once
        alike = (id(job.candidates), job.estimate, job.utilization, job.pinned_seconds)
        if alike not in self._known or self.knowledge.is_by_job:
            self._known[alike] = self._candidates(job)
        candidates, uses = self._known[alike]
        self.candidates.append(candidates)
        self.uses.append(uses)
        for need in dict.fromkeys(job.needs):
            self._edge(self.position[need], here, gigabytes.get(need, 0.0))
        for source in sources:
            self._edge(source, here, self.outside[source].gigabytes)

    def add_outputs(self, job: PlanningJob) -> None:
        """Add the places where data of a job has to end."""
        for data in job.outside:
            if data.is_output:
                self._edge(self.position[job.key], self._fixed(data, f"{data.name} of {job.key}"), data.gigabytes)

    def made(self, limits: Limits, hours: Hours | None) -> Problem:
        """Return the problem."""
        capacities = map(self._capacity, range(len(self.pools)))
        count = len(self.transfers.usd_per_gb)
        setups: list[Hashable | None] = [None] * len(self.names)
        for job in self.jobs:
            has_ended = job.pinned_seconds == 0  # its machine is gone
            setups[self.position[job.key]] = (job.setup,) if job.reuse and not has_ended else None
        return Problem(
            placement=PlacementProblem(
                jobs=tuple(self.names),
                candidates=tuple(self.candidates),
                edges=tuple(self.edges),
                usd_per_gb=self.transfers.usd_per_gb,
                seconds_per_gb=self.transfers.seconds_per_gb,
                grams_per_gb=self.knowledge.grams_per_gb or ((0.0,) * count,) * count,
                capacities=tuple(capacity for capacity in capacities if capacity is not None),
                limits=limits,
                heirs=find_heirs(self.candidates, self.edges, setups),
                hours=hours if any(options.curve for options in self.candidates) else None,
            ),
            jobs=tuple(self.jobs),
            positions=tuple(self.position[job.key] for job in self.jobs),
            knowledge=self.knowledge,
            outside=self.outside,
        )

    def _edge(self, source: int, target: int, gigabytes: float) -> None:
        self.edges.append(Edge(len(self.edges), source, target, gigabytes))

    def _fixed(self, data: OutsideData, name: str) -> int:
        """Add a job that stands for a place: it takes no time and costs nothing."""
        self.outside[len(self.names)] = data
        self.names.append(name)
        place = _index_of(data.place, self.transfers.outside_index)
        self.candidates.append(Candidates.of([(place, 0.0, 0.0, 0.0)]))
        self.uses.append((None,) * len(self.pools))
        return len(self.names) - 1

    def _place(self, place: Place) -> int:
        return _index_of(place, self.transfers.index)

    def _candidates(self, job: PlanningJob) -> tuple[Candidates, _Uses]:
        """Return the candidates, and what each takes up of every pool."""
        if not job.candidates:
            raise InternalError(f"job '{job.key}' has no candidate")
        if len(job.candidates) == 1:
            return self._only_one(job, job.candidates[0])
        if job.pinned_seconds is not None:
            raise InternalError(f"job '{job.key}' is pinned, and has several candidates")
        return self._columns.candidates(job)

    def _only_one(self, job: PlanningJob, offering: Offering) -> tuple[Candidates, _Uses]:
        timing = timing_of(job, offering, self.knowledge)
        usd, grams, curve = 0.0, 0.0, -1
        if job.pinned_seconds is None:
            footprint = self.knowledge.footprint(offering)
            usd = offering.price_usd_per_hour * timing.seconds / 3600
            grams = 0.0 if footprint is None else footprint.gco2e(timing.seconds, job.utilization)
            curve = self.knowledge.curve(offering)
        candidates = Candidates.of(
            [(self._place(offering.place), timing.seconds, usd, grams)], [offering], [timing.startup_seconds], [curve]
        )
        takes = [pool.takes(offering) for pool in self.pools]
        return candidates, tuple(array("d", [units]) if units else None for units in takes)

    @cached_property
    def _columns(self) -> "Columns":
        from skyflow.planner.columns import Columns  # noqa: PLC0415 -- imports numpy, which jobs without a choice do without

        several = {id(job.candidates): job.candidates for job in self.jobs if len(job.candidates) > 1}
        return Columns(
            chain.from_iterable(several.values()), place=self._place, pools=self.pools, knowledge=self.knowledge
        )

    def _capacity(self, number: int) -> Capacity | None:
        """Return a pool as a capacity; None where all jobs together do not exceed it."""
        pool = self.pools[number]
        uses = [takes[number] for takes in self.uses]
        columns = {id(column): column for column in uses if column is not None}
        units = max(pool.units, *(min(column) for column in columns.values())) if columns else pool.units
        greatest = {key: max(column) for key, column in columns.items()}
        most = sum(greatest[id(column)] for column in uses if column is not None)
        return Capacity(name=pool.name, units=units, uses=tuple(uses)) if most > units else None


def _index_of(place: Place, index: Mapping[Place, int]) -> int:
    found = index.get(place)
    if found is None:
        raise InternalError(f"no transfer rates are known for {place}")
    return found


def _in_running_order(jobs: Sequence[PlanningJob]) -> list[PlanningJob]:
    """Sort so that every job comes after its needs; jobs that could go either way keep the caller's order."""
    given = {job.key: index for index, job in enumerate(jobs)}
    if len(given) < len(jobs):
        raise InternalError("two jobs have the same key")
    for job in jobs:
        if unknown := set(job.needs) - given.keys():
            raise InternalError(f"job '{job.key}' needs unknown jobs: {sorted(unknown)}")
    return [
        jobs[index] for index in _sorted({given[job.key]: [given[need] for need in job.needs] for job in jobs}, jobs)
    ]


def _sorted(graph: dict[int, list[int]], jobs: Sequence[PlanningJob]) -> Collection[int]:
    sorter = TopologicalSorter(graph)
    try:
        sorter.prepare()
    except CycleError as error:
        raise InternalError(f"jobs need each other: {[jobs[index].key for index in error.args[1]]}") from error
    ordered: list[int] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        ordered.extend(ready)
        sorter.done(*ready)
    return ordered
