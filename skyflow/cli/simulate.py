"""`skyflow simulate`."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from skyflow.cli._options import JobsOption, JsonOption, ObjectiveOption, OnOption, WorkflowArgument

__all__ = ["simulate"]


def simulate(
    workflow: WorkflowArgument,
    *,
    runs: Annotated[int, typer.Option("--runs", "-n", min=1, metavar="N", help="How many runs.")] = 200,
    spot_trace: Annotated[
        Path | None,
        typer.Option("--spot-trace", metavar="FILE", help="When spot machines were there: a recorded trace."),
    ] = None,
    preemptions: Annotated[
        float, typer.Option("--preemptions", min=0, metavar="RATE", help="Without a trace: per hour of a spot machine.")
    ] = 0.05,
    spread: Annotated[
        float,
        typer.Option("--spread", min=0, metavar="S", help="How far durations are from estimates: 0.2 is some 20%."),
    ] = 0.2,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="The same number gives the same runs.")] = 0,
    budget: Annotated[
        float | None, typer.Option("--budget", metavar="USD", min=0, help="As for `skyflow run`.")
    ] = None,
    jobs: JobsOption = None,
    objective: ObjectiveOption = None,
    on: OnOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run a workflow many times in a simulated world, to see what it may cost and take before it does."""
    from skyflow.app.callees import callees_in  # noqa: PLC0415 -- start-up
    from skyflow.app.plan import plan_workflow  # noqa: PLC0415
    from skyflow.app.project import find_project  # noqa: PLC0415
    from skyflow.cli._console import out  # noqa: PLC0415
    from skyflow.cli._findings import print_warnings  # noqa: PLC0415
    from skyflow.model.run import RunOptions  # noqa: PLC0415
    from skyflow.spec import load_workflow  # noqa: PLC0415
    from skyflow.testing import read_spot_trace  # noqa: PLC0415
    from skyflow.testing import simulate as simulated  # noqa: PLC0415
    from skyflow.testing.world import Nature  # noqa: PLC0415

    nature = Nature(
        spread=spread,
        preemptions_per_hour=preemptions,
        trace=None if spot_trace is None else read_spot_trace(spot_trace),
    )
    project = find_project()
    loaded = load_workflow(workflow)
    print_warnings(loaded.findings)
    callees = callees_in(loaded.workflow, project.root)
    plan = plan_workflow(
        loaded.workflow,
        callees=callees,
        objective=objective,
        providers=on,
        slots=jobs,
        project=project,
    )
    outcomes = list(
        simulated(
            loaded.workflow,
            plan,
            runs=runs,
            nature=nature,
            callees=callees,
            options=RunOptions(budget_usd=budget),
            seed=seed,
        )
    )
    if as_json:
        keys = ("conclusion", "cost_usd", "makespan_seconds", "preemptions")
        out(json.dumps([{key: getattr(outcome, key) for key in keys} for outcome in outcomes]))
        return
    from skyflow.model.units import format_duration, format_usd  # noqa: PLC0415
    from skyflow.report.distribution import histogram, quantile_rows  # noqa: PLC0415
    from skyflow.report.words import Signs, signs_for  # noqa: PLC0415

    costs = [outcome.cost_usd for outcome in outcomes]
    times = [outcome.makespan_seconds for outcome in outcomes]
    taken = [float(outcome.preemptions) for outcome in outcomes]
    succeeded = sum(outcome.conclusion == "success" for outcome in outcomes)
    out(
        f"{runs} runs of {workflow}, {succeeded} in success; planned: {format_usd(plan.cost.total_usd)}, {format_duration(plan.makespan_seconds)}"
    )
    rows = (("cost", costs, format_usd), ("makespan", times, format_duration), ("preemptions", taken, "{:.1f}".format))
    table = quantile_rows(rows)
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    for row in table:
        out(
            "  ".join(
                cell.rjust(width) if index else cell.ljust(width)
                for index, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
        )
    fancy = signs_for(sys.stdout.encoding) == Signs()
    out(f"\ncost      {histogram(costs, format_usd, fancy=fancy)}")
    out(f"makespan  {histogram(times, format_duration, fancy=fancy)}")
