"""What `--host` names, and which jobs can run there."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from urllib.parse import urlsplit

from skyflow.errors import ProvisionError, UsageError
from skyflow.model.hosts import Link, SshHost
from skyflow.model.workflow import JobSpec, UsesStep, Workflow

__all__ = ["HostSlots", "read_host", "refuse_what_stays_here", "works_anywhere"]

_ANYWHERE = frozenset({"actions/checkout", "actions/download-artifact", "actions/upload-artifact"})
"""Built-in actions that can be part of a job on another machine."""


@dataclass(frozen=True, slots=True)
class HostSlots:
    """A machine, and how many jobs it takes at once."""

    host: SshHost
    slots: int


def read_host(text: str) -> HostSlots:
    """Read what `--host` names: `NAME` as `ssh NAME` takes it, or `ssh://USER@ADDRESS:PORT`; then perhaps `=SLOTS`.

    A URL is reached by asyncssh, where that is installed: `~/.ssh/config` has no say then.

    Raises:
        UsageError: it is neither.
    """
    name, has_slots, count = text.partition("=")
    if not name or name.startswith("-") or (has_slots and not (count.isdecimal() and int(count))):
        raise UsageError(
            f"--host {text}: this names no machine", hint="write NAME, USER@ADDRESS or ssh://USER@ADDRESS:PORT"
        )
    slots = int(count) if has_slots else 1
    if not name.startswith("ssh://"):
        user, _, address = name.rpartition("@")
        return HostSlots(SshHost(name=address, address=address, user=user or None), slots)
    try:
        parts = urlsplit(name)
        address, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise UsageError(f"--host {text}: {error}") from error
    if not address or parts.path.strip("/") or parts.password is not None:
        raise UsageError(f"--host {text}: this is not of the form ssh://USER@ADDRESS:PORT")
    link = Link.ASYNCSSH if find_spec("asyncssh") is not None else Link.OPENSSH
    shown = address if port is None else f"{address}:{port}"
    return HostSlots(SshHost(name=shown, address=address, port=port, user=parts.username, link=link), slots)


def refuse_what_stays_here(workflows: Iterable[Workflow]) -> None:
    """Stop before anything starts that could only run on this machine.

    Raises:
        ProvisionError: a job uses something that other machines cannot do yet.
    """
    for workflow in workflows:
        for job in workflow.jobs:
            reason = next(_reasons(job), None)
            if reason is not None:
                raise ProvisionError(
                    f"job '{job.id}' {reason}, which works on this machine only so far",
                    hint="leave --host away, or keep such jobs in a workflow of their own",
                )


def _reasons(job: JobSpec) -> Iterator[str]:
    if job.cache is not None:
        yield "has a cache"
    if job.container is not None or job.services:
        yield "has containers"
    for step in job.steps:
        if isinstance(step, UsesStep) and not step.uses.startswith("./"):
            name = step.uses.partition("@")[0].lower()
            if not works_anywhere(name):
                yield f"uses {step.uses}"


def works_anywhere(action: str) -> bool:
    """Tell whether a built-in action can be part of a job that runs on another machine."""
    return action in _ANYWHERE
