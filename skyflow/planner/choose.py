"""The choice that a plan is made of: `decide` where every job has a machine of its own, and what sharing them changes.

Where machines may be taken over, `decide` answers the problem in which all of them have been (`sharing`), and its bound
holds for the real one. Mostly its best choice really shares them, and is the best. Where not, a goal that adds up is
decided exactly among the few candidates that the bound leaves (`refine`); a goal that counts time, or limits that bind, are
searched (`relay`). What that leaves open has a gap that says how far from the bound it may be.

Where jobs may wait for cleaner power, the machines are chosen first, then the best starts on them (`waiting`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from skyflow.model.objective import Goal, Objective
from skyflow.planner.decide import PROOF_SHARE, Decision, Infeasible, decide
from skyflow.planner.problem import Choice, PlacementProblem
from skyflow.planner.schedule import evaluate
from skyflow.planner.sharing.savings import all_taken_over
from skyflow.planner.solver.solve import Solver
from skyflow.planner.ties import broken
from skyflow.planner.waiting import at_best_hours, best_starts, without_waiting

__all__ = ["choose"]

_SHARE_OF_SHARING = 0.4
"""Of the time, what is kept for looking who really takes over whose machine."""
_ROUNDS = 5
"""How often machines are chosen anew under a tighter cap on emissions."""
_LIMITED_BY = {Objective.COST: "usd", Objective.MAKESPAN: "seconds", Objective.CARBON: "grams"}
"""What limits a goal, so that among the choices that are as good the tie-break can be decided."""


def choose(
    problem: PlacementProblem,
    goal: Goal,
    *,
    start: Choice | None,
    seconds_left: Callable[[], float],
    solver: Solver,
) -> Decision | Infeasible:
    """Return the best choice that can be found in the time, ties broken, or what stands in its way; else as `decide`."""
    if problem.hours is not None:
        return _with_hours(problem, goal, start=start, seconds_left=seconds_left, solver=solver)
    relaxed = all_taken_over(problem) if problem.takeovers else problem
    rest = 0.0 if relaxed is problem else _SHARE_OF_SHARING * seconds_left()
    found = decide(relaxed, goal, seconds_left=lambda: seconds_left() - rest, solver=solver, start=start)
    if isinstance(found, Infeasible):
        return found
    choice, notes = broken(relaxed, goal, found, start=start, solver=solver, seconds_left=seconds_left)
    found = replace(found, choice=choice)
    if relaxed is problem:
        return replace(found, notes=(*found.notes, *notes))
    return _Sharing(problem, relaxed, goal, found, seconds_left, solver, ties=notes).best(start)


def _with_hours(
    problem: PlacementProblem,
    goal: Goal,
    *,
    start: Choice | None,
    seconds_left: Callable[[], float],
    solver: Solver,
) -> Decision | Infeasible:
    """Choose machines as if every job could run at the best hour of its window, then the best starts on them.

    Where the real starts emit more than a cap allows, the machines are chosen anew under a tighter one.
    """
    cap, tighter, bound = problem.limits.grams, problem, 0.0
    for _ in range(_ROUNDS):
        relaxed = at_best_hours(tighter)
        found = choose(relaxed, goal, start=start, seconds_left=seconds_left, solver=solver)
        if isinstance(found, Infeasible):
            is_proven = found.is_proven and tighter is problem
            return found if is_proven else Infeasible(exceeded=tuple(problem.limits.named()), is_proven=False)
        bound = found.bound if tighter is problem else bound
        held: Mapping[int, float] = {}
        real = evaluate(problem, found.choice)
        if (goal.grams and not goal.seconds) or real.exceeded(problem):
            held = best_starts(problem, goal, found.choice, is_late=lambda: seconds_left() <= 0)
            real = evaluate(problem, found.choice, held)
        value = real.value(goal)
        if not real.exceeded(problem):
            at_once = without_waiting(problem, found.choice, held)
            if at_once is not None:
                soon = _with_hours(at_once, goal, start=found.choice, seconds_left=seconds_left, solver=solver)
                if isinstance(soon, Decision):
                    return soon
            return replace(found, value=value, bound=min(bound, value), held=held)
        if cap is None or real.exceeded(problem) != ["grams"]:
            break
        cap *= 0.999 * problem.limits.grams / real.grams if problem.limits.grams else 0.0
        tighter = problem.limited_by(replace(problem.limits, grams=cap))
    return Infeasible(exceeded=tuple(problem.limits.named()), is_proven=False)


@dataclass(slots=True)
class _Sharing:
    """The search for a choice whose machines are really shared."""

    problem: PlacementProblem
    relaxed: PlacementProblem
    goal: Goal
    found: Decision
    seconds_left: Callable[[], float]
    solver: Solver
    ties: tuple[str, ...]
    """What is to be said of the tie-breaks."""
    choice: Choice | None = None
    value: float = float("inf")
    bound: float = field(init=False)

    def __post_init__(self) -> None:
        self.bound = self.found.bound

    def best(self, start: Choice | None) -> Decision | Infeasible:
        """Try one way after another until the best choice is proven."""
        self._offer(self.found.choice)
        if start is not None:
            self._offer(start)
        if not self._is_proven() and not self.problem.is_settled:
            if self.choice is None:
                self._offer_unshared()
            if self.choice is not None and not self.goal.seconds:
                self._decide_exactly(self.choice)
            if not self._is_proven():
                self._search()
            if not self._is_proven():
                self._exchange()
        if self.choice is None:
            return Infeasible(exceeded=tuple(self.problem.limits.named()), is_proven=False)
        if self.problem.is_settled:
            self.bound = self.value
        elif self._is_proven() and self.goal.objective in _LIMITED_BY:
            self._break_ties(self.choice)
        return replace(
            self.found,
            choice=self.choice,
            value=self.value,
            bound=self.value if self._is_proven() else self.bound,
            notes=self.ties if self._is_proven() else (*self.found.notes, *self.ties),
        )

    def _is_proven(self) -> bool:
        return self.bound >= self.value * (1 - PROOF_SHARE)

    def _is_late(self) -> bool:
        return self.seconds_left() <= 0

    def _offer(self, choice: Choice) -> None:
        found = evaluate(self.problem, choice)
        value = found.value(self.goal)
        if not found.exceeded(self.problem) and (self.choice is None or value < self.value * (1 - PROOF_SHARE)):
            self.choice, self.value = choice, value

    def _offer_unshared(self) -> None:
        """Try the best choice when nobody takes over a machine: sharing can only improve it."""
        alone = replace(self.problem, heirs=())
        found = decide(alone, self.goal, seconds_left=self.seconds_left, solver=self.solver, with_solver=False)
        if isinstance(found, Decision):
            self._offer(found.choice)

    def _decide_exactly(self, known: Choice) -> None:
        from skyflow.planner.sharing.refine import shared_choice  # noqa: PLC0415 -- imports numpy

        found = shared_choice(self.problem, self.relaxed, self.goal, known, value=self.value, is_late=self._is_late)
        if found is not None:
            choice, bound = found
            self._offer(choice)
            # no choice that was left out costs less than the one that was known
            self.bound = max(self.bound, min(bound, self.value))

    def _search(self) -> None:
        """Search all choices."""
        from skyflow.planner.sharing.relay import best_relay  # noqa: PLC0415 -- imports numpy

        found = best_relay(self.problem, self.relaxed, self.goal, self.choice, value=self.value, is_late=self._is_late)
        if found is None:
            return
        choice, bound = found
        if choice is not None:
            self._offer(choice)
        self.bound = max(self.bound, bound)
        self.ties = (f"the tie-break by {self.goal.tie_breaks[0].objective} is not proven",)

    def _break_ties(self, best: Choice) -> None:
        """Search the best choices for what the tie-break likes best, unless that is what the relaxed problem promises."""
        from skyflow.planner.sharing.relay import best_relay  # noqa: PLC0415 -- imports numpy

        first = self.goal.tie_breaks[0]
        value = evaluate(self.problem, best).value(first)
        promised = evaluate(self.relaxed, self.found.choice)
        is_promised = self.found.is_proven and promised.value(self.goal) >= self.value * (1 - PROOF_SHARE)
        if is_promised and not self.ties and value <= promised.value(first) * (1 + PROOF_SHARE):
            return
        as_good = {_LIMITED_BY[self.goal.objective]: self.value * (1 + PROOF_SHARE)}
        limits = replace(self.problem.limits, **as_good)
        problem, relaxed = self.problem.limited_by(limits), self.relaxed.limited_by(limits)
        found = best_relay(problem, relaxed, first, best, value=value, is_late=self._is_late)
        self.ties = (f"the tie-break by {first.objective} is not proven",)
        if found is not None and found[0] is not None:
            self.choice, bound = found[0], found[1]
            if bound >= evaluate(self.problem, self.choice).value(first) * (1 - PROOF_SHARE):
                self.ties = ()

    def _exchange(self) -> None:
        from skyflow.planner.crowded import spread_out  # noqa: PLC0415 -- imports numpy

        begin = self.choice or self.found.choice
        self._offer(spread_out(self.problem, self.goal, begin, is_late=self._is_late))
