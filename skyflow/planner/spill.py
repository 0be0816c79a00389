"""Which jobs leave the machines that are there for rented ones, under the rule of `plan.spill`.

All jobs that can stay begin at home, on the best of the machines that are there. While one of them waits longer than it
may, the one that would wait longest goes: those before it in the queue are not touched by that. While the deadline is
missed, the one goes with which the run is least late. Then, the last one first, each comes back for which there is room after
all. Among the rented machines, and for all jobs that the rule does not concern, the plan is the best one as always; that may
change who waits at home, so it begins anew until nothing changes. A job comes back once at most, so that comes to an end.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial

from skyflow.model.objective import Goal
from skyflow.model.planning import Spill, Spilled, SpillReason
from skyflow.model.resources import LOCAL, OWN, RENTED
from skyflow.planner.build import Problem
from skyflow.planner.decide import Decision, Infeasible
from skyflow.planner.narrow import narrowed
from skyflow.planner.problem import Choice, PlacementProblem
from skyflow.planner.schedule import Evaluation, evaluate

__all__ = ["spilled_over"]

Decide = Callable[[PlacementProblem, Goal], Decision | Infeasible]

_TOLERANCE = 1e-6


def spilled_over(problem: Problem, goal: Goal, spill: Spill, *, decide: Decide) -> tuple[Problem, dict[int, Spilled]]:
    """Return the problem in which it is settled who stays, and why each of the others goes, by the index of the job.

    `decide` finds the best choice, as `planner.decide` does.
    """
    sides = _sides(problem, spill)
    if not sides:
        return problem, {}
    search = _Search(problem.placement, goal, spill, sides)
    kept = {job: side.home for job, side in sides.items()}
    choice = search.chosen(narrowed(problem, kept).placement, kept, decide=decide)
    if choice is None:
        return narrowed(problem, kept), {}
    search.choice = choice
    is_second = False
    while search.settle():
        if search.is_late() and not is_second:  # one job after the other was not the way: begin with any plan in time
            is_second = True
            kept = {job: sorted(side.home + side.away) for job, side in sides.items()}
            search.begin_with(search.chosen(narrowed(problem, kept).placement, kept, decide=decide))
        kept = search.kept()
        choice = search.chosen(narrowed(problem, kept).placement, kept, decide=decide)
        if choice is None:
            break
        search.choice = choice
    return narrowed(problem, search.kept()), search.reasons()


@dataclass(frozen=True, slots=True)
class _Side:
    """The candidates of a job that are there, and those that are rented; both ascending."""

    home: list[int]
    away: list[int]


def _sides(problem: Problem, spill: Spill) -> dict[int, _Side]:
    """Return the candidates of the jobs that can stay and can go; of those that only can stay, nothing is to be decided."""
    found = {}
    for job in problem.positions:
        offerings = problem.placement.candidates[job].offerings
        home = [k for k, one in enumerate(offerings) if one.provider in {LOCAL, OWN}]
        away = [k for k, one in enumerate(offerings) if one.provider in spill.to]
        if home and any(one.provider in RENTED for one in offerings):
            found[job] = _Side(home, away)
    return found


@dataclass(slots=True)
class _Search:
    """Who goes, in the order in which they went, with the machine at home that they left."""

    problem: PlacementProblem
    goal: Goal
    spill: Spill
    sides: dict[int, _Side]
    choice: Choice = ()
    left: dict[int, int] = field(default_factory=dict)
    returned: set[int] = field(default_factory=set)
    """Jobs that came back: if they go again, it is for good."""
    moved: set[int] = field(default_factory=set)
    """Jobs that have changed their machine at home, once."""

    def chosen(self, narrow: PlacementProblem, kept: dict[int, list[int]], *, decide: Decide) -> Choice | None:
        """Return the best choice of a narrow problem, as one of the whole; without the deadline where that leaves none."""
        found = decide(narrow, self.goal)
        if isinstance(found, Infeasible):
            found = decide(narrow.limited_by(replace(narrow.limits, seconds=None)), self.goal)
        if isinstance(found, Infeasible):
            return None
        return tuple(kept[job][k] if job in kept else k for job, k in enumerate(found.choice))

    def is_late(self) -> bool:
        """Tell whether the deadline is missed, and that is a reason to go."""
        return self._late(evaluate(self.problem, self.choice)) > 0

    def begin_with(self, choice: Choice | None) -> None:
        """Take over a choice if it is in time."""
        if choice is None or self._late(evaluate(self.problem, choice)):
            return
        for job, side in self.sides.items():
            if choice[job] in side.away:
                self.left.setdefault(job, side.home[0])
            else:
                self.left.pop(job, None)
        self.choice = choice

    def kept(self) -> dict[int, list[int]]:
        """Return the candidates between which the plan still has to choose."""
        return {job: side.away if job in self.left else [self.choice[job]] for job, side in self.sides.items()}

    def settle(self) -> bool:
        """Let jobs go and come back until the rule is kept; tell whether anything has changed."""
        before = set(self.left)
        while self._one_goes():
            pass
        for job in [job for job in reversed(self.left) if job not in self.returned]:
            home = self._with(job, self.left[job])
            if self._is_right(evaluate(self.problem, home), home):
                self.choice = home
                self.returned.add(job)
                del self.left[job]
        return set(self.left) != before

    def reasons(self) -> dict[int, Spilled]:
        """Return why each job goes that goes: what would become of it at home, if all else stayed as it is."""
        found = {}
        for job, k in self.left.items():
            home = self._with(job, k)
            after = evaluate(self.problem, home)
            wait = after.waits(self.problem, home)[job]
            if self._minds(SpillReason.POOL_FULL) and wait > self.spill.after_seconds + _TOLERANCE:
                found[job] = Spilled(SpillReason.POOL_FULL, wait)
            elif (late := self._late(after)) > 0:
                found[job] = Spilled(SpillReason.DEADLINE_AT_RISK, late)
            else:  # it would be in the way of others that stay
                longest = max(self._home_waits(after, home), default=wait)
                found[job] = Spilled(SpillReason.POOL_FULL, longest)
        return found

    # ------------------------------------------------------------------------------------------------------- rules

    def _minds(self, reason: SpillReason) -> bool:
        return reason in self.spill.when

    def _late(self, found: Evaluation) -> float:
        """Return by how many seconds the deadline is missed, as far as that matters."""
        deadline = self.problem.limits.seconds
        if deadline is None or not self._minds(SpillReason.DEADLINE_AT_RISK):
            return 0.0
        late = found.makespan_seconds - deadline
        return late if late > deadline * _TOLERANCE else 0.0

    def _home_waits(self, found: Evaluation, choice: Choice) -> Iterator[float]:
        waits = found.waits(self.problem, choice)
        return (waits[job] for job, side in self.sides.items() if side.away and job not in self.left)

    def _is_right(self, found: Evaluation, choice: Choice) -> bool:
        """Tell whether all who stay wait no longer than they may, and the deadline is kept."""
        if self._late(found):
            return False
        if not self._minds(SpillReason.POOL_FULL):
            return True
        waits = found.waits(self.problem, choice)
        staying = (job for job, side in self.sides.items() if side.away and choice[job] in side.home)
        return all(waits[job] <= self.spill.after_seconds + _TOLERANCE for job in staying)

    # ------------------------------------------------------------------------------------------------------- moves

    def _one_goes(self) -> bool:
        found = evaluate(self.problem, self.choice)
        waits = found.waits(self.problem, self.choice)
        able = [job for job, side in self.sides.items() if side.away and job not in self.left]
        if self._minds(SpillReason.POOL_FULL):
            waiting = [job for job in able if waits[job] > self.spill.after_seconds + _TOLERANCE]
            for job in sorted(waiting, key=lambda job: (-waits[job], -job)):
                if self._makes_room(job, waits[job]):
                    return True
        return bool(self._late(found)) and self._hurries(able)

    def _makes_room(self, job: int, wait: float) -> bool:
        """Move a job to another machine that is there, if it need not wait there, else to a rented one."""
        for k in self.sides[job].home if job not in self.moved else ():
            there = self._with(job, k)
            if k != self.choice[job] and self._wait(job, there) <= self.spill.after_seconds + _TOLERANCE:
                self.choice = there
                self.moved.add(job)
                return True
        late = self._late(evaluate(self.problem, self.choice))
        for rank in (self._own_value, self._own_seconds):
            there = self._with(job, min(self.sides[job].away, key=partial(rank, job)))
            # it may wait for something else, such as a limit on all machines; and no job goes if that makes the run late
            if self._wait(job, there) < wait and self._late(evaluate(self.problem, there)) <= late:
                self._leave(job, there)
                return True
        return False

    def _hurries(self, able: list[int]) -> bool:
        """Rent a faster machine for a job that goes already, else one for the job with which the run is least late."""
        now = self._lateness(self.choice)
        for jobs in (list(self.left), able):
            options = []
            for job in jobs:
                there = self._with(job, min(self.sides[job].away, key=lambda k: (self._own_seconds(job, k), k)))
                options.append((self._lateness(there), -job, there))
            least, job, there = min(options, default=(now, 0, self.choice))
            if least < now * (1 - _TOLERANCE):
                self._leave(-job, there)
                return True
        return False

    def _lateness(self, choice: Choice) -> float:
        """Return by how much the ways of all jobs to the end of the run are too long: of two that are, each counts."""
        starts, problem = evaluate(self.problem, choice).starts, self.problem
        ways = [options.seconds[k] for options, k in zip(problem.candidates, choice, strict=True)]
        for job in reversed(range(len(ways))):
            here = problem.place(job, choice)
            after = (
                edge.gigabytes * problem.seconds_per_gb[here][problem.place(edge.target, choice)] + ways[edge.target]
                for edge in problem.outgoing[job]
            )
            ways[job] += max(after, default=0.0)
        deadline = self.problem.limits.seconds or 0.0
        return sum(max(0.0, start + way - deadline) for start, way in zip(starts, ways, strict=True))

    def _leave(self, job: int, there: Choice) -> None:
        self.left.setdefault(job, self.choice[job])
        self.choice = there

    def _with(self, job: int, k: int) -> Choice:
        return (*self.choice[:job], k, *self.choice[job + 1 :])

    def _wait(self, job: int, choice: Choice) -> float:
        return evaluate(self.problem, choice).waits(self.problem, choice)[job]

    def _own_value(self, job: int, k: int) -> float:
        """Return what a candidate adds to the goal by itself and by the data of the jobs around it."""
        options = self.problem.candidates[job]
        usd, grams, seconds = options.usd[k], options.grams[k], self._own_seconds(job, k)
        for gigabytes, there, here in self._moves(job, k):
            usd += gigabytes * self.problem.usd_per_gb[there][here]
            grams += gigabytes * self.problem.grams_per_gb[there][here]
        return self.goal.value(usd=usd, grams=grams, seconds=seconds)

    def _own_seconds(self, job: int, k: int) -> float:
        moving = (
            gigabytes * self.problem.seconds_per_gb[there][here] for gigabytes, there, here in self._moves(job, k)
        )
        return self.problem.candidates[job].seconds[k] + sum(moving)

    def _moves(self, job: int, k: int) -> Iterator[tuple[float, int, int]]:
        """Yield the gigabytes that come in and go out, with the place they leave and the one they reach."""
        here = self.problem.candidates[job].place[k]
        for edge in self.problem.incoming[job]:
            yield edge.gigabytes, self.problem.place(edge.source, self.choice), here
        for edge in self.problem.outgoing[job]:
            yield edge.gigabytes, here, self.problem.place(edge.target, self.choice)
