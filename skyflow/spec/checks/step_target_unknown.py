"""`wait` and `cancel` name steps that come before, by their ids."""

from skyflow._util.text import did_you_mean
from skyflow.model.workflow import CancelStep, Need, Step, WaitStep
from skyflow.spec.checks.subject import Check, Phase, Subject, all_steps
from skyflow.spec.findings import Findings

__all__ = ["CHECK"]


def _run(subject: Subject, findings: Findings) -> None:
    for job in subject.workflow.jobs:
        known: list[str] = []
        for step in job.steps:
            for target in _targets(step):
                reason = _why_wrong(target.job_id, step.id, known)
                if reason is not None:
                    hint = did_you_mean(target.job_id, known)
                    findings.error(CHECK.code, target.span, f"'{target.job_id}' {reason}", hint=hint)
            known += [each.id for each in all_steps((step,)) if each.id]


def _targets(step: Step) -> tuple[Need, ...]:
    if isinstance(step, CancelStep):
        return (step.target,)
    return step.targets or () if isinstance(step, WaitStep) else ()


def _why_wrong(target: str, own: str | None, known: list[str]) -> str | None:
    if target.startswith("__"):
        return "is not the id of a step: '__' is reserved"
    if own is not None and target.lower() == own.lower():
        return "is this step itself"
    return None if target in known else "is not the id of a step before this one"


CHECK = Check(
    code="step-target-unknown",
    summary="`wait` and `cancel` name steps before them.",
    wrong="""\
jobs:
  test:
    runs-on: local
    steps:
      - {id: server, run: make serve, background: true}
      - run: make test
      - cancel: sever
""",
    right="""\
jobs:
  test:
    runs-on: local
    steps:
      - {id: server, run: make serve, background: true}
      - run: make test
      - cancel: server
""",
    run=_run,
    phase=Phase.FORM,
)
