"""The library: `skyflow.load_workflow`, `skyflow.plan`, `skyflow.run`, `skyflow.resume`."""

from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from skyflow import spec
from skyflow.app.action_folders import action_folders
from skyflow.app.planning.callees import callees_in
from skyflow.app.planning.plan import plan_workflow
from skyflow.app.project import Project, find_project
from skyflow.app.running.drive import ReporterFactory, RunResult
from skyflow.app.running.launch import Given, GivenSecrets, prepare_launch
from skyflow.app.running.refusal import refuse_what_cannot_run
from skyflow.app.running.rehearsal import rehearsed
from skyflow.app.running.run import resume_run, run_workflow
from skyflow.expr import from_python, to_string
from skyflow.model.objective import Objective
from skyflow.model.placement import Plan
from skyflow.model.run import Json, RunOptions, RunRecord
from skyflow.model.workflow import Workflow
from skyflow.ports.reporter import Reporter
from skyflow.report.silent import SilentReporter
from skyflow.vault.assignments import check_name
from skyflow.vault.secrets import Secrets

__all__ = ["load_workflow", "plan", "resume", "run"]


def load_workflow(path: str | Path) -> Workflow:
    """Read and check a workflow file.

    Raises:
        UsageError: the file cannot be read.
        WorkflowInvalidError: the file has errors; `diagnostics` holds every one with its place.
    """
    return spec.load_workflow(str(path)).workflow


def plan(
    workflow: Workflow | str | Path,
    *,
    objective: Objective | str | None = None,
    providers: Collection[str] | None = None,
    jobs: int | None = None,
) -> Plan:
    """Decide where and when every job of a workflow would run, without running anything.

    Args:
        workflow: a loaded workflow, or the path of a file.
        objective: `cost`, `makespan` or `carbon`; by default what the workflow says, else cost.
        providers: use only these (`local`, `own`, `aws`, `gcp`, `azure`).
        jobs: how many jobs this machine runs at once; by default one for each CPU.

    Raises:
        PlanningError: there is no feasible plan.
        ValueError: the objective is not one.
    """
    loaded = _loaded(workflow)
    project = find_project()
    callees = callees_in(loaded, project.root)
    return _decide(loaded, callees, project, objective=objective, providers=providers, jobs=jobs)


def run(
    workflow: Workflow | str | Path,
    *,
    objective: Objective | str | None = None,
    providers: Collection[str] | None = None,
    jobs: int | None = None,
    inputs: Mapping[str, str | bool | float] | None = None,
    vars: Mapping[str, str] | None = None,
    secrets: Mapping[str, str] | None = None,
    event: Mapping[str, Json] | None = None,
    event_name: str = "workflow_dispatch",
    rehearse: bool = False,
    state: Path | None = None,
    reporter: Reporter | None = None,
) -> RunResult:
    """Plan a workflow, run it to its end, and return how it went; a failing job is a result, not an exception.

    Args:
        workflow: a loaded workflow, or the path of a file.
        objective: as for `plan`.
        providers: as for `plan`.
        jobs: as for `plan`.
        inputs: values for `on.workflow_dispatch.inputs`.
        vars: the `vars` context.
        secrets: the `secrets` context; they are hidden in output and never stored. One that the workflow names and that
            is not given is empty.
        event: `github.event`; by default only the inputs.
        event_name: `github.event_name`.
        rehearse: run all jobs on this machine, whatever they ask for; their steps find SKYFLOW_REHEARSAL set.
        state: the state database; by default `SKYFLOW_STATE`, then `.skyflow/state.db` in the project folder.
        reporter: who is told what happens meanwhile; by default nobody.

    Raises:
        UsageError: inputs are unknown, missing or of another type, or a name is not one.
        WorkflowInvalidError: the workflow has something that skyflow cannot run; nothing was started.
        PlanningError: there is no feasible plan.
        ProvisionError: the plan needs a machine that cannot be provided.
        StoreError: the state store cannot be used.
    """
    loaded = _loaded(workflow)
    project = find_project(state=state)
    folder_of = action_folders(project.root)
    refuse_what_cannot_run(spec.load_workflow(loaded.path, text=loaded.source, folder_of=folder_of))
    given = _given(inputs or {}, vars or {}, secrets, event or {}, event_name)
    launch = prepare_launch(loaded, given, project=project)
    callees = callees_in(loaded, project.root)
    chosen, called = rehearsed(loaded, callees) if rehearse else (loaded, callees)
    decided = _decide(chosen, called, project, objective=objective, providers=providers, jobs=jobs)
    return run_workflow(
        loaded,
        decided,
        callees=callees,
        project=project,
        launch=launch,
        options=RunOptions(providers=tuple(providers or ()), rehearsal=rehearse),
        reporter=_factory(reporter),
    )


def resume(
    run: str | int | None = None,
    *,
    jobs: int | None = None,
    secrets: Mapping[str, str] | None = None,
    state: Path | None = None,
    reporter: Reporter | None = None,
) -> RunResult:
    """Continue a run that was interrupted or killed; completed jobs are not run again.

    Args:
        run: its number or id; by default the newest that has not completed.
        jobs: how many jobs at once; by default as before.
        secrets: those that the run was started with; no run remembers them.
        state: the state database, as for `run`.
        reporter: who is told, as for `run`.

    Raises:
        UsageError: there is nothing to resume, or a secret is missing.
        StoreLockedError: a living process drives the run.
    """
    name = None if run is None else str(run)
    return resume_run(
        name,
        project=find_project(state=state),
        reporter=_factory(reporter),
        given=GivenSecrets(Secrets(secrets)),
        slots=jobs,
    )


def _loaded(workflow: Workflow | str | Path) -> Workflow:
    return workflow if isinstance(workflow, Workflow) else load_workflow(workflow)


def _given(
    inputs: Mapping[str, str | bool | float],
    variables: Mapping[str, str],
    secrets: Mapping[str, str] | None,
    event: Mapping[str, Json],
    event_name: str,
) -> Given:
    return Given(
        inputs={name: to_string(from_python(value)) for name, value in inputs.items()},
        variables={check_name(name, where="vars"): value for name, value in variables.items()},
        secrets=GivenSecrets(Secrets(secrets)),
        event_name=event_name,
        event=event,
    )


def _decide(
    workflow: Workflow,
    callees: Mapping[str, Workflow],
    project: Project,
    *,
    objective: Objective | str | None,
    providers: Collection[str] | None,
    jobs: int | None,
) -> Plan:
    wish = None if objective is None else Objective(objective)
    return plan_workflow(workflow, callees=callees, objective=wish, providers=providers, slots=jobs, project=project)


def _factory(reporter: Reporter | None) -> ReporterFactory:
    listener: Reporter = SilentReporter() if reporter is None else reporter

    def same_for_every_run(_: RunRecord) -> AbstractContextManager[Reporter]:
        return nullcontext(listener)

    return same_for_every_run
