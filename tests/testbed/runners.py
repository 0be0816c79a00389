"""Runners that are ready to run steps on a machine of the test bed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from skyflow.app.clock import SystemClock
from skyflow.model.layout import RunFolder
from skyflow.runners.processes.process import KillLadder
from skyflow.runners.remote.link import HostLink
from skyflow.runners.remote.runner import RemoteRunner
from skyflow.testing.runners import RunnerBench
from skyflow.transports.asyncssh import AsyncsshTransport
from testbed.machine import Machine

QUICK = KillLadder(interrupt_seconds=0.3, terminate_seconds=0.3)


@asynccontextmanager
async def remote_bench(
    machine: Machine, project: Path, *, patience: float = 20.0, **host: object
) -> AsyncIterator[RunnerBench]:
    """Drive a run of a project on a machine; what is kept of it here stands beside the project."""
    folder = RunFolder(project.parent / "run")
    link = HostLink(AsyncsshTransport(machine.host(**host)), clock=SystemClock(), patience_seconds=patience)
    async with RemoteRunner(
        link,
        run="r1",
        folder=folder,
        tools=project.parent / "tools",
        workspace=project,
        clock=SystemClock(),
        ladder=QUICK,
    ) as runner:
        yield RunnerBench(runner, folder, project)
