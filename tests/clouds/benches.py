"""What the tests of all clouds share: an offering of each, a fleet that is in a hurry, and a clock that can be ahead."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest

from skyflow.app.clock import SystemClock
from skyflow.app.machines.clouds import open_journal
from skyflow.app.project import Project
from skyflow.model.catalog import Offering
from skyflow.model.resources import Market
from skyflow.ports.clock import Waiter
from skyflow.ports.provisioner import CloudError, Provisioner
from skyflow.provisioners.fleet import Fleet, Patience
from skyflow.testing.provisioners import Bench

QUICK = Patience(
    tries=5, first_pause=0.01, longest_pause=0.02, poll=0.02, start_within=60.0, visible_within=5.0, end_within=60.0
)
READ_SECONDS = 1.0
_OFFERINGS = {
    "aws": ("us-east-1", "m6i.large", 0.096),
    "gcp": ("us-central1", "n2-standard-4", 0.194),
    "azure": ("eastus", "Standard_D2s_v5", 0.096),
}


@dataclass
class ShiftedClock(SystemClock):
    """The system's time, and some more."""

    ahead: timedelta = timedelta()

    def now(self) -> datetime:
        return super().now() + self.ahead

    def sleep(self, seconds: float) -> None:
        super().sleep(min(seconds, 0.05))


def clock(*, ahead: timedelta = timedelta()) -> ShiftedClock:
    return ShiftedClock(ahead)


def offering_of(provider: str) -> Offering:
    region, instance_type, price = _OFFERINGS[provider]
    return Offering(
        provider=provider,
        region=region,
        instance_type=instance_type,
        market=Market.ON_DEMAND,
        vcpus=2,
        memory_gib=8.0,
        price_usd_per_hour=price,
        price_basis="list",
    )


def refusal_of(bench: Bench, **changed: object) -> CloudError:
    """Return why a cloud refuses the usual machine with some changes."""
    with pytest.raises(CloudError) as raised:
        bench.provisioner.create(replace(bench.request(), **changed))
    return raised.value


def impatient(provider: str, time: Waiter) -> Provisioner:
    """Return a provisioner that soon gives up on an answer."""
    if provider == "aws":
        from skyflow.provisioners.aws.machines import AwsProvisioner
        from skyflow.provisioners.aws.session import AwsSession

        return AwsProvisioner(AwsSession(read_seconds=READ_SECONDS))
    if provider == "gcp":
        from skyflow.provisioners.gcp.machines import GcpProvisioner
        from skyflow.provisioners.gcp.session import GcpSession

        return GcpProvisioner(GcpSession(time, read_seconds=READ_SECONDS))
    from skyflow.provisioners.azure.machines import AzureProvisioner
    from skyflow.provisioners.azure.session import AzureSession

    return AzureProvisioner(AzureSession(time, read_seconds=READ_SECONDS))


def fleet_of(provider: str, project: Project, time: Waiter, patience: Patience) -> tuple[Fleet, str]:
    journal = open_journal(project)
    return Fleet(impatient(provider, time), journal, time, patience), journal.owner()
