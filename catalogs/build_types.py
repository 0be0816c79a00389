"""The machine types of each cloud, and the accelerators in them."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from build_facts import read

COLUMNS = (
    "instance_type", "vcpus", "memory_gib", "arch", "cpu_platform", "accelerator", "accelerator_count",
    "local_ssd_gb", "network_gbps", "capabilities", "idle_watts", "max_watts", "power_basis", "embodied_kg", "source",
)  # fmt: skip
ACCELERATOR_COLUMNS = (
    "name", "vendor", "kind", "memory_gib", "idle_watts", "max_watts", "fp16_tflops", "year", "aliases",
)  # fmt: skip

LICENSED_SPECS = {"aws-feed-2025-04", "ccf-2026", "size-rule", "gcp-machinetypes-2026-08", "rule"}

# The vCPUs, GiB and devices of Azure's accelerated sizes, as Microsoft's size pages state them; the collected
# specifications of these come from sources that may not be redistributed.
AZURE_SIZES: Mapping[str, tuple[int, float, str, float]] = {
    "Standard_NC4as_T4_v3": (4, 28, "T4", 1),
    "Standard_NC8as_T4_v3": (8, 56, "T4", 1),
    "Standard_NC16as_T4_v3": (16, 110, "T4", 1),
    "Standard_NC64as_T4_v3": (64, 440, "T4", 4),
    "Standard_NC6s_v3": (6, 112, "V100", 1),
    "Standard_NC12s_v3": (12, 224, "V100", 2),
    "Standard_NC24s_v3": (24, 448, "V100", 4),
    "Standard_NC24rs_v3": (24, 448, "V100", 4),
    "Standard_ND40rs_v2": (40, 672, "V100-32GB", 8),
    "Standard_NC24ads_A100_v4": (24, 220, "A100-80GB", 1),
    "Standard_NC48ads_A100_v4": (48, 440, "A100-80GB", 2),
    "Standard_NC96ads_A100_v4": (96, 880, "A100-80GB", 4),
    "Standard_ND96asr_v4": (96, 900, "A100", 8),
    "Standard_ND96amsr_A100_v4": (96, 1900, "A100-80GB", 8),
    "Standard_NC40ads_H100_v5": (40, 320, "H100-NVL", 1),
    "Standard_NC80adis_H100_v5": (80, 640, "H100-NVL", 2),
    "Standard_ND96isr_H100_v5": (96, 1900, "H100", 8),
    "Standard_ND96isr_H200_v5": (96, 1850, "H200", 8),
    "Standard_ND96isr_MI300X_v5": (96, 1850, "MI300X", 8),
    "Standard_NV6ads_A10_v5": (6, 55, "A10", 0.1667),
    "Standard_NV12ads_A10_v5": (12, 110, "A10", 0.3333),
    "Standard_NV18ads_A10_v5": (18, 220, "A10", 0.5),
    "Standard_NV36ads_A10_v5": (36, 440, "A10", 1),
    "Standard_NV72ads_A10_v5": (72, 880, "A10", 2),
    "Standard_NV12s_v3": (12, 112, "M60", 1),
    "Standard_NV24s_v3": (24, 224, "M60", 2),
    "Standard_NV48s_v3": (48, 448, "M60", 4),
    "Standard_NV4as_v4": (4, 14, "MI25", 0.125),
    "Standard_NV8as_v4": (8, 28, "MI25", 0.25),
    "Standard_NV16as_v4": (16, 56, "MI25", 0.5),
    "Standard_NV32as_v4": (32, 112, "MI25", 1),
}

# Google's machine types for TPUs: vCPUs, GiB, kind and chips, as Google's machine type page states them.
TPU_TYPES: Mapping[str, tuple[int, float, str, float]] = {
    "ct5lp-hightpu-1t": (24, 48, "tpu-v5e", 1),
    "ct5lp-hightpu-4t": (112, 192, "tpu-v5e", 4),
    "ct5lp-hightpu-8t": (224, 384, "tpu-v5e", 8),
    "ct5p-hightpu-1t": (52, 112, "tpu-v5p", 1),
    "ct5p-hightpu-2t": (104, 224, "tpu-v5p", 2),
    "ct5p-hightpu-4t": (208, 448, "tpu-v5p", 4),
    "ct6e-standard-1t": (44, 176, "tpu-v6e", 1),
    "ct6e-standard-4t": (180, 720, "tpu-v6e", 4),
    "ct6e-standard-8t": (180, 1440, "tpu-v6e", 8),
}

# Families whose memory is encrypted so that the provider cannot read it, by the providers' own lists.
_CONFIDENTIAL = {
    "aws": re.compile(r"(m6a|c6a|r6a)\."),
    "azure": re.compile(r"Standard_(DC|EC|NCC)\d.*_v[3-9]$"),
    "gcp": re.compile(r"(n2d|c2d|c3d)-|c3-standard-\d+$|a3-highgpu-1g$"),
}
_AZURE_TEMP_DISK = re.compile(r"Standard_[A-Z]+\d+(?:-\d+)?[a-ce-z]*d[a-z]*_|Standard_(D|DS|G|GS|L|H|N[CDV])\d+[a-z]*$")
_WATTS_PER_GIB = 0.392

# Names under which people and drivers know a device, beside the canonical one. `nvidia-smi` prints product names.
ALIASES = {
    "K80": ("Tesla K80",),
    "P4": ("Tesla P4",),
    "P100": ("Tesla P100-PCIE-16GB", "P100-16GB"),
    "T4": ("Tesla T4", "NVIDIA T4", "T4-16GB"),
    "T4g": ("NVIDIA T4G",),
    "V100": ("V100-16GB", "Tesla V100-SXM2-16GB", "Tesla V100-PCIE-16GB"),
    "V100-32GB": ("Tesla V100-SXM2-32GB", "Tesla V100-PCIE-32GB"),
    "A10": ("NVIDIA A10", "A10-24GB"),
    "A10G": ("NVIDIA A10G", "A10G-24GB"),
    "L4": ("NVIDIA L4", "L4-24GB"),
    "L40S": ("NVIDIA L40S",),
    "A100": ("A100-40GB", "NVIDIA A100-SXM4-40GB", "NVIDIA A100-PCIE-40GB"),
    "A100-80GB": ("NVIDIA A100-SXM4-80GB", "NVIDIA A100 80GB PCIe", "A100-SXM4-80GB"),
    "H100": ("H100-80GB", "NVIDIA H100 80GB HBM3", "NVIDIA H100 PCIe", "H100-SXM"),
    "H100-NVL": ("H100-94GB", "NVIDIA H100 NVL"),
    "H200": ("NVIDIA H200", "H200-141GB", "H200-SXM"),
    "B200": ("NVIDIA B200",),
    "B300": ("NVIDIA B300",),
    "MI300X": ("AMD Instinct MI300X",),
    "RTXPRO6000": ("NVIDIA RTX PRO 6000 Blackwell Server Edition", "RTX-PRO-6000"),
    "Trainium": ("trn1",),
    "Trainium2": ("trn2",),
    "Inferentia": ("inf1",),
    "Inferentia2": ("inf2",),
    "tpu-v2": ("TPU v2",),
    "tpu-v3": ("TPU v3",),
    "tpu-v4": ("TPU v4",),
    "tpu-v5e": ("TPU v5e", "v5litepod", "tpu-v5litepod"),
    "tpu-v5p": ("TPU v5p",),
    "tpu-v6e": ("TPU v6e", "Trillium"),
}


def instance_types(facts: Path, cloud: str) -> dict[str, tuple[object, ...]]:
    """Return the rows of one cloud's `instance_types.csv`, by the name of the type."""
    collected = list(read(facts / "catalogs" / cloud / "instance_types.csv"))
    hosts = {
        (row["cloud"], row["instance_type"]): float(row["server_embodied_kgco2e"])
        for row in read(facts / "power" / "embodied.csv")
    }
    largest: dict[str, int] = {}
    for row in collected:
        largest[row["family"]] = max(largest.get(row["family"], 0), int(row["vcpus"]))
    found: dict[str, tuple[object, ...]] = {}
    for row in collected:
        name = row["instance_type"]
        if name in AZURE_SIZES:
            size, source = AZURE_SIZES[name], "provider's size page"
        elif row["spec_source"] in LICENSED_SPECS:
            size = (int(row["vcpus"]), float(row["memory_gib"]), row["accelerator_name"], row["accelerator_count"])
            source = row["spec_source"]
        else:
            continue
        host = hosts.get((cloud, name))
        share = round(host * int(row["vcpus"]) / largest[row["family"]], 1) if host is not None else ""
        found[name] = (
            name, size[0], f"{size[1]:g}", row["cpu_arch"], row["cpu_platform"], size[2], size[3] if size[2] else "",
            row["local_ssd_gb"] if row["local_ssd_gb"] != "0" else "", row["network_gbps"],
            "|".join(_capabilities(cloud, row)), row["power_idle_w"], row["power_max_w"], row["power_basis"], share,
            source,
        )  # fmt: skip
    if cloud == "gcp":
        found |= {name: _tpu_type(name, size) for name, size in TPU_TYPES.items()}
    return found


def accelerators(facts: Path) -> Iterator[tuple[object, ...]]:
    """Yield every canonical accelerator name with what else it is called."""
    for row in read(facts / "catalogs" / "accelerators.csv"):
        name = row["accelerator"]
        aliases = dict.fromkeys((*filter(None, (row["aliases"],)), *ALIASES.get(name, ())))
        yield (
            name, row["vendor"], row["kind"], row["memory_gib"], row["idle_w"], row["max_w"] or row["tdp_w"],
            row["fp16_tflops_dense"], row["year"], "|".join(aliases),
        )  # fmt: skip


def _capabilities(cloud: str, row: Mapping[str, str]) -> list[str]:
    name = row["instance_type"]
    has_disk = row["local_ssd_gb"] not in {"", "0"} or (cloud == "azure" and _AZURE_TEMP_DISK.match(name))
    given = {
        "bare-metal": row["bare_metal"] == "1",
        "burstable": row["burstable"] == "1",
        "confidential": bool(_CONFIDENTIAL[cloud].match(name)),
        "local-ssd": bool(has_disk),
    }
    return [capability for capability, is_given in given.items() if is_given]


def _tpu_type(name: str, size: tuple[int, float, str, float]) -> tuple[object, ...]:
    vcpus, memory, device, chips = size
    # The chips' power is not published; the host is reckoned as an average x86 machine.
    idle, full = vcpus * 0.7 + memory * _WATTS_PER_GIB, vcpus * 4.1 + memory * _WATTS_PER_GIB
    basis = "average, accelerator-power-unknown"
    return (
        name, vcpus, f"{memory:g}", "x86_64", "", device, chips, "", "", "", round(idle, 1), round(full, 1), basis, "",
        "provider's size page",
    )  # fmt: skip
