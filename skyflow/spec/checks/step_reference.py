"""`steps.<id>` holds the steps that have run before; a later one, or one that does not exist, is null."""

from skyflow._util.text import did_you_mean
from skyflow.model.workflow import JobSpec
from skyflow.spec.checks.subject import Check, Reference, Subject, all_steps
from skyflow.spec.findings import Findings

__all__ = ["CHECK"]


def _run(subject: Subject, findings: Findings) -> None:
    for job in subject.workflow.jobs:
        for reference in subject.references(job, "steps"):
            if reference.path:
                _check(subject, job, reference, findings)


def _check(subject: Subject, job: JobSpec, reference: Reference, findings: Findings) -> None:
    name = reference.path[0]
    ids = [step.id for step in all_steps(job.steps)]
    positions = {
        each.id.lower(): index for index, step in enumerate(job.steps) for each in all_steps((step,)) if each.id
    }
    if name.lower() not in positions:
        hint = did_you_mean(name, [step_id for step_id in ids if step_id], otherwise=f"give the step an `id: {name}`")
        message = f"job '{job.id}' has no step with the id '{name}', so 'steps.{name}' is always empty"
        findings.warning(CHECK.code, subject.span(reference, 0), message, hint=hint)
        return
    index = positions[name.lower()]
    if reference.step is not None and index >= reference.step:
        when = "is this step itself" if index == reference.step else "runs after this one"
        message = f"the step '{name}' {when}, so 'steps.{name}' is still empty here"
        findings.warning(CHECK.code, subject.span(reference, 0), message)


CHECK = Check(
    code="step-reference",
    summary="Expressions refer to steps that have run before.",
    wrong="""\
jobs:
  build:
    runs-on: local
    steps:
      - run: echo ${{ steps.tag.outputs.value }}
      - id: tag
        run: echo value=v1 >> "$GITHUB_OUTPUT"
""",
    right="""\
jobs:
  build:
    runs-on: local
    steps:
      - id: tag
        run: echo value=v1 >> "$GITHUB_OUTPUT"
      - run: echo ${{ steps.tag.outputs.value }}
""",
    run=_run,
)
