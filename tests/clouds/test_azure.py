"""Azure through the real azure-mgmt-compute and azure-identity over real HTTPS."""

from dataclasses import replace

import pytest
from benches import clock, offering_of, refusal_of
from serving import Faults

from skyflow.model.checks import Verdict
from skyflow.model.machines import FailureKind, Scope
from skyflow.model.resources import Market
from skyflow.ports.provisioner import CloudError
from skyflow.provisioners.azure.account import AzureAccount
from skyflow.provisioners.azure.machines import AzureProvisioner
from skyflow.provisioners.azure.session import AzureSession
from skyflow.testing.provisioners import Bench, ProvisionerContract


@pytest.fixture
def session(arm: Faults) -> AzureSession:
    return AzureSession(clock())


@pytest.fixture
def bench(arm: Faults, session: AzureSession) -> Bench:
    AzureAccount(session).prepare("eastus", lambda _: None)
    return Bench(provisioner=AzureProvisioner(session), offering=offering_of("azure"), leave_disk=arm.app.leave_disk)


class TestContract(ProvisionerContract):
    pass


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (
            (409, "SkuNotAvailable", "The requested size is currently not available in location 'eastus'."),
            FailureKind.CAPACITY,
        ),
        ((409, "OperationNotAllowed", "exceeding approved Total Regional Cores quota."), FailureKind.QUOTA),
        ((403, "AuthorizationFailed", "The client does not have authorization."), FailureKind.AUTH),
        ((400, "InvalidParameter", "The value is not valid."), FailureKind.PERMANENT),
        (
            (400, "InvalidParameter", "The requested VM size Standard_D1 is not available in the current region."),
            FailureKind.NOT_OFFERED,
        ),
        (
            (400, "LocationNotAvailableForResourceType", "The provided location 'eastus' is not available."),
            FailureKind.UNUSABLE,
        ),
        ((404, "PlatformImageNotFound", "The platform image was not found."), FailureKind.NO_IMAGE),
    ],
)
def test_a_refusal_is_known_by_its_code(
    bench: Bench, arm: Faults, answer: tuple[int, str, str], kind: FailureKind
) -> None:
    arm.app.refusing = [answer]
    failure = refusal_of(bench)
    assert (failure.kind, failure.code) == (kind, answer[1])
    assert not any(arm.app.remains().values())


@pytest.mark.parametrize(("code", "scope"), [("AllocationFailed", Scope.REGION), ("ZonalAllocationFailed", Scope.ZONE)])
def test_a_machine_that_is_not_allocated_is_deleted(bench: Bench, arm: Faults, code: str, scope: Scope) -> None:
    arm.app.failing = [(code, "We do not have sufficient capacity for the requested VM size in this region.")]
    failure = refusal_of(bench)
    assert (failure.kind, failure.scope, failure.code) == (FailureKind.CAPACITY, scope, code)
    found = bench.provisioner.find(bench.request().name, region="eastus")
    assert found is None or bench.gone(found)
    assert not any(arm.app.remains().values())


def test_a_spot_machine_is_deleted_when_it_is_taken_away(bench: Bench, arm: Faults) -> None:
    bench.provisioner.create(replace(bench.request(), offering=replace(bench.offering, market=Market.SPOT)))
    [vm] = arm.app.vms.values()
    assert vm["properties"]["evictionPolicy"] == "Delete"
    assert vm["properties"]["billingProfile"] == {"maxPrice": -1}


def test_every_machine_is_given_the_identity_that_may_delete_it(bench: Bench, arm: Faults) -> None:
    bench.provisioner.create(bench.request())
    [vm] = arm.app.vms.values()
    [identity] = vm["identity"]["userAssignedIdentities"]
    assert identity.endswith("/userAssignedIdentities/skyflow-watchdog")


def test_without_the_right_to_give_rights_away_a_warning_stays(arm: Faults, session: AzureSession) -> None:
    arm.app.may_assign_roles = False
    said: list[str] = []
    AzureAccount(session).prepare("eastus", said.append)
    assert any(line.startswith("warning: machines will not be able to delete themselves") for line in said)
    results = {each.subject: each for each in AzureAccount(session).check("eastus")}
    assert results["dead-man's switch"].verdict is Verdict.WARNING
    assert results["network"].verdict is Verdict.OK
    bench = Bench(provisioner=AzureProvisioner(session), offering=offering_of("azure"), leave_disk=arm.app.leave_disk)
    bench.provisioner.create(bench.request())
    [vm] = arm.app.vms.values()
    assert "identity" not in vm


def test_a_card_is_removed_before_the_address_that_it_holds(bench: Bench, arm: Faults) -> None:
    name = bench.request().name
    arm.app.leave_card_and_address(name)
    found = bench.provisioner.leftovers(bench.request().owner)
    assert [each.kind for each in found] == ["network card", "address"]
    for leftover in found:
        bench.provisioner.remove(leftover)
    assert not any(arm.app.remains().values())


def test_what_was_not_prepared_is_told_and_what_was_is_removed(
    arm: Faults, session: AzureSession, bench: Bench
) -> None:
    failure = refusal_of(bench, offering=replace(bench.offering, region="westeurope"))
    assert failure.hint == "run `skyflow cloud init azure --region westeurope`"
    assert (failure.kind, failure.scope) == (FailureKind.UNUSABLE, Scope.REGION)
    said: list[str] = []
    account = AzureAccount(session)
    bench.provisioner.create(replace(bench.request(), ports=(8080,)))
    with pytest.raises(CloudError, match="in use"):
        account.unprepare("eastus", said.append)
    [machine] = bench.provisioner.machines()
    bench.provisioner.terminate(machine)
    bench.gone(machine)
    account.unprepare("eastus", said.append)
    account.unprepare("eastus", said.append)
    left = [path for path in arm.app.resources if "/providers/" in path]
    assert not left


def test_a_check_tells_what_is_missing(arm: Faults, session: AzureSession) -> None:
    results = {each.subject: each for each in AzureAccount(session).check("eastus")}
    assert results["network"].verdict is Verdict.FAILED
    assert results["network"].fix == "run `skyflow cloud init azure --region eastus`"
    AzureAccount(session).prepare("eastus", lambda _: None)
    arm.app.not_actions = ["Microsoft.Compute/virtualMachines/*"]
    results = {each.subject: each for each in AzureAccount(session).check("eastus")}
    assert results["permissions"].verdict is Verdict.FAILED
    assert "Microsoft.Compute/virtualMachines/write" in results["permissions"].found
    assert results["dead-man's switch"].verdict is Verdict.OK
    assert results["quota: Total Regional vCPUs"].found == "20, 4 in use"


def test_no_credentials_are_told_with_what_to_do(
    arm: Faults, session: AzureSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("IDENTITY_ENDPOINT")
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")
    [result] = AzureAccount(session).check("eastus")
    assert result.fix is not None
    assert "az login" in result.fix
