"""`skyflow plan`."""

import json
from typing import TYPE_CHECKING, Annotated, cast

import typer

from skyflow.cli._options import JobsOption, JsonOption, ObjectiveOption, OnOption
from skyflow.errors import UsageError
from skyflow.model.objective import Objective

if TYPE_CHECKING:
    from skyflow.planner.solve import Solver

__all__ = ["plan"]

_SECONDS = 10.0


def plan(
    workflow: Annotated[str | None, typer.Argument(metavar="FILE", help="The workflow file.")] = None,
    *,
    problem: Annotated[
        str | None,
        typer.Option("--problem", metavar="FILE", help="Plan a bare placement problem instead of a workflow."),
    ] = None,
    objective: ObjectiveOption = None,
    on: OnOption = None,
    jobs: JobsOption = None,
    time_limit: Annotated[
        float, typer.Option("--time-limit", min=0.0, metavar="SECONDS", help="Show the best plan after so long.")
    ] = _SECONDS,
    solver: Annotated[
        str, typer.Option("--solver", metavar="cbc|highs", help="Who decides what the bounds leave open.")
    ] = "cbc",
    as_json: JsonOption = False,
) -> None:
    """Show where and when each job would run, for how much, without running anything."""
    from skyflow.cli._console import draw, out  # noqa: PLC0415 -- start-up
    from skyflow.planner.solve import SOLVERS  # noqa: PLC0415

    if solver not in SOLVERS:
        raise UsageError(f"there is no solver '{solver}'", hint="cbc or highs")
    if (workflow is None) == (problem is None):
        raise UsageError("name a workflow file, or a problem with --problem", hint="skyflow plan build.yml")
    if problem is not None:
        _plan_problem(problem, objective, time_limit=time_limit, solver=solver, as_json=as_json)
        return
    from skyflow.app.callees import callees_in  # noqa: PLC0415
    from skyflow.app.plan import plan_workflow  # noqa: PLC0415
    from skyflow.app.project import find_project  # noqa: PLC0415
    from skyflow.cli._findings import print_findings  # noqa: PLC0415
    from skyflow.spec import load_workflow  # noqa: PLC0415

    loaded = load_workflow(cast("str", workflow))
    print_findings(loaded.findings)
    callees = callees_in(loaded.workflow, find_project().root)
    decided = plan_workflow(
        loaded.workflow,
        callees=callees,
        objective=objective,
        providers=on,
        slots=jobs,
        time_limit_seconds=time_limit,
        solver=solver,
    )
    if as_json:
        out(json.dumps(decided.to_json(), indent=2, ensure_ascii=False))
        return
    from skyflow.report.plan_table import render_plan  # noqa: PLC0415

    draw((render_plan(decided),))


def _plan_problem(
    path: str, objective: Objective | None, *, time_limit: float, solver: "Solver", as_json: bool
) -> None:
    from skyflow.app.bare_problem import load_problem, solve_bare_problem  # noqa: PLC0415 -- start-up
    from skyflow.cli._console import out  # noqa: PLC0415

    answer = solve_bare_problem(
        load_problem(path), objective or Objective.COST, time_limit_seconds=time_limit, solver=solver
    )
    if as_json:
        out(json.dumps(answer.to_json()))
        return
    proof = "proven" if answer.status.value == "optimal" else f"at most {answer.gap:.2%} to save"
    out(f"{answer.status.value}: {answer.objective:g} ({proof}) in {answer.seconds:.3f} s")
    out(f"candidate of each task: {' '.join(map(str, answer.plan))}")
