"""What the bounds leave open, decided by a MIP solver through python-mip.

Needs `mip` only when called. Reproducible: one thread, a fixed seed, no randomness; only where the time limit strikes
can two runs differ.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from math import inf, isfinite
from typing import TYPE_CHECKING, Literal

from skyflow.errors import SolverError
from skyflow.model.objective import Goal
from skyflow.model.placement import PlanStatus
from skyflow.planner.problem import Choice, PlacementProblem
from skyflow.planner.schedule import evaluate

if TYPE_CHECKING:
    from mip import OptimizationStatus

    from skyflow.planner.solver.formulation import Formulation, Units

__all__ = ["SOLVERS", "Solver", "Stage", "loadable_solvers", "solve_stage"]

Solver = Literal["cbc", "highs"]
SOLVERS: dict[Solver, str] = {"cbc": "CBC", "highs": "HiGHS"}
"""The solvers, and their names in python-mip."""

_SCALE = 1000.0
"""The model counts so that the best known plan has this value: a solver's absolute tolerances (about 1e-6) are then a
billionth of it, whether the plan costs $0.0002 or $20,000."""
_ABSOLUTE_GAP = 1e-6
_CUTOFF_ROOM = 1e-4
_SEED = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What one solver call found.

    `choice` is None when it found no plan in time. `value` and `bound` are those of the model; where jobs share a
    capacity, the model is a relaxation and the real makespan may be larger.
    """

    status: PlanStatus
    choice: Choice | None
    value: float
    bound: float


def solve_stage(
    problem: PlacementProblem,
    goal: Goal,
    *,
    start: Choice,
    kept: Sequence[Sequence[int]] | None = None,
    solver: Solver,
    max_seconds: float,
    ceilings: Sequence[tuple[Goal, float]] = (),
    max_nodes: int | None = None,
) -> Stage:
    """Minimise a goal within the limits, with earlier goals held at their ceilings.

    Args:
        problem: the instance.
        goal: what to make small.
        start: a known choice; it gives the scale, and a start where it keeps limits and ceilings.
        kept: the candidates of each job to choose from; by default all.
        solver: which one.
        max_seconds: how long it may take.
        ceilings: goals decided before, with what they may be at most.
        max_nodes: how many nodes it may look at.

    Raises:
        SolverError: the solver cannot be loaded or fails.
    """
    try:
        import mip  # noqa: PLC0415 - costs 50 ms to load, and most plans need no solver
    except (ImportError, OSError) as error:
        raise SolverError(f"python-mip cannot be loaded: {error}") from error
    from skyflow.planner.solver.formulation import formulate  # noqa: PLC0415 - imports mip

    try:
        _declare_destructor(solver)
        units = _units(problem, start, goal)
        m = formulate(problem, goal, kept=kept, ceilings=ceilings, units=units, solver_name=SOLVERS[solver])
        _hand_over(m, start, solver)
        return _optimised(m, solver, max_seconds=max_seconds, max_nodes=max_nodes)
    except (mip.MipBaseException, OSError, RuntimeError) as error:
        raise SolverError(f"{solver} failed: {error or type(error).__name__}") from error


def loadable_solvers() -> tuple[str, ...]:
    """Return the names of the solvers whose libraries can be loaded on this machine."""
    names = []
    for solver, name in SOLVERS.items():
        try:
            module = import_module(f"mip.{solver}")
        except (ImportError, OSError):
            continue
        if solver == "cbc" or module.has_highs:
            names.append(name)
    return tuple(names)


def _optimised(m: "Formulation", solver: Solver, *, max_seconds: float, max_nodes: int | None) -> Stage:
    model = m.model
    model.threads = 1
    model.seed = _SEED
    model.max_mip_gap = 0.0
    model.max_mip_gap_abs = _ABSOLUTE_GAP
    limits = {} if max_nodes is None else {"max_nodes": max_nodes}
    status = _status(model.optimize(max_seconds=max_seconds, **limits), solver)
    if status is PlanStatus.INFEASIBLE:
        return Stage(status=status, choice=None, value=inf, bound=0.0)
    is_found = model.num_solutions > 0
    value = model.objective_value * m.units.goal if is_found else inf
    return Stage(
        status=status,
        choice=_read_choice(m) if is_found else None,
        value=value,
        bound=value if status is PlanStatus.OPTIMAL else _bound(m, value),
    )


def _bound(m: "Formulation", value: float) -> float:
    """Return what a search that was cut short has proven, in the unit of the goal; 0 where that cannot be trusted.

    CBC that has not finished the root names its cutoff, or whatever is in memory, as its bound (python-mip 2.0.0). With a
    plan of its own and a bound below that, it is past the root.
    """
    bound = (m.model.objective_bound or 0.0) * m.units.goal
    is_trusted = isfinite(bound) and 0 <= bound < value < inf
    return bound if is_trusted else 0.0


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


def _units(problem: PlacementProblem, start: Choice, goal: Goal) -> "Units":
    from skyflow.planner.solver.formulation import Units  # noqa: PLC0415 - imports mip

    known = evaluate(problem, start)
    return Units(
        goal=known.value(goal) / _SCALE or 1.0,
        usd=known.usd / _SCALE or 1.0,
        grams=known.grams / _SCALE or 1.0,
        seconds=known.makespan_seconds / _SCALE or 1.0,
    )


def _hand_over(m: "Formulation", start: Choice, solver: Solver) -> None:
    """Tell the solver about a known plan, whose value is `_SCALE` in the model's units."""
    if evaluate(m.problem, start).exceeded(m.problem):
        return
    if solver == "cbc" and not m.ceilings:
        # not `start`: having taken one, CBC overlooks plans that are better by less than 1e-5 of its value and calls
        # it optimal (python-mip 2.0.0), good enough for a tie-break only; a cutoff with room to spare prunes too
        m.model.cutoff = _SCALE * (1 + _CUTOFF_ROOM)
        return
    chosen = set(enumerate(start))
    if chosen <= m.x.keys():  # else a reduction has dropped some of its candidates
        m.model.start = [(variable, float(key in chosen)) for key, variable in m.x.items()]


def _read_choice(m: "Formulation") -> Choice:
    return tuple(max(kept, key=lambda k: (m.x[job, k].x, -k)) for job, kept in enumerate(m.kept))
