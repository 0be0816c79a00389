"""EC2 through the real boto3 over real HTTP."""

from dataclasses import replace

import boto3
import ec2_server
import pytest
from benches import QUICK, clock, offering_of, refusal_of
from serving import Faults

from skyflow.app.machines.clouds import open_journal
from skyflow.app.project import find_project
from skyflow.model.checks import CheckResult, Verdict
from skyflow.model.machines import FailureKind, Intent, MachineState, Scope
from skyflow.ports.provisioner import CloudError
from skyflow.provisioners.aws.account import AwsAccount
from skyflow.provisioners.aws.machines import AwsProvisioner
from skyflow.provisioners.aws.session import AwsSession
from skyflow.provisioners.fleet import Fleet
from skyflow.testing.provisioners import Bench, ProvisionerContract


@pytest.fixture
def session(ec2: Faults) -> AwsSession:
    return AwsSession()


@pytest.fixture
def bench(session: AwsSession) -> Bench:
    return Bench(provisioner=AwsProvisioner(session), offering=offering_of("aws"), leave_disk=ec2_server.leave_disk)


class TestContract(ProvisionerContract):
    pass


def _found(results: list[CheckResult], verdict: Verdict) -> dict[str, str]:
    return {each.subject: each.found for each in results if each.verdict is verdict}


def test_a_full_zone_is_passed_over_and_a_full_region_is_told(bench: Bench, ec2: Faults) -> None:
    kind = bench.offering.instance_type
    ec2_server.ACCOUNT.capacity = {("us-east-1a", kind): 0}
    made = bench.provisioner.create(bench.request())
    assert made.zone == "us-east-1b"
    assert bench.provisioner.create(bench.request()).id == made.id  # and not one more in a zone that is free now
    ec2_server.ACCOUNT.capacity = {(f"us-east-1{letter}", kind): 0 for letter in "abcdef"}
    failure = refusal_of(bench, attempt=2)
    assert (failure.kind, failure.scope, failure.code) == (
        FailureKind.CAPACITY, Scope.REGION, "InsufficientInstanceCapacity",
    )  # fmt: skip
    named = refusal_of(bench, attempt=2, offering=replace(bench.offering, zone="us-east-1a"))
    assert named.scope is Scope.ZONE
    assert ec2.calls.count("create") == 2 + 6 + 1  # capacity is not asked for twice, as boto3 would by itself


def test_a_quota_is_told_from_capacity(bench: Bench) -> None:
    ec2_server.ACCOUNT.over_quota.add(bench.offering.instance_type)
    failure = refusal_of(bench)
    assert (failure.kind, failure.code) == (FailureKind.QUOTA, "VcpuLimitExceeded")
    assert failure.hint is not None
    assert "quota" in failure.hint


def test_a_type_that_some_zones_do_not_have_is_had_in_another(bench: Bench) -> None:
    kind = bench.offering.instance_type
    zones = [f"us-east-1{letter}" for letter in "abcdef"]
    ec2_server.ACCOUNT.not_offered = {(zone, kind) for zone in zones[:-1]}
    assert bench.provisioner.create(bench.request()).zone == zones[-1]
    ec2_server.ACCOUNT.capacity = {(zones[-1], kind): 0}
    assert refusal_of(bench, attempt=2).kind is FailureKind.CAPACITY  # there it may come back
    ec2_server.ACCOUNT.not_offered = {(zone, kind) for zone in zones}
    failure = refusal_of(bench, attempt=2)
    assert (failure.kind, failure.scope) == (FailureKind.NOT_OFFERED, Scope.REGION)


@pytest.mark.parametrize("image", [None, "ami-12345678"])
def test_a_type_that_a_region_does_not_have_is_told(bench: Bench, image: str | None) -> None:
    image = image and boto3.client("ec2").describe_images(Owners=["self"])["Images"][0]["ImageId"]
    failure = refusal_of(bench, offering=replace(bench.offering, instance_type="m99.large"), image=image)
    assert (failure.kind, failure.scope) == (FailureKind.NOT_OFFERED, Scope.REGION)


@pytest.mark.parametrize(("image", "code"), [(None, "ParameterNotFound"), ("ami-12345678", "InvalidAMIID.NotFound")])
def test_an_image_that_a_region_does_not_have_is_told(bench: Bench, image: str | None, code: str) -> None:
    ec2_server.withdraw_images("us-east-1")
    failure = refusal_of(bench, image=image)
    assert (failure.kind, failure.scope, failure.code) == (FailureKind.NO_IMAGE, Scope.REGION, code)


def test_a_machine_that_is_gone_is_not_made_again_for_the_same_attempt(bench: Bench) -> None:
    machine = bench.running(bench.provisioner.create(bench.request()))
    bench.provisioner.terminate(machine)
    assert bench.gone(machine)
    failure = refusal_of(bench)
    assert failure.code == "IdempotentInstanceTerminated"
    assert failure.kind is FailureKind.PERMANENT


def test_the_machine_is_made_as_asked_for(bench: Bench) -> None:
    boto3.client("iam").create_instance_profile(InstanceProfileName="skyflow-role")
    asked = replace(bench.request(), ports=(8080,), identity="skyflow-role", startup_script="echo hello")
    made = bench.provisioner.create(asked)
    ec2 = boto3.client("ec2")
    [group] = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["skyflow-8080"]}])[
        "SecurityGroups"
    ]
    assert {rule["FromPort"] for rule in group["IpPermissions"]} == {22, 8080}
    attribute = ec2.describe_instance_attribute(InstanceId=made.id, Attribute="instanceInitiatedShutdownBehavior")
    assert attribute["InstanceInitiatedShutdownBehavior"] == {"Value": "terminate"}
    [[described]] = [each["Instances"] for each in ec2.describe_instances(InstanceIds=[made.id])["Reservations"]]
    assert described["MetadataOptions"]["HttpTokens"] == "required"
    [disk] = ec2.describe_volumes(Filters=[{"Name": "attachment.instance-id", "Values": [made.id]}])["Volumes"]
    assert disk["Size"] == 40
    assert {"Key": "skyflow-owner", "Value": asked.owner} in disk["Tags"]


def test_an_account_without_a_network_is_prepared_and_cleared_again(session: AwsSession, bench: Bench) -> None:
    ec2 = boto3.client("ec2")
    for subnet in ec2.describe_subnets()["Subnets"]:
        ec2.delete_subnet(SubnetId=subnet["SubnetId"])
    failure = refusal_of(bench)
    assert (failure.kind, failure.scope, failure.code) == (FailureKind.UNUSABLE, Scope.REGION, "NoSubnet")
    assert failure.hint is not None
    assert "skyflow cloud init aws --region us-east-1" in failure.hint
    account = AwsAccount(session)
    said: list[str] = []
    account.prepare("us-east-1", said.append)
    [vpc] = ec2.describe_vpcs(Filters=[{"Name": "tag-key", "Values": ["skyflow-network"]}])["Vpcs"]
    for subnet in ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc["VpcId"]]}])["Subnets"]:
        ec2.delete_subnet(SubnetId=subnet["SubnetId"])  # as if it had been interrupted before it made them
    account.prepare("us-east-1", said.append)
    account.prepare("us-east-1", said.append)
    assert len(ec2.describe_vpcs(Filters=[{"Name": "tag-key", "Values": ["skyflow-network"]}])["Vpcs"]) == 1
    machine = bench.running(bench.provisioner.create(bench.request()))
    with pytest.raises(CloudError, match="dependent object"):
        account.unprepare("us-east-1", said.append)
    bench.provisioner.terminate(machine)
    bench.gone(machine)
    account.unprepare("us-east-1", said.append)
    assert not ec2.describe_vpcs(Filters=[{"Name": "tag-key", "Values": ["skyflow-network"]}])["Vpcs"]
    account.unprepare("us-east-1", said.append)


def test_a_check_tells_what_is_missing(session: AwsSession) -> None:
    ec2_server.ACCOUNT.forbidden |= {"TerminateInstances", "RunInstances"}
    results = list(AwsAccount(session).check("us-east-1"))
    assert _found(results, Verdict.FAILED) == {"permissions": "not allowed: ec2:RunInstances, ec2:TerminateInstances"}
    assert set(_found(results, Verdict.OK)) >= {"credentials", "network", "image"}
    assert _found(results, Verdict.WARNING) == {"quota: vCPUs, G and VT machines": "0"}


def test_a_check_makes_nothing(session: AwsSession) -> None:
    before = ec2_server.remains()
    results = list(AwsAccount(session).check("us-east-1"))
    assert not _found(results, Verdict.FAILED)
    assert ec2_server.remains() == before
    assert not boto3.client("ec2").describe_key_pairs()["KeyPairs"]


def test_no_credentials_are_told_with_what_to_do(
    ec2: Faults, session: AwsSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    [result] = AwsAccount(session).check("us-east-1")
    assert result.verdict is Verdict.FAILED
    assert result.fix is not None
    assert "aws sso login" in result.fix


def test_a_machine_that_cannot_be_had_is_closed_in_the_journal(bench: Bench, tmp_path: object) -> None:
    ec2_server.ACCOUNT.over_quota.add(bench.offering.instance_type)
    project = find_project(state=tmp_path / "state.db")
    journal = open_journal(project)
    fleet = Fleet(bench.provisioner, journal, clock(), QUICK)
    with pytest.raises(CloudError):
        fleet.acquire(replace(bench.request(), owner=journal.owner()))
    [record] = journal.records()
    assert record.intent is Intent.GONE
    assert "VcpuLimitExceeded" in record.detail
    assert record.cost_usd(clock().now()) == 0.0


def test_a_machine_that_dies_while_it_starts_is_a_failure_of_capacity(
    bench: Bench, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ec2_server, "START_SECONDS", 60.0)  # it stays pending until it is taken away
    project = find_project(state=tmp_path / "state.db")
    original = AwsProvisioner.describe

    def taken_away(self: AwsProvisioner, machine: object) -> object:
        boto3.client("ec2").terminate_instances(InstanceIds=[machine.id])
        return original(self, machine)

    monkeypatch.setattr(AwsProvisioner, "describe", taken_away)
    journal = open_journal(project)
    fleet = Fleet(bench.provisioner, journal, clock(), replace(QUICK, end_within=0.1))
    with pytest.raises(CloudError) as raised:
        fleet.acquire(replace(bench.request(), owner=journal.owner()))
    assert raised.value.kind is FailureKind.CAPACITY
    assert raised.value.scope is Scope.ZONE
    [record] = journal.records()
    assert record.intent is Intent.RELEASED  # told to go, and not seen to be gone: the sweeper looks again
    assert all(each.state in {MachineState.STOPPING, MachineState.GONE} for each in bench.provisioner.machines())


def test_machines_of_one_job_let_one_another_in(bench: Bench) -> None:
    request = replace(bench.request(), nodes=2)
    made = [bench.provisioner.create(replace(request, node=node)) for node in (0, 1)]
    ec2 = boto3.client("ec2")
    [group] = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["skyflow-nodes"]}])[
        "SecurityGroups"
    ]
    [rule] = group["IpPermissions"]
    assert rule["IpProtocol"] == "-1"
    assert [pair["GroupId"] for pair in rule["UserIdGroupPairs"]] == [group["GroupId"]]
    found = ec2.describe_instances(InstanceIds=[each.id for each in made])["Reservations"]
    cards = [one["Instances"][0]["NetworkInterfaces"][0] for one in found]
    names = [{each["GroupName"] for each in card["Groups"]} for card in cards]
    assert names == [{"skyflow", "skyflow-nodes"}] * 2
