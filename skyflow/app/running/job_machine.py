"""Where the last attempt at a job runs or has run, and what opens a shell there: `skyflow ssh`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from shlex import join, quote

from skyflow.app.machines.clouds import open_cloud, open_journal
from skyflow.app.machines.hosts import ssh_config
from skyflow.app.machines.machine_keys import MachineKeys
from skyflow.app.machines.rented.rental import host_of
from skyflow.app.market.config import project_config
from skyflow.app.planning.host_options import read_host
from skyflow.app.project import Project
from skyflow.app.showing.history import read_run
from skyflow.app.showing.logs import chosen_jobs
from skyflow.errors import ProvisionError, UsageError
from skyflow.model.history import RunHistory
from skyflow.model.hosts import Link, SshHost
from skyflow.model.machines import Intent, MachineRecord, MachineState
from skyflow.model.run import JobRecord
from skyflow.ports.clock import Waiter
from skyflow.provisioners.fleet import Fleet
from skyflow.runners.remote.note import noted_hosts

__all__ = ["JobMachine", "find_job_machine", "shell_line"]

_NO_CONFIG = Path("/dev/null")
_KEEP = "`skyflow run --keep` has rented machines stay after their jobs"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobMachine:
    """A machine, the working folder of an attempt there, and for a rented one what is remembered of it.

    `folder` is a path for a shell on that machine. `config` is what the program ssh reads instead of `~/.ssh/config`.
    """

    job: str
    host: SshHost
    folder: str
    config: Path | None
    record: MachineRecord | None = None


def find_job_machine(name: str, run: str, *, project: Project, clock: Waiter, node: int = 0) -> JobMachine:
    """Return where the last attempt at a job runs or has run; of several machines, the one with a number.

    Raises:
        UsageError: there is no such run, job or node, or the job was not on a machine that is reached over SSH.
        ProvisionError: the machine is gone, or does not run yet.
    """
    history = read_run(project, run)
    job = _the_job(history, name)
    attempts = history.attempts_of(job.key)
    if not attempts:
        raise UsageError(f"job '{job.key}' of run {history.overview.run.number} was not on any machine: it never began")
    which = (job.key, attempts[-1].number)
    run_id = history.overview.run.id
    place = partial(_folder, f"{run_id}/{which[0]}/{which[1]}")
    if record := _record(history.machines, which, node):
        host = _rented_host(record, job.key, project, clock)
        return JobMachine(job=job.key, host=host, folder=place(host), config=_NO_CONFIG, record=record)
    hosts = _hosts(project, history)
    names = _written_hosts(project, history, which)
    if names and not 0 <= node < len(names):
        raise UsageError(f"job '{job.key}' ran on {len(names)} machines", hint=f"--node 0 to {len(names) - 1}")
    if names:
        if names[node] not in hosts:
            raise ProvisionError(f"job '{job.key}' ran on {names[node]}, which no pool has any more")
        host = hosts[names[node]]
        config = _NO_CONFIG if host.link is Link.ASYNCSSH else ssh_config()
        return JobMachine(job=job.key, host=host, folder=place(host), config=config)
    raise UsageError(
        f"job '{job.key}' of run {history.overview.run.number} was not on a machine that is reached over SSH",
        hint=f"jobs of this machine run in {project.root}; those of a queue where it sends them",
    )


def shell_line(machine: JobMachine, command: Sequence[str]) -> str:
    """Return what the shell of a machine is to do: a command in the job's working folder, or a shell of its own.

    One word is a line for the shell, several are a program and its arguments.
    """
    gone = quote(f"the working folder of {machine.job} is not there any more")
    if command:
        line = command[0] if len(command) == 1 else join(command)
        return f"cd {machine.folder} 2>/dev/null || {{ echo {gone} >&2; exit 1; }}; {line}"
    return f'cd {machine.folder} 2>/dev/null || echo {gone} >&2; exec "${{SHELL:-/bin/sh}}" -l'


def _the_job(history: RunHistory, name: str) -> JobRecord:
    found = chosen_jobs(history, name)
    if len(found) > 1:
        raise UsageError(f"'{name}' is {len(found)} jobs", hint=f"name one of {', '.join(job.key for job in found)}")
    return found[0]


def _record(records: Sequence[MachineRecord], which: tuple[str, int], node: int) -> MachineRecord | None:
    """Return the machine that an attempt has or had last.

    Raises:
        UsageError: there was one, and another job has it now; or there is none of that number.
    """
    had = [each for each in records if each.user == which]
    if had and not any(each.node == node for each in had):
        raise UsageError(
            f"job '{which[0]}' has no machine {node}", hint=f"--node 0 to {max(each.node for each in had)}"
        )
    if had:
        return [each for each in had if each.node == node][-1]
    for each in records:
        if (each.job, each.attempt) == which:
            raise UsageError(
                f"the machine of job '{which[0]}' was cleared for job '{each.user[0]}'",
                hint=f"skyflow ssh {quote(each.user[0])}",
            )
    return None


def _rented_host(record: MachineRecord, job: str, project: Project, clock: Waiter) -> SshHost:
    what = f"the machine of job '{job}' ({record.offering.instance_type} in {record.offering.place.name})"
    if record.intent in {Intent.RELEASED, Intent.GONE}:
        at = "" if record.gone_at is None else f" at {record.gone_at.astimezone():%H:%M}"
        raise ProvisionError(f"{what} was given back{at}", hint=_KEEP)
    fleet = Fleet(open_cloud(record.offering.provider, clock).provisioner, open_journal(project), clock)
    machine = fleet.find(record)
    if machine is None or machine.state not in {MachineState.PENDING, MachineState.RUNNING}:
        over = record.kept_until is not None and not record.is_kept(clock.now())
        raise ProvisionError(f"{what} is gone{': the time that it was kept for is over' if over else ''}", hint=_KEEP)
    if machine.state is MachineState.PENDING or not machine.address:
        raise ProvisionError(f"{what} does not run yet", hint="try again in a moment")
    return host_of(machine, MachineKeys(project.state))


def _hosts(project: Project, history: RunHistory) -> dict[str, SshHost]:
    given = [read_host(text).host for text in history.overview.run.options.hosts]
    known = [host for pool in project_config(project.root).pools for host in pool.hosts]
    return {
        host.name: host if host.identity is None else replace(host, identity=str(Path(host.identity).expanduser()))
        for host in (*known, *given)
    }


def _written_hosts(project: Project, history: RunHistory, which: tuple[str, int]) -> list[str]:
    """Return the names of the hosts that an attempt was given, in the order of their numbers."""
    return [name for name, _ in noted_hosts(project.state.run(history.overview.run.id).host(*which))]


def _folder(place: str, host: SshHost) -> str:
    path = quote(f"{host.folder}/runs/{place}/work")
    return path if host.folder.startswith("/") else f'"$HOME"/{path}'
