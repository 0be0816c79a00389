"""From jobs and offerings to a placement problem."""

from array import array
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter

from skyflow.errors import InternalError
from skyflow.model.catalog import Offering, Place, TransferRates
from skyflow.model.planning import Spill
from skyflow.model.recovery import RecoverySpec
from skyflow.model.resources import LOCAL, Estimate, Setup
from skyflow.planner.estimates import DEFAULT_ESTIMATE_SECONDS, Knowledge, Timing, expected_timing
from skyflow.planner.hours import Hours
from skyflow.planner.problem import Candidates, Capacity, Edge, Limits, PlacementProblem
from skyflow.planner.sharing.savings import find_heirs

__all__ = ["DEFAULT_ESTIMATE_SECONDS", "LOCAL_SLOTS", "OutsideData", "PlanningJob", "Pool", "Problem", "build_problem"]

LOCAL_SLOTS = "slots of this machine"
"""The name of the capacity that every plan has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideData:
    """Data that a job reads from, or has to leave at, a place outside of the run; gigabytes are decimal."""

    name: str
    place: Place
    gigabytes: float
    is_output: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanningJob:
    """One job after matrix expansion, with the offerings that satisfy its requirements.

    `needs` are keys of other jobs. `data_gb` gives the decimal gigabytes that flow in from some of them, `outside` what
    comes from or goes to elsewhere. `utilization` is the share of a machine's power range that it keeps busy, None where
    nobody says. `pinned_seconds` says that the job runs, or ran, on its only candidate, and how long
    it still takes from now; its machine is paid for already. `setup` is how its machine is prepared. With `reuse` it may
    take over the machine of a job that it needs, and leave its own to another, where that is the same. `recovery` says what
    follows when a spot machine is taken away.
    """

    key: str
    candidates: tuple[Offering, ...]
    needs: tuple[str, ...] = ()
    estimate: Estimate | None = None
    data_gb: tuple[tuple[str, float], ...] = ()
    outside: tuple[OutsideData, ...] = ()
    utilization: float | None = None
    pinned_seconds: float | None = None
    setup: Setup | None = None
    reuse: bool = True
    recovery: RecoverySpec = RecoverySpec()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """So many units of something at one time, of the offerings that it concerns: slots, a quota, a pool of machines."""

    name: str
    units: float
    takes: Callable[[Offering], float]


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A placement problem, and what its figures stand for.

    The first jobs of `placement` are those of the plan in `jobs`; what follows are the ends of `outputs`. `timings` are
    those of each job's candidates. `sources` are the inputs from outside, by the index that stands for them. `spill` is the
    rule by which jobs leave machines that are there for rented ones; without it, all are alike.
    """

    placement: PlacementProblem
    jobs: tuple[PlanningJob, ...]
    positions: tuple[int, ...]
    timings: tuple[tuple[Timing, ...], ...]
    outside: dict[int, OutsideData] = field(default_factory=dict)
    spill: Spill | None = None


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
    maker = _Maker(transfers, knowledge or Knowledge(), (slots, *pools))
    for job in ordered:
        maker.add(job)
    for job in ordered:
        maker.add_outputs(job)
    return maker.made(ordered, limits or Limits(), hours)


class _Maker:
    """A problem being made, job by job."""

    def __init__(self, transfers: TransferRates, knowledge: Knowledge, pools: Sequence[Pool]) -> None:
        self.transfers, self.knowledge, self.pools = transfers, knowledge, pools
        self.names: list[str] = []
        self.candidates: list[Candidates] = []
        self.timings: list[tuple[Timing, ...]] = []
        self.edges: list[Edge] = []
        self.position: dict[str, int] = {}
        self.outside: dict[int, OutsideData] = {}
        self._known: dict[tuple[object, ...], tuple[Candidates, tuple[Timing, ...]]] = {}

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
        candidates, timings = self._known[alike]
        self.candidates.append(candidates)
        self.timings.append(timings)
        for need in dict.fromkeys(job.needs):
            self._edge(self.position[need], here, gigabytes.get(need, 0.0))
        for source in sources:
            self._edge(source, here, self.outside[source].gigabytes)

    def add_outputs(self, job: PlanningJob) -> None:
        """Add the places where data of a job has to end."""
        for data in job.outside:
            if data.is_output:
                self._edge(self.position[job.key], self._fixed(data, f"{data.name} of {job.key}"), data.gigabytes)

    def made(self, jobs: Sequence[PlanningJob], limits: Limits, hours: Hours | None) -> Problem:
        """Return the problem."""
        capacities = [self._capacity(pool) for pool in self.pools]
        count = len(self.transfers.usd_per_gb)
        setups: list[Hashable | None] = [None] * len(self.names)
        for job in jobs:
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
            jobs=tuple(jobs),
            positions=tuple(self.position[job.key] for job in jobs),
            timings=tuple(self.timings),
            outside=self.outside,
        )

    def _edge(self, source: int, target: int, gigabytes: float) -> None:
        self.edges.append(Edge(len(self.edges), source, target, gigabytes))

    def _fixed(self, data: OutsideData, name: str) -> int:
        """Add a job that stands for a place: it takes no time and costs nothing."""
        self.outside[len(self.names)] = data
        self.names.append(name)
        self.candidates.append(Candidates.of([(self._place(data.place, self.transfers.outside_index), 0.0, 0.0, 0.0)]))
        self.timings.append((Timing(seconds=0.0, busy_seconds=0.0, source="", is_assumed=False),))
        return len(self.names) - 1

    @staticmethod
    def _place(place: Place, index: Mapping[Place, int]) -> int:
        found = index.get(place)
        if found is None:
            raise InternalError(f"no transfer rates are known for {place}")
        return found

    def _candidates(self, job: PlanningJob) -> tuple[Candidates, tuple[Timing, ...]]:
        """Return the candidates cheapest first, then fastest, then by id."""
        if not job.candidates:
            raise InternalError(f"job '{job.key}' has no candidate")
        offerings = list({offering.id: offering for offering in job.candidates}.values())
        fitting = [offering for offering in offerings if all(pool.takes(offering) <= pool.units for pool in self.pools)]
        rows = []
        for offering in fitting or offerings:
            timing = expected_timing(job.key, job.estimate, offering, self.knowledge)
            usd = offering.price_usd_per_hour * timing.seconds / 3600
            grams = self.knowledge.grams(offering, timing.seconds, job.utilization) or 0.0
            if job.pinned_seconds is not None:
                timing = Timing(
                    seconds=job.pinned_seconds, busy_seconds=job.pinned_seconds, source="", is_assumed=False
                )
                usd = grams = 0.0
            rows.append(
                (
                    usd,
                    timing.seconds,
                    offering.id,
                    self._place(offering.place, self.transfers.index),
                    grams,
                    offering,
                    timing,
                )
            )
        rows.sort(key=lambda row: row[:3])
        candidates = Candidates.of(
            ((place, seconds, usd, grams) for usd, seconds, _, place, grams, _, _ in rows),
            (row[5] for row in rows),
            (row[6].startup_seconds for row in rows),
            (self.knowledge.curve(row[5]) for row in rows) if job.pinned_seconds is None else (),
        )
        return candidates, tuple(row[6] for row in rows)

    def _capacity(self, pool: Pool) -> Capacity | None:
        """Return the pool as a capacity; None where all jobs together do not exceed it."""
        known: dict[int, array[float] | None] = {}
        uses: list[array[float] | None] = []
        units = pool.units
        for options in self.candidates:
            if id(options) not in known:
                column = array("d", map(pool.takes, options.offerings))
                known[id(options)] = column if any(column) else None
                units = max(units, min(column, default=0.0))
            uses.append(known[id(options)])
        most = sum(max(column) for column in uses if column is not None)
        return Capacity(name=pool.name, units=units, uses=tuple(uses)) if most > units else None


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
