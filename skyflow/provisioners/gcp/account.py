"""Is a GCP project fit for use, and what has to be prepared in it; see `skyflow.ports.provisioner.CloudAccount`."""

from collections.abc import Iterator

from skyflow.model.checks import CheckResult, Verdict
from skyflow.ports.provisioner import CloudError, Say
from skyflow.provisioners.gcp.machines import GcpProvisioner
from skyflow.provisioners.gcp.network import choose_network, ensure_firewall, make_network, remove_network
from skyflow.provisioners.gcp.session import GcpSession

__all__ = ["GcpAccount"]

PERMISSIONS = (
    "compute.disks.create",
    "compute.disks.delete",
    "compute.disks.list",
    "compute.disks.setLabels",
    "compute.firewalls.create",
    "compute.firewalls.get",
    "compute.instances.create",
    "compute.instances.delete",
    "compute.instances.get",
    "compute.instances.list",
    "compute.instances.setLabels",
    "compute.instances.setMetadata",
    "compute.instances.setTags",
    "compute.networks.get",
    "compute.networks.updatePolicy",
    "compute.projects.get",
    "compute.regions.get",
    "compute.subnetworks.use",
    "compute.subnetworks.useExternalIp",
    "compute.zoneOperations.get",
)
"""What making, finding and removing machines needs; the role Compute Admin has all of them."""


class GcpAccount:
    """One project of Google Cloud."""

    def __init__(self, session: GcpSession) -> None:
        self._session = session

    def check(self, region: str) -> Iterator[CheckResult]:
        """Look at credentials, API, permissions, network and quotas, in this order."""
        try:
            found = f"{self._session.account} in project {self._session.project}"
        except CloudError as error:
            yield CheckResult.failed("credentials", error)
            return
        yield CheckResult("credentials", Verdict.OK, found)
        try:
            quotas = GcpProvisioner(self._session).quotas(region)
        except CloudError as error:
            yield CheckResult.failed("Compute Engine API", error)
            return
        yield CheckResult("Compute Engine API", Verdict.OK, f"answers for {region}")
        yield self._permissions()
        try:
            network = choose_network(self._session)
        except CloudError as error:
            yield CheckResult.failed("network", error)
        else:
            if network is None:
                yield CheckResult("network", Verdict.FAILED, "there is none", "run `skyflow cloud init gcp`")
            else:
                yield CheckResult("network", Verdict.OK, network.rpartition("/")[2])
        for quota in quotas:
            used = "" if quota.used is None else f", {quota.used:g} in use"
            is_enough = quota.limit > (quota.used or 0)
            yield CheckResult(
                f"quota: {quota.name}",
                Verdict.OK if is_enough else Verdict.WARNING,
                f"{quota.limit:g}{used}",
                None if is_enough else "ask for more in the console under IAM, Quotas",
            )

    def prepare(self, region: str, say: Say) -> None:  # noqa: ARG002 -- networks of GCP span all regions
        """Make the firewall rule for SSH, and a network where the project has no default one."""
        network = choose_network(self._session) or make_network(self._session, say)
        rule = ensure_firewall(self._session, network, ())
        say(f"firewall rule {rule} in network {network.rpartition('/')[2]}: lets SSH in")

    def unprepare(self, region: str, say: Say) -> None:  # noqa: ARG002 -- as above
        """Remove the firewall rules and the network that we made."""
        remove_network(self._session, say)

    def _permissions(self) -> CheckResult:
        try:
            granted = self._session.granted(list(PERMISSIONS))
        except CloudError as error:
            fix = error.hint or "switch the API on: `gcloud services enable cloudresourcemanager.googleapis.com`"
            return CheckResult("permissions", Verdict.WARNING, f"cannot be looked up: {error.message}", fix)
        missing = [each for each in PERMISSIONS if each not in granted]
        if missing:
            fix = "give the account the role Compute Admin (roles/compute.admin)"
            return CheckResult("permissions", Verdict.FAILED, f"not allowed: {', '.join(missing)}", fix)
        return CheckResult("permissions", Verdict.OK, f"all {len(PERMISSIONS)} that are needed")
