"""Runs the jobs of a run on machines that are reached over SSH."""

import os
from collections.abc import Sequence
from pathlib import Path

from skyflow.app.clock import SystemClock
from skyflow.app.host_options import HostSlots
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

__all__ = ["PATIENCE_VARIABLE", "SSH_CONFIG_VARIABLE", "rooms_on", "router_to"]

SSH_CONFIG_VARIABLE = "SKYFLOW_SSH_CONFIG"
"""A file that the program ssh reads instead of `~/.ssh/config`."""

PATIENCE_VARIABLE = "SKYFLOW_HOST_PATIENCE"
"""How long a machine may be out of reach before its jobs are given up there, such as `90s`; five minutes by default."""

_POOL = "hosts"
_PATIENCE_SECONDS = 300.0


def rooms_on(hosts: Sequence[HostSlots]) -> Rooms:
    """Return the rooms of a run that has all its jobs on these machines."""
    return Rooms(otherwise=_POOL, capacity={_POOL: sum(each.slots for each in hosts)})


def router_to(
    hosts: Sequence[HostSlots],
    here: LocalRunner,
    *,
    run: RunId,
    project: Project,
    folder: RunFolder,
    masks: tuple[str, ...],
) -> RunnerRouter:
    """Return the runner of a run that has all its jobs on these machines.

    Raises:
        UsageError: a variable of the environment is wrong.
    """
    clock = SystemClock()
    patience = _patience_seconds()
    pool = [
        PoolHost(
            RemoteRunner(
                HostLink(
                    _transport(each.host),
                    clock=clock,
                    folder=each.host.folder,
                    python=each.host.python,
                    patience_seconds=patience,
                ),
                run=run,
                folder=folder,
                tools=project.state.root / "tools",
                workspace=project.root,
                clock=clock,
                masks=masks,
            ),
            each.slots,
        )
        for each in hosts
    ]
    place = HostPool(_POOL, pool, folder=folder)
    return RunnerRouter(here, places={_POOL: place}, place_of=lambda _: _POOL, folder=folder, clock=clock)


def _transport(host: SshHost) -> Transport:
    """Return what reaches a machine."""
    if host.link is Link.ASYNCSSH:
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
