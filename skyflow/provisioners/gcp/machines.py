"""The provisioner of Compute Engine; see `skyflow.ports.provisioner.Provisioner`.

Idempotency is the name's, which is unique in its zone, and the request id's, which follows from it: the same call again
is answered with the operation that the first one started. Addresses are ephemeral, so none can be left over.
"""

import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime

from google.cloud import compute_v1

from skyflow.model.machines import (
    FailureKind,
    Leftover,
    Machine,
    MachineRequest,
    MachineState,
    Quota,
    Scope,
)
from skyflow.model.resources import Market
from skyflow.ports.provisioner import CloudError
from skyflow.provisioners.failures import first_with_room
from skyflow.provisioners.gcp.errors import ALREADY_EXISTS, NOT_FOUND, translated
from skyflow.provisioners.gcp.launch import OWNER_LABEL, instance_of
from skyflow.provisioners.gcp.network import choose_network, ensure_firewall, ensure_nodes_rule
from skyflow.provisioners.gcp.session import GcpSession

__all__ = ["GcpProvisioner"]

_NAMESPACE = uuid.UUID("9d3f5b0e-6a0c-5c39-8f3f-2a8c1f0b7d11")
_STATES = {
    "PROVISIONING": MachineState.PENDING,
    "STAGING": MachineState.PENDING,
    "PENDING": MachineState.PENDING,
    "REPAIRING": MachineState.PENDING,
    "RUNNING": MachineState.RUNNING,
    "DEPROVISIONING": MachineState.STOPPING,
    "PENDING_STOP": MachineState.STOPPING,
    "STOPPING": MachineState.STOPPING,
    "SUSPENDING": MachineState.STOPPING,
    "STOPPED": MachineState.STOPPED,
    "SUSPENDED": MachineState.STOPPED,
    "TERMINATED": MachineState.STOPPED,
}
_TRIES = 3
_QUOTAS = ("CPUS", "INSTANCES", "IN_USE_ADDRESSES", "PREEMPTIBLE_CPUS", "SSD_TOTAL_GB", "GPUS_ALL_REGIONS")


class GcpProvisioner:
    """Makes and removes instances of one project."""

    provider = "gcp"

    def __init__(self, session: GcpSession) -> None:
        self._session = session

    def create(self, request: MachineRequest) -> Machine:
        """Make an instance; without a zone, in the first zone of the region that has one."""
        network = choose_network(self._session)
        if network is None:
            raise CloudError(
                f"gcp: project {self._session.project} has no network to put a machine into",
                kind=FailureKind.UNUSABLE,
                code="NoNetwork",
                scope=Scope.CLOUD,
                hint="run `skyflow cloud init gcp`",
            )
        for ports in {(), request.ports}:
            ensure_firewall(self._session, network, ports)
        if request.nodes > 1:
            ensure_nodes_rule(self._session, network)
        if request.offering.zone:
            return self._create_in(request, request.offering.zone, network)
        found = self.find(request.name, region=request.offering.region)  # an earlier call may have found a zone
        if found is not None:
            return found
        zones = self.zones(request.offering.region)
        if not zones:
            raise CloudError(
                f"gcp: region {request.offering.region} has no zones",
                kind=FailureKind.UNUSABLE,
                code="NoZone",
                scope=Scope.REGION,
            )
        return first_with_room(zones, lambda zone: self._create_in(request, zone, network))

    def zones(self, region: str) -> Sequence[str]:
        """Return the zones of a region."""
        with translated():
            described = self._session.client(compute_v1.RegionsClient).get(
                project=self._session.project, region=region, **self._session.options
            )
        return sorted(url.rpartition("/")[2] for url in described.zones)

    def find(self, name: str, *, region: str, zone: str = "") -> Machine | None:
        """Return the instance with a name, in a zone or in any zone of a region."""
        if zone:
            return self._get(zone, name)
        found = [each for each in self._instances(f'name = "{name}"') if each.region == region]
        return found[0] if found else None

    def describe(self, machine: Machine) -> Machine | None:
        """Return how an instance is now."""
        return self._get(machine.zone, machine.name)

    def terminate(self, machine: Machine) -> None:
        """Delete an instance; its disk and address go with it."""
        try:
            with translated():
                self._session.client(compute_v1.InstancesClient).delete_unary(
                    project=self._session.project, zone=machine.zone, instance=machine.name, **self._session.options
                )
        except CloudError as error:
            if error.code not in NOT_FOUND:
                raise

    def machines(self, owner: str | None = None) -> Sequence[Machine]:
        """Return our instances in all zones."""
        return list(
            self._instances(f"labels.{OWNER_LABEL}:*" if owner is None else f'labels.{OWNER_LABEL} = "{owner}"')
        )

    def leftovers(self, owner: str) -> Sequence[Leftover]:
        """Return disks that are attached to nothing."""
        asked = compute_v1.AggregatedListDisksRequest(
            project=self._session.project, filter=f'labels.{OWNER_LABEL} = "{owner}"'
        )
        found: list[Leftover] = []
        with translated():
            pages = self._session.client(compute_v1.DisksClient).aggregated_list(asked, **self._session.options)
            for scope, listed in pages:
                zone = scope.rpartition("/")[2]
                found += [
                    Leftover(
                        provider="gcp",
                        region=zone.rpartition("-")[0],
                        zone=zone,
                        kind="disk",
                        id=disk.name,
                        name=disk.name,
                        owner=disk.labels[OWNER_LABEL],
                        created_at=datetime.fromisoformat(disk.creation_timestamp),
                    )
                    for disk in listed.disks
                    if not disk.users
                ]
        return found

    def remove(self, leftover: Leftover) -> None:
        """Delete a disk."""
        try:
            with translated():
                operation = self._session.client(compute_v1.DisksClient).delete_unary(
                    project=self._session.project, zone=leftover.zone, disk=leftover.id, **self._session.options
                )
            self._session.finish(operation)
        except CloudError as error:
            if error.code not in NOT_FOUND:
                raise

    def quotas(self, region: str) -> Sequence[Quota]:
        """Return the quotas of a region, and of the project, that limit machines."""
        with translated():
            here = self._session.client(compute_v1.RegionsClient).get(
                project=self._session.project, region=region, **self._session.options
            )
            everywhere = self._session.client(compute_v1.ProjectsClient).get(
                project=self._session.project, **self._session.options
            )
        return [
            Quota(quota.metric.lower().replace("_", " "), quota.limit, quota.usage)
            for quota in (*here.quotas, *everywhere.quotas)
            if quota.metric in _QUOTAS or ("GPU" in quota.metric and quota.limit > 0)
        ]

    def _create_in(self, request: MachineRequest, zone: str, network: str) -> Machine:
        instance = instance_of(request, zone=zone, network=network)
        request_id = uuid.uuid5(_NAMESPACE, f"{zone}/{request.name}")
        for tries_left in reversed(range(_TRIES)):
            try:
                with translated():
                    operation = self._session.client(compute_v1.InstancesClient).insert_unary(
                        compute_v1.InsertInstanceRequest(
                            project=self._session.project,
                            zone=zone,
                            instance_resource=instance,
                            request_id=str(request_id),
                        ),
                        **self._session.options,
                    )
            except CloudError as error:
                if error.code not in ALREADY_EXISTS:
                    raise
                break
            try:
                self._session.finish(operation)
                break
            except CloudError as error:
                if error.code in ALREADY_EXISTS:
                    break
                if error.kind is not FailureKind.TRANSIENT or error.is_ambiguous or tries_left == 0:
                    raise
                # The operation itself failed, and would be given back again under the same request id.
                request_id = uuid.uuid5(request_id, operation.name)
        found = self._get(zone, request.name)
        if found is None or found.owner != request.owner:
            raise CloudError(
                f"gcp: {request.name} was made in {zone}, but is not there",
                kind=FailureKind.CAPACITY,
                code="Vanished",
                scope=Scope.ZONE,
            )
        return found

    def _get(self, zone: str, name: str) -> Machine | None:
        try:
            with translated():
                found = self._session.client(compute_v1.InstancesClient).get(
                    project=self._session.project, zone=zone, instance=name, **self._session.options
                )
        except CloudError as error:
            if error.code in NOT_FOUND:
                return None
            raise
        return _machine(found)

    def _instances(self, wanted: str) -> Iterator[Machine]:
        asked = compute_v1.AggregatedListInstancesRequest(project=self._session.project, filter=wanted)
        with translated():
            pages = self._session.client(compute_v1.InstancesClient).aggregated_list(asked, **self._session.options)
            for _, listed in pages:
                yield from (_machine(each) for each in listed.instances)


def _machine(instance: compute_v1.Instance) -> Machine:
    zone = instance.zone.rpartition("/")[2]
    card = instance.network_interfaces[0] if instance.network_interfaces else None
    access = card.access_configs[0] if card is not None and card.access_configs else None
    attempt = instance.labels.get("skyflow-attempt", "")
    return Machine(
        provider="gcp",
        region=zone.rpartition("-")[0],
        zone=zone,
        id=str(instance.id),
        name=instance.name,
        owner=instance.labels.get(OWNER_LABEL, ""),
        run=instance.labels.get("skyflow-run", ""),
        job=instance.labels.get("skyflow-job", ""),
        attempt=int(attempt) if attempt.isdigit() else 0,
        state=_STATES.get(instance.status, MachineState.PENDING),
        instance_type=instance.machine_type.rpartition("/")[2],
        market=Market.SPOT if instance.scheduling.provisioning_model == "SPOT" else Market.ON_DEMAND,
        created_at=datetime.fromisoformat(instance.creation_timestamp) if instance.creation_timestamp else None,
        address=access.nat_i_p if access is not None else None,
        private_address=card.network_i_p if card is not None else None,
        detail=instance.status_message,
    )
