"""What a choice of candidates leads to: start times, makespan and dollars, as they would really happen.

Clouds take any number of jobs at once. A place with slots (the local machine) does not: its jobs wait for one another,
and list scheduling (Graham 1969) decides who goes first: whenever a slot is free, the ready job with the longest way
to the end of the run starts, among equals the first in order.
"""

from dataclasses import dataclass
from heapq import heapify, heappop, heappush

from skyflow.model.objective import Objective
from skyflow.planner.problem import Choice, PlacementProblem

__all__ = ["Evaluation", "evaluate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """The consequences of a choice; `starts` are seconds since the start of the run, per job."""

    compute_usd: float
    transfer_usd: float
    starts: tuple[float, ...]
    makespan_seconds: float

    def value(self, objective: Objective) -> float:
        """Return the objective's figure, in dollars or seconds."""
        match objective:
            case Objective.COST:
                return self.compute_usd + self.transfer_usd
            case Objective.MAKESPAN:
                return self.makespan_seconds


def evaluate(problem: PlacementProblem, choice: Choice) -> Evaluation:
    """Work out when every job starts under a choice, and what everything costs."""
    waits = [
        problem.transfer_seconds(edge, choice[edge.source].place, choice[edge.target].place) for edge in problem.edges
    ]
    if any(problem.slots[candidate.place] is not None for candidate in choice):
        simulation = _Simulation(problem, choice, waits)
        simulation.run()
        starts = simulation.starts
    else:
        starts = _schedule_at_once(problem, choice, waits)
    return Evaluation(
        compute_usd=sum(candidate.usd for candidate in choice),
        transfer_usd=sum(
            problem.transfer_usd(edge, choice[edge.source].place, choice[edge.target].place) for edge in problem.edges
        ),
        starts=tuple(starts),
        makespan_seconds=max(
            (start + candidate.seconds for start, candidate in zip(starts, choice, strict=True)), default=0.0
        ),
    )


def _schedule_at_once(problem: PlacementProblem, choice: Choice, waits: list[float]) -> list[float]:
    """Start every job as soon as its inputs are there."""
    starts = [0.0] * len(choice)
    for job, edges in enumerate(problem.incoming):
        for edge in edges:
            arrival = starts[edge.source] + choice[edge.source].seconds + waits[edge.position]
            starts[job] = max(starts[job], arrival)
    return starts


def _ways_to_end(problem: PlacementProblem, choice: Choice, waits: list[float]) -> list[float]:
    """Return for each job the seconds from its start to the end of the run if nothing ever waits for a slot."""
    ways = [candidate.seconds for candidate in choice]
    for job in reversed(range(len(choice))):
        after = (waits[edge.position] + ways[edge.target] for edge in problem.outgoing[job])
        ways[job] += max(after, default=0.0)
    return ways


class _Simulation:
    """The run in simulated time; its events are jobs whose inputs have arrived and jobs that end."""

    def __init__(self, problem: PlacementProblem, choice: Choice, waits: list[float]) -> None:
        self._problem, self._choice, self._waits = problem, choice, waits
        self._ways = _ways_to_end(problem, choice, waits)
        self._free = {place: slots for place, slots in enumerate(problem.slots) if slots is not None}
        self._missing = [len(edges) for edges in problem.incoming]
        self._arrivals = [0.0] * len(choice)
        self._ready: list[tuple[float, int]] = []  # (minus the way to the end, job): heap of jobs that want a slot
        # (time, whether the job may start rather than ends, job): slots that fall free at a time count at that time
        self._events = [(0.0, True, job) for job, count in enumerate(self._missing) if count == 0]
        heapify(self._events)
        self.starts = [0.0] * len(choice)

    def run(self) -> None:
        """Fill in `starts`."""
        while self._events:
            now, may_start, job = heappop(self._events)
            if may_start:
                heappush(self._ready, (-self._ways[job], job))
            else:
                self._finish(job, now)
            if not self._events or self._events[0][0] > now:
                self._start_ready_jobs(now)

    def _finish(self, job: int, now: float) -> None:
        place = self._choice[job].place
        if place in self._free:
            self._free[place] += 1
        for edge in self._problem.outgoing[job]:
            target = edge.target
            self._arrivals[target] = max(self._arrivals[target], now + self._waits[edge.position])
            self._missing[target] -= 1
            if self._missing[target] == 0:
                heappush(self._events, (self._arrivals[target], True, target))

    def _start_ready_jobs(self, now: float) -> None:
        waiting = []
        while self._ready:
            entry = heappop(self._ready)
            job = entry[1]
            place = self._choice[job].place
            if place in self._free:
                if self._free[place] == 0:
                    waiting.append(entry)
                    continue
                self._free[place] -= 1
            self.starts[job] = now
            heappush(self._events, (now + self._choice[job].seconds, False, job))
        self._ready = waiting  # popped in order, hence already a heap
