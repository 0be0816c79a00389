"""Compute Engine through the real google-cloud-compute over real HTTP."""

from dataclasses import replace

import gce_server
import pytest
from benches import clock, offering_of, refusal_of
from serving import Faults

from skyflow.model.checks import Verdict
from skyflow.model.machines import FailureKind, Scope
from skyflow.model.resources import Accelerators, Market
from skyflow.provisioners.gcp.account import GcpAccount
from skyflow.provisioners.gcp.machines import GcpProvisioner
from skyflow.provisioners.gcp.session import GcpSession
from skyflow.testing.provisioners import Bench, ProvisionerContract


@pytest.fixture
def session(gce: Faults) -> GcpSession:
    return GcpSession(clock())


@pytest.fixture
def bench(gce: Faults, session: GcpSession) -> Bench:
    return Bench(provisioner=GcpProvisioner(session), offering=offering_of("gcp"), leave_disk=gce.app.leave_disk)


class TestContract(ProvisionerContract):
    pass


def test_a_full_zone_is_passed_over_and_a_full_region_is_told(bench: Bench, gce: Faults) -> None:
    kind = bench.offering.instance_type
    gce.app.capacity = {("us-central1-a", kind): 0}
    made = bench.provisioner.create(bench.request())
    assert made.zone == "us-central1-b"
    gce.app.capacity = {}
    assert bench.provisioner.create(bench.request()).id == made.id
    gce.app.capacity = {(zone, kind): 0 for zone in gce_server.ZONES}
    failure = refusal_of(bench, attempt=2)
    assert (failure.kind, failure.scope, failure.code) == (
        FailureKind.CAPACITY, Scope.REGION, "ZONE_RESOURCE_POOL_EXHAUSTED",
    )  # fmt: skip
    named = refusal_of(bench, attempt=2, offering=replace(bench.offering, zone="us-central1-b"))
    assert named.scope is Scope.ZONE
    assert len(gce.app.instances) == 1


def test_a_type_that_some_zones_do_not_have_is_had_in_another(bench: Bench, gce: Faults) -> None:
    kind = bench.offering.instance_type
    gce.app.not_offered = {("us-central1-a", kind)}
    assert bench.provisioner.create(bench.request()).zone == "us-central1-b"
    gce.app.not_offered = {(zone, kind) for zone in gce_server.ZONES}
    failure = refusal_of(bench, attempt=2)
    assert (failure.kind, failure.scope) == (FailureKind.NOT_OFFERED, Scope.REGION)


def test_an_accelerator_that_a_zone_does_not_have_is_told_by_the_operation(bench: Bench, gce: Faults) -> None:
    path = "projects/demo-project/zones/us-central1-a/acceleratorTypes/nvidia-l4"
    gce.app.failing = [{"code": "RESOURCE_NOT_FOUND", "message": f"The resource '{path}' was not found"}]
    failure = refusal_of(bench, offering=replace(bench.offering, zone="us-central1-a"))
    assert (failure.kind, failure.scope) == (FailureKind.NOT_OFFERED, Scope.ZONE)


def test_a_region_that_is_not_there_is_told(bench: Bench) -> None:
    failure = refusal_of(bench, offering=replace(bench.offering, region="mars-north1"))
    assert (failure.kind, failure.scope, failure.code) == (FailureKind.UNUSABLE, Scope.REGION, "notFound")


def test_a_quota_is_told_by_the_operation(bench: Bench, gce: Faults) -> None:
    gce.app.failing = [
        {"code": "QUOTA_EXCEEDED", "message": "Quota 'CPUS' exceeded.  Limit: 24.0 in region us-central1."}
    ]
    failure = refusal_of(bench)
    assert (failure.kind, failure.scope) == (FailureKind.QUOTA, Scope.REGION)
    assert "CPUS" in failure.message


def test_an_operation_that_failed_for_a_moment_is_started_anew(bench: Bench, gce: Faults) -> None:
    gce.app.failing = [{"code": "RESOURCE_OPERATION_RATE_EXCEEDED", "message": "Operation rate exceeded."}]
    assert bench.running(bench.provisioner.create(bench.request())).address
    assert gce.calls.count("create") == 2


def test_the_cloud_itself_ends_every_machine(bench: Bench, gce: Faults) -> None:
    spot = replace(bench.offering, market=Market.SPOT)
    bench.provisioner.create(bench.request())
    bench.provisioner.create(replace(bench.request(), offering=spot, attempt=2))
    for instance in gce.app.instances.values():
        assert instance["scheduling"]["maxRunDuration"]["seconds"] == "86400"
        assert instance["scheduling"]["instanceTerminationAction"] == "DELETE"


def test_ports_and_accelerators_are_asked_for_as_google_describes_it(bench: Bench, gce: Faults) -> None:
    offering = replace(bench.offering, instance_type="n1-standard-8", accelerators=Accelerators("T4", 2))
    bench.provisioner.create(replace(bench.request(), offering=offering, ports=(443,), identity="me@demo-project.test"))
    assert set(gce.app.firewalls) == {"skyflow-ssh", "skyflow-ports-443"}
    assert gce.app.firewalls["skyflow-ports-443"]["allowed"] == [{"IPProtocol": "tcp", "ports": ["443"]}]
    assert not gce.app.problems


def test_a_project_without_a_network_is_prepared_and_cleared_again(
    bench: Bench, session: GcpSession, gce: Faults
) -> None:
    gce.app.networks.clear()
    failure = refusal_of(bench)
    assert (failure.kind, failure.scope, failure.code) == (FailureKind.UNUSABLE, Scope.CLOUD, "NoNetwork")
    account = GcpAccount(session)
    said: list[str] = []
    account.prepare("us-central1", said.append)
    account.prepare("us-central1", said.append)
    assert set(gce.app.networks) == {"skyflow"}
    bench.provisioner.create(bench.request())
    account.unprepare("us-central1", said.append)
    account.unprepare("us-central1", said.append)
    assert not gce.app.networks
    assert not gce.app.firewalls


def test_a_check_tells_what_is_missing(session: GcpSession, gce: Faults) -> None:
    gce.app.denied.add("compute.instances.create")
    results = {each.subject: each for each in GcpAccount(session).check("us-central1")}
    assert results["permissions"].verdict is Verdict.FAILED
    assert results["permissions"].found == "not allowed: compute.instances.create"
    assert results["credentials"].found == "tests@demo-project.iam.gserviceaccount.com in project demo-project"
    assert results["quota: cpus"].found == "24, 2 in use"
    assert results["quota: preemptible cpus"].verdict is Verdict.WARNING


def test_no_credentials_are_told_with_what_to_do(
    gce: Faults, session: GcpSession, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS")
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    [result] = GcpAccount(session).check("us-central1")
    assert result.fix is not None
    assert "gcloud auth application-default login" in result.fix


def test_machines_of_one_job_let_one_another_in(bench: Bench, gce: Faults) -> None:
    request = replace(bench.request(), nodes=2)
    for node in (0, 1):
        bench.provisioner.create(replace(request, node=node))
    rule = gce.app.firewalls["skyflow-nodes"]
    assert rule["sourceTags"] == rule["targetTags"] == ["skyflow-nodes"]
    assert rule["allowed"] == [{"IPProtocol": "all"}]
