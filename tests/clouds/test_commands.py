"""The commands as a user calls them, which find the servers by the SDKs' own variables."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from benches import QUICK, clock, fleet_of
from forks import Forks
from launcher import request as machine_request
from renting import PATIENCE_SECONDS
from serving import Faults

from skyflow.app.project import find_project

Skyflow = Callable[..., str]
_WATCHED = {"boto3": "boto3", "gcp": "google.cloud.compute_v1", "azure": "azure.mgmt.compute"}
_PROGRAM = """
import sys
sys.argv = ["skyflow", *{arguments!r}]
from skyflow.cli import main
try:
    main()
finally:
    print("IMPORTED", *(each for each in {watched!r} if each in sys.modules), file=sys.stderr)
"""


@pytest.fixture(autouse=True)
def no_other_clouds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nobody is logged in anywhere, unless a test says so; and no metadata service is asked."""
    for name, value in {
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "NO_GCE_CHECK": "true",
        "CLOUDSDK_CONFIG": str(tmp_path),
        "AZURE_TOKEN_CREDENTIALS": "EnvironmentCredential",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def skyflow(forks: Forks, tmp_path: Path) -> Skyflow:
    """Run a command, and return what it printed."""

    def run(*arguments: str, code: int = 0) -> str:
        process = forks.start(arguments, folder=tmp_path, environment=os.environ)
        shown, _ = process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == code, shown
        return shown

    return run


def imported_by(*arguments: str, folder: Path) -> tuple[str, set[str]]:
    """Run a command in a new process; return what it printed, and which SDKs it imported."""
    program = _PROGRAM.format(arguments=arguments, watched=tuple(_WATCHED.values()))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=folder, check=False)
    errors, _, imported = done.stderr.rpartition("IMPORTED")
    assert (done.returncode, errors) == (0, "")
    return done.stdout, set(imported.split())


def test_machines_are_listed_with_their_cost_and_swept(skyflow: Skyflow, ec2: Faults, tmp_path: Path) -> None:
    project = find_project(state=tmp_path / ".skyflow" / "state.db")
    fleet, owner = fleet_of("aws", project, clock(), QUICK)
    machine = fleet.acquire(machine_request("aws", owner))
    shown, imported = imported_by("instances", "--on", "aws", folder=tmp_path)
    assert imported == {"boto3"}
    assert "aws us-east-1a, m6i.large" in shown
    assert f"  {machine.id}\n  train of run run-1\n" in shown
    assert "1 machine: $0.10 per hour, $0.0" in shown
    [listed] = json.loads(skyflow("instances", "--on", "aws", "--json"))
    assert (listed["id"], listed["usd_per_hour"], listed["state"]) == (machine.id, 0.096, "running")
    assert "too new to judge" in skyflow("gc", "--on", "aws")
    told = skyflow("gc", "--on", "aws", "--grace", "0", "--dry-run")
    assert f"would go: aws us-east-1a: machine m6i.large {machine.id}: nobody drives its run" in told
    assert len(json.loads(skyflow("instances", "--on", "aws", "--json"))) == 1
    swept = skyflow("gc", "--on", "aws", "--grace", "0")
    assert f"goes: aws us-east-1a: machine m6i.large {machine.id}" in swept
    assert "No machine of ours exists." in skyflow("instances", "--on", "aws")


def test_a_deleted_store_is_swept_by_its_name(skyflow: Skyflow, gce: Faults, tmp_path: Path) -> None:
    project = find_project(state=tmp_path / "lost" / "state.db")
    fleet, owner = fleet_of("gcp", project, clock(), QUICK)
    fleet.acquire(machine_request("gcp", owner))
    project.state.database.unlink()
    assert json.loads(skyflow("instances", "--on", "gcp", "--json")) == []
    [seen] = json.loads(skyflow("instances", "--on", "gcp", "--all", "--json"))
    assert seen["owner"] == owner
    skyflow("gc", "--on", "gcp", "--grace", "0")
    assert gce.app.instances, "another store's machine was touched"
    _, imported = imported_by("gc", "--on", "gcp", "--grace", "0", "--owner", owner, folder=tmp_path)
    assert imported == {"google.cloud.compute_v1"}
    assert not any(gce.app.remains().values())


def test_gc_fails_when_a_cloud_with_machines_cannot_be_asked(
    skyflow: Skyflow, ec2: Faults, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = find_project(state=tmp_path / ".skyflow" / "state.db")
    fleet, owner = fleet_of("aws", project, clock(), QUICK)
    fleet.acquire(machine_request("aws", owner))
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    errors = skyflow("gc", "--on", "aws", code=5)
    assert "aws was not asked: Unable to locate credentials" in errors
    assert "something may be left in aws" in errors
    errors = skyflow("instances", "--on", "aws", code=5)
    assert "machines may exist in aws, which could not be asked" in errors


def test_where_nothing_was_ever_made_no_sdk_is_imported(tmp_path: Path) -> None:
    assert imported_by("gc", folder=tmp_path) == ("Nothing to remove.\n", set())
    assert imported_by("instances", folder=tmp_path) == ("No machine of ours exists.\n", set())
    assert list(tmp_path.iterdir()) == []


def test_a_check_says_what_to_fix_and_init_fixes_it(
    skyflow: Skyflow, arm: Faults, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AZURE_TOKEN_CREDENTIALS")
    shown = skyflow("cloud", "check", "azure", code=5)
    assert "fix: run `skyflow cloud init azure --region eastus`" in shown
    assert "no machine could be made in azure" in shown
    made = skyflow("cloud", "init", "azure")
    assert "network skyflow-eastus: a subnet, and a security group that lets SSH in" in made
    shown, imported = imported_by("cloud", "check", "azure", folder=tmp_path)
    assert "warning" in shown  # there is no quota for spot machines
    assert imported == {"azure.mgmt.compute"}
    [answer] = json.loads(skyflow("cloud", "check", "azure", "--json"))
    assert answer["provider"] == "azure"
    assert {each["verdict"] for each in answer["results"]} == {"ok", "warning"}
    removed = skyflow("cloud", "init", "azure", "--remove")
    assert "network skyflow-eastus removed" in removed


def test_a_region_of_the_configuration_that_nobody_knows_is_told(
    skyflow: Skyflow, ec2: Faults, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-esat-1")
    shown = skyflow("cloud", "check", "aws", code=5)
    assert "the catalog has no region 'us-esat-1' of aws, which your configuration names" in shown
    assert "did you mean 'us-east-1'?" in shown
    assert "no region 'us-esat-1'" in skyflow("cloud", "init", "aws", code=2)


def test_a_check_without_a_login_names_the_way_to_log_in(
    skyflow: Skyflow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [each for each in os.environ if each.startswith(("AWS_ACCESS", "GOOGLE_", "IDENTITY_"))]:
        monkeypatch.delenv(name)
    shown = skyflow("cloud", "check", code=5)
    for way in ("aws sso login", "gcloud auth application-default login", "az login"):
        assert way in shown
    assert shown.endswith("error: no machine could be made in aws, gcp, azure\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("cloud", "check", "asw"), "did you mean 'aws'?"),
        (("cloud", "init", "azur"), "did you mean 'azure'?"),
        (("gc", "--on", "gpc", "--owner", "0123456789"), "did you mean 'gcp'?"),
        (("cloud", "check", "--region", "eastus"), "name the cloud"),
        (("cloud", "check", "aws", "--region", "us-esat-1"), "did you mean 'us-east-1'?"),
        (("cloud", "init", "gcp", "--region", "eastus"), "no region 'eastus' of gcp"),
    ],
)
def test_a_slip_is_understood(skyflow: Skyflow, arguments: tuple[str, ...], message: str, tmp_path: Path) -> None:
    assert message in skyflow(*arguments, code=2)
