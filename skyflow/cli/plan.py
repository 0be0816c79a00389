"""`skyflow plan`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from skyflow._util.text import sentence_list
from skyflow.cli._completion import complete_job_of_file
from skyflow.cli._options import JobsOption, JsonOption, ObjectiveOption, OnOption, StateOption, WorkflowArgument
from skyflow.cli._plan_options import (
    CarbonCapOption,
    CompareOption,
    CostLimitOption,
    DeadlineOption,
    DiffOption,
    ExplainOption,
    FrontierOption,
    ProblemOption,
    SolverOption,
    StartOption,
    SvgOption,
    TimeLimitOption,
    WaitOption,
)
from skyflow.cli._quantities import read_option
from skyflow.errors import UsageError
from skyflow.model.objective import Objective

if TYPE_CHECKING:
    from datetime import datetime

    from skyflow.app.planning.plan import Planning, PlanOptions
    from skyflow.planner.problem import Limits
    from skyflow.planner.solver.solve import Solver

__all__ = ["plan"]


def plan(
    workflow: WorkflowArgument = None,
    job: Annotated[
        str | None,
        typer.Argument(metavar="JOB", help="With --explain: this job only.", autocompletion=complete_job_of_file),
    ] = None,
    *,
    problem: ProblemOption = None,
    objective: ObjectiveOption = None,
    deadline: DeadlineOption = None,
    budget: CostLimitOption = None,
    carbon_cap: CarbonCapOption = None,
    wait: WaitOption = None,
    start: StartOption = None,
    on: OnOption = None,
    jobs: JobsOption = None,
    explain: ExplainOption = False,
    frontier: FrontierOption = False,
    svg: SvgOption = None,
    compare: CompareOption = False,
    diff: DiffOption = None,
    time_limit: TimeLimitOption = "10s",
    solver: SolverOption = "cbc",
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show where and when each job would run, for how much, without running anything."""
    from skyflow.model.units import parse_duration_seconds  # noqa: PLC0415 -- start-up

    decider = _solver(solver)
    if workflow is not None and problem is not None:
        raise UsageError("a workflow and --problem contradict each other", hint="leave one of them away")
    view = _View(explain=explain, job=job, frontier=frontier, svg=svg, compare=compare, diff=diff)
    view.refuse_contradictions()
    limits, begins_at = _limits(deadline, budget, carbon_cap), _moment(start)
    seconds = read_option("--time-limit", time_limit, parse_duration_seconds)
    wait_seconds = None if wait is None else read_option("--wait", wait, parse_duration_seconds)
    if problem is not None:
        _refuse_others(
            view, deadline=deadline, budget=budget, carbon_cap=carbon_cap, wait=wait, start=start, on=on, jobs=jobs
        )
        _plan_problem(problem, objective, time_limit=seconds, solver=decider, as_json=as_json)
        return
    from skyflow.app.planning.plan import PlanOptions  # noqa: PLC0415 -- start-up
    from skyflow.app.workflow_files import only_workflow  # noqa: PLC0415

    options = PlanOptions(
        objective=objective,
        providers=on,
        slots=jobs,
        limits=limits,
        time_limit_seconds=seconds,
        solver=decider,
        counts_carbon=frontier or compare,
        wait_seconds=wait_seconds,
        begins_at=begins_at,
    )
    planning = _planning(workflow or only_workflow(), options, state)
    view.show(planning, state, as_json=as_json)


def _refuse_others(view: "_View", **options: object) -> None:
    """Refuse options beside `--problem` that a bare problem has no use for; it would be planned without them."""
    every = {**options, **view._asdict()}
    if given := [f"--{name.replace('_', '-')}" for name, value in every.items() if value]:
        raise UsageError(
            f"--problem cannot be combined with {sentence_list(given)}",
            hint="it takes --objective, --time-limit, --solver and --json",
        )


def _solver(name: str) -> "Solver":
    from skyflow.planner.solver.solve import SOLVERS  # noqa: PLC0415 -- start-up

    if name not in SOLVERS:
        raise UsageError(f"there is no solver '{name}'", hint="cbc or highs")
    return name


class _View(NamedTuple):
    """What the options ask to see of a plan, in place of its table."""

    explain: bool
    job: str | None
    frontier: bool
    svg: Path | None
    compare: bool
    diff: str | None

    def refuse_contradictions(self) -> None:
        if sum((self.explain, self.frontier, self.compare, self.diff is not None)) > 1:
            raise UsageError("--explain, --frontier, --compare and --diff are shown one at a time")
        if (self.job and not self.explain) or (self.svg and not self.frontier):
            raise UsageError(
                "a job is named with --explain, and --svg belongs to --frontier",
                hint="skyflow plan build.yml --explain train",
            )

    def show(self, planning: "Planning", state: Path | None, *, as_json: bool) -> None:
        if self.frontier:
            _show_frontier(planning, self.svg, as_json=as_json)
        elif self.explain:
            _show_explanation(planning, self.job, as_json=as_json)
        elif self.compare:
            _show_comparison(planning, as_json=as_json)
        else:
            _show_plan(planning, self.diff, state, as_json=as_json)


def _planning(path: str, options: "PlanOptions", state: Path | None) -> "Planning":
    from skyflow.app.action_folders import action_folders  # noqa: PLC0415 -- start-up
    from skyflow.app.planning.callees import callees_in  # noqa: PLC0415
    from skyflow.app.planning.plan import prepare_planning  # noqa: PLC0415
    from skyflow.app.project import find_project  # noqa: PLC0415
    from skyflow.cli._findings import print_warnings  # noqa: PLC0415
    from skyflow.spec import load_workflow  # noqa: PLC0415

    project = find_project(state=state)
    loaded = load_workflow(path, folder_of=action_folders(project.root))
    print_warnings(loaded.findings)
    callees = callees_in(loaded.workflow, project.root)
    return prepare_planning(loaded.workflow, callees=callees, options=options, project=project)


def _moment(text: str | None) -> "datetime | None":
    from datetime import UTC, datetime  # noqa: PLC0415 -- start-up

    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f"--start: '{text}' is not a moment", hint="for example 2026-07-01T08:00Z; without Z it is UTC too"
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _limits(deadline: str | None, budget: str | None, carbon_cap: str | None) -> "Limits":
    from skyflow.model.units import parse_duration_seconds, parse_grams, parse_usd  # noqa: PLC0415 -- start-up
    from skyflow.planner.problem import Limits  # noqa: PLC0415

    return Limits(
        seconds=None if deadline is None else read_option("--deadline", deadline, parse_duration_seconds),
        usd=None if budget is None else read_option("--budget", budget, parse_usd),
        grams=None if carbon_cap is None else read_option("--carbon-cap", carbon_cap, parse_grams),
    )


def _show_plan(planning: "Planning", diff: str | None, state: Path | None, *, as_json: bool) -> None:
    from skyflow.cli._console import draw, out  # noqa: PLC0415 -- start-up

    decided = planning.plan()
    if diff is None:
        if as_json:
            out(json.dumps(decided.to_json(), indent=2, ensure_ascii=False))
            return
        from skyflow.report.plan_table import render_plan  # noqa: PLC0415

        draw((render_plan(decided),))
        return
    from skyflow.app.planning.plan_views import diff_plans  # noqa: PLC0415
    from skyflow.app.planning.replan import named_plan  # noqa: PLC0415
    from skyflow.app.project import find_project  # noqa: PLC0415

    found = diff_plans(named_plan(diff, find_project(state=state)), decided)
    if as_json:
        out(json.dumps(found.to_json(), indent=2, ensure_ascii=False))
        return
    from skyflow.report.plan_views import render_diff  # noqa: PLC0415

    draw((render_diff(found),))


def _show_explanation(planning: "Planning", job: str | None, *, as_json: bool) -> None:
    from skyflow.app.planning.plan_views import explain, limit_costs  # noqa: PLC0415 -- start-up
    from skyflow.cli._console import draw, out  # noqa: PLC0415

    decided = planning.plan()
    reasons, costs = explain(planning, decided, job=job), limit_costs(planning, decided)
    if as_json:
        answer = {"jobs": [one.to_json() for one in reasons], "limits": [one.to_json() for one in costs]}
        out(json.dumps(answer, indent=2, ensure_ascii=False))
        return
    from skyflow.report.plan_views import render_explanations  # noqa: PLC0415

    draw((render_explanations(reasons, costs, has_carbon=planning.counts_carbon),))


def _show_frontier(planning: "Planning", svg: Path | None, *, as_json: bool) -> None:
    from skyflow.app.planning.plan_views import frontier  # noqa: PLC0415 -- start-up
    from skyflow.cli._console import draw, out  # noqa: PLC0415

    plans = frontier(planning)
    if svg is not None:
        from skyflow.report.frontier_svg import frontier_svg  # noqa: PLC0415

        try:
            svg.write_text(frontier_svg(plans), encoding="utf-8")
        except OSError as error:
            raise UsageError(f"cannot write {svg}: {error.strerror or error}") from error
    if as_json:
        out(json.dumps([one.to_json() for one in plans], indent=2, ensure_ascii=False))
        return
    from skyflow.report.plan_views import render_frontier  # noqa: PLC0415

    draw((render_frontier(plans),))


def _show_comparison(planning: "Planning", *, as_json: bool) -> None:
    from skyflow.app.planning.plan_views import compare  # noqa: PLC0415 -- start-up
    from skyflow.cli._console import draw, out  # noqa: PLC0415

    comparisons = compare(planning, planning.plan())
    if as_json:
        out(json.dumps([one.to_json() for one in comparisons], indent=2, ensure_ascii=False))
        return
    from skyflow.report.plan_views import render_comparisons  # noqa: PLC0415

    draw((render_comparisons(comparisons),))


def _plan_problem(
    path: str, objective: Objective | None, *, time_limit: float, solver: "Solver", as_json: bool
) -> None:
    from skyflow.app.planning.bare_problem import load_problem, solve_bare_problem  # noqa: PLC0415 -- start-up
    from skyflow.cli._console import out  # noqa: PLC0415
    from skyflow.report.words import gap_text  # noqa: PLC0415

    answer = solve_bare_problem(
        load_problem(path), objective or Objective.COST, time_limit_seconds=time_limit, solver=solver
    )
    if as_json:
        out(json.dumps(answer.to_json()))
        return
    proof = "proven" if answer.status.value == "optimal" else f"{gap_text(answer.gap)} to save"
    out(f"{answer.status.value}: {answer.objective:g} ({proof}) in {answer.seconds:.3f} s")
    out(f"candidate of each task: {' '.join(map(str, answer.plan))}")
