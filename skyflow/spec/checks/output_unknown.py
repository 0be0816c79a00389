"""`needs.<id>.outputs` holds what the needed job declares in `outputs`."""

from skyflow._util.text import did_you_mean, sentence_list
from skyflow.spec.checks.subject import Check, Reference, Subject
from skyflow.spec.findings import Findings

__all__ = ["CHECK"]

_PROPERTIES = ("outputs", "result")


def _run(subject: Subject, findings: Findings) -> None:
    for job in subject.workflow.jobs:
        needed = {need.job_id.lower() for need in job.needs}
        for reference in subject.references(job, "needs"):
            if len(reference.path) > 1 and reference.path[0].lower() in needed:
                _check(subject, findings, reference)


def _check(subject: Subject, findings: Findings, reference: Reference) -> None:
    job_id, part, *rest = reference.path
    if part.lower() not in _PROPERTIES:
        message = f"'needs.{job_id}' has no '{part}', only {sentence_list(map(repr, _PROPERTIES))}"
        hint = did_you_mean(part, _PROPERTIES, otherwise=f"an output is 'needs.{job_id}.outputs.{part}'")
        findings.warning(CHECK.code, subject.span(reference, 1), message, hint=hint)
        return
    needed = subject.job(job_id)
    if needed is None or needed.call is not None or not rest or part.lower() != "outputs":
        return
    declared = [name for name, _ in needed.outputs]
    if any("${{" in name for name in declared):
        return
    if rest[0].lower() not in {name.lower() for name in declared}:
        message = f"job '{needed.id}' declares no output '{rest[0]}'"
        otherwise = f"add '{rest[0]}' to 'outputs' of job '{needed.id}'"
        findings.warning(
            CHECK.code, subject.span(reference, 2), message, hint=did_you_mean(rest[0], declared, otherwise=otherwise)
        )


CHECK = Check(
    code="output-unknown",
    summary="Expressions refer to declared outputs of needed jobs.",
    wrong="""\
jobs:
  build:
    runs-on: local
    outputs: {tag: v1}
    steps: [{run: make}]
  test:
    needs: build
    runs-on: local
    steps: [{run: "echo ${{ needs.build.outputs.tga }}"}]
""",
    right="""\
jobs:
  build:
    runs-on: local
    outputs: {tag: v1}
    steps: [{run: make}]
  test:
    needs: build
    runs-on: local
    steps: [{run: "echo ${{ needs.build.outputs.tag }}"}]
""",
    run=_run,
)
