"""The commands as a user calls them: a process of its own, which finds the servers by the SDKs' own variables."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from benches import QUICK, clock, fleet_of
from launcher import request as machine_request
from serving import Faults

from skyflow.app.project import find_project

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


def skyflow(*arguments: str, cwd: Path, code: int = 0) -> tuple[str, str, set[str]]:
    """Run a command; return what it printed, what went wrong, and which SDKs it imported."""
    program = _PROGRAM.format(arguments=arguments, watched=tuple(_WATCHED.values()))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=cwd, check=False)
    errors, _, imported = done.stderr.rpartition("IMPORTED")
    assert done.returncode == code, done.stderr
    return done.stdout, errors, set(imported.split())


def test_machines_are_listed_with_their_cost_and_swept(ec2: Faults, tmp_path: Path) -> None:
    project = find_project(state=tmp_path / ".skyflow" / "state.db")
    fleet, owner = fleet_of("aws", project, clock(), QUICK)
    machine = fleet.acquire(machine_request("aws", owner))
    shown, _, imported = skyflow("instances", "--on", "aws", cwd=tmp_path)
    assert imported == {"boto3"}
    assert "aws us-east-1a, m6i.large" in shown
    assert f"  {machine.id}\n  train of run run-1\n" in shown
    assert "1 machine: $0.10 per hour, $0.0" in shown
    [listed] = json.loads(skyflow("instances", "--on", "aws", "--json", cwd=tmp_path)[0])
    assert (listed["id"], listed["usd_per_hour"], listed["state"]) == (machine.id, 0.096, "running")
    assert "too new to judge" in skyflow("gc", "--on", "aws", cwd=tmp_path)[0]
    told, _, _ = skyflow("gc", "--on", "aws", "--grace", "0", "--dry-run", cwd=tmp_path)
    assert f"would go: aws us-east-1a: machine m6i.large {machine.id}: nobody drives its run" in told
    assert len(json.loads(skyflow("instances", "--on", "aws", "--json", cwd=tmp_path)[0])) == 1
    swept, _, _ = skyflow("gc", "--on", "aws", "--grace", "0", cwd=tmp_path)
    assert f"goes: aws us-east-1a: machine m6i.large {machine.id}" in swept
    assert "No machine of ours exists." in skyflow("instances", "--on", "aws", cwd=tmp_path)[0]


def test_a_deleted_store_is_swept_by_its_name(gce: Faults, tmp_path: Path) -> None:
    project = find_project(state=tmp_path / "lost" / "state.db")
    fleet, owner = fleet_of("gcp", project, clock(), QUICK)
    fleet.acquire(machine_request("gcp", owner))
    project.state.database.unlink()
    assert json.loads(skyflow("instances", "--on", "gcp", "--json", cwd=tmp_path)[0]) == []
    [seen] = json.loads(skyflow("instances", "--on", "gcp", "--all", "--json", cwd=tmp_path)[0])
    assert seen["owner"] == owner
    skyflow("gc", "--on", "gcp", "--grace", "0", cwd=tmp_path)
    assert gce.app.instances, "another store's machine was touched"
    _, _, imported = skyflow("gc", "--on", "gcp", "--grace", "0", "--owner", owner, cwd=tmp_path)
    assert imported == {"google.cloud.compute_v1"}
    assert not any(gce.app.remains().values())


def test_gc_fails_when_a_cloud_with_machines_cannot_be_asked(
    ec2: Faults, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = find_project(state=tmp_path / ".skyflow" / "state.db")
    fleet, owner = fleet_of("aws", project, clock(), QUICK)
    fleet.acquire(machine_request("aws", owner))
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    _, errors, _ = skyflow("gc", "--on", "aws", cwd=tmp_path, code=5)
    assert "aws was not asked: Unable to locate credentials" in errors
    assert "something may be left in aws" in errors
    _, errors, _ = skyflow("instances", "--on", "aws", cwd=tmp_path, code=5)
    assert "machines may exist in aws, which could not be asked" in errors


def test_where_nothing_was_ever_made_no_sdk_is_imported(tmp_path: Path) -> None:
    assert skyflow("gc", cwd=tmp_path) == ("Nothing to remove.\n", "", set())
    assert skyflow("instances", cwd=tmp_path) == ("No machine of ours exists.\n", "", set())
    assert list(tmp_path.iterdir()) == []


def test_a_check_says_what_to_fix_and_init_fixes_it(
    arm: Faults, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AZURE_TOKEN_CREDENTIALS")
    shown, errors, imported = skyflow("cloud", "check", "azure", cwd=tmp_path, code=5)
    assert imported == {"azure.mgmt.compute"}
    assert "fix: run `skyflow cloud init azure --region eastus`" in shown
    assert "no machine could be made in azure" in errors
    made, _, _ = skyflow("cloud", "init", "azure", cwd=tmp_path)
    assert "network skyflow-eastus: a subnet, and a security group that lets SSH in" in made
    shown, _, _ = skyflow("cloud", "check", "azure", cwd=tmp_path)
    assert "warning" in shown  # there is no quota for spot machines
    [answer] = json.loads(skyflow("cloud", "check", "azure", "--json", cwd=tmp_path)[0])
    assert answer["provider"] == "azure"
    assert {each["verdict"] for each in answer["results"]} == {"ok", "warning"}
    removed, _, _ = skyflow("cloud", "init", "azure", "--remove", cwd=tmp_path)
    assert "network skyflow-eastus removed" in removed


def test_a_region_of_the_configuration_that_nobody_knows_is_told(
    ec2: Faults, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-esat-1")
    shown, _, _ = skyflow("cloud", "check", "aws", cwd=tmp_path, code=5)
    assert "the catalog has no region 'us-esat-1' of aws, which your configuration names" in shown
    assert "did you mean 'us-east-1'?" in shown
    assert "no region 'us-esat-1'" in skyflow("cloud", "init", "aws", cwd=tmp_path, code=2)[1]


def test_a_check_without_a_login_names_the_way_to_log_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [each for each in os.environ if each.startswith(("AWS_ACCESS", "GOOGLE_", "IDENTITY_"))]:
        monkeypatch.delenv(name)
    shown, errors, _ = skyflow("cloud", "check", cwd=tmp_path, code=5)
    for way in ("aws sso login", "gcloud auth application-default login", "az login"):
        assert way in shown
    assert errors == "error: no machine could be made in aws, gcp, azure\n"


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
def test_a_slip_is_understood(arguments: tuple[str, ...], message: str, tmp_path: Path) -> None:
    assert message in skyflow(*arguments, cwd=tmp_path, code=2)[1]
