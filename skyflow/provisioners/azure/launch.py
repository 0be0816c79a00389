"""What a machine is made of: one request that makes the machine, its disk, network card and address, all deleted with it."""

import base64
import re
from typing import Any

from skyflow.model.machines import MachineRequest
from skyflow.model.resources import Market
from skyflow.provisioners.boot import LOGIN_USER, POWER_OFF, boot_script

__all__ = ["OWNER_TAG", "farewell", "tags_of", "virtual_machine"]

OWNER_TAG = "skyflow-owner"
_NETWORK_API = "2023-09-01"
_UBUNTU = {"publisher": "Canonical", "offer": "ubuntu-24_04-lts", "sku": "server", "version": "latest"}
_UBUNTU_ARM = {**_UBUNTU, "sku": "server-arm64"}
_UBUNTU_WITH_DRIVER = {"publisher": "microsoft-dsvm", "offer": "ubuntu-hpc", "sku": "2204", "version": "latest"}
_ARM_SIZE = re.compile(r"Standard_[A-Z]+\d+(-\d+)?[a-z]*p[a-z]*_", re.ASCII)
"""Microsoft's naming of sizes: a `p` among the small letters means an Arm processor."""
_URN_PARTS = 4

_FAREWELL = f"""\
# Shutting down does not end the bill on Azure: the machine deletes itself, with the identity that it was given.
md() {{ curl -sf -m 10 -H Metadata:true "http://169.254.169.254/metadata/$1"; }}
for try in 1 2 3 4 5; do
  resource=$(md 'instance/compute/resourceId?api-version=2021-02-01&format=text')
  token=$(md 'identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fmanagement.azure.com%2F&client_id=CLIENT' |
    sed -n 's/.*"access_token" *: *"\\([^"]*\\)".*/\\1/p')
  curl -sf -m 60 -X DELETE -H "Authorization: Bearer $token" \\
    "https://management.azure.com$resource?api-version=2024-07-01" && sleep "${{SKYFLOW_PATIENCE:-300}}"
done
{POWER_OFF}"""


def farewell(client_id: str | None) -> str:
    """Return what ends a machine, in bash: with an identity it deletes itself, without one it can only shut down."""
    return POWER_OFF if client_id is None else _FAREWELL.replace("CLIENT", client_id)


def tags_of(request: MachineRequest) -> dict[str, str]:
    """Return the tags of a machine, its network card and its address."""
    return {
        OWNER_TAG: request.owner,
        "skyflow-run": request.run[:256],
        "skyflow-job": request.job[:256],
        "skyflow-attempt": str(request.attempt),
    }


def virtual_machine(
    request: MachineRequest, *, subnet: str, group: str, watchdog: tuple[str, str] | None
) -> dict[str, Any]:
    """Return the body of the request; `watchdog` is the id and the client id of the identity that may delete it."""
    tags = tags_of(request)
    script = boot_script(request, farewell=farewell(watchdog[1] if watchdog else None))
    identities = [each for each in (watchdog[0] if watchdog else None, request.identity) if each]
    zone = re.search(r"\d+$", request.offering.zone)
    body: dict[str, Any] = {
        "location": request.offering.region,
        "tags": tags,
        "properties": {
            "hardwareProfile": {"vmSize": request.offering.instance_type},
            "storageProfile": {
                "imageReference": _image(request),
                "osDisk": {
                    "name": f"{request.name}-disk",
                    "createOption": "FromImage",
                    "deleteOption": "Delete",
                    "diskSizeGB": request.disk_gib,
                    "managedDisk": {"storageAccountType": "StandardSSD_LRS"},
                },
            },
            "osProfile": {
                "computerName": request.name,
                "adminUsername": LOGIN_USER,
                "customData": base64.b64encode(script.encode()).decode(),
                "linuxConfiguration": {
                    "disablePasswordAuthentication": True,
                    "ssh": {
                        "publicKeys": [
                            {
                                "path": f"/home/{LOGIN_USER}/.ssh/authorized_keys",
                                "keyData": request.public_key.strip(),
                            }
                        ]
                    },
                },
            },
            "networkProfile": {
                "networkApiVersion": _NETWORK_API,
                "networkInterfaceConfigurations": [_card(request, tags, subnet=subnet, group=group)],
            },
        },
    }
    if request.offering.market is Market.SPOT:
        body["properties"] |= {
            "priority": "Spot",
            "evictionPolicy": "Delete",
            "billingProfile": {"maxPrice": -1},
        }
    if identities:
        body["identity"] = {"type": "UserAssigned", "userAssignedIdentities": {each: {} for each in identities}}
    if zone:
        body["zones"] = [zone[0]]
    return body


def _card(request: MachineRequest, tags: dict[str, str], *, subnet: str, group: str) -> dict[str, Any]:
    address = {
        "name": f"{request.name}-ip",
        "tags": tags,
        "sku": {"name": "Standard"},
        "properties": {"deleteOption": "Delete", "publicIPAllocationMethod": "Static"},
    }
    return {
        "name": f"{request.name}-nic",
        "tags": tags,
        "properties": {
            "primary": True,
            "deleteOption": "Delete",
            "networkSecurityGroup": {"id": group},
            "ipConfigurations": [
                {
                    "name": "ip",
                    "properties": {"primary": True, "subnet": {"id": subnet}, "publicIPAddressConfiguration": address},
                }
            ],
        },
    }


def _image(request: MachineRequest) -> dict[str, str]:
    if request.image is None:
        if request.offering.accelerators is not None:
            return _UBUNTU_WITH_DRIVER
        return _UBUNTU_ARM if _ARM_SIZE.match(request.offering.instance_type) else _UBUNTU
    parts = request.image.split(":")
    if len(parts) == _URN_PARTS:
        return dict(zip(("publisher", "offer", "sku", "version"), parts, strict=True))
    return {"id": request.image}
