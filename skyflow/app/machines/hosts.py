"""Runs jobs on machines that are reached over SSH."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from skyflow.app.planning.host_options import HostSlots
from skyflow.engine.rooms import Rooms
from skyflow.errors import UsageError
from skyflow.model.config import OwnPool
from skyflow.model.hosts import Link, SshHost
from skyflow.model.layout import RunFolder
from skyflow.model.placement import Plan
from skyflow.model.units import parse_duration_seconds
from skyflow.ports.clock import Clock
from skyflow.ports.transport import Transport
from skyflow.runners.host_pool import HostPool, PoolHost
from skyflow.runners.places import Place
from skyflow.runners.remote.link import HostLink
from skyflow.runners.remote.runner import RemoteRunner

__all__ = [
    "BOOT_PATIENCE_VARIABLE",
    "PATIENCE_VARIABLE",
    "SILENCE_VARIABLE",
    "SSH_CONFIG_VARIABLE",
    "boot_patience",
    "link_patience",
    "longest_silence",
    "pool_places",
    "rooms_on",
    "ssh_config",
    "transport_to",
]

SSH_CONFIG_VARIABLE = "SKYFLOW_SSH_CONFIG"
"""A file that the program ssh reads instead of `~/.ssh/config`."""

PATIENCE_VARIABLE = "SKYFLOW_HOST_PATIENCE"
"""How long a machine may be out of reach before its jobs are given up there, such as `90s`; five minutes by default."""

BOOT_PATIENCE_VARIABLE = "SKYFLOW_BOOT_PATIENCE"
"""How long a rented machine that runs may take until it lets us in, such as `20m`; ten minutes by default."""

SILENCE_VARIABLE = "SKYFLOW_MACHINE_SILENCE"
"""After how long without skyflow a rented machine ends itself, such as `8h`; a quarter of an hour by default."""

_GIVEN = "--host"
"""The pool of what `--host` names."""
_PATIENCE_SECONDS = 300.0
_BOOT_PATIENCE_SECONDS = 600.0
_SILENCE_SECONDS = 900.0


def rooms_on(given: Sequence[HostSlots], pools: Mapping[str, OwnPool], plan: Plan | None) -> Rooms:
    """Return the rooms of a run.

    Args:
        given: the machines on which jobs run instead of here.
        pools: the pool of each job that is placed on one.
        plan: says how many machines a job takes at once.
    """
    capacity = {
        pool.name: len(pool.hosts) * pool.slots if pool.slurm is None else pool.slurm.most_queued
        for pool in pools.values()
    }
    if given:
        capacity[_GIVEN] = sum(each.slots for each in given)
    with_hosts = {key for key, pool in pools.items() if pool.hosts}
    nodes = {each.job: each.offering.nodes for each in (plan.placements if plan is not None else ())}
    return Rooms(
        pools={key: pool.name for key, pool in pools.items()},
        otherwise=_GIVEN if given else "",
        capacity=capacity,
        nodes={key: number for key, number in nodes.items() if number > 1 and key in with_hosts},
    )


def pool_places(
    given: Sequence[HostSlots],
    pools: Mapping[str, OwnPool],
    runner: Callable[[HostLink], RemoteRunner],
    *,
    nodes_of: Callable[[str], int],
    folder: RunFolder,
    clock: Clock,
) -> dict[str, Place]:
    """Return the places of the pools that `rooms_on` names.

    `runner` makes what runs steps over a link; `nodes_of` tells how many machines a job takes at once, by its key.

    Raises:
        UsageError: a variable of the environment is wrong.
    """
    patience = link_patience()

    def machine(host: SshHost, slots: int) -> PoolHost:
        link = HostLink(
            transport_to(host), clock=clock, folder=host.folder, python=host.python, patience_seconds=patience
        )
        return PoolHost(runner(link), slots)

    machines = {pool.name: [machine(host, pool.slots) for host in pool.hosts] for pool in pools.values() if pool.hosts}
    if given:
        machines[_GIVEN] = [machine(each.host, each.slots) for each in given]
    return {
        name: HostPool(name, hosts, folder=folder, clock=clock, nodes_of=nodes_of) for name, hosts in machines.items()
    }


def transport_to(host: SshHost, *, config: Path | None = None) -> Transport:
    """Return what reaches a machine: what its link says, or the program ssh where asyncssh is not installed.

    `config` is what ssh reads instead of `~/.ssh/config`, by default what `SSH_CONFIG_VARIABLE` names.
    """
    if host.identity is not None:
        host = replace(host, identity=str(Path(host.identity).expanduser()))
    if host.link is Link.ASYNCSSH and find_spec("asyncssh") is not None:
        from skyflow.transports.asyncssh import AsyncsshTransport  # noqa: PLC0415 -- an extra, and slow to import

        return AsyncsshTransport(host)
    from skyflow.transports.openssh import OpensshTransport  # noqa: PLC0415 -- start-up

    return OpensshTransport(host, config=config or ssh_config())


def ssh_config() -> Path | None:
    """Return what the program ssh reads instead of `~/.ssh/config`, if `SSH_CONFIG_VARIABLE` names a file."""
    named = os.environ.get(SSH_CONFIG_VARIABLE)
    return Path(named) if named else None


def link_patience() -> float:
    """Return how long a machine may be out of reach, in seconds.

    Raises:
        UsageError: the variable that says so is wrong.
    """
    return _duration_of(PATIENCE_VARIABLE, _PATIENCE_SECONDS)


def boot_patience() -> float:
    """Return how long a rented machine that runs may take until it lets us in, in seconds.

    Raises:
        UsageError: as `link_patience`.
    """
    return _duration_of(BOOT_PATIENCE_VARIABLE, _BOOT_PATIENCE_SECONDS)


def longest_silence() -> float:
    """Return after how long without skyflow a rented machine ends itself, in seconds.

    Raises:
        UsageError: as `link_patience`.
    """
    return _duration_of(SILENCE_VARIABLE, _SILENCE_SECONDS)


def _duration_of(variable: str, default: float) -> float:
    text = os.environ.get(variable)
    if not text:
        return default
    try:
        return parse_duration_seconds(text)
    except ValueError as error:
        raise UsageError(f"{variable}: {error}") from error
