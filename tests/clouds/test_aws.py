"""EC2 through the real boto3 over real HTTP."""

import ec2_server
import pytest
from serving import Faults

from skyflow.model.catalog import Offering
from skyflow.model.resources import Market
from skyflow.provisioners.aws.machines import AwsProvisioner
from skyflow.provisioners.aws.session import AwsSession
from skyflow.testing.provisioners import Bench, ProvisionerContract

OFFERING = Offering(
    provider="aws", region="us-east-1", instance_type="m6i.large", market=Market.ON_DEMAND, vcpus=2, memory_gib=8.0,
    price_usd_per_hour=0.096, price_basis="list",
)  # fmt: skip


@pytest.fixture
def bench(ec2: Faults) -> Bench:
    return Bench(provisioner=AwsProvisioner(AwsSession()), offering=OFFERING, leave_disk=ec2_server.leave_disk)


class TestContract(ProvisionerContract):
    pass
