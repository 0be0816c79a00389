"""What a machine is made of: image, disk, network card, labels, and when it ends itself."""

import re

from google.cloud import compute_v1

from skyflow.model.machines import MachineRequest
from skyflow.model.resources import Market
from skyflow.provisioners.boot import LOGIN_USER, boot_script

__all__ = ["NODES_TAG", "OWNER_LABEL", "instance_of", "label", "network_tag"]

OWNER_LABEL = "skyflow-owner"
NODES_TAG = "skyflow-nodes"
"""The name of the firewall rule by which machines of one job reach one another, and of those that it is for."""
_SSH_PORT = 22
_LABEL_LENGTH = 63
_UBUNTU = "projects/ubuntu-os-cloud/global/images/family/ubuntu-2404-lts-{}"
_UBUNTU_WITH_DRIVER = (
    "projects/ubuntu-os-accelerator-images/global/images/family/ubuntu-accelerator-2404-amd64-with-nvidia-580"
)
_ARM_FAMILIES = frozenset({"a4x", "c4a", "n4a", "t2a"})
_HYPERDISK_FAMILIES = frozenset({"a4", "a4x", "c4", "c4a", "c4d", "h4d", "m4", "n4", "n4a", "n4d", "x4"})
"""They take no persistent disk (cloud.google.com/compute/docs/disks/hyperdisks)."""
_ATTACHED = {"P4": "nvidia-tesla-p4", "P100": "nvidia-tesla-p100", "T4": "nvidia-tesla-t4", "V100": "nvidia-tesla-v100"}
"""Accelerators that are attached to a machine of the n1 family; the other families have theirs built in."""


def label(text: str) -> str:
    """Return a text as a label may be: lower-case letters, digits, `_` and `-`."""
    return re.sub(r"[^a-z0-9_-]", "-", text.lower())[:_LABEL_LENGTH]


def network_tag(ports: tuple[int, ...]) -> str:
    """Return the name that the firewall rule for these ports, and the machines that it is for, share."""
    beside = sorted(set(ports) - {_SSH_PORT})
    return "-".join(["skyflow-ports", *(str(port) for port in beside)]) if beside else "skyflow-ssh"


def instance_of(request: MachineRequest, *, zone: str, network: str) -> compute_v1.Instance:
    """Return the instance to be made."""
    labels = {
        OWNER_LABEL: label(request.owner),
        "skyflow-run": label(request.run),
        "skyflow-job": label(request.job),
        "skyflow-attempt": str(request.attempt),
    }
    kind = request.offering.instance_type
    family = kind.partition("-")[0]
    tags = [network_tag(()), *([network_tag(request.ports)] if request.ports else [])]
    return compute_v1.Instance(
        name=request.name,
        machine_type=f"zones/{zone}/machineTypes/{kind}",
        labels=labels,
        tags=compute_v1.Tags(items=[*tags, *([NODES_TAG] if request.nodes > 1 else [])]),
        disks=[_disk(request, family, zone=zone, labels=labels)],
        network_interfaces=[
            compute_v1.NetworkInterface(
                network=network,
                access_configs=[compute_v1.AccessConfig(name="External NAT", type_="ONE_TO_ONE_NAT")],
            )
        ],
        metadata=compute_v1.Metadata(
            items=[
                compute_v1.Items(key="enable-oslogin", value="FALSE"),  # where a project has it, it ignores our key
                compute_v1.Items(key="ssh-keys", value=f"{LOGIN_USER}:{request.public_key.strip()}"),
                compute_v1.Items(key="startup-script", value=boot_script(request)),
            ]
        ),
        scheduling=_scheduling(request),
        guest_accelerators=_attached(request, family, zone),
        service_accounts=(
            [
                compute_v1.ServiceAccount(
                    email=request.identity, scopes=["https://www.googleapis.com/auth/cloud-platform"]
                )
            ]
            if request.identity
            else []
        ),
    )


def _disk(request: MachineRequest, family: str, *, zone: str, labels: dict[str, str]) -> compute_v1.AttachedDisk:
    kind = "hyperdisk-balanced" if family in _HYPERDISK_FAMILIES else "pd-balanced"
    return compute_v1.AttachedDisk(
        boot=True,
        auto_delete=True,
        initialize_params=compute_v1.AttachedDiskInitializeParams(
            source_image=request.image or _image(request, family),
            disk_size_gb=request.disk_gib,
            disk_type=f"zones/{zone}/diskTypes/{kind}",
            labels=labels,
        ),
    )


def _image(request: MachineRequest, family: str) -> str:
    if request.offering.accelerators is not None and family not in _ARM_FAMILIES:
        return _UBUNTU_WITH_DRIVER
    return _UBUNTU.format("arm64" if family in _ARM_FAMILIES else "amd64")


def _scheduling(request: MachineRequest) -> compute_v1.Scheduling:
    """Return when the cloud itself deletes the machine: after its longest life, and when it takes it away."""
    is_spot = request.offering.market is Market.SPOT
    return compute_v1.Scheduling(
        provisioning_model="SPOT" if is_spot else "STANDARD",
        instance_termination_action="DELETE",
        max_run_duration=compute_v1.Duration(seconds=request.lifetime.at_most_seconds),
        automatic_restart=False,
        on_host_maintenance="TERMINATE" if is_spot or request.offering.accelerators is not None else "MIGRATE",
    )


def _attached(request: MachineRequest, family: str, zone: str) -> list[compute_v1.AcceleratorConfig]:
    wanted = request.offering.accelerators
    if wanted is None or family != "n1":
        return []
    kind = _ATTACHED.get(wanted.name, f"nvidia-{wanted.name.lower()}")
    return [
        compute_v1.AcceleratorConfig(
            accelerator_type=f"zones/{zone}/acceleratorTypes/{kind}", accelerator_count=wanted.count
        )
    ]
