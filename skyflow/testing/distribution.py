"""What a run may cost and take, from many simulated runs of the same plan."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from skyflow.expr import parse_template
from skyflow.model.placement import Plan
from skyflow.model.run import JobRecord, RunId, RunOptions, StepRecord
from skyflow.model.status import Conclusion, Reason
from skyflow.model.workflow import Authored, RunStep, Step, UsesStep, Workflow
from skyflow.testing.world import Nature
from skyflow.testing.world_drive import drive_in_world, scenario_store

__all__ = ["Outcome", "simulate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one simulated run went; `failures` are the jobs that did not succeed, by id, with the reasons of their own."""

    conclusion: str
    cost_usd: float
    makespan_seconds: float
    preemptions: int
    failures: tuple[tuple[str, Reason], ...] = ()


def simulate(
    workflow: Workflow,
    plan: Plan,
    *,
    runs: int,
    nature: Nature,
    callees: Mapping[str, Workflow],
    options: RunOptions = RunOptions(),
    seed: int = 0,
) -> Iterator[Outcome]:
    """Yield the outcomes of so many runs of a plan, each in a world of its own.

    Every script takes its share of the job's duration and succeeds; actions do nothing.
    """
    scripts = _with_scripts_only(workflow)
    called = {uses: _with_scripts_only(callee) for uses, callee in callees.items()}
    with tempfile.TemporaryDirectory() as folder, scenario_store(Path(folder)) as store:
        for number in range(runs):
            drive = drive_in_world(
                store,
                scripts,
                plan,
                run_id=RunId(f"simulated-{seed}-{number:08}"),
                seed=f"{seed}/{number}",
                nature=nature,
                options=options,
                callees=called,
            )
            yield Outcome(
                conclusion=str(drive.run.conclusion),
                cost_usd=drive.world.cost() + _transfers(plan),
                makespan_seconds=drive.world.clock.seconds,
                preemptions=drive.world.preemptions,
                failures=tuple(_failures(drive.jobs, store.steps(drive.run.id))),
            )


def _failures(jobs: Sequence[JobRecord], steps: Sequence[StepRecord]) -> Iterator[tuple[str, Reason]]:
    failed = {
        step.job_key: step.reason for step in steps if step.conclusion is Conclusion.FAILURE
    }  # the last attempt's
    for job in jobs:
        if job.conclusion in {Conclusion.FAILURE, Conclusion.CANCELLED}:
            reason = failed.get(job.key) if job.reason is Reason.STEP_FAILED else job.reason
            if reason not in {None, Reason.FAIL_FAST, Reason.CANCELLED}:
                yield job.spec_id, reason


def _transfers(plan: Plan) -> float:
    return sum(placement.transfer_usd for placement in plan.placements)


def _with_scripts_only(workflow: Workflow) -> Workflow:
    jobs = tuple(
        replace(spec, steps=tuple(map(_script, spec.steps)), container=None, services=()) for spec in workflow.jobs
    )
    return replace(workflow, jobs=jobs)


def _script(step: Step) -> Step:
    if not isinstance(step, UsesStep):
        return step
    nothing = Authored(parse_template("true", functions={}), step.span)
    return RunStep(
        key=step.key, id=step.id, span=step.span, condition=step.condition, name=step.name, env=step.env, run=nothing
    )
