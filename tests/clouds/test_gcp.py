"""Compute Engine through the real google-cloud-compute over real HTTP."""

import pytest
from serving import Faults

from skyflow.app.clock import SystemClock
from skyflow.model.catalog import Offering
from skyflow.model.resources import Market
from skyflow.provisioners.gcp.machines import GcpProvisioner
from skyflow.provisioners.gcp.session import GcpSession
from skyflow.testing.provisioners import Bench, ProvisionerContract

OFFERING = Offering(
    provider="gcp", region="us-central1", instance_type="n2-standard-4", market=Market.ON_DEMAND, vcpus=4,
    memory_gib=16.0, price_usd_per_hour=0.194, price_basis="list",
)  # fmt: skip


@pytest.fixture
def bench(gce: Faults) -> Bench:
    session = GcpSession(SystemClock(), poll_seconds=0.02)
    return Bench(provisioner=GcpProvisioner(session), offering=OFFERING, leave_disk=gce.app.leave_disk)


class TestContract(ProvisionerContract):
    pass
