"""One run of `skyflow watch`, done by a process that is forked for it.

The process it is forked from has imported all of this, so that a run begins within a moment of a change.
"""

from dataclasses import replace

import anyio._backends._asyncio  # noqa: F401 -- like the next ones, what others import only where they use it

import skyflow.catalog.cache
import skyflow.planner.plan
import skyflow.report.annotations
import skyflow.report.plain
import skyflow.report.summary
import skyflow.spec.load  # noqa: F401
from skyflow._util.text import did_you_mean
from skyflow.app.action_folders import action_folders
from skyflow.app.planning.callees import callees_in
from skyflow.app.planning.plan import plan_workflow
from skyflow.app.project import Project
from skyflow.app.running.launch import Given, prepare_launch
from skyflow.app.running.refusal import refuse_what_cannot_run
from skyflow.app.running.retry import retry_run
from skyflow.app.running.run import run_workflow
from skyflow.app.running.watch import Kind
from skyflow.cli._ending import announce, finish
from skyflow.cli._findings import print_warnings
from skyflow.cli._options import Format
from skyflow.cli._progress import choose_reporter
from skyflow.cli._redact import hide_from_now_on
from skyflow.errors import UsageError
from skyflow.model.job_cache import CacheMode
from skyflow.model.run import RunOptions
from skyflow.model.workflow import Workflow
from skyflow.spec import load_workflow

__all__ = ["watched_run"]


def watched_run(
    workflow: str, kind: Kind, *, job: str | None, given: Given, jobs: int | None, project: Project
) -> None:
    """Do one run; the workflow is read and checked anew each time.

    Raises:
        SkyflowError: it cannot be run.
        typer.Exit: it has ended, with its exit code.
    """
    loaded = load_workflow(workflow, folder_of=action_folders(project.root))
    print_warnings(loaded.findings)
    refuse_what_cannot_run(loaded)
    chosen = loaded.workflow if job is None else _only(loaded.workflow, job)
    launch = prepare_launch(chosen, given, project=project, ask=None)
    hide_from_now_on(launch.secrets.masks)
    callees = callees_in(chosen, project.root)
    plan = plan_workflow(chosen, callees=callees, slots=jobs, project=project)
    reporter = choose_reporter(shown=Format.TEXT, quiet=False, verbose=False, project=project)
    announced = announce(reporter, plan.local_slots, shown=Format.TEXT)
    if kind is Kind.FAILED:
        result = retry_run(
            "latest", job=None, failed_only=True, project=project, reporter=announced, given=given.secrets, slots=jobs
        )
        finish(result, shown=Format.TEXT)
    result = run_workflow(
        chosen,
        plan,
        callees=callees,
        project=project,
        launch=launch,
        options=RunOptions(cache=CacheMode.FORCE if kind is Kind.ALL else CacheMode.CHANGED),
        reporter=announced,
    )
    finish(result, shown=Format.TEXT)


def _only(workflow: Workflow, job: str) -> Workflow:
    """Return a workflow with one job and all that it needs."""
    known = {spec.id.lower(): spec for spec in workflow.jobs}
    if job.lower() not in known:
        raise UsageError(f"there is no job '{job}'", hint=did_you_mean(job, [spec.id for spec in workflow.jobs]))
    wanted = {job.lower(): None}
    waiting = [job.lower()]
    while waiting:
        for need in known[waiting.pop()].needs:
            if need.job_id.lower() not in wanted:
                wanted[need.job_id.lower()] = None
                waiting.append(need.job_id.lower())
    return replace(workflow, jobs=tuple(spec for spec in workflow.jobs if spec.id.lower() in wanted))
