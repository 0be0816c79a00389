"""A matrix without expressions can be expanded, and so checked, before anything runs."""

from collections.abc import Iterator

from skyflow.model.workflow import AuthoredList, AuthoredMap, AuthoredTree, JobSpec, Strategy
from skyflow.spec.checks.subject import Check, Phase, Subject, leaves
from skyflow.spec.findings import Findings
from skyflow.spec.nodes import MappingNode, find

__all__ = ["CHECK", "is_static"]

_SPECIAL = frozenset({"include", "exclude"})


def _run(subject: Subject, findings: Findings) -> None:
    for job in subject.workflow.jobs:
        matrix = job.strategy.matrix
        if isinstance(matrix, AuthoredMap):
            _check_vectors(matrix, findings)
            if is_static(job.strategy):
                _check_entries(subject, job, matrix, findings)


def is_static(strategy: Strategy) -> bool:
    """Tell whether the strategy holds no expression at all, so that its jobs are known before anything runs."""
    flags = (strategy.whole, strategy.fail_fast, strategy.max_parallel)
    return not any(each is not None and _has_expression(each) for each in (*flags, strategy.matrix))


def _has_expression(tree: AuthoredTree) -> bool:
    if isinstance(tree, AuthoredMap):
        return any("${{" in name or _has_expression(value) for name, value in tree.entries)
    return any("${{" in leaf.template.source and not leaf.template.is_literal for leaf in leaves(tree))


def _check_vectors(matrix: AuthoredMap, findings: Findings) -> None:
    """Look at the lists one by one; what holds expressions is taken to be right."""
    has_jobs = False
    for name, value in matrix.entries:
        is_empty = isinstance(value, AuthoredList) and not value.items
        if name not in _SPECIAL:
            has_jobs = True
            if is_empty:
                findings.error(CHECK.code, value.span, f"'{name}' in the matrix is an empty list")
        elif name == "include":
            has_jobs = has_jobs or not is_empty
    if not has_jobs:
        message = "a matrix needs at least one list of values, or 'include' with at least one entry"
        findings.error(CHECK.code, matrix.span, message)


def _check_entries(subject: Subject, job: JobSpec, matrix: AuthoredMap, findings: Findings) -> None:
    vectors = {
        name.lower()
        for name, value in matrix.entries
        if name not in _SPECIAL and isinstance(value, AuthoredList) and value.items
    }
    for kind in ("include", "exclude"):
        for index, entry in _entries(matrix, kind):
            if not entry.entries:
                findings.error(CHECK.code, entry.span, f"this entry of '{kind}' is empty")
            for name, _ in entry.entries if kind == "exclude" else ():
                if name.lower() not in vectors:
                    message = f"'exclude' names '{name}', which is no list of this matrix"
                    node = find(subject.root, ("jobs", job.id, "strategy", "matrix", "exclude", index))
                    key = node.entries[name].key.span if isinstance(node, MappingNode) else entry.span
                    findings.error(CHECK.code, key, message)


def _entries(matrix: AuthoredMap, kind: str) -> Iterator[tuple[int, AuthoredMap]]:
    entries = dict(matrix.entries).get(kind)
    for index, entry in enumerate(entries.items) if isinstance(entries, AuthoredList) else ():
        if isinstance(entry, AuthoredMap):
            yield index, entry


CHECK = Check(
    code="matrix-invalid",
    summary="A matrix has values, and `exclude` names lists of the matrix.",
    wrong="""\
jobs:
  test:
    strategy:
      matrix:
        python: []
    runs-on: local
    steps: [{run: make test}]
""",
    right="""\
jobs:
  test:
    strategy:
      matrix:
        python: ['3.11', '3.12']
    runs-on: local
    steps: [{run: make test}]
""",
    run=_run,
    phase=Phase.FORM,
)
