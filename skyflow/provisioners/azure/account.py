"""Is an Azure subscription fit for use, and what has to be prepared in it; see `skyflow.ports.provisioner.CloudAccount`."""

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from skyflow.model.checks import CheckResult, Verdict
from skyflow.ports.provisioner import CloudError, Say
from skyflow.provisioners.azure.machines import AzureProvisioner
from skyflow.provisioners.azure.network import prepare_network, prepared_subnet, remove_network
from skyflow.provisioners.azure.session import AzureSession
from skyflow.provisioners.azure.watchdog import find_watchdog, make_watchdog, remove_watchdog

__all__ = ["AzureAccount"]

ACTIONS = (
    "Microsoft.Compute/disks/delete",
    "Microsoft.Compute/disks/read",
    "Microsoft.Compute/virtualMachines/delete",
    "Microsoft.Compute/virtualMachines/read",
    "Microsoft.Compute/virtualMachines/write",
    "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action",
    "Microsoft.Network/networkInterfaces/delete",
    "Microsoft.Network/networkInterfaces/read",
    "Microsoft.Network/networkInterfaces/write",
    "Microsoft.Network/networkSecurityGroups/join/action",
    "Microsoft.Network/networkSecurityGroups/read",
    "Microsoft.Network/networkSecurityGroups/write",
    "Microsoft.Network/publicIPAddresses/delete",
    "Microsoft.Network/publicIPAddresses/join/action",
    "Microsoft.Network/publicIPAddresses/read",
    "Microsoft.Network/publicIPAddresses/write",
    "Microsoft.Network/virtualNetworks/subnets/join/action",
    "Microsoft.Network/virtualNetworks/subnets/read",
)
"""What making, finding and removing machines needs; the role Contributor has all of them."""


class AzureAccount:
    """One subscription, and our resource group in it."""

    def __init__(self, session: AzureSession) -> None:
        self._session = session

    def check(self, region: str) -> Iterator[CheckResult]:
        """Look at credentials, network, permissions, the dead-man's switch and quotas, in this order."""
        try:
            yield CheckResult("credentials", Verdict.OK, f"subscription {self._session.subscription}")
            group = self._session.get(self._session.group_id)
        except CloudError as error:
            yield CheckResult.failed("credentials", error)
            return
        init = f"run `skyflow cloud init azure --region {region}`"
        if group is None:
            yield CheckResult("network", Verdict.FAILED, f"there is no resource group '{self._session.group}'", init)
        else:
            yield from self._group(region, init)
        try:
            quotas = AzureProvisioner(self._session).quotas(region)
        except CloudError as error:
            yield CheckResult.failed("quotas", error)
            return
        for quota in quotas:
            is_enough = quota.limit > (quota.used or 0)
            yield CheckResult(
                f"quota: {quota.name}",
                Verdict.OK if is_enough else Verdict.WARNING,
                f"{quota.limit:g}, {quota.used or 0:g} in use",
                None if is_enough else "ask for more in the portal under Quotas, Compute",
            )

    def prepare(self, region: str, say: Say) -> None:
        """Make the resource group, the network pieces of a region, and the identity that machines delete themselves with."""
        prepare_network(self._session, region, say)
        make_watchdog(self._session, region, say)

    def unprepare(self, region: str, say: Say) -> None:
        """Remove what was made for a region; with the last region also the identity. The resource group stays."""
        remove_network(self._session, region, say)
        left = self._session.get(self._session.id_of("Microsoft.Network/virtualNetworks", "").rstrip("/")) or {}
        if not left.get("value"):
            remove_watchdog(self._session, say)

    def _group(self, region: str, init: str) -> Iterator[CheckResult]:
        try:
            subnet = prepared_subnet(self._session, region)
            yield CheckResult("network", Verdict.OK, "/".join(subnet.split("/")[-3::2]))
        except CloudError as error:
            yield CheckResult.failed("network", error)
        try:
            path = f"{self._session.group_id}/providers/Microsoft.Authorization/permissions"
            granted = (self._session.get(path) or {}).get("value", ())
            yield _permissions(granted)
            if find_watchdog(self._session) is None:
                found = "machines cannot delete themselves; what a dead driver leaves waits for `skyflow gc`"
                fix = f"as Owner or User Access Administrator, {init}"
                yield CheckResult("dead-man's switch", Verdict.WARNING, found, fix)
            else:
                yield CheckResult("dead-man's switch", Verdict.OK, "machines delete themselves")
        except CloudError as error:
            yield CheckResult.failed("permissions", error)


def _permissions(granted: Sequence[Mapping[str, Any]]) -> CheckResult:
    missing = [each for each in ACTIONS if not any(_allows(entry, each) for entry in granted)]
    if missing:
        fix = "give the account the role Contributor in the resource group"
        return CheckResult("permissions", Verdict.FAILED, f"not allowed: {', '.join(missing)}", fix)
    return CheckResult("permissions", Verdict.OK, f"all {len(ACTIONS)} that are needed")


def _allows(entry: Mapping[str, Any], action: str) -> bool:
    lowered = action.lower()
    named = [
        any(fnmatchcase(lowered, each.lower()) for each in entry.get(key, ())) for key in ("actions", "notActions")
    ]
    return named[0] and not named[1]
