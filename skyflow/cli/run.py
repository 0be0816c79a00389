"""`skyflow run`."""

import os
from typing import Annotated

import typer

from skyflow.cli._junit import JunitOption, check_junit, write_junit
from skyflow.cli._options import (
    DetachOption,
    EventNameOption,
    EventOption,
    Format,
    FormatOption,
    InputOption,
    JobsOption,
    JsonOption,
    ObjectiveOption,
    OnOption,
    SecretFileOption,
    SecretOption,
    StateOption,
    VarFileOption,
    VarOption,
    WorkflowArgument,
)

__all__ = ["run"]


def run(
    workflow: WorkflowArgument,
    *,
    inputs: InputOption = None,
    secrets: SecretOption = None,
    secret_files: SecretFileOption = None,
    variables: VarOption = None,
    variable_files: VarFileOption = None,
    event: EventOption = None,
    event_name: EventNameOption = None,
    jobs: JobsOption = None,
    objective: ObjectiveOption = None,
    on: OnOption = None,
    hosts: Annotated[
        list[str] | None,
        typer.Option(
            "--host",
            metavar="HOST[=JOBS]",
            help="Run all jobs there instead of here, over SSH: a name as `ssh` takes it, or ssh://USER@ADDRESS:PORT; "
            "may be repeated.",
        ),
    ] = None,
    state: StateOption = None,
    as_json: JsonOption = False,
    output_format: FormatOption = None,
    junit: JunitOption = None,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show ::debug:: lines and set RUNNER_DEBUG.  [default: if RUNNER_DEBUG=1]")
    ] = False,
    detach: DetachOption = False,
    keep_going: Annotated[
        bool, typer.Option("--keep-going", "-k", help="Let the rest of a matrix go on when one of its jobs fails.")
    ] = False,
    budget: Annotated[
        float | None, typer.Option("--budget", metavar="USD", min=0, help="Begin no job that might cost more in all.")
    ] = None,
    changed: Annotated[
        bool, typer.Option("--changed", help="Take over every job for which nothing has changed since it succeeded.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Run jobs with `cache` although nothing has changed.")] = False,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="As --force, and remember nothing.")] = False,
    rehearse: Annotated[
        bool,
        typer.Option("--rehearse", help="Run all jobs on this machine, whatever they ask for; sets SKYFLOW_REHEARSAL."),
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Leave out what steps print.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show all output, on a terminal too.")] = False,
) -> None:
    """Plan and run a workflow; what it does is stored, so that it can be resumed."""
    from skyflow.app.callees import callees_in  # noqa: PLC0415 -- start-up
    from skyflow.app.host_options import read_host  # noqa: PLC0415
    from skyflow.app.launch import prepare_launch  # noqa: PLC0415
    from skyflow.app.plan import plan_workflow  # noqa: PLC0415
    from skyflow.app.project import find_project  # noqa: PLC0415
    from skyflow.app.refusal import refuse_what_cannot_run  # noqa: PLC0415
    from skyflow.app.rehearsal import rehearsed  # noqa: PLC0415
    from skyflow.app.run import run_workflow  # noqa: PLC0415
    from skyflow.cli._detach import become_detached  # noqa: PLC0415
    from skyflow.cli._ending import announce, finish  # noqa: PLC0415
    from skyflow.cli._findings import print_warnings  # noqa: PLC0415
    from skyflow.cli._given import ask_input, read_given, warn_of_missing  # noqa: PLC0415
    from skyflow.cli._progress import choose_reporter  # noqa: PLC0415
    from skyflow.cli._redact import hide_from_now_on  # noqa: PLC0415
    from skyflow.model.run import RunOptions  # noqa: PLC0415
    from skyflow.spec import load_workflow  # noqa: PLC0415

    shown = Format.chosen(output_format, as_json=as_json)
    check_junit(junit)
    host_slots = sum(read_host(text).slots for text in hosts or ())
    project = find_project(state=state)
    loaded = load_workflow(workflow)
    print_warnings(loaded.findings)
    refuse_what_cannot_run(loaded)
    given = read_given(
        inputs=inputs,
        variables=variables,
        variable_files=variable_files,
        secrets=secrets,
        secret_files=secret_files,
        event=event,
        event_name=event_name,
    )
    launch = prepare_launch(loaded.workflow, given, project=project, ask=ask_input())
    hide_from_now_on(launch.secrets.masks)
    warn_of_missing(launch.missing_secrets)
    callees = callees_in(loaded.workflow, project.root)
    plan = plan_workflow(
        rehearsed(loaded.workflow) if rehearse else loaded.workflow,
        callees={uses: rehearsed(callee) for uses, callee in callees.items()} if rehearse else callees,
        objective=objective,
        providers=on,
        slots=jobs,
        project=project,
    )
    reporter = choose_reporter(shown=shown, quiet=quiet, verbose=verbose)
    reporter = become_detached(project) if detach else announce(reporter, host_slots or plan.local_slots, shown=shown)
    result = run_workflow(
        loaded.workflow,
        plan,
        callees=callees,
        project=project,
        launch=launch,
        debug=debug or os.environ.get("RUNNER_DEBUG") == "1",
        options=RunOptions(
            keep_going=keep_going,
            budget_usd=budget,
            cache=_cache_mode(changed=changed, force=force, no_cache=no_cache),
            hosts=tuple(hosts or ()),
            rehearsal=rehearse,
        ),
        reporter=reporter,
    )
    write_junit(junit, project, result.run.id)
    finish(result, shown=shown)


def _cache_mode(*, changed: bool, force: bool, no_cache: bool) -> str:
    from skyflow.errors import UsageError  # noqa: PLC0415 -- start-up
    from skyflow.model.job_cache import CacheMode  # noqa: PLC0415

    if changed + force + no_cache > 1:
        raise UsageError("--changed, --force and --no-cache contradict each other", hint="give one of them")
    if changed:
        return CacheMode.CHANGED
    return CacheMode.FORCE if force else CacheMode.OFF if no_cache else CacheMode.DECLARED
