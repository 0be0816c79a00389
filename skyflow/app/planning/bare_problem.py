"""Plans a placement problem that stands in a file of its own, without a workflow."""

import gzip
import json
import zlib
from dataclasses import dataclass
from pathlib import Path

from skyflow.app.clock import SystemClock
from skyflow.errors import InternalError, UsageError
from skyflow.model.objective import Goal, Objective
from skyflow.model.placement import PlanStatus
from skyflow.planner.bare import read_problem
from skyflow.planner.decide import Decision, decide
from skyflow.planner.problem import PlacementProblem
from skyflow.planner.solver.solve import Solver
from skyflow.planner.verify import PROOF_GAP, verify_choice

__all__ = ["BareAnswer", "load_problem", "solve_bare_problem"]

_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True, kw_only=True)
class BareAnswer:
    """A plan of a bare problem: for each task the index of its candidate; `seconds` is how long planning took."""

    objective: float
    bound: float
    seconds: float
    plan: tuple[int, ...]

    @property
    def status(self) -> PlanStatus:
        """Whether the plan is proven to be the best."""
        return PlanStatus.OPTIMAL if self.gap <= PROOF_GAP else PlanStatus.FEASIBLE

    @property
    def gap(self) -> float:
        """The largest share of the objective that a better plan could save."""
        return max(0.0, self.objective - self.bound) / self.objective if self.objective > 0 else 0.0

    def to_json(self) -> dict[str, object]:
        """Return the machine-readable form."""
        return {
            "status": self.status.value,
            "objective": self.objective,
            "bound": self.bound,
            "gap": self.gap,
            "seconds": self.seconds,
            "plan": list(self.plan),
        }


def load_problem(path: str) -> PlacementProblem:
    """Read a problem from a JSON file, which may be compressed with gzip.

    Raises:
        UsageError: the file cannot be read, or is not such a problem.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from error
    try:
        data = json.loads(gzip.decompress(content) if content.startswith(_GZIP) else content)
    except (ValueError, EOFError, gzip.BadGzipFile, zlib.error, RecursionError) as error:
        raise UsageError(f"{path} is not JSON: {error}") from error
    try:
        return read_problem(data)
    except UsageError as error:
        raise UsageError(f"{path}: {error.message}") from error


def solve_bare_problem(
    problem: PlacementProblem, objective: Objective, *, time_limit_seconds: float, solver: Solver
) -> BareAnswer:
    """Return the best plan; ties are broken by the stable order alone."""
    clock = SystemClock().monotonic
    from skyflow.planner.bounds import network, tradeoff  # noqa: F401, PLC0415 -- loading numpy is not planning

    started = clock()
    found = decide(
        problem, Goal.of(objective), seconds_left=lambda: time_limit_seconds - (clock() - started), solver=solver
    )
    seconds = clock() - started
    if not isinstance(found, Decision):
        raise InternalError("a problem without limits has no plan")
    verify_choice(problem, found.choice, objective=objective, value=found.value, bound=found.bound)
    return BareAnswer(objective=found.value, bound=found.bound, seconds=seconds, plan=found.choice)
