"""`data` says how much flows along an edge of `needs`, so there must be that edge."""

from skyflow._util.text import did_you_mean
from skyflow.spec.checks.subject import Check, Phase, Subject
from skyflow.spec.findings import Findings
from skyflow.spec.nodes import MappingNode, find
from skyflow.spec.planning import is_place

__all__ = ["CHECK"]


def _run(subject: Subject, findings: Findings) -> None:
    for job in subject.workflow.jobs:
        needed = [need.job_id for need in job.needs]
        data = find(subject.root, ("jobs", job.id, "data"))
        for name, entry in data.entries.items() if isinstance(data, MappingNode) else ():
            if not is_place(name) and name.lower() not in {job_id.lower() for job_id in needed}:
                message = f"'data' gives a size for '{name}', which job '{job.id}' does not need"
                otherwise = f"add '{name}' to 'needs'" if subject.job(name) else None
                hint = did_you_mean(name, needed, otherwise=otherwise)
                findings.error(CHECK.code, entry.key.span, message, hint=hint)


CHECK = Check(
    code="data-unknown",
    summary="Every key of `data` is a needed job, or a place such as `s3://bucket`.",
    wrong="""\
jobs:
  prepare:
    runs-on: sky
    steps: [{run: make data}]
  train:
    needs: prepare
    runs-on: sky
    data: {prepaer: 12GB}
    steps: [{run: make train}]
""",
    right="""\
jobs:
  prepare:
    runs-on: sky
    steps: [{run: make data}]
  train:
    needs: prepare
    runs-on: sky
    data: {prepare: 12GB}
    steps: [{run: make train}]
""",
    run=_run,
    phase=Phase.GRAPH,
)
