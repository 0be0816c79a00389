"""Runs jobs on machines that are reached over SSH."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from skyflow.app.clock import SystemClock
from skyflow.app.host_options import HostSlots
from skyflow.app.pools import PooledJob
from skyflow.app.project import Project
from skyflow.engine.rooms import Rooms
from skyflow.errors import UsageError
from skyflow.model.hosts import Link, SshHost
from skyflow.model.layout import RunFolder
from skyflow.model.run import RunId
from skyflow.model.units import parse_duration_seconds
from skyflow.ports.transport import Transport
from skyflow.runners.host_link import HostLink
from skyflow.runners.host_pool import HostPool, PoolHost
from skyflow.runners.local import LocalRunner
from skyflow.runners.remote import RemoteRunner
from skyflow.runners.router import RunnerRouter

__all__ = ["PATIENCE_VARIABLE", "SSH_CONFIG_VARIABLE", "rooms_on", "router_to", "transport_to"]

SSH_CONFIG_VARIABLE = "SKYFLOW_SSH_CONFIG"
"""A file that the program ssh reads instead of `~/.ssh/config`."""

PATIENCE_VARIABLE = "SKYFLOW_HOST_PATIENCE"
"""How long a machine may be out of reach before its jobs are given up there, such as `90s`; five minutes by default."""

_GIVEN = "--host"
"""The pool of what `--host` names."""
_PATIENCE_SECONDS = 300.0


def rooms_on(given: Sequence[HostSlots], pooled: Mapping[str, PooledJob]) -> Rooms:
    """Return the rooms of a run.

    Args:
        given: the machines on which jobs run instead of here.
        pooled: the jobs that are placed on pools.
    """
    capacity = {job.pool.name: len(job.pool.hosts) * job.pool.slots for job in pooled.values()}
    if given:
        capacity[_GIVEN] = sum(each.slots for each in given)
    return Rooms(
        pools={key: job.pool.name for key, job in pooled.items()},
        otherwise=_GIVEN if given else "",
        capacity=capacity,
        nodes={key: job.nodes for key, job in pooled.items() if job.nodes > 1},
    )


def router_to(
    given: Sequence[HostSlots],
    pooled: Mapping[str, PooledJob],
    here: LocalRunner,
    *,
    rooms: Rooms,
    run: RunId,
    project: Project,
    folder: RunFolder,
    masks: tuple[str, ...],
) -> RunnerRouter:
    """Return the runner of a run that has jobs on other machines; arguments are those of `rooms_on`, and where things are.

    Raises:
        UsageError: a variable of the environment is wrong.
    """
    clock = SystemClock()
    patience = _patience_seconds()

    def machine(host: SshHost, slots: int) -> PoolHost:
        link = HostLink(
            transport_to(host), clock=clock, folder=host.folder, python=host.python, patience_seconds=patience
        )
        runner = RemoteRunner(
            link,
            run=run,
            folder=folder,
            tools=project.state.root / "tools",
            workspace=project.root,
            clock=clock,
            masks=masks,
        )
        return PoolHost(runner, slots)

    pools = {job.pool.name: job.pool for job in pooled.values()}
    machines = {name: [machine(host, pool.slots) for host in pool.hosts] for name, pool in pools.items()}
    if given:
        machines[_GIVEN] = [machine(each.host, each.slots) for each in given]
    return RunnerRouter(
        here,
        places={
            name: HostPool(
                name,
                hosts,
                folder=folder,
                clock=clock,
                nodes_of=lambda key: rooms.nodes_of(key, key.rpartition(".")[0]),
            )
            for name, hosts in machines.items()
        },
        place_of=lambda key: rooms.pool_of(key, key.rpartition(".")[0]),
        folder=folder,
        clock=clock,
    )


def transport_to(host: SshHost) -> Transport:
    """Return what reaches a machine: what its link says, or the program ssh where asyncssh is not installed."""
    if host.identity is not None:
        host = replace(host, identity=str(Path(host.identity).expanduser()))
    if host.link is Link.ASYNCSSH and find_spec("asyncssh") is not None:
        from skyflow.transports.asyncssh import AsyncsshTransport  # noqa: PLC0415 -- an extra, and slow to import

        return AsyncsshTransport(host)
    from skyflow.transports.openssh import OpensshTransport  # noqa: PLC0415 -- start-up

    config = os.environ.get(SSH_CONFIG_VARIABLE)
    return OpensshTransport(host, config=Path(config) if config else None)


def _patience_seconds() -> float:
    text = os.environ.get(PATIENCE_VARIABLE)
    if not text:
        return _PATIENCE_SECONDS
    try:
        return parse_duration_seconds(text)
    except ValueError as error:
        raise UsageError(f"{PATIENCE_VARIABLE}: {error}") from error
