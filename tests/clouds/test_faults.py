"""Whatever breaks at whatever moment: the caller gets a machine or a clear failure, and after a sweep nothing is left."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from benches import QUICK, clock, fleet_of, impatient
from launcher import request as machine_request
from serving import Faults

from skyflow.app.machines.clouds import open_journal
from skyflow.app.machines.sweeper import sweep_clouds
from skyflow.app.project import Project, find_project
from skyflow.model.machines import Intent, Machine
from skyflow.model.run import RunId
from skyflow.ports.provisioner import CloudError
from skyflow.store.lease import hold_lease

CLOUDS = ("aws", "gcp", "azure")
CALLS = ("create", "poll", "describe", "delete")
_SERVERS = {"aws": "ec2", "gcp": "gce", "azure": "arm"}
_HOUR = timedelta(hours=1)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return find_project(state=tmp_path / "state.db")


@pytest.fixture
def server(provider: str, request: pytest.FixtureRequest) -> Faults:
    faults = request.getfixturevalue(_SERVERS[provider])
    if provider == "azure":
        from skyflow.provisioners.azure.account import AzureAccount
        from skyflow.provisioners.azure.session import AzureSession

        AzureAccount(AzureSession(clock())).prepare("eastus", lambda _: None)
    return faults


class Launchers:
    """One process for each cloud, whose forks are killed."""

    def __init__(self) -> None:
        self._running: dict[str, subprocess.Popen[str]] = {}

    def kill(self, provider: str, call: str, project: Project, server: Faults) -> None:
        if provider not in self._running:
            here = Path(__file__).parent
            self._running[provider] = subprocess.Popen(
                [sys.executable, str(here / "launcher.py"), provider],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        process = self._running[provider]
        assert process.stdin is not None
        assert process.stdout is not None
        order = {"provider": provider, "state": str(project.state.database), "environment": dict(os.environ)}
        print(json.dumps(order), file=process.stdin, flush=True)
        child = int(process.stdout.readline())
        fault = server.plan("kill", call, pid=child)
        print("go", file=process.stdin, flush=True)
        status = int(process.stdout.readline())
        assert fault.happened == 1
        assert os.WTERMSIG(status) == 9

    def close(self) -> None:
        for process in self._running.values():
            with process:
                process.stdin.close()


@pytest.fixture(scope="module")
def launchers() -> Iterator[Launchers]:
    made = Launchers()
    yield made
    made.close()


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("what", ["error", "lost", "hang"])
@pytest.mark.parametrize("provider", CLOUDS)
def test_one_fault_is_overcome(provider: str, what: str, call: str, project: Project, server: Faults) -> None:
    fault = server.plan(what, call)
    made = _use_a_machine(provider, project)
    assert isinstance(made, Machine)
    assert fault.happened == 1
    _assert_nothing_is_left(provider, project, server)


@pytest.mark.parametrize("call", ["create", "delete"])
@pytest.mark.parametrize("what", ["error", "lost"])
@pytest.mark.parametrize("provider", CLOUDS)
def test_a_fault_that_stays_is_a_clear_failure(
    provider: str, what: str, call: str, project: Project, server: Faults
) -> None:
    server.plan(what, call, times=1000)
    made = _use_a_machine(provider, project)
    server.clear()
    if what == "lost" and call == "create":
        assert isinstance(made, Machine)  # what is there counts, not what was answered
    else:
        assert isinstance(made, CloudError)
        assert provider in made.message
    _assert_nothing_is_left(provider, project, server)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("provider", CLOUDS)
def test_a_process_that_is_killed_leaves_nothing_behind(
    provider: str, call: str, project: Project, server: Faults, launchers: Launchers
) -> None:
    launchers.kill(provider, call, project, server)
    assert any(_records(project, unfinished_only=True)), "the machine was not written down before it was made"
    _assert_nothing_is_left(provider, project, server)


@pytest.mark.parametrize("provider", CLOUDS)
def test_a_machine_that_nobody_wrote_down_is_found_and_one_of_a_stranger_is_not_touched(
    provider: str, project: Project, server: Faults
) -> None:
    owner = open_journal(project).owner()
    cloud = impatient(provider, clock())
    ours = cloud.create(machine_request(provider, owner))
    theirs = cloud.create(machine_request(provider, "ffffffffff"))
    report = sweep_clouds(project, clock(ahead=_HOUR), providers=[provider], patience=QUICK)
    assert [each.id for each in report.removed if isinstance(each, Machine)] == [ours.id]
    assert [each.id for each in cloud.machines("ffffffffff")] == [theirs.id]


@pytest.mark.parametrize("provider", ["gcp"])
def test_a_machine_stays_while_a_living_process_drives_its_run(provider: str, project: Project, server: Faults) -> None:
    fleet, owner = fleet_of(provider, project, clock(), QUICK)
    with hold_lease(project.state.run(RunId("run-1"))):
        fleet.acquire(machine_request(provider, owner))
        report = sweep_clouds(project, clock(ahead=_HOUR), providers=[provider], patience=QUICK)
        assert [(each.goes, each.why) for each in report.decisions] == [(False, "its run goes on")]
        assert not report.removed
    _assert_nothing_is_left(provider, project, server)


def _use_a_machine(provider: str, project: Project) -> Machine | CloudError:
    fleet, owner = fleet_of(provider, project, clock(), QUICK)
    try:
        machine = fleet.acquire(machine_request(provider, owner))
        fleet.release(machine)
    except CloudError as error:
        return error
    return machine


def _assert_nothing_is_left(provider: str, project: Project, server: Faults) -> None:
    report = sweep_clouds(project, clock(ahead=_HOUR), providers=[provider], patience=QUICK)
    assert not report.failed
    assert not report.unreachable
    left = _remains(provider, server)
    assert not any(left.values()), left
    assert [each.intent for each in _records(project)] == [Intent.GONE]


def _remains(provider: str, server: Faults) -> dict[str, list[str]]:
    if provider == "aws":
        import ec2_server

        return ec2_server.remains()
    return server.app.remains()


def _records(project: Project, *, unfinished_only: bool = False) -> list[Any]:
    return open_journal(project).records(unfinished_only=unfinished_only)
