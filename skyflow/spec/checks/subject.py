"""What a check is, and what it looks at."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from skyflow.diagnostics import Span
from skyflow.errors import WorkflowInvalidError
from skyflow.expr import referenced
from skyflow.model.workflow import (
    Authored,
    AuthoredList,
    AuthoredMap,
    AuthoredTree,
    Concurrency,
    Container,
    Defaults,
    JobSpec,
    ParallelStep,
    RunStep,
    Step,
    Strategy,
    UsesStep,
    Workflow,
)
from skyflow.spec.findings import Findings
from skyflow.spec.parse import Parsed
from skyflow.spec.positions import span_inside
from skyflow.spec.workspace import FolderOf, ReadFile, nowhere

__all__ = ["Check", "Phase", "Reference", "Subject", "all_steps", "container_values", "leaves", "step_values"]


class Phase(StrEnum):
    """When a check runs: the first three find errors as GitHub does, each only if there are none so far."""

    FORM = "form"
    """Each job for itself; runs although the parser found errors in conditions, as on GitHub."""
    GRAPH = "graph"
    """How jobs need each other."""
    CALLS = "calls"
    """The workflows that jobs call."""
    ADVICE = "advice"
    """Warnings and hints; run in any case."""


@dataclass(frozen=True, slots=True)
class Reference:
    """One access into a context, such as `needs.build.outputs.x`.

    `path` are the parts below the context, up to the first one that only the evaluation can tell; `offsets` are their
    places in the text of `authored`. `step` is the index of the step it stands in, None for the keys of the job itself.
    """

    context: str
    path: tuple[str, ...]
    offsets: tuple[tuple[int, int], ...]
    authored: Authored
    step: int | None


class Subject:
    """One workflow under examination."""

    def __init__(
        self,
        parsed: Parsed,
        *,
        platform: str,
        read: ReadFile | None,
        parse: Callable[[str, bytes], Parsed],
        folder_of: FolderOf = nowhere,
    ) -> None:
        self.workflow: Workflow = parsed.workflow
        self.root = parsed.root
        self.platform = platform
        self.read = read
        self.folder_of = folder_of
        self._parse = parse
        self._loaded: dict[str, Parsed | WorkflowInvalidError | None] = {}
        self.scalars = parsed.scalars
        self._jobs = {job.id.lower(): job for job in parsed.workflow.jobs}
        self._references: dict[str, tuple[Reference, ...]] = {}

    def job(self, job_id: str) -> JobSpec | None:
        """Return the job with this id, ignoring case."""
        return self._jobs.get(job_id.lower())

    def load(self, uses: str) -> Parsed | None:
        """Return the workflow that `./path` names, or None if there is no such file, or nothing to read it with.

        Raises:
            WorkflowInvalidError: that file has errors of its own.
        """
        if uses not in self._loaded:
            path = uses.removeprefix("./")
            content = self.read(path) if self.read is not None else None
            try:
                self._loaded[uses] = None if content is None else self._parse(path, content)
            except WorkflowInvalidError as error:
                self._loaded[uses] = error
        loaded = self._loaded[uses]
        if isinstance(loaded, WorkflowInvalidError):
            raise loaded
        return loaded

    def references(self, job: JobSpec, context: str) -> Iterator[Reference]:
        """Yield what the expressions of a job read from one context."""
        if job.id not in self._references:
            self._references[job.id] = tuple(self._find_references(job))
        return (reference for reference in self._references[job.id] if reference.context == context)

    def span(self, reference: Reference, part: int) -> Span:
        """Return where a part of the path of a reference stands in the file."""
        node = self.scalars[reference.authored.span]
        return span_inside(node, self.workflow.source, *reference.offsets[part])

    def _find_references(self, job: JobSpec) -> Iterator[Reference]:
        for step, authored in _values(job):
            if authored.template.is_literal:
                continue
            for found in referenced(authored.template.expr):
                known = [part for part in found.path if part is not None]
                if len(known) < len(found.path):
                    known = known[: found.path.index(None)]
                yield Reference(known[0].lower(), tuple(known[1:]), found.spans[1 : len(known)], authored, step)


@dataclass(frozen=True, slots=True)
class Check:
    """One rule: `code` names it in findings, `wrong` breaks it and `right` does not; both are whole workflows."""

    code: str
    summary: str
    wrong: str
    right: str
    run: Callable[[Subject, Findings], None] = field(compare=False)
    phase: Phase = Phase.ADVICE


def leaves(tree: AuthoredTree | None) -> Iterator[Authored]:
    """Yield the scalars of a tree in file order."""
    match tree:
        case Authored():
            yield tree
        case AuthoredList():
            for item in tree.items:
                yield from leaves(item)
        case AuthoredMap():
            for _, value in tree.entries:
                yield from leaves(value)
        case None:
            return


def all_steps(steps: tuple[Step, ...]) -> Iterator[Step]:
    """Yield the steps and those inside of parallel groups, in file order."""
    for step in steps:
        yield step
        if isinstance(step, ParallelStep):
            yield from step.steps


def step_values(step: Step) -> Iterator[Authored]:
    """Yield every scalar of a step that may hold expressions, without those of the steps inside."""
    yield step.condition
    yield from (value for _, value in step.env)
    own: tuple[Authored | None, ...] = ()
    if isinstance(step, RunStep):
        own = (step.run, step.working_directory)
    elif isinstance(step, UsesStep):
        own = tuple(value for _, value in step.inputs)
    for value in (step.name, *own, step.continue_on_error, step.timeout_minutes):
        if value is not None:
            yield value


def _values(job: JobSpec) -> Iterator[tuple[int | None, Authored]]:
    """Yield every scalar of a job that may hold expressions, with the index of its step."""
    for authored in _job_values(job):
        yield None, authored
    for index, step in enumerate(job.steps):
        for each in all_steps((step,)):
            for authored in step_values(each):
                yield index, authored


def _job_values(job: JobSpec) -> Iterator[Authored]:
    yield job.condition
    yield from leaves(job.runs_on)
    yield from _strategy_values(job.strategy)
    yield from _default_values(job.defaults)
    yield from (value for _, value in (*job.env, *job.outputs))
    if job.call is not None:
        yield from (value for _, value in (*job.call.inputs, *job.call.secrets))
    yield from _group_values(job.concurrency)
    for container in (job.container, *(service for _, service in job.services)):
        yield from container_values(container)
    for value in (job.name, job.timeout_minutes, job.cancel_timeout_minutes, job.continue_on_error):
        if value is not None:
            yield value


def _group_values(concurrency: Concurrency | None) -> Iterator[Authored]:
    if concurrency is not None:
        yield concurrency.group
        if concurrency.cancel_in_progress is not None:
            yield concurrency.cancel_in_progress


def container_values(container: Container | None) -> Iterator[Authored]:
    """Yield every scalar of a container."""
    if container is None:
        return
    yield from (value for _, value in container.env)
    yield from (*container.ports, *container.volumes)
    texts = (container.image, container.options, container.username, container.password)
    for value in (*texts, container.entrypoint, container.command):
        if value is not None:
            yield value


def _strategy_values(strategy: Strategy) -> Iterator[Authored]:
    yield from leaves(strategy.matrix)
    for value in (strategy.whole, strategy.fail_fast, strategy.max_parallel):
        if value is not None:
            yield value


def _default_values(defaults: Defaults) -> Iterator[Authored]:
    for value in (defaults.shell, defaults.working_directory):
        if value is not None:
            yield value
