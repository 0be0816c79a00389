"""`matrix.<name>` holds the names that the matrix of the job defines."""

from skyflow._util.text import did_you_mean
from skyflow.model.workflow import AuthoredList, AuthoredMap, JobSpec
from skyflow.spec.checks.subject import Check, Subject
from skyflow.spec.findings import Findings

__all__ = ["CHECK"]


def _run(subject: Subject, findings: Findings) -> None:
    for job in subject.workflow.jobs:
        names = _names(job)
        if names is None:
            continue
        lowered = {name.lower() for name in names}
        for reference in subject.references(job, "matrix"):
            if not reference.path or reference.path[0].lower() in lowered:
                continue
            name = reference.path[0]
            message = f"the matrix of job '{job.id}' has no '{name}'" if names else f"job '{job.id}' has no matrix"
            message += f", so 'matrix.{name}' is always empty"
            findings.warning(CHECK.code, subject.span(reference, 0), message, hint=did_you_mean(name, names))


def _names(job: JobSpec) -> list[str] | None:
    """Return the names of the matrix, or None if only the evaluation can tell them."""
    matrix = job.strategy.matrix
    if matrix is None:
        return [] if job.strategy.whole is None else None
    if not isinstance(matrix, AuthoredMap):
        return None
    names = [name for name, _ in matrix.entries if name not in {"include", "exclude"}]
    include = dict(matrix.entries).get("include")
    entries = include.items if isinstance(include, AuthoredList) else ()
    for entry in entries:
        if isinstance(entry, AuthoredMap):
            names += [name for name, _ in entry.entries]
    known = include is None or (entries and all(isinstance(entry, AuthoredMap) for entry in entries))
    return names if known and not any("${{" in name for name in names) else None


CHECK = Check(
    code="matrix-reference",
    summary="Expressions refer to names of the matrix.",
    wrong="""\
jobs:
  test:
    strategy:
      matrix: {python: ['3.11', '3.12']}
    runs-on: local
    steps: [{run: "echo ${{ matrix.pythn }}"}]
""",
    right="""\
jobs:
  test:
    strategy:
      matrix: {python: ['3.11', '3.12']}
    runs-on: local
    steps: [{run: "echo ${{ matrix.python }}"}]
""",
    run=_run,
)
