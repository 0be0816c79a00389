"""A pool with a host that says nothing."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import anyio
import pytest
from testbed.machine import Machine

from skyflow.app.clock import SystemClock
from skyflow.model.layout import RunFolder
from skyflow.runners import host_pool
from skyflow.runners.host_pool import HostPool, PoolHost
from skyflow.runners.remote.link import HostLink
from skyflow.runners.remote.runner import RemoteRunner
from skyflow.transports.asyncssh import AsyncsshTransport

pytestmark = pytest.mark.anyio


async def test_a_silent_host_keeps_no_job_waiting(
    make_machine: Callable[..., Machine], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its limit is an hour here, so nobody can have waited for it."""
    monkeypatch.setattr(host_pool, "_CHECK_SECONDS", 3600.0)
    silent, good = make_machine("silent"), make_machine("good")
    silent.relay.freeze()
    clock, folder = SystemClock(), RunFolder(tmp_path / "run")

    def host(machine: Machine) -> PoolHost:
        link = HostLink(AsyncsshTransport(machine.host(connect_seconds=3600.0)), clock=clock)
        runner = RemoteRunner(
            link, run="r", folder=folder, tools=tmp_path / "tools", workspace=tmp_path / "project", clock=clock
        )
        return PoolHost(runner)

    (tmp_path / "project").mkdir()
    pool = HostPool("rack", [host(silent), host(good)], folder=folder, clock=clock)
    with anyio.fail_after(120):
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(pool)
            runner = await pool.take(("job", 1), lambda _: None)
            assert runner.name == "good"
            silent.relay.thaw()
