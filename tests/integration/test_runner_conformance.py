"""Every runner does what a runner has to do: on this machine, and on others over SSH."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from testbed.machine import Machine
from testbed.runners import QUICK, remote_bench

from skyflow.app.clock import SystemClock
from skyflow.model.layout import RunFolder
from skyflow.runners.local.runner import LocalRunner
from skyflow.testing.runners import RunnerBench, RunnerConformance

pytestmark = pytest.mark.anyio


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
    async def bench(self, project: Path, machine: Machine) -> AsyncIterator[RunnerBench]:
        async with remote_bench(machine, project) as bench:
            yield bench
