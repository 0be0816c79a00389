"""Which choice is best: reduce, bound, fix, and leave to a MIP solver what is then still open.

The order is that of cost. A problem without a choice needs nothing. Without limits, or when the best plan keeps them, a
goal that adds up over jobs and edges is `pairwise`, the makespan `paths`. Both at once, and limits that bind, are searched
(`relay`) where there are few choices; else they are `tradeoff`, and `closing` what it leaves open. What these do not prove goes
to `solve`, reduced, with the best choice known.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from skyflow.errors import SolverError
from skyflow.model.objective import Goal, Objective
from skyflow.planner.problem import Choice, Limits, PlacementProblem
from skyflow.planner.schedule import evaluate
from skyflow.planner.solver.solve import Solver

if TYPE_CHECKING:
    from skyflow.planner.bounds.network import Network
    from skyflow.planner.bounds.tradeoff import Tradeoff

__all__ = ["PROOF_SHARE", "Decision", "Infeasible", "decide"]

PROOF_SHARE = 1e-9
"""Values that differ by a smaller share count as equal, so that rounding never decides."""
_MIP_LABELS = 1_000
"""More open labels than these are no work for a MIP solver in seconds."""

_SHARE_OF_EXTREMES = 0.4
"""Where there are limits: of the time, for the best choice without them; of the rest, for those that are least in them."""
_SHARE_OF_PRICES, _SHARE_OF_PRICES_FOR_TIME, _SHARE_OF_BOUNDS = 0.2, 0.12, 0.8
"""Of the time, for prices, also where the makespan alone is the goal, and for all that does without a solver."""

_SHARE_OF_DOMINANCE = 0.1
"""Of the time that is left, for leaving out candidates that others always beat."""

_SINGLES = {"usd": Objective.COST, "grams": Objective.CARBON, "seconds": Objective.MAKESPAN}


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The best choice found, what no plan can be below, and what found it: `direct`, `bounds`, `cbc`, `highs`, `search`.

    `held` are the moments, in seconds, before which some jobs are not to start. `notes` are sentences for the user.
    """

    choice: Choice
    value: float
    bound: float
    method: str
    notes: tuple[str, ...] = ()
    held: Mapping[int, float] = field(default_factory=dict)

    @property
    def is_proven(self) -> bool:
        """Whether nothing is better."""
        return self.bound >= self.value * (1 - PROOF_SHARE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Infeasible:
    """No choice keeps all limits.

    `least` is, by figure, what the limits on the others leave possible at best, None where that is not known; `is_proven`
    is false when time ran out before a choice was found.
    """

    exceeded: tuple[str, ...]
    least: dict[str, float] = field(default_factory=dict)
    is_proven: bool = True


def decide(
    problem: PlacementProblem,
    goal: Goal,
    *,
    seconds_left: Callable[[], float],
    solver: Solver = "cbc",
    start: Choice | None = None,
    with_solver: bool = True,
) -> Decision | Infeasible:
    """Return the best choice that can be found in the time, or what stands in its way.

    `start` is a choice to begin with, an earlier plan's for example; among equals it is kept.
    """
    search = _Search(problem, goal, seconds_left, solver, with_solver=with_solver)
    search.start = start
    if start is not None:
        search.offer(start)
    if problem.is_settled:
        return search.settled()
    return search.run()


class _Search:
    """One search, with the best choice known so far."""

    def __init__(
        self,
        problem: PlacementProblem,
        goal: Goal,
        seconds_left: Callable[[], float],
        solver: Solver,
        *,
        with_solver: bool,
    ) -> None:
        self.problem, self.goal, self.seconds_left, self.solver = problem, goal, seconds_left, solver
        self.with_solver = with_solver
        self.start: Choice | None = None
        self.best: Choice | None = None
        self.value = float("inf")
        self.bound = 0.0
        self.method = "bounds"
        self.notes: list[str] = []
        self.known: list[Choice] = []
        """Choices worth trying where limits bind, in order."""

    def is_late(self) -> bool:
        """Tell whether time is up."""
        return self.seconds_left() <= 0

    def offer(self, choice: Choice) -> None:
        """Take note of a choice as it would really run, if it keeps the limits and is the best so far."""
        found = evaluate(self.problem, choice)
        value = found.value(self.goal)
        if not found.exceeded(self.problem) and (self.best is None or value < self.value * (1 - PROOF_SHARE)):
            self.best, self.value = choice, value

    def settled(self) -> Decision | Infeasible:
        """Answer a problem in which no job has a choice."""
        choice = (0,) * len(self.problem.jobs)
        found = evaluate(self.problem, choice)
        if exceeded := found.exceeded(self.problem):
            values = {"usd": found.usd, "grams": found.grams, "seconds": found.makespan_seconds}
            return Infeasible(exceeded=tuple(exceeded), least={name: values[name] for name in exceeded})
        value = found.value(self.goal)
        return Decision(choice=choice, value=value, bound=value, method="direct")

    def run(self) -> Decision | Infeasible:
        """Answer any other problem."""
        limits = self.problem.limits.named()
        left = self._part(_SHARE_OF_EXTREMES if limits else 1.0)
        choice, bound = self._unlimited(self.goal, is_late=lambda: left() <= 0)
        self.bound = bound
        self.offer(choice)
        if self.best is None or (limits and not self._is_proven()):
            outcome = self._limited(choice)
            if outcome is not None:
                return outcome
        if self.problem.capacities and self.best is not None and not self._is_proven():
            from skyflow.planner.crowded import spread_out  # noqa: PLC0415 -- imports numpy

            self.offer(spread_out(self.problem, self.goal, self.best, is_late=self.is_late))
        if not self._is_proven() and self.with_solver:
            outcome = self._solver()
            if outcome is not None:
                return outcome
        if self.best is None:
            return Infeasible(exceeded=tuple(limits), is_proven=False)
        return Decision(
            choice=self.best,
            value=self.value,
            bound=self.value if self._is_proven() else self.bound,
            method=self.method,
            notes=tuple(self.notes),
        )

    def _is_proven(self) -> bool:
        return self.bound >= self.value * (1 - PROOF_SHARE)

    def _unlimited(self, goal: Goal, *, is_late: Callable[[], bool]) -> tuple[Choice, float]:
        """Return the best choice for a goal if there were no limits and no capacities, and a bound."""
        from skyflow.planner.bounds.network import Network, reduced  # noqa: PLC0415 -- imports numpy

        free = replace(self.problem, limits=Limits(), capacities=())
        if goal == Goal.of(Objective.MAKESPAN) and self.start is not None:
            from skyflow.planner.bounds.mended import mended  # noqa: PLC0415 -- imports numpy

            proven = mended(free, self.start, is_late=is_late)
            if proven is not None:
                return proven
        network = Network(free, reduced(free, goal))
        if goal.seconds and (goal.usd or goal.grams):
            return self._weighed(free, goal, self._undominated(network))
        if goal.seconds:
            paths = network.paths()
            if self.start is not None:
                paths.offer(network.nearest(self.start))
            found = paths.solve(is_late=is_late)
        else:
            known = None if self.start is None else network.nearest(self.start)
            found = network.additive(usd=goal.usd, grams=goal.grams, known=known).solve(is_late=is_late)
        return network.choice(found.labels), found.bound

    def _weighed(self, free: PlacementProblem, goal: Goal, network: "Network") -> tuple[Choice, float]:
        """Return the best choice, likewise, where time counts beside what adds up."""
        from skyflow.planner.bounds.tradeoff import Tradeoff  # noqa: PLC0415 -- imports numpy
        from skyflow.planner.sharing.relay import best_of_few  # noqa: PLC0415 -- imports numpy

        singles = [Goal.of(one) for name, one in _SINGLES.items() if getattr(goal, name)]
        extremes = [self._unlimited(one, is_late=self.is_late)[0] for one in singles]
        known = min(extremes, key=lambda choice: evaluate(free, choice).value(goal))
        value = evaluate(free, known).value(goal)
        few = best_of_few(free, goal, known, value=value, is_late=self.is_late)
        if few is not None and few[0] is not None:
            known, bound = few[0], few[1]
            if bound >= evaluate(free, known).value(goal) * (1 - PROOF_SHARE):
                return known, bound
        tradeoff = Tradeoff(network, goal, seconds_left=self.seconds_left)
        for choice in (*extremes, known):
            tradeoff.offer(network.choice(network.nearest(choice)))
        tradeoff.gather()
        self._work_out(tradeoff)
        return tradeoff.best if tradeoff.best is not None else known, max(tradeoff.bound, 0.0)

    # -------------------------------------------------------------------------------------------------- limits

    def _limited(self, unlimited: Choice) -> Infeasible | None:
        """Search within the limits; return why there is no choice, if that is certain."""
        from skyflow.planner.bounds.network import Network, reduced  # noqa: PLC0415 -- imports numpy
        from skyflow.planner.bounds.tradeoff import Tradeoff  # noqa: PLC0415 -- imports numpy

        extremes: dict[str, Choice] = {}
        left = self._part(_SHARE_OF_EXTREMES)
        for name, limit in self.problem.limits.named().items():
            extremes[name], least = self._unlimited(Goal.of(_SINGLES[name]), is_late=lambda: left() <= 0)
            if least > limit * (1 + PROOF_SHARE):
                return Infeasible(exceeded=(name,), least={name: least})
            self.offer(extremes[name])
        if self.best is not None and self.is_late():
            return None
        if self._searched_few(self.problem):
            return None if self.best is not None else Infeasible(exceeded=tuple(extremes))
        before = self.seconds_left()
        network = self._undominated(Network(self.problem, reduced(self.problem, self.goal)))
        share = _SHARE_OF_BOUNDS if self.with_solver and sum(map(len, network.columns)) <= _MIP_LABELS else 1.0
        tradeoff = Tradeoff(network, self.goal, seconds_left=self._part(share))
        for choice in [unlimited, *extremes.values(), *([self.best] if self.best is not None else [])]:
            tradeoff.offer(network.choice(network.nearest(choice)))
        tradeoff.price_from(unlimited, extremes)
        tradeoff.gather()
        a_turn = before - self.seconds_left()  # takes about as long as laying the search out
        if tradeoff.best is None or self.seconds_left() > a_turn:
            self._work_out(tradeoff)
        if tradeoff.is_refuted:
            return Infeasible(exceeded=tuple(extremes))
        self.bound = max(self.bound, tradeoff.bound)
        if tradeoff.best is not None:
            self.offer(tradeoff.best)
        self.known = [unlimited, *extremes.values()]
        return self._looked_for_any(next(iter(extremes))) if self.best is None else None

    def _undominated(self, network: "Network") -> "Network":
        """Return a network without the candidates that others always beat, where jobs can be looked at one by one."""
        from skyflow.planner.bounds.dominance import undominated  # noqa: PLC0415 -- imports numpy

        problem = self.problem
        is_plain = not (problem.capacities or problem.heirs or problem.hours)
        left = self._part(_SHARE_OF_DOMINANCE)
        return undominated(network, self.goal, problem.limits, is_late=lambda: left() <= 0) if is_plain else network

    def _searched_few(self, problem: PlacementProblem) -> bool:
        """Search all choices if there are few of them; tell whether the best one is known now, or that there is none."""
        from skyflow.planner.sharing.relay import best_of_few  # noqa: PLC0415 -- imports numpy

        found = best_of_few(problem, self.goal, self.best, value=self.value, is_late=self.is_late)
        if found is None:
            return False
        choice, bound = found
        if choice is not None:
            self.offer(choice)
        self.bound = max(self.bound, bound)
        return self._is_proven()

    def _looked_for_any(self, name: str) -> Infeasible | None:
        """Look for any plan at all, by one that has least of something limited; return why there is none, if that is certain."""
        goal = Goal.of(_SINGLES[name])
        if goal == self.goal:
            return None
        found = decide(self.problem, goal, seconds_left=self._part(0.5), solver=self.solver, with_solver=False)
        if isinstance(found, Infeasible):
            return found if found.is_proven else None
        self.offer(found.choice)
        return None

    def _work_out(self, tradeoff: "Tradeoff") -> None:
        """Let prices settle, and close what they leave open on a clock."""
        from skyflow.planner.bounds.closing import close  # noqa: PLC0415 -- imports numpy

        is_for_time = not (self.goal.usd or self.goal.grams)
        prices_left = self._part(_SHARE_OF_PRICES_FOR_TIME if is_for_time else _SHARE_OF_PRICES)
        tradeoff.solve(is_enough=lambda: prices_left() <= 0)
        if not (tradeoff.is_proven or tradeoff.is_refuted or tradeoff.is_late()):
            close(tradeoff)

    def _part(self, share: float) -> Callable[[], float]:
        """Return a clock that says how many seconds are left of so much of the time that is left now."""
        rest = (1.0 - share) * self.seconds_left()
        return lambda: self.seconds_left() - rest

    # -------------------------------------------------------------------------------------------------- solver

    def _solver(self) -> Infeasible | None:
        from skyflow.planner.bounds.network import reduced  # noqa: PLC0415 -- imports numpy
        from skyflow.planner.solver.solve import solve_stage  # noqa: PLC0415 -- rarely needed

        kept = [] if self.is_late() else [columns.index.tolist() for columns in reduced(self.problem, self.goal)]
        if self.is_late() or sum(map(len, kept)) > _MIP_LABELS:
            why = "time ran out" if self.is_late() else "the plan is too large to be proven"
            self.notes.append(f"{why}: a better plan may exist")
            return None
        begin = self.best if self.best is not None else self.known[0]
        try:
            stage = solve_stage(
                self.problem, self.goal, start=begin, kept=kept, solver=self.solver, max_seconds=self.seconds_left()
            )
        except SolverError as error:
            self.notes.append(f"planned without a solver, because {error.message}")
            return None
        if stage.choice is not None:
            self._take(stage.choice)
        if stage.status.value == "infeasible":
            if self.best is not None:
                self.notes.append(f"planned without a solver, because {self.solver} finds no plan where there is one")
                return None
            return Infeasible(exceeded=tuple(self.problem.limits.named()))
        self.method = self.solver
        self.bound = max(self.bound, stage.bound)
        if stage.status.value != "optimal":
            self.notes.append(f"{self.solver} ran out of time: a better plan may exist")
        return None

    def _take(self, choice: Choice) -> None:
        self.offer(choice)
        if self.problem.capacities:
            from skyflow.planner.crowded import spread_out  # noqa: PLC0415 -- imports numpy

            self.offer(spread_out(self.problem, self.goal, choice, is_late=self.is_late))
