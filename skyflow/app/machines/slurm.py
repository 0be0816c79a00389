"""What the jobs of a run ask of Slurm clusters, and how these are reached."""

import math
import os
from collections.abc import Callable

from skyflow.app.machines.hosts import link_patience, transport_to
from skyflow.app.machines.live_plan import LivePlan
from skyflow.model.config import OwnPool
from skyflow.model.layout import RunFolder
from skyflow.model.resources import Accelerators, Amount
from skyflow.model.run import RunId
from skyflow.model.slurm import SlurmJob, SlurmQueue
from skyflow.model.workflow import JobSpec
from skyflow.ports.clock import Clock
from skyflow.ports.transport import Transport
from skyflow.runners.remote.link import HostLink
from skyflow.runners.remote.runner import RemoteRunner
from skyflow.runners.slurm.client import SlurmClient
from skyflow.runners.slurm.place import SlurmPlace
from skyflow.transports.local import LocalTransport
from skyflow.vault.secrets import without_secrets

__all__ = ["login_to", "slurm_place"]

_MIB = 1024


def slurm_place(
    pool: OwnPool,
    plan: LivePlan,
    make_runner: Callable[..., RemoteRunner],
    *,
    run: RunId,
    folder: RunFolder,
    clock: Clock,
) -> SlurmPlace:
    """Return a cluster as a place where jobs run.

    Args:
        pool: its nodes.
        plan: where jobs are placed, and what they ask for.
        make_runner: makes the runner of a login node, from a link and `judge`.
        run: names the run.
        folder: that of the run.
        clock: the time.

    Raises:
        UsageError: a variable of the environment is wrong.
    """
    queue = pool.slurm or SlurmQueue(name=pool.name)
    transport = login_to(queue)
    link = HostLink(transport, clock=clock, folder=queue.folder, python=queue.python, patience_seconds=link_patience())

    def need(key: str) -> SlurmJob:
        return _need(plan.spec(key), pool, said_at=plan.written_at(key))

    return SlurmPlace(
        SlurmClient(transport, queue),
        link,
        lambda judge: make_runner(link, judge=judge, has_ranks=lambda key: need(key).nodes > 1),
        need_of=need,
        folder=folder,
        run=run,
    )


def login_to(queue: SlurmQueue) -> Transport:
    """Return what reaches a login node: SSH, or nothing but this machine."""
    if queue.login is not None:
        return transport_to(queue.login)
    return LocalTransport("this machine", without_secrets(os.environ))


def _need(spec: JobSpec | None, pool: OwnPool, *, said_at: str) -> SlurmJob:
    if spec is None:  # not of this plan: it takes what the cluster gives
        return SlurmJob(said_at=said_at)
    wanted = spec.requirements
    memory = _least(wanted.memory_gib)
    return SlurmJob(
        nodes=wanted.nodes,
        cpus=None if wanted.cpus is None else math.ceil(wanted.cpus.minimum),
        memory_mib=None if memory is None else math.ceil(memory * _MIB),
        accelerators=_accelerators(spec, pool),
        said_at=said_at,
    )


def _least(amount: Amount | None) -> float | None:
    return None if amount is None else amount.minimum


def _accelerators(spec: JobSpec, pool: OwnPool) -> tuple[str, int] | None:
    """Return what a job asks for of what the nodes have; of several that would do, it is placed where there is one."""
    wanted = spec.requirements.accelerators
    if wanted is None or pool.accelerators is None:
        return None
    name = pool.accelerators.name
    options = [wanted] if isinstance(wanted, Accelerators) else wanted.options
    counts = [each.count for each in options if each.name.lower() == name.lower()]
    return (name, math.ceil(counts[0] if counts else pool.accelerators.count))
