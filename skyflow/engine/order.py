"""The steps of a job in the order in which the engine goes through them."""

from collections.abc import Iterable
from dataclasses import replace

from skyflow.expr import parse_template
from skyflow.model.workflow import Authored, CancelStep, Need, ParallelStep, RunStep, Step, UsesStep, WaitStep

__all__ = ["in_order"]


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
