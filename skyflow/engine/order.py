"""The steps of a job in the order in which the engine goes through them."""

from collections.abc import Iterable
from dataclasses import replace

from skyflow.expr import Template, parse_condition, parse_template
from skyflow.expr.ast import Literal
from skyflow.model.workflow import Authored, CancelStep, JobSpec, Need, ParallelStep, RunStep, Step, UsesStep, WaitStep

__all__ = ["in_order", "steps_of"]

_UPLOAD = "actions/upload-artifact@v4"
_DOWNLOAD = "actions/download-artifact@v4"


def steps_of(spec: JobSpec, needed: Iterable[JobSpec]) -> tuple[Step, ...]:
    """Return all steps of a job: what brings its inputs, its own in order, what keeps the artifacts that it declares.

    `needed` are the jobs that it needs, some of which make its inputs.
    """
    made = {artifact.name: artifact.path for job in needed for artifact in job.artifacts}
    inputs = (
        _carry(spec, _DOWNLOAD, f"Get {name}", name=name, path=made[name]) for name in spec.inputs if name in made
    )
    artifacts = (
        _carry(
            spec,
            _UPLOAD,
            f"Keep {each.name}",
            name=each.name,
            path=f"{each.path}/**",
            **{"if-no-files-found": "error", "include-hidden-files": "true"},
        )
        for each in spec.artifacts
    )
    return (*inputs, *in_order(spec.steps), *artifacts)


def _carry(spec: JobSpec, uses: str, title: str, **inputs: str) -> UsesStep:
    success = parse_condition("")
    return UsesStep(
        key=f"__{title.replace(' ', '_').lower()}",
        id=None,
        span=spec.span,
        condition=Authored(Template(success.source, success.expr), spec.span),
        name=Authored(_text(title), spec.span),
        uses=uses,
        uses_span=spec.span,
        inputs=tuple((name, Authored(_text(value), spec.span)) for name, value in inputs.items()),
    )


def _text(text: str) -> Template:
    """Return a text as it is, whatever is in it."""
    return Template(text, Literal(text, 0, len(text)))


def in_order(steps: Iterable[Step]) -> tuple[Step, ...]:
    """Return the steps of a job one after the other.

    A `parallel` group becomes its members and a wait for them. At the end all is waited for that nothing else has named;
    GitHub adds such a step as well.
    """
    flat = [each for step in steps for each in (_members(step) if isinstance(step, ParallelStep) else (step,))]
    if not _is_all_waited_for(flat):
        last = flat[-1]
        flat.append(
            WaitStep(key="__implicit_wait_all", id=None, span=last.span, condition=last.condition, targets=None)
        )
    return tuple(flat)


def _members(group: ParallelStep) -> tuple[Step, ...]:
    members = tuple(replace(member, guard=group.condition) for member in group.steps)
    default_name = Authored(parse_template(f"Wait for {len(members)} parallel steps", functions={}), group.span)
    wait = WaitStep(
        key=group.key,
        id=group.id,
        span=group.span,
        condition=group.condition,
        name=group.name or default_name,
        continue_on_error=group.continue_on_error,
        targets=tuple(Need(member.key, member.span) for member in members),
    )
    return (*members, wait)


def _is_all_waited_for(steps: Iterable[Step]) -> bool:
    loose: set[str] = set()
    for step in steps:
        if isinstance(step, RunStep | UsesStep):
            if step.guard is not None or step.background is not None:
                loose.add(step.key)
        elif isinstance(step, CancelStep):
            loose.discard(step.target.job_id)
        elif isinstance(step, WaitStep):
            named = None if step.targets is None else {target.job_id for target in step.targets}
            loose = set() if named is None else loose - named
    return not loose
