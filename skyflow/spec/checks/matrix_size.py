"""A matrix without expressions can be expanded, and so counted, before anything runs."""

from skyflow.expr import Array, Object, Value
from skyflow.model.matrix import MatrixError, expand_matrix
from skyflow.model.workflow import Authored, AuthoredList, AuthoredMap, AuthoredTree
from skyflow.spec.checks.matrix_invalid import is_static
from skyflow.spec.checks.subject import Check, Subject
from skyflow.spec.findings import Findings

__all__ = ["CHECK"]


def _run(subject: Subject, findings: Findings) -> None:
    for job in subject.workflow.jobs:
        matrix = job.strategy.matrix
        if isinstance(matrix, AuthoredMap) and is_static(job.strategy):
            try:
                expand_matrix(_value(matrix))
            except MatrixError as error:
                known = {finding.span for finding in findings.found if finding.code == "matrix-invalid"}
                if not known:
                    findings.warning(CHECK.code, matrix.span, f"{error.message}, so the job will fail")


def _value(tree: AuthoredTree) -> Value:
    """Return the value of a tree without expressions."""
    if isinstance(tree, Authored):
        return tree.template.evaluate({})
    if isinstance(tree, AuthoredList):
        return Array(_value(item) for item in tree.items)
    return Object((name, _value(value)) for name, value in tree.entries)


CHECK = Check(
    code="matrix-size",
    summary="A matrix makes between 1 and 256 jobs.",
    wrong="""\
jobs:
  test:
    strategy:
      matrix:
        python: ['3.12']
        exclude: [{python: '3.12'}]
    runs-on: local
    steps: [{run: make test}]
""",
    right="""\
jobs:
  test:
    strategy:
      matrix:
        python: ['3.11', '3.12']
        exclude: [{python: '3.12'}]
    runs-on: local
    steps: [{run: make test}]
""",
    run=_run,
)
