"""The price lists: one row per place and machine type, with both markets."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from build_facts import read
from build_types import TPU_TYPES

from skyflow.catalog.doubt import least_believable

COLUMNS = (
    "region", "zone", "instance_type", "usd_per_hour", "basis", "date", "spot_usd_per_hour", "spot_basis", "spot_date",
    "interruption",
)  # fmt: skip

# price_source or spot_source of the facts -> (basis, date); what is not named here stays out, see SOURCES.md.
LICENSED = {
    "aws-feed": ("list", "2025-04-04"),
    "aws-2026": ("list", "2026-07-20"),
    "gcp-list": ("list", "2026-08-03"),
    "azure-retail": ("list", "2026-06-18"),
    "gcp-2026-08": ("list", "2026-08-03"),
}
ADVISOR_DATE = "2025-06-28"
ESTIMATE_DATE = "2026-11-01"

# Azure publishes no licensed list of spot prices. Our estimate is a fixed share of the list price; real spot prices were
# seen between a tenth and nine tenths. Devices of the H100 class and above, hardly ever on spot, are left without.
AZURE_SPOT_SHARE, AZURE_ACCELERATED_SPOT_SHARE = 0.2, 0.4
AZURE_NO_SPOT = {"H100", "H100-NVL", "H200", "MI300X"}

# Dollars an hour that AWS's public price pages state since the cuts of June 2025; the collected figures of these come
# from a table without a licence. Ours to answer for, hence `estimate`.
AWS_OWN: Mapping[str, tuple[float, tuple[str, ...]]] = {
    "p4d.24xlarge": (21.957642, ("us-east-1", "us-west-2")),
    "p4de.24xlarge": (27.44705, ("us-east-1", "us-west-2")),
    "p5.48xlarge": (55.04, ("us-east-1", "us-east-2", "us-west-2")),
    "p5en.48xlarge": (63.296, ("us-east-1", "us-east-2", "us-west-2")),
    "g5.xlarge": (1.006, ("us-east-1", "us-east-2", "us-west-2")),
}

# Dollars per chip and hour, on demand, as Google's public TPU price page states them; spot at half of that, as a
# cautious share. Ours to answer for, hence `estimate`.
TPU_USD_PER_CHIP: Mapping[str, Mapping[str, float]] = {
    "tpu-v5e": {"us-central1": 1.2, "us-east5": 1.2, "us-west1": 1.2, "us-west4": 1.2, "europe-west4": 1.56},
    "tpu-v5p": {"us-central1": 4.2, "us-east5": 4.2},
    "tpu-v6e": {"us-central1": 2.7, "us-east1": 2.7, "us-east5": 2.7, "europe-west4": 2.97, "asia-northeast1": 3.24},
}
TPU_SPOT_SHARE = 0.5

Row = tuple[object, ...]


def prices(facts: Path, cloud: str, types: Mapping[str, tuple[object, ...]]) -> list[Row]:
    """Return the price rows of one cloud, of the machine types that may be shipped."""
    collected = [row for row in read(facts / "catalogs" / cloud / "vms.full.csv.gz") if row["instance_type"] in types]
    match cloud:
        case "aws":
            found = list(_aws(facts, collected, types))
        case "azure":
            found = list(_azure(collected, types))
        case _:
            found = [*_gcp(collected), *_tpus()]
    return sorted(found, key=lambda row: [str(cell) for cell in row[:3]])


def _aws(facts: Path, collected: list[dict[str, str]], types: Mapping[str, object]) -> Iterator[Row]:
    advice = {
        (row["region"], row["instance_type"]): (int(row["savings_pct"]), row["interruption_bucket"])
        for row in read(facts / "spot" / "aws_interruption.csv.gz")
    }
    listed = {
        (row["region"], row["instance_type"]): (float(row["price_usd_h"]), *LICENSED[row["price_source"]])
        for row in collected
        if row["price_source"] in LICENSED
    }
    for name, (price, regions) in AWS_OWN.items():
        if name in types:
            listed |= {
                (region, name): (price, "estimate", ESTIMATE_DATE) for region in regions if (region, name) not in listed
            }
    for (region, name), (price, basis, date) in listed.items():
        saving, bucket = advice.get((region, name), (0, ""))
        if not saving:
            yield (region, "", name, _usd(price), basis, date, "", "", "", bucket)
            continue
        spot_basis, spot_date = ("advisor", ADVISOR_DATE) if basis == "list" else ("estimate", date)
        spot = _usd(price * (1 - saving / 100))
        yield (region, "", name, _usd(price), basis, date, spot, spot_basis, spot_date, bucket)


def _azure(collected: list[dict[str, str]], types: Mapping[str, tuple[object, ...]]) -> Iterator[Row]:
    listed: dict[str, list[float]] = {}
    for row in collected:
        listed.setdefault(row["instance_type"], []).append(float(row["price_usd_h"]))
    least = {name: least_believable(prices) for name, prices in listed.items()}
    for row in collected:
        basis, date = LICENSED[row["price_source"]]
        device, price = types[row["instance_type"]][5], float(row["price_usd_h"])
        if price < least[row["instance_type"]]:
            continue
        spot: tuple[str, str, str] = ("", "", "")
        if device not in AZURE_NO_SPOT:
            share = AZURE_ACCELERATED_SPOT_SHARE if device else AZURE_SPOT_SHARE
            spot = (_usd(price * share), "estimate", ESTIMATE_DATE)
        yield (row["region"], "", row["instance_type"], _usd(price), basis, date, *spot, "")


def _gcp(collected: list[dict[str, str]]) -> Iterator[Row]:
    for row in collected:
        basis, date = LICENSED[row["price_source"]]
        spot: tuple[str, str, str] = ("", "", "")
        if row["spot_price_usd_h"]:
            spot = (_usd(float(row["spot_price_usd_h"])), *LICENSED[row["spot_source"]])
        yield (
            row["region"],
            row["zone"],
            row["instance_type"],
            _usd(float(row["price_usd_h"])),
            basis,
            date,
            *spot,
            "",
        )


def _tpus() -> Iterator[Row]:
    for name, (_, _, device, chips) in TPU_TYPES.items():
        for region, price in TPU_USD_PER_CHIP[device].items():
            whole = price * chips
            spot = _usd(whole * TPU_SPOT_SHARE)
            yield (region, "", name, _usd(whole), "estimate", ESTIMATE_DATE, spot, "estimate", ESTIMATE_DATE, "")


def _usd(price: float) -> str:
    return f"{price:.6f}".rstrip("0").rstrip(".")
