"""`inputs` are artifacts that needed jobs declare, and each declared name is made once."""

from collections.abc import Iterable

from skyflow._util.text import did_you_mean
from skyflow.diagnostics import Span
from skyflow.model.workflow import JobSpec
from skyflow.spec.checks.subject import Check, Phase, Subject
from skyflow.spec.findings import Findings
from skyflow.spec.nodes import MappingNode, Node, ScalarNode, SequenceNode, find

__all__ = ["CHECK"]


def _run(subject: Subject, findings: Findings) -> None:
    makers: dict[str, str] = {}
    for job in subject.workflow.jobs:
        declared = find(subject.root, ("jobs", job.id, "artifacts"))
        for name, entry in declared.entries.items() if isinstance(declared, MappingNode) else ():
            if job.strategy.matrix is not None or job.strategy.whole is not None:
                message = f"every job of the matrix of '{job.id}' would make the artifact '{name}'"
                hint = "use actions/upload-artifact, with a matrix value in the name"
                findings.error(CHECK.code, entry.key.span, message, hint=hint)
            elif name in makers:
                message = f"job '{makers[name]}' makes an artifact '{name}' already"
                findings.error(CHECK.code, entry.key.span, message, hint="choose another name")
            makers.setdefault(name, job.id)
    for job in subject.workflow.jobs:
        _check_inputs(
            job, [need for each in job.needs if (need := subject.job(each.job_id))], makers, subject, findings
        )


def _check_inputs(
    job: JobSpec, needed: Iterable[JobSpec], makers: dict[str, str], subject: Subject, findings: Findings
) -> None:
    there = [artifact.name for each in needed for artifact in each.artifacts]
    for name, span in _names(find(subject.root, ("jobs", job.id, "inputs"))):
        if name not in there:
            maker = makers.get(name)
            message = f"no job that '{job.id}' needs declares an artifact '{name}'"
            hint = f"add '{maker}' to 'needs'" if maker else did_you_mean(name, there)
            findings.error(CHECK.code, span, message, hint=hint)


def _names(node: Node | None) -> list[tuple[str, Span]]:
    nodes = node.items if isinstance(node, SequenceNode) else (node,)
    return [(each.key, each.span) for each in nodes if isinstance(each, ScalarNode)]


CHECK = Check(
    code="input-artifact",
    summary="`inputs` are artifacts that needed jobs declare; each name is declared once, by a job without a matrix.",
    wrong="""\
jobs:
  build:
    runs-on: local
    artifacts: {site: build/site}
    steps: [{run: make site}]
  check:
    runs-on: local
    inputs: site
    steps: [{run: ls build/site}]
""",
    right="""\
jobs:
  build:
    runs-on: local
    artifacts: {site: build/site}
    steps: [{run: make site}]
  check:
    needs: build
    runs-on: local
    inputs: site
    steps: [{run: ls build/site}]
""",
    run=_run,
    phase=Phase.GRAPH,
)
