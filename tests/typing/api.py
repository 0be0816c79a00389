"""The public API as a type checker sees it; checked by mypy, not run."""

from typing import assert_type

import skyflow

workflow = skyflow.load_workflow("workflow.yml")
assert_type(workflow, skyflow.Workflow)

plan = skyflow.plan(workflow, objective="makespan", providers=["local"])
assert_type(plan, skyflow.Plan)
assert_type(plan.makespan_seconds, float)
assert_type(plan.placements, tuple[skyflow.Placement, ...])

result = skyflow.run(
    workflow,
    jobs=4,
    inputs={"stage": "test", "dry-run": True, "times": 3},
    vars={"HOST": "example.org"},
    secrets={"TOKEN": "tok-1234"},
    event={"action": "opened", "labels": []},
    event_name="pull_request",
)
assert_type(result, skyflow.RunResult)
assert_type(result.is_success, bool)
assert_type(result.run.conclusion, skyflow.Conclusion | None)
assert_type(result.jobs, tuple[skyflow.JobRecord, ...])
assert_type(result.annotations[0].annotation.level, skyflow.AnnotationLevel)
assert_type(result.run.display_name, str | None)
assert_type(skyflow.resume(3, secrets={"TOKEN": "tok-1234"}), skyflow.RunResult)

try:
    skyflow.load_workflow("nonsense.yml")
except skyflow.WorkflowInvalidError as error:
    assert_type(error.diagnostics, tuple[skyflow.Diagnostic, ...])
