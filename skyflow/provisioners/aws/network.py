"""Where machines are attached: the subnets that the user marked, else the account's default ones, and a security group.

Security groups cost nothing and are shared by all stores of an account; one for each set of open ports, and one whose
members reach one another, for jobs that run on several machines.
"""

from dataclasses import dataclass
from typing import Any

from skyflow.model.machines import NAME_PREFIX, FailureKind, Scope
from skyflow.ports.provisioner import CloudError
from skyflow.provisioners.aws.errors import translated

__all__ = ["NETWORK_TAG", "Subnet", "choose_subnets", "ensure_group", "ensure_nodes_group", "group_name"]

NETWORK_TAG = "skyflow-network"
"""The tag of what we made for the network, and the mark for a subnet that machines shall use."""
_SSH_PORT = 22
_ANYWHERE = "0.0.0.0/0"
_NODES = f"{NAME_PREFIX}-nodes"


@dataclass(frozen=True, slots=True)
class Subnet:
    """Where a machine can be attached."""

    id: str
    vpc: str
    zone: str


def choose_subnets(ec2: Any, zone: str = "") -> list[Subnet]:
    """Return one subnet for each zone, by name of the zone: the marked ones, or else the account's default ones.

    Raises:
        CloudError: there is none.
    """
    with translated():
        filters = [{"Name": "availability-zone", "Values": [zone]}] if zone else []
        marked = [{"Name": "tag-key", "Values": [NETWORK_TAG]}, *filters]
        default = [{"Name": "default-for-az", "Values": ["true"]}, *filters]
        found = ec2.describe_subnets(Filters=marked)["Subnets"] or ec2.describe_subnets(Filters=default)["Subnets"]
    if not found:
        where = zone or ec2.meta.region_name
        raise CloudError(
            f"aws: there is no subnet in {where} to put a machine into",
            kind=FailureKind.UNUSABLE,
            code="NoSubnet",
            scope=Scope.ZONE if zone else Scope.REGION,
            hint=f"run `skyflow cloud init aws --region {ec2.meta.region_name}`, "
            f"or give a subnet of your own the tag {NETWORK_TAG}",
        )
    ordered = sorted(found, key=lambda each: (each["AvailabilityZone"], each["SubnetId"]), reverse=True)
    first_of_zone = {each["AvailabilityZone"]: each for each in ordered}
    return [Subnet(each["SubnetId"], each["VpcId"], name) for name, each in sorted(first_of_zone.items())]


def group_name(ports: tuple[int, ...]) -> str:
    """Return the name of the security group that opens these ports beside SSH."""
    return "-".join([NAME_PREFIX, *(str(port) for port in sorted(set(ports) - {_SSH_PORT}))])


def ensure_group(ec2: Any, vpc: str, ports: tuple[int, ...]) -> str:
    """Return the security group of a VPC that lets SSH and these ports in, making it if it is missing."""
    group = _group(ec2, vpc, group_name(ports), "SSH to machines of skyflow")
    wanted = {_SSH_PORT, *ports}
    missing = wanted - {rule.get("FromPort") for rule in group["IpPermissions"]}
    for port in sorted(missing):
        rule = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": _ANYWHERE}]}
        _let_in(ec2, group["GroupId"], rule)
    return str(group["GroupId"])


def ensure_nodes_group(ec2: Any, vpc: str) -> str:
    """Return the security group of a VPC whose members let one another in at every port, making it if it is missing."""
    group = _group(ec2, vpc, _NODES, "Machines of skyflow that run a job together")
    if not any(rule.get("UserIdGroupPairs") for rule in group["IpPermissions"]):
        _let_in(ec2, group["GroupId"], {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": group["GroupId"]}]})
    return str(group["GroupId"])


def _let_in(ec2: Any, group: str, rule: dict[str, Any]) -> None:
    try:
        with translated():
            ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
    except CloudError as error:
        if error.code != "InvalidPermission.Duplicate":  # another process was faster
            raise


def _group(ec2: Any, vpc: str, name: str, what: str) -> dict[str, Any]:
    """Return the security group of a name, made if it is missing."""
    where = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "group-name", "Values": [name]}]
    with translated():
        found = ec2.describe_security_groups(Filters=where)["SecurityGroups"]
    if not found:
        _make_group(ec2, vpc, name, what)
        with translated():
            found = ec2.describe_security_groups(Filters=where)["SecurityGroups"]
    return dict(found[0])


def _make_group(ec2: Any, vpc: str, name: str, what: str) -> None:
    try:
        with translated():
            ec2.create_security_group(
                GroupName=name,
                Description=what,
                VpcId=vpc,
                TagSpecifications=[
                    {"ResourceType": "security-group", "Tags": [{"Key": NETWORK_TAG, "Value": "made by skyflow"}]}
                ],
            )
    except CloudError as error:
        if error.code != "InvalidGroup.Duplicate":
            raise
