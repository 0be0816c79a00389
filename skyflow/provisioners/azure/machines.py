"""The provisioner of Azure; see `skyflow.ports.provisioner.Provisioner`.

Idempotency is the name's: the request that makes a machine is refused with 412 if there is one of that name, which is then
looked at. A machine whose creation fails stays behind as a resource in state Failed, and is deleted here before the error
is raised. All names begin with the machine's, which tells whose a card or an address is.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from azure.core import MatchConditions

from skyflow.model.machines import (
    FailureKind,
    Leftover,
    Machine,
    MachineRequest,
    MachineState,
    Quota,
    owner_in_name,
)
from skyflow.model.resources import Market
from skyflow.ports.provisioner import CloudError
from skyflow.provisioners.azure.errors import ALREADY_EXISTS, AZURE_FAILURES, NOT_FOUND, translated
from skyflow.provisioners.azure.launch import OWNER_TAG, virtual_machine
from skyflow.provisioners.azure.network import ensure_group, prepared_subnet
from skyflow.provisioners.azure.session import POLL_SECONDS, AzureSession
from skyflow.provisioners.azure.watchdog import find_watchdog

__all__ = ["AzureProvisioner"]

_CREATE_SECONDS = 900.0
_POWER = {
    "running": MachineState.RUNNING,
    "starting": MachineState.PENDING,
    "stopping": MachineState.STOPPING,
    "deallocating": MachineState.STOPPING,
    "stopped": MachineState.STOPPED,
    "deallocated": MachineState.STOPPED,
}
_KINDS = {
    "network card": "Microsoft.Network/networkInterfaces",
    "address": "Microsoft.Network/publicIPAddresses",
    "disk": "Microsoft.Compute/disks",
}
_DISK_VERSION = "2024-03-02"


class AzureProvisioner:
    """Makes and removes virtual machines in one resource group."""

    provider = "azure"

    def __init__(self, session: AzureSession) -> None:
        self._session = session

    def create(self, request: MachineRequest) -> Machine:
        """Make a virtual machine in the prepared subnet of its region, and wait until Azure has allocated it."""
        region = request.offering.region
        body: Any = virtual_machine(
            request,
            subnet=prepared_subnet(self._session, region),
            group=ensure_group(self._session, region, request.ports),
            watchdog=find_watchdog(self._session),
        )
        operation: dict[str, str] = {}
        try:
            with translated():
                self._session.client.virtual_machines.begin_create_or_update(
                    self._session.group,
                    request.name,
                    body,
                    etag="*",
                    match_condition=MatchConditions.IfMissing,
                    polling=False,
                    raw_response_hook=lambda answer: operation.update(answer.http_response.headers),
                )
        except CloudError as error:
            if error.code not in ALREADY_EXISTS:
                raise
        return self._allocated(request, operation.get("Azure-AsyncOperation"))

    def zones(self, region: str) -> Sequence[str]:  # noqa: ARG002 -- the same everywhere
        """Return none: Azure puts machines wherever in a region it has room, and they reach one another all the same."""
        return ()

    def find(self, name: str, *, region: str, zone: str = "") -> Machine | None:  # noqa: ARG002 -- a group has no place
        """Return the virtual machine with a name."""
        vm = self._get(name)
        return None if vm is None else self._machine(vm)

    def describe(self, machine: Machine) -> Machine | None:
        """Return how a virtual machine is now, with its address."""
        vm = self._get(machine.name)
        return None if vm is None else self._machine(vm, with_address=True)

    def terminate(self, machine: Machine) -> None:
        """Delete a virtual machine; disk, network card and address go with it."""
        try:
            with translated():
                self._session.client.virtual_machines.begin_delete(self._session.group, machine.name, polling=False)
        except CloudError as error:
            if error.code not in NOT_FOUND:
                raise

    def machines(self, owner: str | None = None) -> Sequence[Machine]:
        """Return our virtual machines in all regions: they are in one group."""
        try:
            with translated():
                listed = self._session.client.virtual_machines.list(self._session.group, expand="instanceView")
                found = [self._machine(dict(vm)) for vm in listed]
        except CloudError as error:
            if error.code in NOT_FOUND:
                return []
            raise
        return [each for each in found if each.owner and owner in {None, each.owner}]

    def leftovers(self, owner: str) -> Sequence[Leftover]:
        """Return network cards, addresses and disks that belong to no machine, cards first: they hold addresses."""
        found: list[Leftover] = []
        for kind in _KINDS:
            for each in self._listed(kind):
                if owner_in_name(each["name"]) == owner and _is_free(kind, each, [card.id for card in found]):
                    made = each["properties"].get("timeCreated")
                    found.append(
                        Leftover(
                            provider="azure",
                            region=each["location"],
                            kind=kind,
                            id=each["id"],
                            name=each["name"],
                            owner=owner,
                            created_at=None if made is None else datetime.fromisoformat(made),
                        )
                    )
        return found

    def remove(self, leftover: Leftover) -> None:
        """Delete a network card, an address or a disk, and wait until it is gone: the next one may hang on it."""
        self._session.delete(_versioned(leftover.kind, leftover.id))

    def quotas(self, region: str) -> Sequence[Quota]:
        """Return how many virtual CPUs the subscription may have, in all and by family, where that is any."""
        with translated():
            found = [dict(each) for each in self._session.client.usage.list(region)]
        return [
            Quota(each["name"]["localizedValue"], each["limit"], each["currentValue"])
            for each in found
            if each["name"]["value"] in {"cores", "lowPriorityCores", "virtualMachines"} or each["currentValue"] > 0
        ]

    def _allocated(self, request: MachineRequest, operation: str | None) -> Machine:
        clock = self._session.clock
        deadline = clock.monotonic() + _CREATE_SECONDS
        while clock.monotonic() < deadline:
            vm = self._get(request.name)
            if vm is None:
                raise AZURE_FAILURES.error("AllocationFailed", f"{request.name} was accepted, and then vanished")
            found = self._machine(vm)
            if found.owner != request.owner:
                raise AZURE_FAILURES.error("NameTaken", f"there is another machine {request.name}, not of this store")
            if found.state is MachineState.FAILED:
                error = (self._session.get(operation) or {}).get("error") if operation else None
                self.terminate(found)
                code, message = (error["code"], error["message"]) if error else _failure(vm)
                raise AZURE_FAILURES.error(code, message)
            if vm["properties"]["provisioningState"] not in {"Creating", "Updating"}:
                return found
            clock.sleep(POLL_SECONDS)
        raise CloudError(
            f"azure: {request.name} was not allocated within {_CREATE_SECONDS / 60:.0f} minutes",
            kind=FailureKind.CAPACITY,
            code="AllocationTimeout",
            is_ambiguous=True,
        )

    def _get(self, name: str) -> dict[str, Any] | None:
        try:
            with translated():
                vm = self._session.client.virtual_machines.get(self._session.group, name, expand="instanceView")
        except CloudError as error:
            if error.code in NOT_FOUND:
                return None
            raise
        return dict(vm)

    def _machine(self, vm: dict[str, Any], *, with_address: bool = False) -> Machine:
        properties, tags = vm["properties"], vm.get("tags") or {}
        public, private = self._addresses(properties) if with_address else (None, None)
        attempt = tags.get("skyflow-attempt", "")
        made = properties.get("timeCreated")
        return Machine(
            provider="azure",
            region=vm["location"],
            zone=f"{vm['location']}-{vm['zones'][0]}" if vm.get("zones") else "",
            id=vm["id"],
            name=vm["name"],
            owner=tags.get(OWNER_TAG, ""),
            run=tags.get("skyflow-run", ""),
            job=tags.get("skyflow-job", ""),
            attempt=int(attempt) if attempt.isdigit() else 0,
            state=_state(properties),
            instance_type=properties["hardwareProfile"]["vmSize"],
            market=Market.SPOT if properties.get("priority") == "Spot" else Market.ON_DEMAND,
            created_at=None if made is None else datetime.fromisoformat(made),
            address=public,
            private_address=private,
            detail=_failure(vm)[1] if properties.get("provisioningState") == "Failed" else "",
        )

    def _addresses(self, properties: dict[str, Any]) -> tuple[str | None, str | None]:
        """Return the public and the private address, which are not the machine's but its network card's."""
        cards = properties.get("networkProfile", {}).get("networkInterfaces") or ()
        card = self._session.get(cards[0]["id"]) if cards else None
        if card is None:
            return None, None
        [first, *_] = card["properties"]["ipConfigurations"]
        holder = first["properties"].get("publicIPAddress")
        address = self._session.get(holder["id"]) if holder else None
        public = address["properties"].get("ipAddress") if address else None
        return public, first["properties"].get("privateIPAddress")

    def _listed(self, kind: str) -> list[dict[str, Any]]:
        path: str | None = _versioned(kind, self._session.id_of(_KINDS[kind], "").rstrip("/"))
        found: list[dict[str, Any]] = []
        while path:
            page = self._session.get(path) or {}
            found += page.get("value", ())
            path = page.get("nextLink")
        return found


def _versioned(kind: str, path: str) -> str:
    return f"{path}?api-version={_DISK_VERSION}" if kind == "disk" else path


def _is_free(kind: str, found: dict[str, Any], free_cards: list[str]) -> bool:
    properties = found["properties"]
    if kind == "disk":
        return not found.get("managedBy")
    if kind == "network card":
        return not properties.get("virtualMachine")
    holder = (properties.get("ipConfiguration") or {}).get("id", "").lower()
    return not holder or any(holder.startswith(f"{card.lower()}/") for card in free_cards)


def _state(properties: dict[str, Any]) -> MachineState:
    provisioning = properties.get("provisioningState", "")
    if provisioning == "Failed":
        return MachineState.FAILED
    if provisioning == "Deleting":
        return MachineState.STOPPING
    codes = [each.get("code", "") for each in (properties.get("instanceView") or {}).get("statuses") or ()]
    power = next((code.partition("/")[2] for code in codes if code.startswith("PowerState/")), None)
    return MachineState.PENDING if power is None else _POWER.get(power, MachineState.PENDING)


def _failure(vm: dict[str, Any]) -> tuple[str, str]:
    """Return the code and the message of a creation that failed, as the instance view has them."""
    for status in (vm["properties"].get("instanceView") or {}).get("statuses") or ():
        code = status.get("code", "")
        if code.startswith("ProvisioningState/failed/"):
            return code.rpartition("/")[2], status.get("message") or code
    return "ProvisioningFailed", "Azure could not make the machine, and does not say why"
