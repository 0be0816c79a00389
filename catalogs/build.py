"""Make the catalog tables of this directory from a directory of collected facts.

    python catalogs/build.py --facts DIR

What is picked is stated below, row by row where it matters; what the columns mean and where the rows come from is in
SOURCES.md. Rows whose source states no licence, or a share-alike one, are left out by the source names in `LICENSED`.
Needs nothing but Python; the same facts give the same bytes.
"""

import argparse
import csv
import gzip
import statistics
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent

REGIONS = {
    "aws": ("us-east-1", "us-east-2", "us-west-2", "eu-west-1", "eu-central-1", "ap-northeast-1"),
    "gcp": ("us-central1", "us-east4", "us-west1", "europe-west1", "europe-west4", "asia-northeast1"),
    "azure": ("eastus", "westus2", "westus3", "northeurope", "westeurope", "japaneast"),
}

# No burstable types (their vCPUs are not there all the time) and no Arm types (a workflow cannot ask for an
# architecture yet, so all of one kind it is).
TYPES = {
    "aws": (
        *(f"m6i.{size}" for size in ("large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "16xlarge")),
        *(f"c6i.{size}" for size in ("large", "xlarge", "2xlarge", "4xlarge", "8xlarge")),
        *(f"r6i.{size}" for size in ("xlarge", "4xlarge")),
        "g4dn.xlarge", "g4dn.12xlarge", "g5.xlarge", "g5.4xlarge", "g5.12xlarge", "g5.48xlarge", "g6.xlarge",
        "g6e.xlarge", "p3.2xlarge", "p3.8xlarge", "p3.16xlarge", "p5.4xlarge", "p5en.48xlarge", "p6-b200.48xlarge",
    ),
    "gcp": (
        *(f"n2-standard-{vcpus}" for vcpus in (2, 4, 8, 16, 32, 64)),
        *(f"c2-standard-{vcpus}" for vcpus in (4, 8, 16)),
        "n2-highmem-8",
        "g2-standard-4", "g2-standard-48", "a2-highgpu-1g", "a2-highgpu-8g", "a2-megagpu-16g", "a2-ultragpu-1g",
        "a2-ultragpu-8g", "a3-highgpu-1g", "a3-highgpu-8g",
    ),
    "azure": (
        *(f"Standard_D{vcpus}s_v5" for vcpus in (2, 4, 8, 16, 32, 64)),
        *(f"Standard_F{vcpus}s_v2" for vcpus in (2, 4, 8, 16)),
        "Standard_E8s_v5",
        "Standard_NC4as_T4_v3", "Standard_NC16as_T4_v3", "Standard_NC64as_T4_v3", "Standard_NC6s_v3",
        "Standard_NC24s_v3", "Standard_NC24ads_A100_v4", "Standard_NC96ads_A100_v4", "Standard_NC40ads_H100_v5",
    ),
}  # fmt: skip

# The vCPUs, GiB and devices of Azure's accelerated sizes, as Microsoft's size pages state them; the collected
# specifications of these come from sources that may not be redistributed.
AZURE_SIZES = {
    "Standard_NC4as_T4_v3": (4, 28, "T4", 1),
    "Standard_NC16as_T4_v3": (16, 110, "T4", 1),
    "Standard_NC64as_T4_v3": (64, 440, "T4", 4),
    "Standard_NC6s_v3": (6, 112, "V100", 1),
    "Standard_NC24s_v3": (24, 448, "V100", 4),
    "Standard_NC24ads_A100_v4": (24, 220, "A100-80GB", 1),
    "Standard_NC96ads_A100_v4": (96, 880, "A100-80GB", 4),
    "Standard_NC40ads_H100_v5": (40, 320, "H100-NVL", 1),
}

# price_source or spot_source of the facts -> (basis, date); what is not named here stays out, see SOURCES.md.
LICENSED = {
    "aws-feed": ("list", "2025-04-04"),
    "aws-2026": ("list", "2026-07-20"),
    "gcp-list": ("list", "2026-08-03"),
    "azure-retail": ("list", "2026-06-18"),
    "advisor-2025-06": ("advisor", "2025-06-28"),
    "gcp-2026-08": ("list", "2026-08-03"),
}
LICENSED_SPECS = {"aws-feed-2025-04", "ccf-2026", "size-rule", "gcp-machinetypes-2026-08", "rule"}

# Names under which people and drivers know a device, beside the canonical one. `nvidia-smi` prints product names.
ALIASES = {
    "T4": ("Tesla T4",),
    "V100": ("V100-16GB", "Tesla V100-SXM2-16GB", "Tesla V100-PCIE-16GB"),
    "V100-32GB": ("Tesla V100-SXM2-32GB", "Tesla V100-PCIE-32GB"),
    "A10": ("NVIDIA A10",),
    "A10G": ("NVIDIA A10G",),
    "L4": ("NVIDIA L4",),
    "L40S": ("NVIDIA L40S",),
    "A100": ("A100-40GB", "NVIDIA A100-SXM4-40GB", "NVIDIA A100-PCIE-40GB"),
    "A100-80GB": ("NVIDIA A100-SXM4-80GB", "NVIDIA A100 80GB PCIe"),
    "H100": ("H100-80GB", "NVIDIA H100 80GB HBM3", "NVIDIA H100 PCIe"),
    "H100-NVL": ("H100-94GB", "NVIDIA H100 NVL"),
    "H200": ("NVIDIA H200",),
    "B200": ("NVIDIA B200",),
}

OFFERING_COLUMNS = (
    "provider", "region", "zone", "instance_type", "market", "vcpus", "memory_gib", "accelerator",
    "accelerator_count", "price_usd_per_hour", "price_basis", "price_date",
)  # fmt: skip
EGRESS_COLUMNS = ("source_provider", "scope", "source", "destination", "usd_per_gb", "as_of", "basis")
NETWORK_COLUMNS = ("source_provider", "destination_provider", "scope", "gbps", "as_of", "basis")


def read(path: Path) -> Iterator[dict[str, str]]:
    """Yield the rows of a CSV file, gzipped or not."""
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        yield from csv.DictReader(file)


def write(name: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write one table and say how long it is."""
    rows = list(rows)
    with (HERE / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
    print(f"{name}: {len(rows)} rows")


def offerings(facts: Path, provider: str) -> Iterator[tuple[object, ...]]:
    """Yield the price rows of one provider: on-demand, and spot where the source is firm and licensed."""
    specs = {row["instance_type"]: row for row in read(facts / "catalogs" / provider / "instance_types.csv")}
    for row in read(facts / "catalogs" / provider / "vms.csv"):
        name = row["instance_type"]
        if name not in TYPES[provider] or row["region"] not in REGIONS[provider]:
            continue
        size: tuple[object, ...]
        if name in AZURE_SIZES:
            size = AZURE_SIZES[name]
        elif specs[name]["spec_source"] in LICENSED_SPECS:
            size = (row["vcpus"], row["memory_gib"], row["accelerator_name"], row["accelerator_count"])
        else:
            raise SystemExit(f"{name}: specification from {specs[name]['spec_source']} may not be shipped")
        for market, price, source in (
            ("on-demand", row["price_usd_h"], row["price_source"]),
            ("spot", row["spot_price_usd_h"], row["spot_source"]),
        ):
            if price and source in LICENSED and row["price_source"] in LICENSED:
                basis, date = LICENSED[source]
                yield (provider, row["region"], row["zone"], name, market, *size, price, basis, date)


def regions(facts: Path) -> Iterator[tuple[object, ...]]:
    """Yield the regions of the excerpt, and the place of the local machine, about which nothing is known."""
    for row in read(facts / "regions" / "regions.csv"):
        if row["region"] in REGIONS.get(row["cloud"], ()):
            jurisdiction = "EU" if row["eu_member"] == "1" else row["country_code"]
            yield row["cloud"], row["region"], row["name"], row["continent"], row["country_code"], jurisdiction
    yield ("local", "local", "the machine that skyflow runs on", "", "", "")


def egress(facts: Path) -> Iterator[tuple[object, ...]]:
    """Yield the rules for the price of moving data; the first one that fits a pair of places holds.

    Between AWS regions every pair is exact. Elsewhere the first paid tier is taken, without the monthly allowances: a
    planner cannot know what else an account has moved this month.
    """
    yield from (
        ("aws", "same-zone", "*", "*", 0, 2025, "public list"),
        ("aws", "cross-zone", "*", "*", 0.02, 2025, "public list: 0.01 in each direction"),
    )
    inside = REGIONS["aws"]
    table = read(facts / "egress" / "aws_interregion_2023.csv")
    pairs = {(row["src_region"], row["dst_region"]): row["usd_per_gb"] for row in table}
    for source in inside:
        for destination in inside:
            if source != destination:
                yield ("aws", "cross-region", source, destination, pairs[source, destination], 2023, "pair list")
    for source in inside:
        basis = "pair list: internet, first paid tier"
        yield ("aws", "cross-provider", source, "*", pairs[source, "internet"], 2023, basis)
    yield from (
        ("gcp", "same-zone", "*", "*", 0, 2025, "public list"),
        ("gcp", "cross-zone", "*", "*", 0.01, 2025, "public list"),
        ("gcp", "cross-region", "North America", "North America", 0.02, 2025, "public list"),
        ("gcp", "cross-region", "Europe", "Europe", 0.02, 2025, "public list"),
        ("gcp", "cross-region", "Asia", "Asia", 0.05, 2022, "pair list"),
        ("gcp", "cross-region", "*", "*", 0.08, 2022, "pair list: between continents"),
        ("gcp", "cross-provider", "*", "*", 0.12, 2025, "public list: premium tier, first step"),
        ("azure", "same-zone", "*", "*", 0, 2025, "public list"),
        ("azure", "cross-zone", "*", "*", 0, 2025, "public list: charge dropped in 2024"),
        ("azure", "cross-region", "North America", "North America", 0.02, 2025, "public list"),
        ("azure", "cross-region", "Europe", "Europe", 0.02, 2025, "public list"),
        ("azure", "cross-region", "North America", "*", 0.05, 2025, "public list: between continents"),
        ("azure", "cross-region", "Europe", "*", 0.05, 2025, "public list: between continents"),
        ("azure", "cross-region", "*", "*", 0.08, 2025, "public list: Asia, Oceania, Middle East, Africa"),
        ("azure", "cross-provider", "North America", "*", 0.087, 2025, "public list: zone 1, first paid tier"),
        ("azure", "cross-provider", "Europe", "*", 0.087, 2025, "public list: zone 1, first paid tier"),
        ("azure", "cross-provider", "*", "*", 0.12, 2025, "public list: zone 2, first paid tier"),
        ("local", "same-zone", "*", "*", 0, "", "data that stays on the machine"),
        ("local", "cross-provider", "*", "*", 0, "", "assumption: an uplink at a flat rate; clouds take data in free"),
    )


def network(facts: Path) -> Iterator[tuple[object, ...]]:
    """Yield the rules for the speed of moving data: medians of what was measured between pairs of regions."""
    continents = {(row["cloud"], row["region"]): row["continent"] for row in read(facts / "regions" / "regions.csv")}
    measured: dict[tuple[str, str, str], list[float]] = {}
    for row in read(facts / "network" / "throughput.csv.gz"):
        source, destination = (row["src_cloud"], row["src_region"]), (row["dst_cloud"], row["dst_region"])
        if row["src_tier"] == row["dst_tier"] == "premium" and source != destination:
            scope = "same-continent" if continents[source] == continents[destination] else "cross-continent"
            measured.setdefault((source[0], destination[0], scope), []).append(float(row["gbps"]))
    yield ("local", "local", "same-region", "inf", "", "data that stays on the machine")
    yield ("*", "*", "same-region", 10, "", "assumption: what a mid-size machine's network card is rated at")
    for (source_provider, destination_provider, scope), speeds in sorted(measured.items()):
        median = round(statistics.median(speeds), 2)
        yield (source_provider, destination_provider, scope, median, 2022, f"median of {len(speeds)} measurements")
    yield ("local", "*", "any", 0.1, "", "assumption: an uplink of 100 Mbit/s")
    yield ("*", "local", "any", 0.1, "", "assumption: a downlink of 100 Mbit/s")


def accelerators(facts: Path) -> Iterator[tuple[object, ...]]:
    """Yield every canonical accelerator name with what else it is called."""
    for row in read(facts / "catalogs" / "accelerators.csv"):
        name = row["accelerator"]
        aliases = dict.fromkeys((*filter(None, (row["aliases"],)), *ALIASES.get(name, ())))
        yield (name, row["vendor"], row["kind"], "|".join(aliases))


def main() -> None:
    """Write all tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--facts", type=Path, required=True, metavar="DIR", help="the directory of collected facts")
    facts = parser.parse_args().facts
    for provider in sorted(REGIONS):
        rows = sorted(offerings(facts, provider), key=lambda row: [str(cell) for cell in row[1:5]])
        write(f"{provider}.csv", OFFERING_COLUMNS, rows)
    region_columns = ("provider", "region", "name", "continent", "country", "jurisdiction")
    write("regions.csv", region_columns, regions(facts))
    write("egress.csv", EGRESS_COLUMNS, egress(facts))
    write("network.csv", NETWORK_COLUMNS, network(facts))
    write("accelerators.csv", ("name", "vendor", "kind", "aliases"), accelerators(facts))


if __name__ == "__main__":
    main()
