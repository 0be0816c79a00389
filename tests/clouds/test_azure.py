"""Azure through the real azure-mgmt-compute and azure-identity over real HTTPS."""

import pytest
from serving import Faults

from skyflow.app.clock import SystemClock
from skyflow.model.catalog import Offering
from skyflow.model.resources import Market
from skyflow.provisioners.azure.account import AzureAccount
from skyflow.provisioners.azure.machines import AzureProvisioner
from skyflow.provisioners.azure.session import AzureSession
from skyflow.testing.provisioners import Bench, ProvisionerContract

OFFERING = Offering(
    provider="azure", region="eastus", instance_type="Standard_D2s_v5", market=Market.ON_DEMAND, vcpus=2, memory_gib=8.0,
    price_usd_per_hour=0.096, price_basis="list",
)  # fmt: skip


@pytest.fixture
def session(arm: Faults) -> AzureSession:
    return AzureSession(SystemClock(), poll_seconds=0.02)


@pytest.fixture
def bench(arm: Faults, session: AzureSession) -> Bench:
    AzureAccount(session).prepare("eastus", lambda _: None)
    return Bench(provisioner=AzureProvisioner(session), offering=OFFERING, leave_disk=arm.app.leave_disk)


class TestContract(ProvisionerContract):
    pass
