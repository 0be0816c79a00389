"""Every runner does what a runner has to do: on this machine, and on others over SSH."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from testbed.machine import Machine

from skyflow.app.clock import SystemClock
from skyflow.model.layout import RunFolder
from skyflow.runners.host_link import HostLink
from skyflow.runners.local import LocalRunner
from skyflow.runners.process import KillLadder
from skyflow.runners.remote import RemoteRunner
from skyflow.testing.runners import RunnerBench, RunnerConformance
from skyflow.transports.asyncssh import AsyncsshTransport

pytestmark = pytest.mark.anyio

QUICK = KillLadder(interrupt_seconds=0.3, terminate_seconds=0.3)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    project = tmp_path / "project"
    project.mkdir()
    (project / "a.txt").write_text("hello\n")
    return project


class TestLocalRunner(RunnerConformance):
    @pytest.fixture
    async def bench(self, project: Path, tmp_path: Path) -> AsyncIterator[RunnerBench]:
        folder = RunFolder(tmp_path / "run")
        tag = f"test-{os.getpid()}-{tmp_path.name}"
        async with LocalRunner(
            run_tag=tag, folder=folder, workspace=project, environment=os.environ, clock=SystemClock(), ladder=QUICK
        ) as runner:
            yield RunnerBench(runner, folder, project)


class TestRemoteRunner(RunnerConformance):
    @pytest.fixture
    async def bench(self, project: Path, tmp_path: Path, machine: Machine) -> AsyncIterator[RunnerBench]:
        folder = RunFolder(tmp_path / "run")
        link = HostLink(AsyncsshTransport(machine.host()), clock=SystemClock())
        async with RemoteRunner(
            link,
            run="r1",
            folder=folder,
            tools=tmp_path / "tools",
            workspace=project,
            clock=SystemClock(),
            ladder=QUICK,
        ) as runner:
            yield RunnerBench(runner, folder, project)
