"""Lexicographic search with a MIP solver: the objective first, then the other one among the best plans.

Needs `mip` only when called. Reproducible: one thread, a fixed seed, no randomness; only where the time limit strikes
can two runs differ.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Literal

from skyflow.errors import SolverError
from skyflow.model.objective import Objective
from skyflow.model.placement import PlanStatus
from skyflow.planner.bounds import is_least, within
from skyflow.planner.greedy import other
from skyflow.planner.problem import Candidate, Choice, PlacementProblem, reduced_for
from skyflow.planner.schedule import evaluate

if TYPE_CHECKING:
    from mip import OptimizationStatus

    from skyflow.planner.formulation import Formulation, Units

__all__ = ["SOLVERS", "Search", "Solver", "Stage", "search", "solve_stage"]

Solver = Literal["cbc", "highs"]
SOLVERS: dict[Solver, str] = {"cbc": "CBC", "highs": "HiGHS"}
"""The solvers, and their names in python-mip."""

_SCALE = 1000.0
"""The model counts so that the best known plan has this value: a solver's absolute tolerances (about 1e-6) are then a
billionth of it, whether the plan costs $0.0002 or $20,000."""
_ABSOLUTE_GAP = 1e-6
_CEILING_SLACK = 1e-8
"""The share by which the second stage may miss the first one's value, above the solver's feasibility tolerance."""
_CUTOFF_ROOM = 1e-4
_TIE_BREAK_NODES = 50
"""How much search a tie-break is worth; counted in nodes, because a time limit would make plans irreproducible."""
_SEED = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What one solver call found.

    `choice` is None when it found no plan in time. `value` and `bound` are those of the model, in dollars or seconds;
    where jobs share slots, the model is a relaxation and the real makespan may be larger.
    """

    status: PlanStatus
    choice: Choice | None
    value: float
    bound: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """All plans worth comparing, the solver's bound on the first objective, and whether each stage was proven."""

    choices: tuple[Choice, ...]
    bound: float
    is_first_proven: bool
    is_second_proven: bool


def search(
    problem: PlacementProblem,
    objective: Objective,
    start: Choice,
    *,
    solver: Solver,
    seconds_left: Callable[[], float],
) -> Search:
    """Look for the best plan, starting from a known one.

    Raises:
        SolverError: the solver failed, or claims that there is no plan although `start` is one.
    """
    if seconds_left() <= 0:
        return Search(choices=(), bound=0.0, is_first_proven=False, is_second_proven=False)
    known = evaluate(problem, start).value(objective)
    first = solve_stage(
        within(reduced_for(problem, objective, alone=True), objective, known),
        objective,
        start=start,
        solver=solver,
        max_seconds=seconds_left(),
    )
    if first.status is PlanStatus.INFEASIBLE:
        raise SolverError(f"{solver} finds no plan where there is one")
    choices = (first.choice,) if first.choice else ()
    is_first_proven = first.status is PlanStatus.OPTIMAL
    if not is_first_proven or seconds_left() <= 0:
        return Search(choices=choices, bound=first.bound, is_first_proven=is_first_proven, is_second_proven=False)
    ceiling = first.value * (1 + _CEILING_SLACK)
    left = within(reduced_for(problem, objective), objective, ceiling)
    if first.choice and is_least(evaluate(left, first.choice), left, other(objective)):
        return Search(choices=choices, bound=first.bound, is_first_proven=True, is_second_proven=True)
    second = solve_stage(
        left,
        other(objective),
        ceilings={objective: ceiling},
        start=first.choice or start,
        solver=solver,
        max_seconds=seconds_left(),
    )
    return Search(
        choices=(*choices, second.choice) if second.choice else choices,
        bound=first.bound,
        is_first_proven=True,
        is_second_proven=second.status is PlanStatus.OPTIMAL,
    )


def solve_stage(
    problem: PlacementProblem,
    objective: Objective,
    *,
    start: Choice,
    solver: Solver,
    max_seconds: float,
    ceilings: dict[Objective, float] | None = None,
) -> Stage:
    """Minimise one objective, with earlier ones held at their ceilings.

    Raises:
        SolverError: the solver cannot be loaded or fails.
    """
    try:
        import mip  # noqa: PLC0415 - costs 50 ms to load, and most plans need no solver
    except (ImportError, OSError) as error:
        raise SolverError(f"python-mip cannot be loaded: {error}") from error
    try:
        return _solve_stage(
            problem, objective, start=start, solver=solver, max_seconds=max_seconds, ceilings=ceilings or {}
        )
    except (mip.MipBaseException, OSError, RuntimeError) as error:
        raise SolverError(f"{solver} failed: {error or type(error).__name__}") from error


def _solve_stage(
    problem: PlacementProblem,
    objective: Objective,
    *,
    start: Choice,
    solver: Solver,
    max_seconds: float,
    ceilings: dict[Objective, float],
) -> Stage:
    from skyflow.planner.formulation import formulate  # noqa: PLC0415 - imports mip

    _declare_destructor(solver)
    units = _units(problem, start)
    m = formulate(problem, objective, ceilings=ceilings, units=units, solver_name=SOLVERS[solver])
    model = m.model
    model.threads = 1
    model.seed = _SEED
    model.max_mip_gap = 0.0
    model.max_mip_gap_abs = _ABSOLUTE_GAP
    _hand_over(m, start, solver)
    limits = {"max_nodes": _TIE_BREAK_NODES} if ceilings else {}
    status = _status(model.optimize(max_seconds=max_seconds, **limits), solver)
    if status is PlanStatus.INFEASIBLE:
        return Stage(status=status, choice=None, value=inf, bound=0.0)
    unit = units.of(objective)
    is_found = model.num_solutions > 0
    value = model.objective_value * unit if is_found else inf
    bound = value if status is PlanStatus.OPTIMAL else (model.objective_bound or 0.0) * unit
    return Stage(status=status, choice=_read_choice(m) if is_found else None, value=value, bound=max(0.0, bound))


def _declare_destructor(solver: Solver) -> None:
    """Let cffi know the function that frees a model before there is any.

    python-mip calls it from `__del__`, hence wherever the garbage collector happens to run. Should that be inside cffi's
    own lazy parsing of declarations, the process would wait for ever for the lock it holds itself.
    """
    if solver == "cbc":
        from mip.cbc import cbclib  # noqa: PLC0415 - as mip itself

        getattr(cbclib, "Cbc_deleteModel", None)
    else:
        from mip.highs import highslib  # noqa: PLC0415 - as mip itself

        getattr(highslib, "Highs_destroy", None)  # None itself where HiGHS is not there; mip will say so


def _status(outcome: "OptimizationStatus", solver: Solver) -> PlanStatus:
    match outcome.name:
        case "OPTIMAL":
            return PlanStatus.OPTIMAL
        case "FEASIBLE" | "NO_SOLUTION_FOUND":
            return PlanStatus.FEASIBLE
        case "INFEASIBLE" | "INT_INFEASIBLE":
            return PlanStatus.INFEASIBLE
        case _:
            raise SolverError(f"{solver} stopped with status {outcome.name}")


def _units(problem: PlacementProblem, start: Choice) -> "Units":
    from skyflow.planner.formulation import Units  # noqa: PLC0415 - imports mip

    known = evaluate(problem, start)
    return Units(
        usd=known.value(Objective.COST) / _SCALE or 1.0, seconds=known.value(Objective.MAKESPAN) / _SCALE or 1.0
    )


def _hand_over(m: "Formulation", start: Choice, solver: Solver) -> None:
    """Tell the solver about a known plan, whose value is `_SCALE` in the model's units."""
    if solver == "cbc" and not m.ceilings:
        # not `start`: having taken one, CBC overlooks plans that are better by less than 1e-5 of its value and calls
        # it optimal (python-mip 2.0.0), good enough for a tie-break only; a cutoff with room to spare prunes too
        m.model.cutoff = _SCALE * (1 + _CUTOFF_ROOM)
        return
    chosen = {(job, candidate.rank) for job, candidate in enumerate(start)}
    if chosen <= m.x.keys():  # else a reduction has dropped some of its candidates
        m.model.start = [(variable, float(key in chosen)) for key, variable in m.x.items()]


def _read_choice(m: "Formulation") -> Choice:
    def most_chosen(job: int) -> Candidate:
        return max(m.problem.candidates[job], key=lambda candidate: (m.x[job, candidate.rank].x, -candidate.rank))

    return tuple(most_chosen(job) for job in range(len(m.problem.jobs)))
