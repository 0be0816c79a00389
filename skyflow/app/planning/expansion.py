"""The jobs that a workflow will become, as far as that is known before it runs: matrices and called workflows unfolded."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from types import MappingProxyType

from skyflow.app.planning.data_history import DataHistory
from skyflow.engine.contexts import EvaluationError, Scope
from skyflow.expr import BUILTINS, referenced
from skyflow.model.matrix import MatrixError, expand_matrix
from skyflow.model.workflow import Authored, AuthoredList, AuthoredTree, JobSpec, Workflow

__all__ = ["DataIn", "ExpectedJobs", "expected_jobs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedJobs:
    """The jobs of one job spec.

    `keys` are theirs; `needs` the keys of all jobs that must end before; `data` what comes in from some of these.
    `is_dynamic` tells that the real number is known only when the needs have ended.
    """

    spec: JobSpec
    keys: tuple[str, ...]
    needs: tuple[str, ...]
    data: tuple["DataIn", ...]
    is_dynamic: bool


@dataclass(frozen=True, slots=True)
class DataIn:
    """Decimal gigabytes that come in from a job, and where the figure comes from."""

    job: str
    gigabytes: float
    source: str


def expected_jobs(
    workflow: Workflow,
    callees: Mapping[str, Workflow],
    *,
    known_gb: Mapping[str, float] = MappingProxyType({}),
    history: DataHistory = DataHistory(),
) -> list[ExpectedJobs]:
    """Return the jobs of every spec of a workflow, and in place of a spec that calls a workflow those of that one.

    `known_gb` says how many decimal gigabytes artifacts have, by name, whose size is not declared; `history` what jobs had
    from each other where nothing is declared at all.
    """
    expansion = _Expansion(workflow, callees, prefix="", entry=(), known_gb=known_gb, history=history)
    return expansion.expected


class _Expansion:
    """One workflow being unfolded; `entry` are the keys of the jobs that must end before it begins."""

    def __init__(
        self,
        workflow: Workflow,
        callees: Mapping[str, Workflow],
        *,
        prefix: str,
        entry: tuple[str, ...],
        known_gb: Mapping[str, float],
        history: DataHistory,
    ) -> None:
        self._workflow = workflow
        self._callees = callees
        self._prefix = prefix
        self._entry = entry
        self._known_gb = known_gb
        self._history = history
        self._ends: dict[str, tuple[str, ...]] = {}
        self.expected: list[ExpectedJobs] = []
        for spec in workflow.jobs:
            self._visit(spec)

    @property
    def keys(self) -> tuple[str, ...]:
        """Every job of the workflow."""
        return tuple(chain.from_iterable(self._ends.values()))

    def _visit(self, spec: JobSpec) -> tuple[str, ...]:
        """Return the keys of the jobs that must end before what needs a spec can begin."""
        if spec.id in self._ends:
            return self._ends[spec.id]
        ends = {need.job_id.lower(): self._visit(self._workflow.job(need.job_id)) for need in spec.needs}
        needs = tuple(chain.from_iterable(ends.values())) or self._entry
        count = _count(self._workflow, spec)
        key = f"{self._prefix}{spec.id}"
        keys = (key,) if count is None or spec.strategy.matrix is None else tuple(f"{key}.{i}" for i in range(count))
        if spec.call is not None and spec.call.uses in self._callees:
            called = [self._call(spec.call.uses, leg, needs) for leg in keys]
            self._ends[spec.id] = tuple(chain.from_iterable(expansion.keys for expansion in called))
            self.expected.extend(chain.from_iterable(expansion.expected for expansion in called))
        else:
            # what comes in from a job spec is split evenly over the jobs of its matrix
            data = tuple(
                replace(each, job=end, gigabytes=each.gigabytes / len(ends[each.job]))
                for each in self._data(spec)
                for end in ends[each.job]
            )
            self._ends[spec.id] = keys
            self.expected.append(ExpectedJobs(spec=spec, keys=keys, needs=needs, data=data, is_dynamic=count is None))
        return self._ends[spec.id]

    def _call(self, uses: str, key: str, needs: tuple[str, ...]) -> "_Expansion":
        return _Expansion(
            self._callees[uses],
            self._callees,
            prefix=f"{key}/",
            entry=needs,
            known_gb=self._known_gb,
            history=self._history,
        )

    def _data(self, spec: JobSpec) -> Iterator[DataIn]:
        """Yield how much comes in from needed jobs, by their ids in lower case.

        That is what `data` says, else what the artifacts have that are its inputs, else what it had in earlier runs.
        """
        said = {name.lower(): gigabytes for name, gigabytes in spec.data_gb}
        yield from (DataIn(job, gigabytes, "given") for job, gigabytes in said.items())
        for need in spec.needs:
            if need.job_id.lower() in said:
                continue
            needed = self._workflow.job(need.job_id)
            made = [each for each in needed.artifacts if each.name in spec.inputs]
            size = sum(each.gigabytes or self._known_gb.get(each.name, 0.0) for each in made)
            handed = self._history.between(f"{self._prefix}{needed.id}", f"{self._prefix}{spec.id}")
            if size:
                is_given = all(each.gigabytes is not None for each in made)
                yield DataIn(need.job_id.lower(), size, "given" if is_given else "as artifacts last were")
            elif handed is not None:
                yield DataIn(need.job_id.lower(), handed.gigabytes, str(handed))


def _count(workflow: Workflow, spec: JobSpec) -> int | None:
    """Return how many jobs a spec becomes, None where only its needs can tell."""
    matrix = spec.strategy.matrix
    if spec.strategy.whole is not None:
        return None
    if matrix is None:
        return 1
    if any(True for leaf in _leaves(matrix) for _ in referenced(leaf.template.expr)):
        return None
    try:
        return len(expand_matrix(Scope(workflow.path, {}, BUILTINS).tree(matrix)))
    except (EvaluationError, MatrixError):  # it will fail, with its place and reason, when its turn comes
        return None


def _leaves(tree: AuthoredTree) -> Sequence[Authored]:
    if isinstance(tree, Authored):
        return (tree,)
    items = tree.items if isinstance(tree, AuthoredList) else (item for _, item in tree.entries)
    return tuple(chain.from_iterable(_leaves(item) for item in items))
