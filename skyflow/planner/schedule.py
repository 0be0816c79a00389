"""What a choice of candidates leads to: start times, makespan, dollars and grams, as they would really happen.

Where nothing is scarce, a job starts when its inputs have arrived. Of a capacity (the slots of the local machine, a quota
of vCPUs, the machines of a pool) there is only so much at one time: jobs wait for one another, and list scheduling
(Graham 1969) decides who goes first: whenever something falls free, the ready job with the longest way to the end of the
run starts if it fits, among equals the first in order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from types import MappingProxyType

from skyflow.model.objective import Goal
from skyflow.planner.problem import Choice, PlacementProblem

__all__ = ["Evaluation", "evaluate"]

_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """The consequences of a choice; `starts` are seconds since the start of the run, per job.

    `seconds`, `job_usd` and `job_grams` are what each job takes, costs and emits. `shared` are the jobs that take over a
    machine, with the edges over which they do.
    """

    usd: float
    grams: float
    starts: tuple[float, ...]
    seconds: tuple[float, ...]
    job_usd: tuple[float, ...]
    job_grams: tuple[float, ...]
    shared: Mapping[int, int]
    makespan_seconds: float

    def value(self, goal: Goal) -> float:
        """Return what the goal counts."""
        return goal.value(usd=self.usd, grams=self.grams, seconds=self.makespan_seconds)

    def waits(self, problem: PlacementProblem, choice: Choice) -> tuple[float, ...]:
        """Return how many seconds each job waits for something scarce once its inputs have arrived."""
        ready = [0.0] * len(self.starts)
        handed_over = set(self.shared.values())
        for edge in problem.edges:
            arrived = self.starts[edge.source] + self.seconds[edge.source]
            if edge.position not in handed_over:
                there, here = problem.place(edge.source, choice), problem.place(edge.target, choice)
                arrived += edge.gigabytes * problem.seconds_per_gb[there][here]
            ready[edge.target] = max(ready[edge.target], arrived)
        return tuple(max(0.0, start - at) for start, at in zip(self.starts, ready, strict=True))

    def exceeded(self, problem: PlacementProblem) -> list[str]:
        """Return the limits of a problem that are not kept, rounding aside."""
        values = {"usd": self.usd, "grams": self.grams, "seconds": self.makespan_seconds}
        return [
            name
            for name, limit in problem.limits.named().items()
            if values[name] > limit * (1 + _TOLERANCE) + _TOLERANCE * 1e-3
        ]


def evaluate(problem: PlacementProblem, choice: Choice, held: Mapping[int, float] = MappingProxyType({})) -> Evaluation:
    """Work out when every job starts under a choice, and what everything costs.

    `held` are the moments before which some jobs do not start, by job.

    A job takes over the machine of the job before it when both have the same and there is no time between them: a
    machine is never held for a job that is not ready.
    """
    shared = {one.target: one for one in problem.takeovers if one.match[choice[one.target]] == choice[one.source]}
    while True:
        found = _evaluated(problem, choice, {target: one.position for target, one in shared.items()}, held)
        apart = [
            target
            for target, one in shared.items()
            if found.starts[target] > (found.starts[one.source] + found.seconds[one.source]) * (1 + _TOLERANCE)
        ]
        if not apart:
            return found
        for target in apart:
            del shared[target]


def _evaluated(
    problem: PlacementProblem, choice: Choice, shared: Mapping[int, int], held: Mapping[int, float]
) -> Evaluation:
    """Work out a choice when it is known which jobs take over a machine, and over which edges."""
    chosen = list(zip(problem.candidates, choice, strict=True))
    places = [options.place[k] for options, k in chosen]
    seconds, job_usd, job_grams = (
        [options.seconds[k] for options, k in chosen],
        [options.usd[k] for options, k in chosen],
        [options.grams[k] for options, k in chosen],
    )
    for job in shared:
        share = problem.candidates[job].working_share(choice[job])
        seconds[job], job_usd[job], job_grams[job] = seconds[job] * share, job_usd[job] * share, job_grams[job] * share
    handed_over = set(shared.values())
    waits, usd, grams = [], 0.0, 0.0
    for edge in problem.edges:
        gigabytes = 0.0 if edge.position in handed_over else edge.gigabytes
        a, b = places[edge.source], places[edge.target]
        waits.append(gigabytes * problem.seconds_per_gb[a][b])
        usd += gigabytes * problem.usd_per_gb[a][b]
        grams += gigabytes * problem.grams_per_gb[a][b]
    starts = _starts(problem, choice, seconds, waits, held)
    if problem.hours is not None:
        for job, (options, k) in enumerate(chosen):
            if options.curve:
                job_grams[job] *= problem.hours.factor(options.curve[k], starts[job], seconds[job])
    return Evaluation(
        usd=usd + sum(job_usd),
        grams=grams + sum(job_grams),
        starts=tuple(starts),
        seconds=tuple(seconds),
        job_usd=tuple(job_usd),
        job_grams=tuple(job_grams),
        shared=shared,
        makespan_seconds=max((start + took for start, took in zip(starts, seconds, strict=True)), default=0.0),
    )


def _starts(
    problem: PlacementProblem,
    choice: Choice,
    seconds: Sequence[float],
    waits: Sequence[float],
    held: Mapping[int, float],
) -> list[float]:
    scarce = [
        capacity
        for capacity in problem.capacities
        if sum(capacity.use(job, k) for job, k in enumerate(choice)) > capacity.units
    ]
    if not scarce:
        return _schedule_at_once(problem, seconds, waits, held)
    uses = [[capacity.use(job, k) for capacity in scarce] for job, k in enumerate(choice)]
    simulation = _Simulation(problem, seconds, waits, [capacity.units for capacity in scarce], uses, held=held)
    simulation.run()
    return simulation.starts


def _schedule_at_once(
    problem: PlacementProblem, seconds: Sequence[float], waits: Sequence[float], held: Mapping[int, float]
) -> list[float]:
    """Start every job as soon as its inputs are there, and it is not held back."""
    starts = [held.get(job, 0.0) for job in range(len(seconds))]
    for job, edges in enumerate(problem.incoming):
        for edge in edges:
            starts[job] = max(starts[job], starts[edge.source] + seconds[edge.source] + waits[edge.position])
    return starts


def _ways_to_end(problem: PlacementProblem, seconds: Sequence[float], waits: Sequence[float]) -> list[float]:
    """Return for each job the seconds from its start to the end of the run if nothing ever waits for another."""
    ways = list(seconds)
    for job in reversed(range(len(ways))):
        after = (waits[edge.position] + ways[edge.target] for edge in problem.outgoing[job])
        ways[job] += max(after, default=0.0)
    return ways


class _Simulation:
    """The run in simulated time; its events are jobs whose inputs have arrived and jobs that end."""

    def __init__(
        self,
        problem: PlacementProblem,
        seconds: Sequence[float],
        waits: Sequence[float],
        units: Sequence[float],
        uses: Sequence[Sequence[float]],
        *,
        held: Mapping[int, float],
    ) -> None:
        self._problem, self._seconds, self._waits = problem, seconds, waits
        self._ways = _ways_to_end(problem, seconds, waits)
        self._units, self._free, self._uses = units, list(units), uses
        self._missing = [len(edges) for edges in problem.incoming]
        self._arrivals = [held.get(job, 0.0) for job in range(len(seconds))]
        # heaps of the jobs that could start, as (minus the way to the end, job): what one of a heap needs, all need
        self._ready: dict[tuple[float, ...], list[tuple[float, int]]] = {}
        # (time, whether the job may start rather than ends, job): what falls free at a time counts at that time
        self._events = [(self._arrivals[job], True, job) for job, count in enumerate(self._missing) if count == 0]
        heapify(self._events)
        self.starts = [0.0] * len(seconds)

    def run(self) -> None:
        """Fill in `starts`."""
        while self._events:
            now, may_start, job = heappop(self._events)
            if may_start:
                heappush(self._ready.setdefault(tuple(self._uses[job]), []), (-self._ways[job], job))
            else:
                self._finish(job, now)
            if not self._events or self._events[0][0] > now:
                self._start_ready_jobs(now)

    def _finish(self, job: int, now: float) -> None:
        for capacity, units in enumerate(self._uses[job]):
            self._free[capacity] += units
        for edge in self._problem.outgoing[job]:
            target = edge.target
            self._arrivals[target] = max(self._arrivals[target], now + self._waits[edge.position])
            self._missing[target] -= 1
            if self._missing[target] == 0:
                heappush(self._events, (self._arrivals[target], True, target))

    def _start_ready_jobs(self, now: float) -> None:
        # a job that alone takes up more than there is would wait for ever: such candidates are left out before
        while fitting := [uses for uses in self._ready if self._fits(uses)]:
            uses = min(fitting, key=lambda uses: self._ready[uses][0])
            _, job = heappop(self._ready[uses])
            if not self._ready[uses]:
                del self._ready[uses]
            for capacity, units in enumerate(uses):
                self._free[capacity] -= units
            self.starts[job] = now
            heappush(self._events, (now + self._seconds[job], False, job))

    def _fits(self, uses: Sequence[float]) -> bool:
        return all(units <= free * (1 + _TOLERANCE) + _TOLERANCE for units, free in zip(uses, self._free, strict=True))
