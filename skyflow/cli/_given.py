"""From options to what a run is given: inputs, variables, secrets, the event."""

import getpass
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from skyflow._util.foreign_json import read_json, whole_characters
from skyflow.app.running.inputs import AskInput
from skyflow.app.running.launch import DISPATCH, Given, GivenSecrets
from skyflow.cli._console import err
from skyflow.cli._redact import hide_from_now_on
from skyflow.errors import UsageError
from skyflow.model.run import Json
from skyflow.model.workflow import DispatchInput, InputType
from skyflow.vault.assignments import split_assignment
from skyflow.vault.secrets import read_secrets, read_variables, without_secrets

__all__ = ["ask_input", "read_given", "read_given_secrets", "warn_of_missing"]


def read_given(
    *,
    inputs: Sequence[str] | None,
    variables: Sequence[str] | None = None,
    variable_files: Sequence[Path] | None = None,
    secrets: Sequence[str] | None,
    secret_files: Sequence[Path] | None,
    event: str | None = None,
    event_name: str | None = None,
) -> Given:
    """Return what the options give.

    Raises:
        UsageError: an option or a file is not what it should be.
    """
    return Given(
        inputs=dict(split_assignment(text, option="--input") for text in inputs or ()),
        variables=read_variables(given=variables or (), files=variable_files or ()),
        secrets=read_given_secrets(secrets, secret_files),
        event_name=event_name or DISPATCH,
        event={} if event is None else _read_event(event),
    )


def read_given_secrets(secrets: Sequence[str] | None, files: Sequence[Path] | None) -> GivenSecrets:
    """Return the secrets of options, files and the environment; the keyring may be asked for more."""
    found = read_secrets(
        given=secrets or (),
        files=files or (),
        environment=os.environ,
        ask=_ask_secret if sys.stdin.isatty() else None,
    )
    hide_from_now_on(found.masks)
    for name in os.environ.keys() - without_secrets(os.environ).keys():
        del os.environ[name]  # else every process that is started, such as ssh, would have it
    return GivenSecrets(found, use_keyring=True)


def ask_input() -> AskInput | None:
    """Return what asks for inputs, or None when nobody is there to answer."""
    return _ask_input if sys.stdin.isatty() else None


def warn_of_missing(names: Sequence[str]) -> None:
    """Say which secrets are empty because nobody gave them."""
    for name in names:
        err(f"warning: the secret {name} is not given, so it is empty", style="yellow")


def _ask_secret(name: str) -> str:
    try:
        return getpass.getpass(f"{name}: ", stream=sys.stderr)
    except EOFError as error:
        raise UsageError(f"the secret {name} was not answered") from error


def _ask_input(spec: DispatchInput, problem: str | None) -> str:
    if problem is not None:
        err(f"{spec.name} {problem}", style="red")
    elif spec.description:
        err(spec.description)
    choices = {InputType.BOOLEAN: ("true", "false"), InputType.CHOICE: spec.options}.get(spec.type, ())
    sys.stderr.write(f"{spec.name} ({', '.join(choices)}): " if choices else f"{spec.name}: ")
    sys.stderr.flush()
    line = sys.stdin.readline()
    if not line:
        raise UsageError(f"input '{spec.name}' was not answered")
    return line.strip()


def _read_event(path: str) -> Mapping[str, Json]:
    try:
        text = sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8-sig")
        event: Json = read_json(whole_characters(text))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:  # JSON and UTF-8 errors are of this kind
        raise UsageError(f"{path} is not JSON: {error}") from error
    if not isinstance(event, dict):
        raise UsageError(f"{path} must hold a JSON object: the payload of an event")
    return event
