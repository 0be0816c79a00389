"""A network of our own, for accounts without a default one: a VPC with a subnet in each zone and a way out."""

from typing import Any

from skyflow.model.machines import NAME_PREFIX
from skyflow.ports.provisioner import CloudError, Say
from skyflow.provisioners.aws.errors import translated
from skyflow.provisioners.aws.network import NETWORK_TAG

__all__ = ["make_vpc", "our_vpcs", "remove_groups", "remove_vpc"]

_BLOCK = "10.213.0.0/16"
_SUBNET = "10.213.{}.0/20"
_ADDRESSES_STEP = 16
_EVERYWHERE = "0.0.0.0/0"
_OURS = {"Name": f"tag:{NETWORK_TAG}", "Values": ["made by skyflow"]}


def our_vpcs(ec2: Any) -> list[str]:
    """Return the ids of the VPCs that we made."""
    with translated():
        return sorted(vpc["VpcId"] for vpc in ec2.describe_vpcs(Filters=[_OURS])["Vpcs"])


def make_vpc(ec2: Any, say: Say) -> None:
    """Make the VPC, or what of it is missing since a first try was interrupted."""
    with translated():
        vpcs = our_vpcs(ec2)
        vpc = vpcs[0] if vpcs else ec2.create_vpc(CidrBlock=_BLOCK, TagSpecifications=_tags("vpc"))["Vpc"]["VpcId"]
        gateway = _gateway(ec2, vpc)
        [table] = ec2.describe_route_tables(
            Filters=[{"Name": "vpc-id", "Values": [vpc]}, {"Name": "association.main", "Values": ["true"]}]
        )["RouteTables"]
        if not any(route.get("DestinationCidrBlock") == _EVERYWHERE for route in table["Routes"]):
            ec2.create_route(RouteTableId=table["RouteTableId"], DestinationCidrBlock=_EVERYWHERE, GatewayId=gateway)
        found = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"]
        there = {subnet["AvailabilityZone"] for subnet in found}
        zones = ec2.describe_availability_zones(Filters=[{"Name": "zone-type", "Values": ["availability-zone"]}])
        for number, zone in enumerate(sorted(each["ZoneName"] for each in zones["AvailabilityZones"])):
            if zone not in there:
                block = _SUBNET.format(number * _ADDRESSES_STEP)
                ec2.create_subnet(VpcId=vpc, CidrBlock=block, AvailabilityZone=zone, TagSpecifications=_tags("subnet"))
    say(f"network {vpc}: a subnet in each zone, with a way out")


def remove_vpc(ec2: Any, vpc: str, say: Say) -> None:
    """Remove a VPC that we made, with what we made in it; one that still has machines stays, and the error says so."""
    remove_groups(ec2, say, vpc=vpc)
    here = [{"Name": "vpc-id", "Values": [vpc]}]
    with translated():
        for subnet in ec2.describe_subnets(Filters=here)["Subnets"]:
            ec2.delete_subnet(SubnetId=subnet["SubnetId"])
        attached = [{"Name": "attachment.vpc-id", "Values": [vpc]}]
        for gateway in ec2.describe_internet_gateways(Filters=attached)["InternetGateways"]:
            ec2.detach_internet_gateway(InternetGatewayId=gateway["InternetGatewayId"], VpcId=vpc)
            ec2.delete_internet_gateway(InternetGatewayId=gateway["InternetGatewayId"])
        ec2.delete_vpc(VpcId=vpc)
    say(f"network {vpc} removed")


def remove_groups(ec2: Any, say: Say, *, vpc: str | None = None) -> None:
    """Remove the security groups that we made."""
    filters = [_OURS] if vpc is None else [_OURS, {"Name": "vpc-id", "Values": [vpc]}]
    with translated():
        groups = ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
    for group in groups:
        try:
            with translated():
                ec2.delete_security_group(GroupId=group["GroupId"])
        except CloudError as error:
            if error.code == "DependencyViolation":
                error.hint = "machines still use it; `skyflow instances` lists ours, `skyflow gc` removes what is over"
            if error.code != "InvalidGroup.NotFound":
                raise
        say(f"security group {group['GroupName']} removed")


def _gateway(ec2: Any, vpc: str) -> str:
    attached = [{"Name": "attachment.vpc-id", "Values": [vpc]}]
    found = ec2.describe_internet_gateways(Filters=attached)["InternetGateways"]
    if found:
        return str(found[0]["InternetGatewayId"])
    made = ec2.create_internet_gateway(TagSpecifications=_tags("internet-gateway"))
    gateway = str(made["InternetGateway"]["InternetGatewayId"])
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    return gateway


def _tags(kind: str) -> list[dict[str, Any]]:
    tags = [{"Key": NETWORK_TAG, "Value": "made by skyflow"}, {"Key": "Name", "Value": NAME_PREFIX}]
    return [{"ResourceType": kind, "Tags": tags}]
