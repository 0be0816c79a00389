"""What expressions can see at each place of a workflow, and how they are evaluated there."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from posixpath import normpath

from skyflow.engine.attempt_state import AttemptState, StepSequence
from skyflow.engine.conditions import job_functions, step_functions
from skyflow.engine.inside import container_entries, seen_inside
from skyflow.engine.state import JobState, RunState, local_id
from skyflow.errors import ExpressionError
from skyflow.expr import (
    BUILTINS,
    Array,
    FunctionSpec,
    Object,
    Value,
    parse_condition,
    parse_template,
    to_string,
    truthy,
)
from skyflow.expr.values import is_primitive, to_number
from skyflow.model.execution import Pairs
from skyflow.model.layout import RunFolder
from skyflow.model.workflow import INSERT, Authored, AuthoredList, AuthoredTree, EnvSpec, JobSpec, StepKeys

__all__ = [
    "EvaluationError",
    "Scope",
    "attempt_scope",
    "called_scope",
    "condition_holds",
    "environment",
    "job_scope",
    "run_variables",
    "search_path",
    "step_scope",
]

_NOT_IN_ENVIRONMENT = frozenset({"event", "repositoryUrl", "token"})
_ALONE = (("SKYFLOW_NODE_RANK", "0"), ("SKYFLOW_NUM_NODES", "1"), ("SKYFLOW_NODE_IPS", "127.0.0.1"))
"""What a step sees of the machines of its job, unless whoever runs it on several says otherwise."""


class EvaluationError(Exception):
    """An expression failed at run time; the message begins with its place in the file."""


class Scope:
    """The contexts and functions at one place of a workflow."""

    def __init__(self, file: str, contexts: Mapping[str, Value], functions: Mapping[str, FunctionSpec]) -> None:
        self._file = file
        self._contexts = contexts
        self._functions = functions

    def context(self, name: str) -> Value:
        """Return one context, null where there is none of that name."""
        return self._contexts.get(name)

    def value(self, authored: Authored) -> Value:
        """Evaluate one scalar.

        Raises:
            EvaluationError: an expression in it fails.
        """
        try:
            return authored.template.evaluate(self._contexts, functions=self._functions)
        except ExpressionError as error:
            place = f"{self._file}:{authored.span.line}:{authored.span.column}"
            raise EvaluationError(f"{place}: {error.message}") from error

    def text(self, authored: Authored) -> str:
        """Evaluate one scalar and coerce it to text."""
        return to_string(self.value(authored))

    def optional_text(self, authored: Authored | None) -> str | None:
        """Evaluate one scalar that may be missing or empty, both giving None."""
        return None if authored is None else self.text(authored) or None

    def flag(self, authored: Authored | None, *, default: bool) -> bool:
        """Evaluate a condition."""
        return default if authored is None else truthy(self.value(authored))

    def number(self, authored: Authored | None) -> float | None:
        """Evaluate a positive number that may be missing.

        Raises:
            EvaluationError: it is not a positive number.
        """
        if authored is None:
            return None
        value = self.value(authored)
        number = to_number(value)
        if not 0 < number < float("inf"):
            place = f"{self._file}:{authored.span.line}:{authored.span.column}"
            raise EvaluationError(f"{place}: expected a positive number, found '{to_string(value)}'")
        return number

    def tree(self, authored: AuthoredTree) -> Value:
        """Evaluate a whole tree."""
        if isinstance(authored, Authored):
            return self.value(authored)
        if isinstance(authored, AuthoredList):
            return Array(self.tree(item) for item in authored.items)
        return Object(self._entries((name, self.tree(item)) for name, item in authored.entries))

    def variables(self, env: EnvSpec) -> Pairs:
        """Evaluate an `env:`, `with:` or `outputs:` map to text."""
        entries = self._entries((name, self.value(value)) for name, value in env)
        return tuple((name, to_string(value)) for name, value in entries)

    def _entries(self, entries: Iterable[tuple[str, Value]]) -> Iterator[tuple[str, Value]]:
        """Put the entries of inserted maps where they belong, and evaluate keys that are expressions."""
        for name, value in entries:
            if "${{" not in name:
                yield name, value
            elif name != INSERT:
                yield self._key(name), value
            elif isinstance(value, Object):
                yield from value.items()

    def _key(self, source: str) -> str:
        try:
            template = parse_template(source, functions=self._functions)
            return to_string(template.evaluate(self._contexts, functions=self._functions))
        except ExpressionError as error:
            raise EvaluationError(f"{self._file}: the key {source}: {error.message}") from error


def job_scope(state: RunState, spec: JobSpec, job: JobState | None = None) -> Scope:
    """Return what `jobs.<id>` keys can see; with a job also its place in the matrix."""
    frame = state.frame_of(spec.id)
    contexts = {**frame.contexts, "needs": _needs(state, spec)}
    if job is not None:
        contexts |= {"matrix": job.matrix, "strategy": _strategy(job)}
    return Scope(frame.workflow.path, contexts, job_functions(state, spec))


def called_scope(state: RunState, key: str) -> Scope:
    """Return what the outputs of a called workflow can see; `key` is that of the calling job."""
    frame = state.frames[key]
    jobs = Object(
        (
            local_id(spec_id),
            Object([("result", state.spec_result(spec_id).value), ("outputs", Object(state.spec_outputs(spec_id)))]),
        )
        for spec_id in frame.spec_ids
    )
    return Scope(frame.workflow.path, {**frame.contexts, "jobs": jobs}, BUILTINS)


def attempt_scope(state: RunState, job: JobState, attempt: AttemptState) -> Scope:
    """Return what `env` and `outputs` of a job, or the `outputs` of a composite action, can see."""
    return Scope(_where(state, job, attempt), _attempt_contexts(state, job, attempt), step_functions(attempt))


def step_scope(state: RunState, job: JobState, attempt: AttemptState, step: StepKeys, step_env: Pairs = ()) -> Scope:
    """Return what the keys of a step can see; `step_env` is its own environment, once evaluated."""
    contexts = _attempt_contexts(state, job, attempt)
    contexts["github"] = _extended(contexts["github"], ("action", step.key))
    contexts["env"] = _env(*environment(attempt), step_env)
    return Scope(_where(state, job, attempt), contexts, step_functions(attempt))


def condition_holds(state: RunState, job: JobState, attempt: AttemptState, text: str) -> bool:
    """Evaluate the condition of an action's post phase, which no workflow file holds.

    Raises:
        EvaluationError: it does not parse or evaluate.
    """
    functions = step_functions(attempt)
    try:
        condition = parse_condition(text, functions=functions)
        return condition.holds(_attempt_contexts(state, job, attempt), functions=functions)
    except ExpressionError as error:
        raise EvaluationError(f"post-if: {error.message}") from error


def environment(attempt: AttemptState) -> tuple[Pairs, ...]:
    """Return the layers of variables that a step of an attempt starts from, lowest precedence first."""
    strand = attempt.strand
    calls = (sequence.call for sequence in strand.calls)
    return (attempt.job_env, attempt.step_env, strand.env, *(call.env for call in calls if call is not None))


def search_path(attempt: AttemptState) -> tuple[str, ...]:
    """Return what a step of an attempt finds before the PATH of the machine, first one first."""
    return (*attempt.strand.path, *attempt.path)


def run_variables(state: RunState, scope: Scope, job: JobState, attempt: AttemptState, key: str) -> Pairs:
    """Return the variables of every step that a workflow cannot override: `GITHUB_*`, `RUNNER_*`, `SKYFLOW_*`."""
    pairs = [("CI", "true"), ("GITHUB_ACTIONS", "true"), ("SKYFLOW", "true")]
    for prefix in ("github", "runner"):
        context = scope.context(prefix)
        if isinstance(context, Object):
            pairs += [
                (f"{prefix}_{name}".upper(), to_string(value))
                for name, value in context.items()
                if is_primitive(value) and value is not None and name not in _NOT_IN_ENVIRONMENT
            ]
    if state.options.rehearsal:
        pairs.append(("SKYFLOW_REHEARSAL", "true"))
    pairs += [*_ALONE, ("GITHUB_ACTION", key), ("SKYFLOW_JOB", job.key), ("SKYFLOW_ATTEMPT", str(attempt.number))]
    return tuple(pairs)


def _where(state: RunState, job: JobState, attempt: AttemptState) -> str:
    """Return the file that the innermost steps under way are written in."""
    call = attempt.top.call
    return state.frame_of(job.spec_id).workflow.path if call is None else call.action.path


def _attempt_contexts(state: RunState, job: JobState, attempt: AttemptState) -> dict[str, Value]:
    spec = state.specs[job.spec_id]
    contexts = dict(state.frame_of(spec.id).contexts)
    contexts["github"] = _extended(
        contexts.get("github"), ("job", local_id(spec.id)), ("run_attempt", str(attempt.number)), *_action_path(attempt)
    )
    runner = contexts.get("runner")
    if isinstance(runner, Object):
        temp = RunFolder(Path(to_string(runner.get("temp")))).temp(job.key, attempt.number)
        contexts["runner"] = _extended(runner, ("temp", str(temp)))
    if attempt.containers is not None:
        contexts |= {name: seen_inside(contexts[name], attempt.containers.mounts) for name in ("github", "runner")}
    if attempt.top.call is not None:
        contexts["inputs"] = Object(attempt.top.call.inputs)
    return contexts | {
        "needs": _needs(state, spec),
        "matrix": job.matrix,
        "strategy": _strategy(job),
        "job": _job(state, spec, attempt),
        "steps": _steps(attempt.top),
        "env": _env(*environment(attempt)),
    }


def _action_path(attempt: AttemptState) -> tuple[tuple[str, Value], ...]:
    call = attempt.top.call
    return () if call is None else (("action_path", call.folder),)


def _extended(context: Value, *pairs: tuple[str, Value]) -> Object:
    """Return an object with further entries; one that is not there counts as empty."""
    return Object([*(context.items() if isinstance(context, Object) else ()), *pairs])


def _job(state: RunState, spec: JobSpec, attempt: AttemptState) -> Object:
    """Return the `job` context: how the job stands, its containers, and which workflow file it is written in."""
    frame = state.frame_of(spec.id)
    github = frame.contexts.get("github")
    facts = {
        name: to_string(github.get(name)) if isinstance(github, Object) else ""
        for name in ("repository", "ref", "sha", "workflow_ref")
    }
    if frame is state.root:
        ref = facts["workflow_ref"]
        path = ref.removeprefix(f"{facts['repository']}/").rpartition("@")[0] or frame.workflow.path
    else:
        path = normpath(frame.workflow.path)
        ref = f"{facts['repository']}/{path}@{facts['ref']}" if facts["ref"] else path
    return Object(
        [
            ("status", attempt.verdict.value),
            *container_entries(attempt.containers),
            ("workflow_ref", ref),
            ("workflow_sha", facts["sha"]),
            ("workflow_repository", facts["repository"]),
            ("workflow_file_path", path),
        ]
    )


def _needs(state: RunState, spec: JobSpec) -> Object:
    return Object(
        (
            local_id(spec_id),
            Object([("result", state.spec_result(spec_id).value), ("outputs", Object(state.spec_outputs(spec_id)))]),
        )
        for spec_id in state.needs[spec.id]
    )


def _strategy(job: JobState) -> Object:
    return Object(
        [
            ("fail-fast", job.fail_fast),
            ("job-index", float(job.leg_index)),
            ("job-total", float(job.leg_total)),
            ("max-parallel", float(job.max_parallel or job.leg_total)),
        ]
    )


def _steps(sequence: StepSequence) -> Object:
    return Object(
        (
            step.id,
            Object(
                [
                    ("outputs", Object(state.outputs)),
                    ("outcome", state.outcome.value),
                    ("conclusion", state.conclusion.value),
                ]
            ),
        )
        for step, state in zip(sequence.steps, sequence.states, strict=True)
        if step.id is not None and state.outcome is not None and state.conclusion is not None and not state.is_held
    )


def _env(*layers: Pairs) -> Object:
    merged: dict[str, Value] = {}
    for layer in layers:
        merged.update(layer)
    return Object(merged, case_sensitive=True)
