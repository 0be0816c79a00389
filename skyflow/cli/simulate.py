"""`skyflow simulate`."""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from skyflow.cli._options import JobsOption, JsonOption, ObjectiveOption, OnOption, WorkflowArgument
from skyflow.errors import UsageError
from skyflow.model.recovery import RecoveryStrategy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from skyflow.app.planning.plan import PlanOptions
    from skyflow.model.placement import Plan
    from skyflow.testing.distribution import Outcome
    from skyflow.testing.world import Nature

__all__ = ["simulate"]

_MOST_REASONS = 5


def simulate(
    workflow: WorkflowArgument = None,
    *,
    runs: Annotated[int, typer.Option("--runs", "-n", min=1, metavar="N", help="How many runs.")] = 200,
    spot_traces: Annotated[
        list[Path] | None,
        typer.Option(
            "--spot-trace",
            metavar="FILE",
            help="When spot machines were there: a recorded trace; may be repeated, for other places.",
        ),
    ] = None,
    preemptions: Annotated[
        float, typer.Option("--preemptions", min=0, metavar="RATE", help="Without a trace: per hour of a spot machine.")
    ] = 0.05,
    spread: Annotated[
        float,
        typer.Option("--spread", min=0, metavar="S", help="How far durations are from estimates: 0.2 is some 20%."),
    ] = 0.2,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="The same number gives the same runs.")] = 0,
    recovery: Annotated[
        RecoveryStrategy | None,
        typer.Option("--recovery", help="What follows when a spot machine is taken away; by default as planned."),
    ] = None,
    budget: Annotated[
        float | None, typer.Option("--budget", metavar="USD", min=0, help="As for `skyflow run`.")
    ] = None,
    jobs: JobsOption = None,
    objective: ObjectiveOption = None,
    on: OnOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run a workflow many times in a simulated world, to see what it may cost and take before it does."""
    from skyflow.app.planning.plan import PlanOptions  # noqa: PLC0415 -- start-up
    from skyflow.app.workflow_files import only_workflow  # noqa: PLC0415
    from skyflow.cli._console import out  # noqa: PLC0415
    from skyflow.testing import read_spot_trace  # noqa: PLC0415
    from skyflow.testing.world import Nature  # noqa: PLC0415

    file = workflow or only_workflow()
    nature = Nature(
        spread=spread,
        preemptions_per_hour=preemptions,
        traces=tuple(map(read_spot_trace, spot_traces or ())),
    )
    options = PlanOptions(objective=objective, providers=on, slots=jobs)
    plan = _planned(file, options)
    if recovery is not None:
        plan = _recovering(plan, recovery)
    outcomes = _simulated(file, plan, nature, runs=runs, budget=budget, seed=seed)
    if as_json:
        out(json.dumps([_to_json(outcome) for outcome in outcomes]))
    else:
        _show(outcomes, plan, of=file)


def _planned(path: str, options: "PlanOptions") -> "Plan":
    """Return the plan of a workflow."""
    from skyflow.app.action_folders import action_folders  # noqa: PLC0415 -- start-up
    from skyflow.app.planning.callees import callees_in  # noqa: PLC0415
    from skyflow.app.planning.plan import prepare_planning  # noqa: PLC0415
    from skyflow.app.project import find_project  # noqa: PLC0415
    from skyflow.cli._findings import print_warnings  # noqa: PLC0415
    from skyflow.spec import load_workflow  # noqa: PLC0415

    project = find_project()
    loaded = load_workflow(path, folder_of=action_folders(project.root))
    print_warnings(loaded.findings)
    callees = callees_in(loaded.workflow, project.root)
    return prepare_planning(loaded.workflow, callees=callees, options=options, project=project).plan()


def _recovering(plan: "Plan", strategy: RecoveryStrategy) -> "Plan":
    """Return a plan with another strategy.

    Raises:
        UsageError: it cannot have that.
    """
    try:
        return plan.recovering(strategy)
    except ValueError as error:
        raise UsageError(
            f"'--recovery {strategy.value}': {error}",
            hint="write 'deadline' below 'plan', and 'market: any' below 'resources' of each job on spot machines",
        ) from error


def _simulated(
    path: str, plan: "Plan", nature: "Nature", *, runs: int, budget: float | None, seed: int
) -> "list[Outcome]":
    """Return how runs of a plan went."""
    from skyflow.app.planning.callees import callees_in  # noqa: PLC0415 -- start-up
    from skyflow.app.project import find_project  # noqa: PLC0415
    from skyflow.model.run import RunOptions  # noqa: PLC0415
    from skyflow.spec import load_workflow  # noqa: PLC0415
    from skyflow.testing import simulate as simulated  # noqa: PLC0415

    workflow = load_workflow(path).workflow
    callees = callees_in(workflow, find_project().root)
    asked = RunOptions(budget_usd=budget)
    return list(simulated(workflow, plan, runs=runs, nature=nature, callees=callees, options=asked, seed=seed))


def _to_json(outcome: "Outcome") -> dict[str, object]:
    keys = ("conclusion", "cost_usd", "makespan_seconds", "preemptions")
    failures = [{"job": job, "reason": reason.value} for job, reason in outcome.failures]
    return {key: getattr(outcome, key) for key in keys} | {"failures": failures}


def _show(outcomes: "Sequence[Outcome]", plan: "Plan", *, of: str) -> None:
    from skyflow.cli._console import out  # noqa: PLC0415 -- start-up
    from skyflow.model.units import format_duration, format_usd  # noqa: PLC0415
    from skyflow.report.distribution import histogram, quantile_rows  # noqa: PLC0415
    from skyflow.report.words import REASON_WORDS, Signs, signs_for  # noqa: PLC0415

    costs = [outcome.cost_usd for outcome in outcomes]
    times = [outcome.makespan_seconds for outcome in outcomes]
    taken = [float(outcome.preemptions) for outcome in outcomes]
    succeeded = sum(outcome.conclusion == "success" for outcome in outcomes)
    planned = f"{format_usd(plan.cost.total_usd)}, {format_duration(plan.makespan_seconds)}"
    out(f"{len(outcomes)} runs of {of}, {succeeded} in success; planned: {planned}")
    for (job, reason), count in Counter(pair for one in outcomes for pair in set(one.failures)).most_common(
        _MOST_REASONS
    ):
        out(f"  {job} in {count} of them: {REASON_WORDS.get(reason, reason.value)}")
    rows = (("cost", costs, format_usd), ("makespan", times, format_duration), ("preemptions", taken, "{:.1f}".format))
    table = quantile_rows(rows)
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    for first, *others in table:
        cells = (cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))
        out("  ".join((first.ljust(widths[0]), *cells)).rstrip())
    fancy = signs_for(sys.stdout.encoding) == Signs()
    out(f"\ncost      {histogram(costs, format_usd, fancy=fancy)}")
    out(f"makespan  {histogram(times, format_duration, fancy=fancy)}")
