"""The network of a region, which `skyflow cloud init azure` makes: a network, a subnet in it, security groups.

Machines of one network reach one another by a rule that every security group of Azure has (`AllowVnetInBound`).
"""

from typing import Any

from skyflow.model.machines import NAME_PREFIX, FailureKind, Scope
from skyflow.ports.provisioner import CloudError, Say
from skyflow.provisioners.azure.session import AzureSession

__all__ = ["ensure_group", "prepare_network", "prepared_subnet", "remove_network"]

_SSH_PORT = 22
_FIRST_PRIORITY = 1000
_NETWORKS = "Microsoft.Network/virtualNetworks"
_GROUPS = "Microsoft.Network/networkSecurityGroups"
_TAGS = {"skyflow-network": "made by skyflow"}


def prepared_subnet(session: AzureSession, region: str) -> str:
    """Return the id of the subnet for machines of a region.

    Raises:
        CloudError: it was not prepared.
    """
    subnet = f"{session.id_of(_NETWORKS, _name(region))}/subnets/machines"
    if session.get(subnet) is None:
        raise CloudError(
            f"azure: nothing is prepared for machines in {region}",
            kind=FailureKind.UNUSABLE,
            code="NoSubnet",
            scope=Scope.REGION,
            hint=f"run `skyflow cloud init azure --region {region}`",
        )
    return subnet


def ensure_group(session: AzureSession, region: str, ports: tuple[int, ...]) -> str:
    """Return the id of the security group that lets SSH and these ports in, making it if it is missing."""
    opened = [_SSH_PORT, *sorted(set(ports) - {_SSH_PORT})]
    name = "-".join([_name(region), *(str(port) for port in opened[1:])])
    path = session.id_of(_GROUPS, name)
    if session.get(path) is None:
        rules = [_rule(port, _FIRST_PRIORITY + number) for number, port in enumerate(opened)]
        session.put(path, {"location": region, "tags": _TAGS, "properties": {"securityRules": rules}})
    return path


def prepare_network(session: AzureSession, region: str, say: Say) -> None:
    """Make the resource group and the network pieces of a region; what is there stays as it is."""
    if session.get(session.group_id) is None:
        session.put(session.group_id, {"location": region, "tags": _TAGS})
        say(f"resource group {session.group}")
    ensure_group(session, region, ())
    network = session.id_of(_NETWORKS, _name(region))
    if session.get(network) is None:
        subnet = {"name": "machines", "properties": {"addressPrefix": "10.213.0.0/16"}}
        session.put(
            network,
            {
                "location": region,
                "tags": _TAGS,
                "properties": {"addressSpace": {"addressPrefixes": ["10.213.0.0/16"]}, "subnets": [subnet]},
            },
        )
    say(f"network {_name(region)}: a subnet, and a security group that lets SSH in")


def remove_network(session: AzureSession, region: str, say: Say) -> None:
    """Remove the network pieces of a region; while machines use them, Azure refuses, and says so."""
    if session.delete(session.id_of(_NETWORKS, _name(region))):
        say(f"network {_name(region)} removed")
    found = session.get(session.id_of(_GROUPS, "").rstrip("/")) or {}
    for group in found.get("value", ()):
        name = group["name"]
        if (name == _name(region) or name.startswith(f"{_name(region)}-")) and session.delete(
            session.id_of(_GROUPS, name)
        ):
            say(f"security group {name} removed")


def _name(region: str) -> str:
    return f"{NAME_PREFIX}-{region}"


def _rule(port: int, priority: int) -> dict[str, Any]:
    return {
        "name": f"port-{port}",
        "properties": {
            "protocol": "Tcp",
            "access": "Allow",
            "direction": "Inbound",
            "priority": priority,
            "sourceAddressPrefix": "*",
            "sourcePortRange": "*",
            "destinationAddressPrefix": "*",
            "destinationPortRange": str(port),
        },
    }
