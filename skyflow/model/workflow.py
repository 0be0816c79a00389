"""A workflow as its author wrote it, checked and with its expressions parsed, before anything is evaluated.

Every value keeps the `Span` it was read from, so that an error at run time can still point into the file.

Where GitHub takes an expression in place of a whole map, or `${{ insert }}` as a key, the map has an entry named
`INSERT`: its value evaluates to an object, whose entries belong at that place.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from skyflow.diagnostics import Span
from skyflow.expr import Template
from skyflow.model.planning import DataPlace, PlanSpec
from skyflow.model.recovery import RecoverySpec
from skyflow.model.resources import Estimate, Requirements
from skyflow.model.retry import RetryPolicy

__all__ = [
    "INSERT",
    "Authored",
    "AuthoredList",
    "AuthoredMap",
    "AuthoredTree",
    "CacheSpec",
    "CallInput",
    "CallInterface",
    "CallOutput",
    "CallSecret",
    "CallSpec",
    "CancelStep",
    "Concurrency",
    "Container",
    "Defaults",
    "DispatchInput",
    "EnvSpec",
    "InputType",
    "JobSpec",
    "Need",
    "ParallelStep",
    "RunStep",
    "Step",
    "StepKeys",
    "Strategy",
    "UsesStep",
    "WaitStep",
    "Workflow",
]

INSERT = "${{ insert }}"
"""The key of an entry whose value is a whole map to be merged in."""


@dataclass(frozen=True, slots=True)
class Authored:
    """One scalar: its parsed template (a literal where it holds no expression) and its place."""

    template: Template
    span: Span


@dataclass(frozen=True, slots=True)
class AuthoredList:
    """A sequence whose leaves may hold expressions."""

    items: tuple["AuthoredTree", ...]
    span: Span


@dataclass(frozen=True, slots=True)
class AuthoredMap:
    """A mapping whose leaves may hold expressions; keys are plain text, in file order."""

    entries: tuple[tuple[str, "AuthoredTree"], ...]
    span: Span


AuthoredTree = Authored | AuthoredList | AuthoredMap

EnvSpec = tuple[tuple[str, Authored], ...]
"""Environment variables in file order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """`defaults.run`: what run steps use that set nothing themselves."""

    shell: Authored | None = None
    working_directory: Authored | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepKeys:
    """What every kind of step has.

    `id` is the authored id or None; `key` is unique within the job either way, as on GitHub: `__run`, `__run_2`,
    `__actions_checkout`, `__self`, `__wait`, ... `condition` has `success() &&` already added where GitHub adds it; with
    `guard`, the condition of the `parallel` group around the step, both have to hold.
    """

    key: str
    id: str | None
    span: Span
    condition: Authored
    id_span: Span | None = None
    name: Authored | None = None
    env: EnvSpec = ()
    continue_on_error: Authored | None = None
    timeout_minutes: Authored | None = None
    guard: Authored | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStep(StepKeys):
    """A script: `run`. With `background` the next step does not wait for it."""

    run: Authored
    shell: Authored | None = None
    working_directory: Authored | None = None
    retry: RetryPolicy | None = None
    background: Authored | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UsesStep(StepKeys):
    """An action: `uses`, which takes no expressions, and `with`, here `inputs`."""

    uses: str
    uses_span: Span
    inputs: EnvSpec = ()
    background: Authored | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitStep(StepKeys):
    """`wait` for some background steps, by their ids, or `wait-all`: then `targets` is None."""

    targets: tuple["Need", ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelStep(StepKeys):
    """`cancel` one background step, by its id."""

    target: "Need"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParallelStep(StepKeys):
    """`parallel`: steps that run at once; the group ends when all of them have."""

    steps: tuple["RunStep | UsesStep", ...]


Step = RunStep | UsesStep | WaitStep | CancelStep | ParallelStep


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """How one job spec becomes several jobs; `whole` is an expression in place of everything else."""

    whole: Authored | None = None
    matrix: AuthoredTree | None = None
    fail_fast: Authored | None = None
    max_parallel: Authored | None = None


@dataclass(frozen=True, slots=True)
class Need:
    """One entry of `needs`, or of another list of ids."""

    job_id: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Concurrency:
    """`concurrency` of a workflow or job: at most one of a group runs, and a newer pending one replaces an older."""

    group: Authored
    span: Span
    cancel_in_progress: Authored | None = None
    queue: Authored | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """`container` of a job, or one of its `services`; an image that comes out empty means that there is none."""

    span: Span
    image: Authored | None = None
    env: EnvSpec = ()
    ports: tuple[Authored, ...] = ()
    volumes: tuple[Authored, ...] = ()
    options: Authored | None = None
    username: Authored | None = None
    password: Authored | None = None
    entrypoint: Authored | None = None
    command: Authored | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSpec:
    """A job that is a whole other workflow: `uses`, `with` (here `inputs`) and `secrets`."""

    uses: str
    span: Span
    inputs: EnvSpec = ()
    secrets: EnvSpec = ()
    inherit_secrets: bool = False


@dataclass(frozen=True, slots=True)
class ArtifactSpec:
    """One of `artifacts` of a job: a folder that it makes, under a name, and how many decimal gigabytes that may be."""

    name: str
    path: str
    gigabytes: float | None = None


@dataclass(frozen=True, slots=True)
class CheckpointSpec:
    """`checkpoint` of a job: the folder of the workspace that is kept, and how often."""

    path: str
    every_seconds: float = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheSpec:
    """`cache` of a job: which files and variables it depends on, and which files it makes."""

    inputs: tuple[Authored, ...] = ()
    env: tuple[str, ...] = ()
    outputs: tuple[Authored, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSpec:
    """One entry under `jobs:`, before matrix expansion.

    A job with `call` has no steps and no `runs_on`. `data_gb` gives the decimal gigabytes that flow in along a `needs`
    edge; `data_places` what comes from or goes to outside of the run. `inputs` are the names of artifacts of needed jobs.
    """

    id: str
    span: Span
    steps: tuple[Step, ...]
    condition: Authored
    name: Authored | None = None
    needs: tuple[Need, ...] = ()
    runs_on: AuthoredTree | None = None
    strategy: Strategy = Strategy()
    outputs: tuple[tuple[str, Authored], ...] = ()
    env: EnvSpec = ()
    defaults: Defaults = Defaults()
    timeout_minutes: Authored | None = None
    cancel_timeout_minutes: Authored | None = None
    continue_on_error: Authored | None = None
    concurrency: Concurrency | None = None
    container: Container | None = None
    services: tuple[tuple[str, Container], ...] = ()
    call: CallSpec | None = None
    requirements: Requirements = Requirements()
    estimate: Estimate | None = None
    data_gb: tuple[tuple[str, float], ...] = ()
    retry: RetryPolicy | None = None
    recovery: RecoverySpec = RecoverySpec()
    cache: CacheSpec | None = None
    checkpoint: CheckpointSpec | None = None
    artifacts: tuple[ArtifactSpec, ...] = ()
    inputs: tuple[str, ...] = ()
    data_places: tuple[DataPlace, ...] = ()


class InputType(StrEnum):
    """What kind of value an input of a workflow takes."""

    STRING = "string"
    BOOLEAN = "boolean"
    NUMBER = "number"
    CHOICE = "choice"
    ENVIRONMENT = "environment"


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchInput:
    """One of `on.workflow_dispatch.inputs`: asked of whoever starts the workflow.

    `default` is None where there is none; `options` are the values of a choice.
    """

    name: str
    span: Span
    type: InputType = InputType.STRING
    description: str = ""
    required: bool = False
    default: str | bool | float | None = None
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CallInput:
    """One of `on.workflow_call.inputs`; without `default` it is empty, false or 0."""

    name: str
    span: Span
    type: InputType
    description: str = ""
    required: bool = False
    default: Authored | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSecret:
    """One of `on.workflow_call.secrets`."""

    name: str
    span: Span
    description: str = ""
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOutput:
    """One of `on.workflow_call.outputs`, evaluated when the called workflow has ended."""

    name: str
    span: Span
    value: Authored
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallInterface:
    """`on.workflow_call`: what a caller passes in and gets back."""

    inputs: tuple[CallInput, ...] = ()
    secrets: tuple[CallSecret, ...] = ()
    outputs: tuple[CallOutput, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """One workflow file.

    `dispatch` are the inputs of `on.workflow_dispatch`; `call` is None where the workflow cannot be called; `schedules`
    are the cron expressions. `jobs` are in file order; `path` is the file as the user named it; `source` is its whole text, which a run keeps so
    that a later change of the file does not change a run that is resumed.
    """

    path: str
    source: str = field(repr=False)
    jobs: tuple[JobSpec, ...]
    name: str | None = None
    run_name: Authored | None = None
    triggers: tuple[str, ...] = ()
    dispatch: tuple[DispatchInput, ...] = ()
    call: CallInterface | None = None
    schedules: tuple[str, ...] = ()
    concurrency: Concurrency | None = None
    env: EnvSpec = ()
    defaults: Defaults = Defaults()
    plan: PlanSpec = PlanSpec()

    def job(self, job_id: str) -> JobSpec:
        """Return the job spec with this id, ignoring case as GitHub does.

        Raises:
            KeyError: there is none.
        """
        for spec in self.jobs:
            if spec.id.lower() == job_id.lower():
                return spec
        raise KeyError(job_id)
