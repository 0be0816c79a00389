"""The provisioner of EC2; see `skyflow.ports.provisioner.Provisioner`.

Idempotency is EC2's own: the client token follows from the machine's name and zone. The name is in the tag `Name`, the
owner in `skyflow-owner`. Addresses are given and taken with the machine, so none can be left over.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from skyflow.model.machines import Leftover, Machine, MachineRequest, MachineState, Quota
from skyflow.model.resources import Market
from skyflow.ports.provisioner import CloudError
from skyflow.provisioners.aws.errors import NO_SUCH_MACHINE, translated
from skyflow.provisioners.aws.launch import OWNER_TAG, ensure_key, launch_arguments, resolve_image
from skyflow.provisioners.aws.network import Subnet, choose_subnets, ensure_group, ensure_nodes_group
from skyflow.provisioners.aws.session import AwsSession
from skyflow.provisioners.failures import first_with_room

__all__ = ["AwsProvisioner"]

T = TypeVar("T")

_STATES = {
    "pending": MachineState.PENDING,
    "running": MachineState.RUNNING,
    "shutting-down": MachineState.STOPPING,
    "stopping": MachineState.STOPPING,
    "stopped": MachineState.STOPPED,
    "terminated": MachineState.GONE,
}
_REGIONS_AT_ONCE = 8
_QUOTA_CODES = {
    "L-1216C47A": "vCPUs, standard machines",
    "L-34B43A08": "vCPUs, standard machines, spot",
    "L-DB2E81BA": "vCPUs, G and VT machines",
    "L-3819A6DF": "vCPUs, G and VT machines, spot",
    "L-417A185B": "vCPUs, P machines",
    "L-7212CCBC": "vCPUs, P4, P3 and P2 machines, spot",
    "L-C4BD4855": "vCPUs, P5 machines, spot",
}
_GONE = {
    "disk": "InvalidVolume.NotFound",
    "network card": "InvalidNetworkInterfaceID.NotFound",
    "key pair": "InvalidKeyPair.NotFound",
}


class AwsProvisioner:
    """Makes and removes EC2 instances."""

    provider = "aws"

    def __init__(self, session: AwsSession) -> None:
        self._session = session

    def create(self, request: MachineRequest) -> Machine:
        """Make an instance, on demand or spot; without a zone, in the first zone of the region that has one."""
        region = request.offering.region
        ec2 = self._session.ec2(region)
        subnets = choose_subnets(ec2, request.offering.zone)
        if not request.offering.zone:  # an earlier call may have found a zone, and its token is for that zone
            found = self.find(request.name, region=region)
            if found is not None and found.state is not MachineState.GONE:
                return found
        image = resolve_image(ec2, self._session.client("ssm", region), request)
        key = ensure_key(ec2, request)

        def launch(subnet: Subnet) -> Machine:
            groups = [ensure_group(ec2, subnet.vpc, request.ports)]
            groups += [ensure_nodes_group(ec2, subnet.vpc)] if request.nodes > 1 else []
            return self._launch(request, launch_arguments(request, image=image, key=key, subnet=subnet, groups=groups))

        return launch(subnets[0]) if request.offering.zone else first_with_room(subnets, launch)

    def zones(self, region: str) -> Sequence[str]:
        """Return the zones of a region that have a subnet for machines."""
        return [subnet.zone for subnet in choose_subnets(self._session.ec2(region))]

    def find(self, name: str, *, region: str, zone: str = "") -> Machine | None:  # noqa: ARG002 -- a tag has no zone
        """Return the instance with a name; a living one, where there are several."""
        found = self._instances(region, [{"Name": "tag:Name", "Values": [name]}])
        return min(found, key=lambda machine: machine.state is MachineState.GONE, default=None)

    def describe(self, machine: Machine) -> Machine | None:
        """Return how an instance is now."""
        try:
            with translated():
                answer = self._session.ec2(machine.region).describe_instances(InstanceIds=[machine.id])
        except CloudError as error:
            if error.code in NO_SUCH_MACHINE:
                return None
            raise
        found = [each for group in answer["Reservations"] for each in group["Instances"]]
        return _machine(found[0], machine.region) if found else None

    def terminate(self, machine: Machine) -> None:
        """Terminate an instance; disk, network card and address go with it."""
        try:
            with translated():
                self._session.ec2(machine.region).terminate_instances(InstanceIds=[machine.id])
        except CloudError as error:
            if error.code not in NO_SUCH_MACHINE:
                raise

    def machines(self, owner: str | None = None) -> Sequence[Machine]:
        """Return our instances of every region that is switched on."""
        wanted = (
            {"Name": "tag-key", "Values": [OWNER_TAG]}
            if owner is None
            else {"Name": f"tag:{OWNER_TAG}", "Values": [owner]}
        )
        return self._everywhere(lambda region: self._instances(region, [wanted]))

    def leftovers(self, owner: str) -> Sequence[Leftover]:
        """Return disks and network cards that are attached to nothing, and key pairs that no machine was made with."""
        return self._everywhere(lambda region: self._leftovers(region, owner))

    def remove(self, leftover: Leftover) -> None:
        """Delete a disk, a network card or a key pair."""
        ec2 = self._session.ec2(leftover.region)
        try:
            with translated():
                if leftover.kind == "disk":
                    ec2.delete_volume(VolumeId=leftover.id)
                elif leftover.kind == "network card":
                    ec2.delete_network_interface(NetworkInterfaceId=leftover.id)
                else:
                    ec2.delete_key_pair(KeyName=leftover.name)
        except CloudError as error:
            if error.code != _GONE[leftover.kind]:
                raise

    def quotas(self, region: str) -> Sequence[Quota]:
        """Return how many virtual CPUs the account may have, by family and market."""
        with translated():
            pages = self._session.client("service-quotas", region).get_paginator("list_service_quotas")
            found = [quota for page in pages.paginate(ServiceCode="ec2") for quota in page["Quotas"]]
        return [
            Quota(_QUOTA_CODES[each["QuotaCode"]], each["Value"]) for each in found if each["QuotaCode"] in _QUOTA_CODES
        ]

    def _launch(self, request: MachineRequest, arguments: dict[str, Any]) -> Machine:
        region = request.offering.region
        try:
            with translated():
                answer = self._session.ec2(region).run_instances(**arguments)
        except CloudError as error:
            # A newer image since the first try changes the arguments: the token still stands for the first one.
            found = self.find(request.name, region=region) if error.code == "IdempotentParameterMismatch" else None
            if found is None:
                raise
            return found
        return _machine(answer["Instances"][0], region)

    def _instances(self, region: str, filters: list[dict[str, Any]]) -> list[Machine]:
        with translated():
            pages = self._session.ec2(region).get_paginator("describe_instances").paginate(Filters=filters)
            found = [each for page in pages for group in page["Reservations"] for each in group["Instances"]]
        return [_machine(each, region) for each in found]

    def _leftovers(self, region: str, owner: str) -> list[Leftover]:
        ec2 = self._session.ec2(region)
        mine = {"Name": f"tag:{OWNER_TAG}", "Values": [owner]}
        free = {"Name": "status", "Values": ["available"]}
        with translated():
            disks = ec2.get_paginator("describe_volumes").paginate(Filters=[mine, free])
            found = [_leftover(region, owner, "disk", "VolumeId", each) for page in disks for each in page["Volumes"]]
            cards = ec2.get_paginator("describe_network_interfaces").paginate(Filters=[mine, free])
            found += [
                _leftover(region, owner, "network card", "NetworkInterfaceId", each)
                for page in cards
                for each in page["NetworkInterfaces"]
            ]
            keys = ec2.describe_key_pairs(Filters=[mine])["KeyPairs"]
            used = self._keys_in_use(region, owner) if keys else frozenset()
        return found + [
            _leftover(region, owner, "key pair", "KeyPairId", each) for each in keys if each["KeyName"] not in used
        ]

    def _keys_in_use(self, region: str, owner: str) -> frozenset[str]:
        pages = self._session.ec2(region).get_paginator("describe_instances")
        found = pages.paginate(Filters=[{"Name": f"tag:{OWNER_TAG}", "Values": [owner]}])
        return frozenset(
            each.get("KeyName", "")
            for page in found
            for group in page["Reservations"]
            for each in group["Instances"]
            if each["State"]["Name"] != "terminated"
        )

    def _everywhere(self, look: Callable[[str], Iterable[T]]) -> list[T]:
        with ThreadPoolExecutor(_REGIONS_AT_ONCE, thread_name_prefix="aws-region") as pool:
            return [each for found in pool.map(look, self._session.regions()) for each in found]


def _machine(instance: Mapping[str, Any], region: str) -> Machine:
    tags = _tags(instance.get("Tags", ()))
    attempt = tags.get("skyflow-attempt", "")
    return Machine(
        provider="aws",
        region=region,
        zone=instance.get("Placement", {}).get("AvailabilityZone", ""),
        id=instance["InstanceId"],
        name=tags.get("Name", ""),
        owner=tags.get(OWNER_TAG, ""),
        run=tags.get("skyflow-run", ""),
        job=tags.get("skyflow-job", ""),
        attempt=int(attempt) if attempt.isdigit() else 0,
        state=_STATES.get(instance["State"]["Name"], MachineState.PENDING),
        instance_type=instance["InstanceType"],
        market=Market.SPOT if instance.get("InstanceLifecycle") == "spot" else Market.ON_DEMAND,
        created_at=instance.get("LaunchTime"),
        address=instance.get("PublicIpAddress"),
        private_address=instance.get("PrivateIpAddress"),
        detail=(instance.get("StateReason") or {}).get("Message", ""),
    )


def _leftover(region: str, owner: str, kind: str, id_key: str, found: Mapping[str, Any]) -> Leftover:
    name = found.get("KeyName") or _tags(found.get("Tags") or found.get("TagSet") or ()).get("Name", "")
    return Leftover(
        provider="aws",
        region=region,
        kind=kind,
        id=found[id_key],
        name=name,
        owner=owner,
        created_at=found.get("CreateTime"),
    )


def _tags(tags: Iterable[Mapping[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags}
