"""What a run is started with, beside its workflow and its plan: the event, inputs, variables and secrets."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from skyflow.app.project import Project
from skyflow.app.running.inputs import AskInput, Inputs, resolve_inputs
from skyflow.errors import UsageError
from skyflow.expr import Object, from_python, to_string
from skyflow.model.run import Json
from skyflow.model.workflow import Workflow
from skyflow.vault.references import SecretReferences, secret_references
from skyflow.vault.secrets import Secrets
from skyflow.vault.system_keyring import ask_keyring, service_name

__all__ = ["DISPATCH", "Given", "GivenSecrets", "Launch", "prepare_launch"]

DISPATCH = "workflow_dispatch"
"""The event of a workflow that is started by hand."""


@dataclass(frozen=True, slots=True)
class GivenSecrets:
    """Secrets as the user gave them, and whether the keyring may be asked for others."""

    secrets: Secrets = field(default_factory=Secrets)
    use_keyring: bool = False

    def completed(self, names: Iterable[str], project: Project) -> Secrets:
        """Return the secrets, together with those of the named ones that only the keyring has."""
        if not self.use_keyring:
            return self.secrets
        missing = [name for name in names if name not in self.secrets]
        return self.secrets.joined_by(ask_keyring(service_name(project.root.name), missing))


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What the user gave, not yet held against the workflow. Without `event` the run is started by hand."""

    inputs: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    secrets: GivenSecrets = field(default_factory=GivenSecrets)
    event_name: str = DISPATCH
    event: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """What one run is started with."""

    inputs: Mapping[str, Json] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    secrets: Secrets = field(default_factory=Secrets)
    references: SecretReferences = field(default_factory=SecretReferences)
    event_name: str = DISPATCH
    event: Mapping[str, Json] = field(default_factory=dict)

    @property
    def missing_secrets(self) -> tuple[str, ...]:
        """The secrets that the workflow names and that were not given."""
        return tuple(sorted(name for name in self.references.names if name not in self.secrets))

    @property
    def used_secrets(self) -> tuple[str, ...]:
        """The names of the secrets that were given and may be used."""
        return tuple(sorted(name for name in self.secrets if self.references.may_use(name)))


def prepare_launch(workflow: Workflow, given: Given, *, project: Project, ask: AskInput | None = None) -> Launch:
    """Hold what was given against what the workflow wants.

    Args:
        workflow: what will be run.
        given: what the user gave.
        project: whose keyring entries may be used.
        ask: asks the user for a required input that is missing.

    Raises:
        UsageError: inputs are unknown, missing or wrong.
    """
    references = secret_references(workflow)
    inputs = _inputs(workflow, given, ask)
    event = dict(given.event)
    if given.event_name == DISPATCH:
        event["inputs"] = dict(inputs.texts)
    return Launch(
        inputs=inputs.values,
        variables=given.variables,
        secrets=given.secrets.completed(references.names, project),
        references=references,
        event_name=given.event_name,
        event=event,
    )


def _inputs(workflow: Workflow, given: Given, ask: AskInput | None) -> Inputs:
    if given.event_name != DISPATCH:
        if given.inputs:
            raise UsageError(
                f"--input belongs to {DISPATCH}, not to the event '{given.event_name}'",
                hint="put what the workflow wants to know into the file of --event",
            )
        return Inputs()
    in_event = from_python(given.event.get("inputs"))
    texts: dict[str, str] = {}
    if isinstance(in_event, Object):
        texts = {name.lower(): to_string(value) for name, value in in_event.items()}
    texts |= {name.lower(): text for name, text in given.inputs.items()}
    return resolve_inputs(workflow.dispatch, texts, ask=ask)
