"""`skyflow watch`."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from skyflow.cli._options import InputOption, JobsOption, SecretFileOption, SecretOption, StateOption, WorkflowArgument

if TYPE_CHECKING:
    from skyflow.app.launch import Given
    from skyflow.app.project import Project
    from skyflow.app.watch import Kind
    from skyflow.model.workflow import Workflow

__all__ = ["watch"]


def watch(
    workflow: WorkflowArgument,
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="[PATH]...", help="What to watch.  [default: the project]")
    ] = None,
    *,
    job: Annotated[str | None, typer.Option("--job", metavar="JOB", help="Only this job, and what it needs.")] = None,
    on_busy: Annotated[
        str, typer.Option("--on-busy", metavar="HOW", help="A change during a run: restart it, or queue another one.")
    ] = "restart",
    inputs: InputOption = None,
    secrets: SecretOption = None,
    secret_files: SecretFileOption = None,
    jobs: JobsOption = None,
    state: StateOption = None,
) -> None:
    """Run a workflow again whenever a file changes that git does not ignore; jobs for which nothing has changed are taken over.

    Keys: r runs again, a runs everything, f what failed, q quits.
    """
    from skyflow.app.project import find_project  # noqa: PLC0415
    from skyflow.app.watch import Busy  # noqa: PLC0415
    from skyflow.app.watch import watch as keep_watching  # noqa: PLC0415
    from skyflow.cli._console import err, is_terminal  # noqa: PLC0415
    from skyflow.cli._errors import exit_code_of  # noqa: PLC0415
    from skyflow.cli._given import read_given  # noqa: PLC0415
    from skyflow.errors import UsageError  # noqa: PLC0415

    if on_busy not in set(Busy):
        raise UsageError(f"--on-busy is restart or queue, not '{on_busy}'")
    for path in (Path(workflow), *(paths or ())):
        if not path.exists():
            raise UsageError(f"there is no {path}")
    project = find_project(state=state)
    given = read_given(
        inputs=inputs, variables=None, variable_files=None, secrets=secrets, secret_files=secret_files, event=None,
        event_name=None,
    )  # fmt: skip

    def once(kind: "Kind") -> int:
        return exit_code_of(lambda: _run(workflow, kind, job=job, given=given, jobs=jobs, project=project))

    def failed() -> None:
        if is_terminal(sys.stderr):
            sys.stderr.write("\a")

    watched = [path.resolve() for path in (*(paths or [project.root]), Path(workflow))]
    with _single_keys() as keys:
        if keys is not None:
            err("keys: r again, a all, f failed, q quit")
        keep_watching(
            watched,
            project=project,
            work=once,
            say=lambda text: err(f"skyflow: {text}", style="cyan"),
            failed=failed,
            busy=Busy(on_busy),
            keys=keys,
        )


def _run(workflow: str, kind: "Kind", *, job: str | None, given: "Given", jobs: int | None, project: "Project") -> None:
    """Do one run; the workflow is read and checked anew each time."""
    from skyflow.app.callees import callees_in  # noqa: PLC0415
    from skyflow.app.launch import prepare_launch  # noqa: PLC0415
    from skyflow.app.plan import plan_workflow  # noqa: PLC0415
    from skyflow.app.refusal import refuse_what_cannot_run  # noqa: PLC0415
    from skyflow.app.retry import retry_run  # noqa: PLC0415
    from skyflow.app.run import run_workflow  # noqa: PLC0415
    from skyflow.app.watch import Kind  # noqa: PLC0415
    from skyflow.cli._ending import announce, finish  # noqa: PLC0415
    from skyflow.cli._findings import print_warnings  # noqa: PLC0415
    from skyflow.cli._options import Format  # noqa: PLC0415
    from skyflow.cli._progress import choose_reporter  # noqa: PLC0415
    from skyflow.cli._redact import hide_from_now_on  # noqa: PLC0415
    from skyflow.model.job_cache import CacheMode  # noqa: PLC0415
    from skyflow.model.run import RunOptions  # noqa: PLC0415
    from skyflow.spec import load_workflow  # noqa: PLC0415

    loaded = load_workflow(workflow)
    print_warnings(loaded.findings)
    refuse_what_cannot_run(loaded)
    chosen = loaded.workflow if job is None else _only(loaded.workflow, job)
    launch = prepare_launch(chosen, given, project=project, ask=None)
    hide_from_now_on(launch.secrets.masks)
    callees = callees_in(chosen, project.root)
    plan = plan_workflow(chosen, callees=callees, slots=jobs, project=project)
    reporter = choose_reporter(shown=Format.TEXT, quiet=False, verbose=False)
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


def _only(workflow: "Workflow", job: str) -> "Workflow":
    """Return a workflow with one job and all that it needs."""
    from dataclasses import replace  # noqa: PLC0415 -- start-up

    from skyflow._util.text import did_you_mean  # noqa: PLC0415
    from skyflow.errors import UsageError  # noqa: PLC0415

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


@contextmanager
def _single_keys() -> Iterator[int | None]:
    """Let keys be read one by one while this lasts; None without a keyboard."""
    if not sys.stdin.isatty():
        yield None
        return
    import termios  # noqa: PLC0415 -- only for a person
    import tty  # noqa: PLC0415

    keyboard = sys.stdin.fileno()
    before = termios.tcgetattr(keyboard)
    tty.setcbreak(keyboard)
    try:
        yield keyboard
    finally:
        termios.tcsetattr(keyboard, termios.TCSADRAIN, before)
