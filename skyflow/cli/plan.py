"""`skyflow plan`."""

import json

from skyflow.cli._options import JobsOption, JsonOption, ObjectiveOption, OnOption, WorkflowArgument

__all__ = ["plan"]


def plan(
    workflow: WorkflowArgument,
    *,
    objective: ObjectiveOption = None,
    on: OnOption = None,
    jobs: JobsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show where and when each job would run, for how much, without running anything."""
    from skyflow.app.callees import callees_in  # noqa: PLC0415 -- start-up
    from skyflow.app.config import project_config  # noqa: PLC0415
    from skyflow.app.plan import plan_workflow  # noqa: PLC0415
    from skyflow.app.project import find_project  # noqa: PLC0415
    from skyflow.cli._console import draw, out  # noqa: PLC0415
    from skyflow.cli._findings import print_findings  # noqa: PLC0415
    from skyflow.spec import load_workflow  # noqa: PLC0415

    loaded = load_workflow(workflow)
    print_findings(loaded.findings)
    root = find_project().root
    decided = plan_workflow(
        loaded.workflow,
        callees=callees_in(loaded.workflow, root),
        objective=objective,
        providers=on,
        slots=jobs,
        config=project_config(root),
    )
    if as_json:
        out(json.dumps(decided.to_json(), indent=2, ensure_ascii=False))
        return
    from skyflow.report.plan_table import render_plan  # noqa: PLC0415

    draw((render_plan(decided),))
