"""The filters of `skyflow catalog`, which are the words of `resources`."""

from enum import StrEnum
from typing import Annotated

import typer

from skyflow.model.market import Market

__all__ = [
    "AcceleratorOption",
    "Arch",
    "ArchOption",
    "CapabilityOption",
    "CloudOption",
    "CountryOption",
    "CpusOption",
    "FormatOption",
    "JurisdictionOption",
    "LimitOption",
    "MarketOption",
    "MemoryOption",
    "PartitionOption",
    "RegionOption",
    "RowFormat",
    "Sort",
    "SortOption",
    "TypeOption",
    "ZoneOption",
]


class RowFormat(StrEnum):
    """How rows are shown."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


class Arch(StrEnum):
    """Processor architectures."""

    X86_64 = "x86_64"
    ARM64 = "arm64"
    ANY = "any"


class Sort(StrEnum):
    """What rows are sorted by, the least first."""

    PRICE = "price"
    CARBON = "carbon"
    VCPUS = "vcpus"
    MEMORY = "memory"
    NAME = "name"


def _several(option: str, metavar: str, text: str, *, also: str = "") -> typer.models.OptionInfo:
    """Return an option that may be repeated, and its name in `resources`."""
    names = (option, also) if also else (option,)
    info: typer.models.OptionInfo = typer.Option(*names, metavar=metavar, help=f"{text}; may be repeated.")
    return info


AcceleratorOption = Annotated[
    list[str] | None, _several("--accelerators", "NAME[:N]", "With this accelerator, in any number or in this one")
]
CpusOption = Annotated[str, typer.Option("--cpus", metavar="N[+]", help="With so many vCPUs, or at least so many.")]
MemoryOption = Annotated[
    str, typer.Option("--memory", metavar="SIZE[+]", help="With so much memory, or at least so much: 32GiB+.")
]
MarketOption = Annotated[Market, typer.Option("--market", help="How they are bought.")]
CloudOption = Annotated[list[str] | None, _several("--cloud", "NAME", "Of aws, azure, gcp or own", also="--clouds")]
RegionOption = Annotated[list[str] | None, _several("--region", "NAME", "In this region", also="--regions")]
ZoneOption = Annotated[list[str] | None, _several("--zone", "NAME", "In this zone", also="--zones")]
JurisdictionOption = Annotated[
    list[str] | None,
    _several(
        "--jurisdiction", "NAME", "Under this law: EU, EEA, EU-adequate or a country's code", also="--jurisdictions"
    ),
]
CountryOption = Annotated[list[str] | None, _several("--country", "CODE", "In this country", also="--countries")]
PartitionOption = Annotated[
    list[str] | None, _several("--partition", "NAME", "In this partition, such as aws-us-gov", also="--partitions")
]
TypeOption = Annotated[list[str] | None, _several("--instance-type", "NAME", "Of this type")]
ArchOption = Annotated[Arch, typer.Option("--arch", help="Their processor architecture.")]
CapabilityOption = Annotated[
    list[str] | None,
    _several("--capability", "NAME", "With this: gpu, tpu, local-ssd, confidential, ...", also="--capabilities"),
]
SortOption = Annotated[Sort, typer.Option("--sort", help="What comes first.")]
LimitOption = Annotated[
    int | None,
    typer.Option("--limit", "-n", min=0, metavar="N", help="How many; 0 for all.  [default: 50 in a table, else all]"),
]
FormatOption = Annotated[
    RowFormat | None,
    typer.Option("--format", help="How to show them.  [default: table on a terminal, else csv]"),
]
