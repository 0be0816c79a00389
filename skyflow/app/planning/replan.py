"""Plans the rest of a run anew: what has ended or runs stays where it is, what has been lost is left out."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count
from pathlib import Path
from types import MappingProxyType
from typing import cast

from skyflow._util.foreign_json import read_json
from skyflow.app.planning.callees import callees_from
from skyflow.app.planning.plan import Planning, PlanOptions, prepare_planning
from skyflow.app.planning.plan_views import diff_plans
from skyflow.app.project import Project
from skyflow.errors import StoreLockedError, UsageError
from skyflow.model.catalog import Offering
from skyflow.model.placement import Plan
from skyflow.model.plan_view import PlanDiff
from skyflow.model.run import JobRecord, Json, RunRecord
from skyflow.model.status import Status
from skyflow.model.workflow import Workflow
from skyflow.spec import load_workflow
from skyflow.store.lease import hold_lease, lease_holder
from skyflow.store.store import open_store

__all__ = ["Rest", "adopt_plan", "named_plan", "prepare_rest", "replan_run", "with_known_machines"]


def named_plan(name: str, project: Project) -> Plan:
    """Return the plan of a run, or the one in a JSON file.

    Raises:
        UsageError: there is neither, or it is of a form that this skyflow does not read.
    """
    if Path(name).is_file():
        try:
            data = read_json(Path(name).read_bytes())
        except (OSError, ValueError) as error:
            raise UsageError(f"cannot read {name}: {error}") from error
        return _read_plan(data, of=name)
    with open_store(project.state, create=False) as store:
        return _plan_of_run(store.find_run(name))


def _plan_of_run(run: RunRecord) -> Plan:
    return _read_plan(run.plan, of=f"run {run.number}")


def _read_plan(data: object, *, of: str) -> Plan:
    try:
        return Plan.from_json(data if isinstance(data, Mapping) else {})
    except ValueError as error:
        raise UsageError(f"{of} has no plan that can be read: {error}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """What is left of a run, ready to be planned; all of it where the run has completed.

    `old` is the plan it has, `elapsed_seconds` how long it has been under way, 0 for one that has completed.
    """

    title: str
    is_completed: bool
    old: Plan
    planning: Planning
    elapsed_seconds: float = 0.0
    ended: frozenset[str] = frozenset()
    """The jobs that are left out because they have ended."""

    def plan(self) -> Plan:
        """Decide where the rest runs, under the goal of the old plan; the machines that are there keep their names.

        Raises:
            InfeasibleError: no plan keeps the limits.
        """
        plan = self.planning.plan(goal=self.old.goal, before=self.old)
        if not self.is_completed:
            plan = plan.keeping_pace(self.old, self.elapsed_seconds)
        return with_known_machines(plan, self.old, ended=self.ended)


def prepare_rest(
    name: str,
    *,
    project: Project,
    now: datetime,
    lost: Collection[str] = (),
    options: PlanOptions | None = None,
    moving: Collection[str] = (),
    read: tuple[Workflow, Mapping[str, Workflow]] | None = None,
) -> Rest:
    """Find what is left to plan of a run; arguments and errors are those of `replan_run`, but it may have completed.

    `moving` are the keys of jobs that have to go elsewhere although they are under way; `read` is what the run was started
    from and the workflows that this may call, where they have been read already: that is most of the work.
    """
    with open_store(project.state, create=False) as store:
        run = store.find_run(name)
        jobs = store.jobs(run.id)
    old = _plan_of_run(run)
    _refuse_unknown(lost, old)
    is_completed = run.status is Status.COMPLETED
    if read is None:
        workflow = load_workflow(project.path_of(run.workflow_path), text=run.workflow_source).workflow
        read = workflow, callees_from(workflow, run.callee_sources)
    asked = options or PlanOptions()
    if not is_completed:
        wait = asked.wait_seconds
        if wait is None:
            wait = _wait_left(old, read[0], run, now)
        asked = replace(asked, begins_at=asked.begins_at or now, wait_seconds=wait)
    asked = replace(
        asked,
        slots=run.slots,
        pinned=MappingProxyType({} if is_completed else _pinned(old, jobs, now, moving=moving)),
        lost=frozenset(lost),
    )
    return Rest(
        title=f"run {run.number}: {run.title}",
        is_completed=is_completed,
        old=old,
        planning=prepare_planning(read[0], callees=read[1], options=asked, project=project),
        elapsed_seconds=0.0 if is_completed else run.elapsed_seconds(now),
        ended=frozenset(job.key for job in jobs if job.status is Status.COMPLETED),
    )


def _wait_left(old: Plan, workflow: Workflow, run: RunRecord, now: datetime) -> float | None:
    """Return for how long from now jobs may still wait for cleaner power; None for as long as the deadline allows.

    A run that began with a plan in which nobody may wait, because its user said `--now`, goes on like that.
    """
    if old.begins_at is None:
        return 0.0
    if workflow.plan.wait_seconds is None:
        return None
    return max(workflow.plan.wait_seconds - run.elapsed_seconds(now), 0.0)


def replan_run(
    name: str,
    *,
    project: Project,
    now: datetime,
    lost: Collection[str] = (),
) -> PlanDiff:
    """Return the old plan of a run and a new one for what is left of it, from now on.

    Jobs that have ended are where they were and take no more time or money; a running job stays and takes what is left
    of its estimate. `lost` are ids of offerings, such as `aws/us-east-1/m6i.xlarge/spot`, that cannot be had any more.

    Raises:
        UsageError: there is no such run, it has completed, or an offering is not known.
        PlanningError: there is no plan without what has been lost.
    """
    with open_store(project.state, create=False) as store:
        run = store.find_run(name)
    if run.status is Status.COMPLETED:
        raise UsageError(f"run {run.number} has completed; there is nothing left to plan")
    rest = prepare_rest(run.id, project=project, now=now, lost=lost)
    return diff_plans(rest.old, rest.plan())


def with_known_machines(plan: Plan, old: Plan, *, ended: Collection[str]) -> Plan:
    """Return a plan in which jobs that stay where they were have the machines that they had in the old one.

    The planner numbers machines anew, and knows none that waits for its next job after one that has ended: whoever was to
    take that over still is. No two jobs that have not ended share a machine but those that the new plan says.
    """
    had = {(each.job, each.offering.id): each.machine for each in old.placements}
    fresh = (name for name in map("m{}".format, count(1)) if name not in had.values())
    names, taken = {"": ""}, set[str]()
    for first in plan.placements:
        if first.machine in names:
            continue
        known = had.get((first.job, first.offering.id))
        if known in taken:
            known = None
        elif known and first.job not in ended:
            taken.add(known)
        names[first.machine] = known or next(fresh)
    return replace(plan, placements=tuple(replace(each, machine=names[each.machine]) for each in plan.placements))


def adopt_plan(name: str, plan: Plan, *, project: Project, now: datetime, why: str) -> RunRecord:
    """Let a run that nobody drives go on by another plan for what is left of it, once it is resumed.

    Raises:
        UsageError: there is no such run, it has completed, or somebody drives it.
    """
    with open_store(project.state, create=False) as store:
        run = store.find_run(name)
        try:
            with hold_lease(project.state.run(run.id)):
                if store.find_run(run.id).status is Status.COMPLETED:
                    raise UsageError(f"run {run.number} has completed; there is nothing left to plan")
                ended = {job.key for job in store.jobs(run.id) if job.status is Status.COMPLETED}
                named = with_known_machines(plan, _plan_of_run(run), ended=ended)
                store.replace_plan(run.id, cast("Json", named.to_json()), now, why=why)
        except StoreLockedError as error:
            driver = lease_holder(project.state.run(run.id))
            raise UsageError(
                f"run {run.number} is under way, and goes on by the plan that it has",
                hint="interrupt it first, with Ctrl-C where it runs" + (f" or `kill -INT {driver}`" if driver else ""),
            ) from error
    return run


def _pinned(
    plan: Plan, jobs: Collection[JobRecord], now: datetime, *, moving: Collection[str]
) -> dict[str, tuple[Offering, float]]:
    placements = {placement.job: placement for placement in plan.placements}
    pinned = {}
    for job in jobs:
        placement = placements.get(job.key)
        if placement is None or job.started_at is None or job.key in moving:
            continue
        if job.status is Status.COMPLETED:
            pinned[job.key] = (placement.offering, 0.0)
        elif job.status is Status.IN_PROGRESS:
            elapsed = (now - job.started_at).total_seconds()
            pinned[job.key] = (placement.offering, max(0.0, placement.duration_seconds - elapsed))
    return pinned


def _refuse_unknown(lost: Collection[str], plan: Plan) -> None:
    known = [placement.offering.id for placement in plan.placements]
    for one in lost:
        if one.count("/") != 3:  # noqa: PLR2004 -- provider, place, type, market
            raise UsageError(f"'{one}' names no offering", hint=f"for example {known[0]}" if known else None)
