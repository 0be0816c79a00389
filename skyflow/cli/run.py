"""`skyflow run`."""

import os
from typing import TYPE_CHECKING, TypedDict

from skyflow.cli._junit import JunitOption
from skyflow.cli._options import (
    DetachOption,
    EventNameOption,
    EventOption,
    FormatOption,
    InputOption,
    JobsOption,
    JsonOption,
    ObjectiveOption,
    OnOption,
    QuietOption,
    SecretFileOption,
    SecretOption,
    StateOption,
    VarFileOption,
    VarOption,
    VerboseOption,
    WorkflowArgument,
)
from skyflow.cli._run_options import (
    BudgetOption,
    ChangedOption,
    DebugOption,
    ForceOption,
    HostOption,
    KeepForOption,
    KeepGoingOption,
    KeepOption,
    NoCacheOption,
    NowOption,
    RehearseOption,
    read_keep,
)
from skyflow.cli._showing import Showing

if TYPE_CHECKING:
    from collections.abc import Callable

    from skyflow.app.project import Project
    from skyflow.app.running.launch import Given
    from skyflow.model.objective import Objective
    from skyflow.model.placement import Plan
    from skyflow.model.run import RunOptions

__all__ = ["run"]


class _Planning(TypedDict):
    """What the options say about the plan."""

    objective: "Objective | None"
    providers: list[str] | None
    slots: int | None
    wait_seconds: float | None


def run(
    workflow: WorkflowArgument = None,
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
    hosts: HostOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
    output_format: FormatOption = None,
    junit: JunitOption = None,
    debug: DebugOption = False,
    detach: DetachOption = False,
    keep_going: KeepGoingOption = False,
    keep: KeepOption = False,
    keep_for: KeepForOption = None,
    budget: BudgetOption = None,
    changed: ChangedOption = False,
    force: ForceOption = False,
    no_cache: NoCacheOption = False,
    rehearse: RehearseOption = False,
    now: NowOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Plan and run a workflow; what it does is stored, so that it can be resumed."""
    from skyflow.app.project import find_project  # noqa: PLC0415 -- start-up
    from skyflow.app.workflow_files import only_workflow  # noqa: PLC0415
    from skyflow.cli._given import read_given  # noqa: PLC0415
    from skyflow.model.run import RunOptions  # noqa: PLC0415

    _begin(
        workflow or only_workflow(),
        lambda: read_given(
            inputs=inputs, variables=variables, variable_files=variable_files, secrets=secrets,
            secret_files=secret_files, event=event, event_name=event_name,
        ),
        project=find_project(state=state),
        planning={"objective": objective, "providers": on, "slots": jobs, "wait_seconds": 0 if now or rehearse else None},
        options=RunOptions(
            keep_going=keep_going, budget_usd=budget, cache=_cache_mode(changed=changed, force=force, no_cache=no_cache),
            providers=tuple(on or ()), hosts=tuple(hosts or ()), rehearsal=rehearse,
            keep_seconds=read_keep(keep=keep, keep_for=keep_for),
        ),
        debug=debug or os.environ.get("RUNNER_DEBUG") == "1",
        showing=Showing.chosen(
            output_format, as_json=as_json, quiet=quiet, verbose=verbose, detach=detach, junit=junit
        ),
    )  # fmt: skip


def _begin(
    workflow: str,
    read_given: "Callable[[], Given]",
    *,
    project: "Project",
    planning: _Planning,
    options: "RunOptions",
    debug: bool,
    showing: Showing,
) -> None:
    from skyflow.app.action_folders import action_folders  # noqa: PLC0415 -- start-up
    from skyflow.app.planning.callees import callees_in  # noqa: PLC0415
    from skyflow.app.planning.host_options import read_host  # noqa: PLC0415
    from skyflow.app.planning.plan import plan_workflow  # noqa: PLC0415
    from skyflow.app.running.launch import prepare_launch  # noqa: PLC0415
    from skyflow.app.running.refusal import refuse_what_cannot_run  # noqa: PLC0415
    from skyflow.app.running.rehearsal import rehearsed  # noqa: PLC0415
    from skyflow.app.running.run import run_workflow  # noqa: PLC0415
    from skyflow.cli._findings import print_warnings  # noqa: PLC0415
    from skyflow.cli._given import ask_input, warn_of_missing  # noqa: PLC0415
    from skyflow.cli._redact import hide_from_now_on  # noqa: PLC0415
    from skyflow.spec import load_workflow  # noqa: PLC0415

    host_slots = sum(read_host(text).slots for text in options.hosts)
    loaded = load_workflow(workflow, folder_of=action_folders(project.root))
    print_warnings(loaded.findings)
    refuse_what_cannot_run(loaded)
    launch = prepare_launch(loaded.workflow, read_given(), project=project, ask=ask_input())
    hide_from_now_on(launch.secrets.masks)
    warn_of_missing(launch.missing_secrets)
    callees = callees_in(loaded.workflow, project.root)
    chosen, called = rehearsed(loaded.workflow, callees) if options.rehearsal else (loaded.workflow, callees)
    plan = plan_workflow(chosen, callees=called, project=project, **planning)
    _warn_of_no_effect(plan, options)
    result = run_workflow(
        loaded.workflow,
        plan,
        callees=callees,
        project=project,
        launch=launch,
        debug=debug,
        options=options,
        reporter=showing.reporter(project, host_slots or plan.local_slots),
    )
    showing.finish(result, project)


def _warn_of_no_effect(plan: "Plan", options: "RunOptions") -> None:
    """Say which options change nothing, as the run is planned."""
    from skyflow.app.machines.renting import rented_placements  # noqa: PLC0415 -- start-up
    from skyflow.cli._console import err  # noqa: PLC0415
    from skyflow.model.resources import LOCAL  # noqa: PLC0415

    if options.keep_seconds and not rented_placements(plan):
        err("warning: no job is planned on a rented machine, so none will be kept", style="yellow")
    if options.hosts and plan.placements and all(each.offering.provider != LOCAL for each in plan.placements):
        err("warning: no job is planned on this machine, so --host takes the place of nothing", style="yellow")


def _cache_mode(*, changed: bool, force: bool, no_cache: bool) -> str:
    from skyflow.errors import UsageError  # noqa: PLC0415 -- start-up
    from skyflow.model.job_cache import CacheMode  # noqa: PLC0415

    if changed + force + no_cache > 1:
        raise UsageError("--changed, --force and --no-cache contradict each other", hint="give one of them")
    if changed:
        return CacheMode.CHANGED
    return CacheMode.FORCE if force else CacheMode.OFF if no_cache else CacheMode.DECLARED
