"""The contexts that stay the same during a run: `github`, `runner`, `vars`, `inputs`.

`secrets` and `github.token` are not among them: they are added while a run is driven, and never stored.
"""

import getpass
import os
import platform
import subprocess
from collections.abc import Mapping
from pathlib import Path

from skyflow.app.project import Project
from skyflow.app.running.launch import DISPATCH, Launch
from skyflow.engine.contexts import EvaluationError, Scope
from skyflow.errors import ExpressionError
from skyflow.expr import BUILTINS, Object, from_python
from skyflow.model.run import Json, RunId
from skyflow.model.workflow import Workflow
from skyflow.vault.assignments import TOKEN
from skyflow.vault.secrets import Secrets

__all__ = ["display_name", "in_another_run", "run_contexts", "with_secrets"]

_GIT_SECONDS = 5
_BRANCH, _TAG = "refs/heads/", "refs/tags/"


def run_contexts(
    project: Project, *, run_id: RunId, workflow: Workflow, launch: Launch, debug: bool = False
) -> dict[str, dict[str, Json]]:
    """Return the contexts of a new run, as they are stored with it.

    `github` has the properties of GitHub's that mean something on this machine; those that name a commit are empty
    outside a Git repository.
    """
    runner: dict[str, Json] = {
        "name": platform.node() or "local",
        "os": {"Darwin": "macOS"}.get(platform.system(), platform.system()),
        "arch": _ARCHITECTURES.get(platform.machine().lower(), platform.machine()),
        "environment": "self-hosted",
        "temp": str(project.state.run(run_id).root),
        "tool_cache": str(project.state.tools),
    }
    if debug:
        runner["debug"] = "1"
    return {
        "github": _github(project, run_id=run_id, workflow=workflow, launch=launch),
        "runner": runner,
        "vars": dict(launch.variables),
        "secrets": {},
        "inputs": dict(launch.inputs),
    }


def _github(project: Project, *, run_id: RunId, workflow: Workflow, launch: Launch) -> dict[str, Json]:
    head = _git(project.root, "rev-parse", "HEAD")
    remote = _git(project.root, "config", "--get", "remote.origin.url") if head else ""
    repository = _repository(remote) or f"local/{project.root.name}"
    user = _user()
    ref, sha, refs = _commit(project, launch, head)
    return {
        "actor": user,
        "api_url": "https://api.github.com",
        **refs,
        "event": dict(launch.event),
        "event_name": launch.event_name,
        "event_path": str(project.state.run(run_id).event),
        "graphql_url": "https://api.github.com/graphql",
        "ref": ref,
        "ref_name": ref.removeprefix(_BRANCH).removeprefix(_TAG).removeprefix("refs/pull/"),
        "ref_protected": False,
        "ref_type": "tag" if ref.startswith(_TAG) else "branch",
        "repository": repository,
        "repository_owner": repository.split("/")[0],
        "repositoryUrl": remote,
        "run_id": run_id,
        "server_url": "https://github.com",
        "sha": sha,
        "triggering_actor": user,
        "workflow": workflow.name or project.name_of(workflow.path),
        "workflow_ref": _workflow_ref(project, repository, workflow, ref),
        "workflow_sha": sha,
        "workspace": str(project.root),
    }


def _commit(project: Project, launch: Launch, head: str) -> tuple[str, str, dict[str, Json]]:
    """Return the ref and the commit of a run, and the branches of a pull request: what the event says, else Git."""
    event = launch.event
    ref = _text(event, "ref") if launch.event_name != DISPATCH else ""
    if not ref and head:
        ref = _git(project.root, "rev-parse", "--symbolic-full-name", "HEAD")
    pull = event.get("pull_request")
    refs: dict[str, Json] = {
        f"{side}_ref": _text(pull.get(side), "ref") if isinstance(pull, dict) else "" for side in ("base", "head")
    }
    number = event.get("number")
    if isinstance(pull, dict) and isinstance(number, int):
        ref = f"refs/pull/{number}/merge"
    return ref if ref != "HEAD" else "", _text(event, "after") or head, refs


def _text(value: Json | Mapping[str, Json], key: str) -> str:
    found = value.get(key) if isinstance(value, Mapping) else None
    return found if isinstance(found, str) else ""


def _workflow_ref(project: Project, repository: str, workflow: Workflow, ref: str) -> str:
    """Return `owner/name/path/of/workflow.yml@ref` for a file in a Git repository, else the path as it was named."""
    name = project.name_of(workflow.path)
    if not ref or Path(name).is_absolute():
        return workflow.path
    return f"{repository}/{name}@{ref}"


def in_another_run(contexts: Mapping[str, Json], project: Project, run_id: RunId) -> dict[str, Json]:
    """Return stored contexts as they are in a run that retries the one they are of."""
    folder = project.state.run(run_id)
    changed: dict[str, dict[str, Json]] = {
        "github": {"run_id": run_id, "event_path": str(folder.event)},
        "runner": {"temp": str(folder.root)},
    }
    return {
        name: {**context, **changed.get(name, {})} if isinstance(context, dict) else context
        for name, context in contexts.items()
    }


def with_secrets(contexts: Mapping[str, Json], secrets: Secrets) -> dict[str, Json]:
    """Return stored contexts together with what is never stored: `secrets`, and `github.token` if it was given."""
    complete: dict[str, Json] = {**contexts, "secrets": dict(secrets.items())}
    token, github = secrets.get(TOKEN), contexts.get("github")
    if token is not None and isinstance(github, dict):
        complete["github"] = {**github, "token": token}
    return complete


def display_name(workflow: Workflow, contexts: Mapping[str, Json], secrets: Secrets, number: int) -> str | None:
    """Return what `run-name` makes of a run, in one line, or None where it says nothing.

    Raises:
        ExpressionError: it cannot be evaluated.
    """
    if workflow.run_name is None:
        return None
    values = {name: from_python(value) for name, value in contexts.items()}
    github = values["github"]
    if isinstance(github, Object):
        values["github"] = Object([*github.items(), ("run_number", str(number)), ("run_attempt", "1")])
    try:
        name = Scope(workflow.path, values, BUILTINS).text(workflow.run_name)
    except EvaluationError as error:
        raise ExpressionError(str(error)) from error
    for mask in secrets.masks:  # a secret may have been given as an input, too
        name = name.replace(mask, "***")
    return " ".join(name.split()) or None


_ARCHITECTURES: Mapping[str, str] = {"x86_64": "X64", "amd64": "X64", "aarch64": "ARM64", "arm64": "ARM64"}
"""GitHub's names in `runner.arch`."""


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in some containers
        return str(os.getuid())


def _repository(remote: str) -> str:
    """Return `owner/name` of a remote address such as `git@github.com:owner/name.git`."""
    parts = remote.removesuffix(".git").replace(":", "/").rstrip("/").split("/")
    return "/".join(parts[-2:]) if len(parts) > 1 else ""


def _git(folder: Path, *arguments: str) -> str:
    """Return what git prints, or nothing where there is no git, no repository or no answer."""
    try:
        done = subprocess.run(
            ("git", *arguments), cwd=folder, capture_output=True, text=True, check=False, timeout=_GIT_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
