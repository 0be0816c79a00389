"""What `--host` names, and which jobs can run there."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from skyflow.errors import ProvisionError, UsageError
from skyflow.model.hosts import SshHost, parse_host
from skyflow.model.workflow import JobSpec, UsesStep

__all__ = ["HostSlots", "read_host", "reason_to_stay", "refuse_what_stays_here", "works_anywhere"]

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
    if has_slots and not (count.isdecimal() and int(count)):
        raise UsageError(f"--host {text}: '{count}' is not a number of jobs", hint=f"write for example {name}=2")
    try:
        return HostSlots(parse_host(name), int(count) if has_slots else 1)
    except ValueError as error:
        message, _, hint = str(error).partition("; ")
        raise UsageError(f"--host {message}", hint=hint or None) from error


def refuse_what_stays_here(jobs: Iterable[JobSpec], *, hint: str) -> None:
    """Stop before anything starts that could only run on this machine.

    Raises:
        ProvisionError: a job uses something that other machines cannot do yet.
    """
    for job in jobs:
        if reason := reason_to_stay(job):
            raise ProvisionError(f"job '{job.id}' {reason}, which works on this machine only so far", hint=hint)


def reason_to_stay(job: JobSpec) -> str:
    """Return why a job can run on this machine only, as in "has containers"; nothing if it can run elsewhere."""
    return next(_reasons(job), "")


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
