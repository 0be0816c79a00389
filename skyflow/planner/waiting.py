"""Jobs that wait for cleaner power: what waiting can save at most, and the best start of every job on its machine.

A job that is held back starts at a full hour, because that is when power gets cleaner; any other starts as soon as its
inputs are there, and one that takes a machine over starts when the job before it ends. Among such starts the best ones for
chosen machines are those of a model of costs that add up (`pairwise`): the labels of a job are its possible starts, and over
an edge only those go together that leave the time for the job before and the transfer. Constraints of this kind make the
model submodular, so that message passing finds the least.

No start within a job's window emits less than the least of its emissions over all starts there, which is found at an end of
the window or where the job begins or ends with an hour. A problem in which every job emits just that much is one of the
usual kind, without time, and its bound holds for machines and starts together.

Where all waiting together saves less than a tenth of a gram, which no plan shows, and no cap asks for it, nobody waits, and
the plan is the best one of those in which nobody does: a job of seconds does not wait minutes for a milligram.
"""

import math
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from skyflow.model.objective import Goal
from skyflow.planner.hours import Hours
from skyflow.planner.problem import Candidates, Choice, Edge, PlacementProblem
from skyflow.planner.schedule import Evaluation, evaluate

__all__ = ["at_best_hours", "best_starts", "without_waiting"]

_CELLS = 4_000_000
"""Pairs of starts that all tables together may have; where there are more, only every second hour counts, and so on."""
_SHORT = 1.0
"""Seconds of waiting that are not worth a planned start."""
_WORTH_GRAMS = 0.1
"""What waiting has to save in all; `format_grams` shows nothing smaller."""
_EXACT = 0.01
"""Seconds that count as none."""
_EARLIER = 1e-9
"""The share of all emissions that a whole run's delay counts, so that of equal starts the earliest is taken."""


def best_starts(
    problem: PlacementProblem, goal: Goal, choice: Choice, *, is_late: Callable[[], bool]
) -> Mapping[int, float]:
    """Return when the jobs of a choice that are better held back start, in seconds; the others start when they can.

    What counts are the grams.
    """
    if problem.hours is None:
        return {}
    timing = _Timing(problem, problem.hours, choice, evaluate(problem, choice), goal.grams or 1.0)
    return timing.held(timing.cleanest(timing.possible_starts(), is_late))


def without_waiting(problem: PlacementProblem, choice: Choice, held: Mapping[int, float]) -> PlacementProblem | None:
    """Return the problem in which nobody may wait, if these starts save next to nothing over starting at once; else None."""
    if problem.hours is None or not held:
        return None
    soon = evaluate(problem, choice)
    if soon.exceeded(problem) or soon.grams - evaluate(problem, choice, held).grams >= _WORTH_GRAMS:
        return None
    return replace(problem, hours=replace(problem.hours, latest_seconds=0.0))


@dataclass(frozen=True, slots=True)
class _Timing:
    """A choice with what it leads to when nobody waits; `weight` is what a gram counts."""

    problem: PlacementProblem
    hours: Hours
    choice: Choice
    soon: Evaluation
    weight: float

    def lag(self, edge: Edge) -> float:
        """Return the seconds from the start of a job until what it hands over an edge has arrived."""
        there, here = self.problem.place(edge.source, self.choice), self.problem.place(edge.target, self.choice)
        moved = 0.0 if self.is_shared(edge) else edge.gigabytes
        return self.soon.seconds[edge.source] + moved * self.problem.seconds_per_gb[there][here]

    def is_shared(self, edge: Edge) -> bool:
        """Tell whether a machine is handed over an edge."""
        return self.soon.shared.get(edge.target) == edge.position

    def ready(self, job: int, starts: Sequence[float]) -> float:
        """Return when the inputs of a job are there, given the starts of the jobs before it."""
        return max((starts[edge.source] + self.lag(edge) for edge in self.problem.incoming[job]), default=0.0)

    def possible_starts(self) -> list[list[float]]:
        """Return, per job, the full hours at which it may start, and the moments at which its inputs may arrive."""
        step = 1
        while True:
            starts = self._starts_by(step)
            if sum(len(starts[edge.source]) * len(starts[edge.target]) for edge in self.problem.edges) <= _CELLS:
                return starts
            step *= 2

    def _starts_by(self, step: int) -> list[list[float]]:
        latest = self._latest()
        found: list[list[float]] = []
        for job, edges in enumerate(self.problem.incoming):
            earliest = self.soon.starts[job]
            moments = {earliest}
            moments.update(start + self.lag(edge) for edge in edges for start in found[edge.source])
            if job not in self.soon.shared and self.problem.candidates[job].curve:
                last = min(self.hours.latest_seconds, latest[job])
                moments.update(self.hours.full_hours(earliest, last)[::step])
            kept = [moment for moment in moments if earliest - _EXACT <= moment <= latest[job] + _EXACT]
            found.append(sorted({round(moment, 3): moment for moment in kept or [earliest]}.values()))
        return found

    def _latest(self) -> list[float]:
        """Return the latest start of each job with which the deadline is kept."""
        end = self.problem.limits.seconds
        latest = [math.inf if end is None else end - seconds for seconds in self.soon.seconds]
        for job in reversed(range(len(latest))):
            for edge in self.problem.outgoing[job]:
                latest[job] = min(latest[job], latest[edge.target] - self.lag(edge))
        return latest

    def cleanest(self, starts: list[list[float]], is_late: Callable[[], bool]) -> list[float]:
        """Return the starts, of those that are possible, with which all jobs together emit the least."""
        import numpy as np  # noqa: PLC0415 -- start-up

        from skyflow.planner.bounds.pairwise import Pairwise  # noqa: PLC0415 -- imports numpy

        per_second = self.weight * self.soon.grams * _EARLIER / max(*map(max, starts), 1.0)
        unary = [
            np.array([self.weight * self._grams(job, at) + per_second * at for at in moments])
            for job, moments in enumerate(starts)
        ]
        out_of_question = 10.0 * sum(float(costs.max()) for costs in unary) + 1.0
        tables = []
        for edge in self.problem.edges:
            spare = np.array(starts[edge.target])[None, :] - np.array(starts[edge.source])[:, None] - self.lag(edge)
            is_right = np.abs(spare) < _EXACT if self.is_shared(edge) else spare > -_EXACT
            tables.append(np.where(is_right, 0.0, out_of_question))
        first: list[int] = []  # as soon as possible, which is always right
        for job, moments in enumerate(starts):
            ready = self.ready(job, [starts[before][at] for before, at in enumerate(first)])
            first.append(next((at for at, moment in enumerate(moments) if moment >= ready - _EXACT), 0))
        ends = [(edge.source, edge.target) for edge in self.problem.edges]
        found = Pairwise(unary, ends, tables, [1.0] * len(tables), first).solve(is_late=is_late)
        return [moments[at] for moments, at in zip(starts, found.labels, strict=True)]

    def _grams(self, job: int, at: float) -> float:
        options, k, seconds = self.problem.candidates[job], self.choice[job], self.soon.seconds[job]
        if not options.seconds[k] or not options.curve:
            return 0.0
        return options.grams[k] * seconds / options.seconds[k] * self.hours.factor(options.curve[k], at, seconds)

    def held(self, starts: Sequence[float]) -> Mapping[int, float]:
        """Return the starts of those jobs that could start sooner."""
        return {job: start for job, start in enumerate(starts) if start > self.ready(job, starts) + _SHORT}


def _windows(problem: PlacementProblem, hours: Hours) -> list[tuple[float, float]]:
    """Return for each job when it can start at the earliest, and end at the latest."""
    least = [
        min(map(float.__mul__, options.seconds, map(options.working_share, range(len(options)))))
        for options in problem.candidates
    ]
    most = [max(options.seconds) for options in problem.candidates]
    slowest = max((max(row) for row in problem.seconds_per_gb), default=0.0)
    earliest, ends = [0.0] * len(least), [0.0] * len(least)
    for job, edges in enumerate(problem.incoming):
        latest = hours.latest_seconds
        for edge in edges:
            earliest[job] = max(earliest[job], earliest[edge.source] + least[edge.source])
            latest = max(latest, ends[edge.source] + edge.gigabytes * slowest)
        ends[job] = latest + most[job]
    if problem.limits.seconds is not None:
        left = [problem.limits.seconds] * len(least)
        for job in reversed(range(len(least))):
            for edge in problem.outgoing[job]:
                left[job] = min(left[job], left[edge.target] - least[edge.target])
        ends = [min(end, limit) for end, limit in zip(ends, left, strict=True)]
    return list(zip(earliest, ends, strict=True))


def at_best_hours(problem: PlacementProblem) -> PlacementProblem:
    """Return a problem without hours in which every job emits the least that its window allows."""
    hours = problem.hours
    if hours is None:
        return problem
    known: dict[tuple[int, float, float], Candidates] = {}
    candidates = []
    for options, (earliest, end) in zip(problem.candidates, _windows(problem, hours), strict=True):
        key = (id(options), earliest, end)
        if key not in known:
            known[key] = _at_best(options, hours, earliest, end)
        candidates.append(known[key])
    return replace(problem, candidates=tuple(candidates), hours=None)


def _at_best(options: Candidates, hours: Hours, earliest: float, end: float) -> Candidates:
    if not options.curve:
        return options
    found: dict[tuple[int, float], float] = {}
    grams = array("d")
    for k, (curve, seconds) in enumerate(zip(options.curve, options.seconds, strict=True)):
        if (curve, seconds) not in found:
            # a job that takes a machine over runs for a shorter time, which may fit better into a clean hour
            spans = {seconds, seconds * options.working_share(k)}
            found[curve, seconds] = min(
                hours.least_factor(curve, span, earliest, max(earliest, end - span)) for span in spans
            )
        grams.append(options.grams[k] * found[curve, seconds])
    return replace(options, grams=grams)
