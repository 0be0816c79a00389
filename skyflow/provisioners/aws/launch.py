"""What a machine is made of: its image, its key, and the arguments of RunInstances.

Images come from the public parameters of the Systems Manager, which Canonical and AWS keep: names that stay, behind which
the newest image is.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

from skyflow.model.machines import NAME_PREFIX, MachineRequest
from skyflow.model.resources import Market
from skyflow.ports.provisioner import CloudError
from skyflow.provisioners.aws.errors import AWS_FAILURES, translated
from skyflow.provisioners.aws.network import Subnet
from skyflow.provisioners.boot import boot_script

__all__ = ["OWNER_TAG", "ensure_key", "image_parameter", "key_name", "launch_arguments", "resolve_image", "tags_of"]

OWNER_TAG = "skyflow-owner"
_NAME_LENGTH = 20
_ARCHITECTURES = {"x86_64": "amd64", "arm64": "arm64"}


def image_parameter(architecture: str, *, accelerated: bool) -> str:
    """Return the name of the public parameter that names the image: Ubuntu, with NVIDIA's driver where it is of use."""
    if accelerated:
        return f"/aws/service/deeplearning/ami/{architecture}/base-oss-nvidia-driver-gpu-ubuntu-24.04/latest/ami-id"
    short = _ARCHITECTURES.get(architecture, architecture)
    return f"/aws/service/canonical/ubuntu/server/24.04/stable/current/{short}/hvm/ebs-gp3/ami-id"


def resolve_image(ec2: Any, ssm: Any, request: MachineRequest) -> dict[str, Any]:
    """Return EC2's description of the image for a machine.

    Raises:
        CloudError: there is no such image in this region.
    """
    image = request.image
    if image is None or image.startswith("/"):
        parameter = image or image_parameter(
            _architecture(ec2, request.offering.instance_type), accelerated=request.offering.accelerators is not None
        )
        with translated():
            image = ssm.get_parameter(Name=parameter)["Parameter"]["Value"]
    with translated():
        found = ec2.describe_images(ImageIds=[image])["Images"]
    if not found:
        raise AWS_FAILURES.error("InvalidAMIID.NotFound", f"there is no image {image} in {ec2.meta.region_name}")
    return dict(found[0])


def _architecture(ec2: Any, instance_type: str) -> str:
    with translated():
        [found] = ec2.describe_instance_types(InstanceTypes=[instance_type])["InstanceTypes"]
    supported = found["ProcessorInfo"]["SupportedArchitectures"]
    return "arm64" if "arm64" in supported else "x86_64"


def key_name(request: MachineRequest) -> str:
    """Return the name of the key pair: it follows from owner and key, so that many machines share one."""
    digest = hashlib.sha256(request.public_key.strip().encode()).hexdigest()[:_NAME_LENGTH]
    return f"{NAME_PREFIX}-{request.owner}-{digest}"


def ensure_key(ec2: Any, request: MachineRequest) -> str:
    """Return the name of the key pair, importing the key if it is missing.

    Our boot script installs the key, too; the pair lets the image's own user in where the script cannot run.
    """
    name = key_name(request)
    try:
        with translated():
            ec2.import_key_pair(
                KeyName=name,
                PublicKeyMaterial=request.public_key.strip().encode(),
                TagSpecifications=[{"ResourceType": "key-pair", "Tags": [{"Key": OWNER_TAG, "Value": request.owner}]}],
            )
    except CloudError as error:
        if error.code != "InvalidKeyPair.Duplicate":
            raise
    return name


def tags_of(request: MachineRequest) -> list[dict[str, str]]:
    """Return the tags of a machine and of all that is made with it; AWS shows `Name` in its console."""
    return [
        {"Key": "Name", "Value": request.name},
        {"Key": OWNER_TAG, "Value": request.owner},
        {"Key": "skyflow-run", "Value": request.run[:256]},
        {"Key": "skyflow-job", "Value": request.job[:256]},
        {"Key": "skyflow-attempt", "Value": str(request.attempt)},
    ]


def launch_arguments(
    request: MachineRequest, *, image: dict[str, Any], key: str, subnet: Subnet, groups: Sequence[str]
) -> dict[str, Any]:
    """Return the arguments of RunInstances; the same request and place give the same ones."""
    root = image.get("RootDeviceName", "/dev/sda1")
    smallest = max(
        (d["Ebs"].get("VolumeSize", 0) for d in image.get("BlockDeviceMappings", ()) if "Ebs" in d), default=0
    )
    arguments: dict[str, Any] = {
        "ClientToken": f"{request.name}-{subnet.zone}"[:64],
        "MinCount": 1,
        "MaxCount": 1,
        "ImageId": image["ImageId"],
        "InstanceType": request.offering.instance_type,
        "KeyName": key,
        "UserData": boot_script(request),
        "InstanceInitiatedShutdownBehavior": "terminate",  # with this, the watchdog's shutdown ends the bill
        "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 2},
        "NetworkInterfaces": [
            {
                "DeviceIndex": 0,
                "SubnetId": subnet.id,
                "Groups": [*groups],
                "AssociatePublicIpAddress": True,
                "DeleteOnTermination": True,
            }
        ],
        "BlockDeviceMappings": [
            {
                "DeviceName": root,
                "Ebs": {
                    "VolumeSize": max(request.disk_gib, smallest),
                    "VolumeType": "gp3",
                    "DeleteOnTermination": True,
                },
            }
        ],
        "TagSpecifications": [
            {"ResourceType": kind, "Tags": tags_of(request)} for kind in ("instance", "volume", "network-interface")
        ],
    }
    if request.offering.market is Market.SPOT:
        arguments["InstanceMarketOptions"] = {
            "MarketType": "spot",
            "SpotOptions": {"SpotInstanceType": "one-time", "InstanceInterruptionBehavior": "terminate"},
        }
    if request.identity:
        by = "Arn" if request.identity.startswith("arn:") else "Name"
        arguments["IamInstanceProfile"] = {by: request.identity}
    return arguments
