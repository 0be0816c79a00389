"""Everything about places: regions, zones, countries, moving data between them, and the carbon of their power."""

import math
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from build_facts import read

Table = tuple[Sequence[str], Iterable[Sequence[object]]]

# Every table, with where its rows come from (SOURCES.md says more) and how new the newest of them is.
SOURCES: Mapping[str, tuple[str, str]] = {
    "aws/instance_types.csv": ("AWS price feed; cloud-carbon-footprint", "2026-04-24"),
    "aws/prices.csv": ("AWS price feed; karpenter-provider-aws; AWS Spot advisor", "2026-07-20"),
    "azure/instance_types.csv": ("Azure's size names; Microsoft's size pages", "2026-06-18"),
    "azure/prices.csv": ("karpenter-provider-azure (Azure Retail Prices); spot is our estimate", "2026-06-18"),
    "gcp/instance_types.csv": ("google-cloud-pricing-cost-calculator; cloud-carbon-footprint", "2026-08-03"),
    "gcp/prices.csv": ("karpenter-provider-gcp; TPUs are our estimate", "2026-08-03"),
    "regions.csv": ("the providers' region lists", "2026-11-01"),
    "zones.csv": ("the providers' region lists", "2026-11-01"),
    "countries.csv": ("European Commission; national laws", "2025-12-31"),
    "egress.csv": ("the providers' price pages; skyplane", "2025-12-31"),
    "network.csv": ("skyplane measurements", "2022-11-30"),
    "carbon.csv": ("Google region carbon info; Our World in Data", "2024-12-31"),
    "carbon_profiles.csv": ("our estimate", "2026-11-01"),
    "accelerators.csv": ("the vendors' product pages", "2026-11-01"),
}  # fmt: skip

# Grids without a licensed figure of their own, where the country's average would mislead. Our estimates, g/kWh.
OWN_GRIDS = {"US-CAL-CISO": 240}

# Mean power usage effectiveness that cloud-carbon-footprint gives for each provider (2024).
PUE = {"aws": 1.135, "gcp": 1.1, "azure": 1.185}

# How far a grid's carbon intensity dips at noon in summer (a share of its mean), by the share of solar power in it, and
# its hours ahead of UTC. Our estimates; the measured traces that we know of may not be redistributed.
SOLAR_GRIDS: Mapping[str, tuple[float, float]] = {
    "AU-NSW": (0.35, 10), "AU-VIC": (0.3, 10), "BR-CS": (0.1, -3), "CA-ON": (0.1, -5), "CL-SEN": (0.4, -4),
    "DE": (0.3, 1), "ES": (0.35, 1), "FR": (0.1, 1), "GB": (0.15, 0), "IN-WE": (0.2, 5.5), "IT-NO": (0.25, 1),
    "JP-TK": (0.15, 9), "KR": (0.1, 9), "NL": (0.3, 1), "PL": (0.15, 1), "BE": (0.25, 1), "US-CAL-CISO": (0.45, -8),
    "US-CAL-LDWP": (0.3, -8), "US-MIDA-PJM": (0.1, -5), "US-NW-NEVP": (0.3, -8), "US-TEX-ERCO": (0.25, -6),
    "US-SW-SRP": (0.3, -7), "ZA": (0.1, 2),
}  # fmt: skip
_SOUTHERN = {"AU-NSW", "AU-VIC", "BR-CS", "CL-SEN", "ZA"}


def tables(facts: Path) -> dict[str, Table]:
    """Return the tables about places."""
    return {
        "regions.csv": (
            ("provider", "region", "name", "partition", "continent", "country", "latitude", "longitude", "grid"),
            _regions(facts),
        ),
        "zones.csv": (("provider", "region", "zone"), _zones(facts)),
        "countries.csv": (("country", "name", "continent", "jurisdictions"), _countries(facts)),
        "egress.csv": (
            ("source_provider", "scope", "source", "destination", "usd_per_gb", "as_of", "basis"),
            _egress(facts),
        ),
        "network.csv": (
            ("source_provider", "destination_provider", "scope", "gbps", "as_of", "basis"),
            _network(facts),
        ),
        "carbon.csv": (
            ("provider", "region", "gco2_per_kwh", "year", "basis", "pue", "pue_basis", "carbon_free_share"),
            _carbon(facts),
        ),
        "carbon_profiles.csv": (("grid", "month", "hour", "factor", "basis"), _profiles()),
    }


def _regions(facts: Path) -> Iterator[tuple[object, ...]]:
    """Yield every region, and the place of the local machine, about which nothing is known."""
    for row in read(facts / "regions" / "regions.csv"):
        yield (
            row["cloud"], row["region"], row["name"], row["partition"], row["continent"], row["country_code"],
            row["lat"], row["lon"], row["em_zone"],
        )  # fmt: skip
    yield ("local", "local", "the machine that skyflow runs on", "", "", "", "", "", "")


def _zones(facts: Path) -> Iterator[tuple[object, ...]]:
    """Yield the zones that have prices of their own; the zone names of AWS and Azure differ between accounts."""
    found = {
        (row["region"], row["zone"]) for row in read(facts / "catalogs" / "gcp" / "vms.full.csv.gz") if row["zone"]
    }
    yield from (("gcp", region, zone) for region, zone in sorted(found))


def _countries(facts: Path) -> Iterator[tuple[object, ...]]:
    for row in read(facts / "regions" / "countries.csv"):
        member = {"EU": row["eu_member"], "EEA": row["eea_member"], "EU-adequate": row["eu_gdpr_adequacy"]}
        of = [row["country_code"], *(name for name, is_member in member.items() if is_member == "1")]
        yield row["country_code"], row["country"], row["continent"], "|".join(of)


def _egress(facts: Path) -> Iterator[tuple[object, ...]]:
    """Yield the rules for the price of moving data; the first one that fits a pair of places holds.

    Between AWS regions every known pair is exact. Elsewhere the first paid tier is taken, without the monthly
    allowances: a planner cannot know what else an account has moved this month.
    """
    yield from (
        ("aws", "same-zone", "*", "*", 0, 2025, "public list"),
        ("aws", "cross-zone", "*", "*", 0.02, 2025, "public list: 0.01 in each direction"),
    )
    for row in read(facts / "egress" / "aws_interregion_2023.csv"):
        source, destination, price = row["src_region"], row["dst_region"], row["usd_per_gb"]
        if destination == "internet":
            yield ("aws", "cross-provider", source, "*", price, 2023, "pair list: internet, first paid tier")
        else:
            yield ("aws", "cross-region", source, destination, price, 2023, "pair list")
    yield from (
        ("aws", "cross-region", "North America", "*", 0.02, 2025, "estimate: as its neighbours"),
        ("aws", "cross-region", "Europe", "*", 0.02, 2025, "estimate: as its neighbours"),
        ("aws", "cross-region", "*", "*", 0.09, 2025, "estimate: as its neighbours"),
        ("aws", "cross-provider", "North America", "*", 0.09, 2025, "public list: first paid tier"),
        ("aws", "cross-provider", "Europe", "*", 0.09, 2025, "public list: first paid tier"),
        ("aws", "cross-provider", "*", "*", 0.12, 2025, "estimate: as its neighbours"),
        ("gcp", "same-zone", "*", "*", 0, 2025, "public list"),
        ("gcp", "cross-zone", "*", "*", 0.01, 2025, "public list"),
        ("gcp", "cross-region", "North America", "North America", 0.02, 2025, "public list"),
        ("gcp", "cross-region", "Europe", "Europe", 0.02, 2025, "public list"),
        *(
            ("gcp", "cross-region", *pair, 0.15, 2022, "pair list: Indonesia")
            for region in ("asia-southeast2",)
            for pair in ((region, "*"), ("*", region))
        ),
        ("gcp", "cross-region", "Oceania", "Oceania", 0.08, 2022, "pair list"),
        ("gcp", "cross-region", "Oceania", "*", 0.15, 2022, "pair list"),
        ("gcp", "cross-region", "*", "Oceania", 0.15, 2022, "pair list"),
        ("gcp", "cross-region", "Asia", "Asia", 0.05, 2022, "pair list"),
        ("gcp", "cross-region", "*", "*", 0.08, 2022, "pair list: between continents"),
        ("gcp", "cross-provider", "*", "Oceania", 0.19, 2025, "public list: premium tier, first step, to Australia"),
        ("gcp", "cross-provider", "*", "*", 0.12, 2025, "public list: premium tier, first step"),
        ("azure", "same-zone", "*", "*", 0, 2025, "public list"),
        ("azure", "cross-zone", "*", "*", 0, 2025, "public list: charge dropped in 2024"),
        ("azure", "cross-region", "North America", "North America", 0.02, 2025, "public list"),
        ("azure", "cross-region", "Europe", "Europe", 0.02, 2025, "public list"),
        ("azure", "cross-region", "North America", "*", 0.05, 2025, "public list: between continents"),
        ("azure", "cross-region", "Europe", "*", 0.05, 2025, "public list: between continents"),
        ("azure", "cross-region", "South America", "South America", 0.181, 2022, "pair list"),
        ("azure", "cross-region", "South America", "*", 0.16, 2025, "public list: between continents"),
        ("azure", "cross-region", "*", "*", 0.08, 2025, "public list: Asia, Oceania, Middle East, Africa"),
        ("azure", "cross-provider", "North America", "*", 0.087, 2025, "public list: zone 1, first paid tier"),
        ("azure", "cross-provider", "Europe", "*", 0.087, 2025, "public list: zone 1, first paid tier"),
        ("azure", "cross-provider", "South America", "*", 0.181, 2025, "public list: zone 3, first paid tier"),
        ("azure", "cross-provider", "*", "*", 0.12, 2025, "public list: zone 2, first paid tier"),
        ("local", "same-zone", "*", "*", 0, "", "data that stays on the machine"),
        ("local", "cross-provider", "*", "*", 0, "", "assumption: an uplink at a flat rate; clouds take data in free"),
    )


def _network(facts: Path) -> Iterator[tuple[object, ...]]:
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


def _carbon(facts: Path) -> Iterator[tuple[object, ...]]:
    """Yield the carbon intensity of each region's grid.

    It is Google's own figure, else that of a Google region on the same grid, else the country's.
    """
    regions = list(read(facts / "regions" / "regions.csv"))
    official: dict[str, tuple[float, str, str]] = {}
    for row in read(facts / "carbon" / "gcp_official_yearly.csv"):  # oldest year first
        if row["grid_gco2_kwh"]:
            official[row["region"]] = (float(row["grid_gco2_kwh"]), row["year"], row["google_cfe"])
    by_grid = {
        row["em_zone"]: official[row["region"]]
        for row in reversed(regions)
        if row["cloud"] == "gcp" and row["region"] in official
    }
    iso3 = {row["country_code"]: row["iso3"] for row in read(facts / "regions" / "countries.csv")}
    national = {row["iso3"]: (row["gco2_kwh"], row["year"]) for row in read(facts / "carbon" / "countries.csv")}
    for row in regions:
        cloud, region, grid = row["cloud"], row["region"], row["em_zone"]
        free: object = ""
        if cloud == "gcp" and region in official:
            grams, year, free = official[region]
            basis = "official"
        elif grid in OWN_GRIDS:
            grams, year, basis = OWN_GRIDS[grid], "2024", "estimate"
        elif grid in by_grid:
            (grams, year, _), basis = by_grid[grid], "same-grid"
        else:
            (text, year), basis = national[iso3[row["country_code"]]], "country"
            grams = float(text)
        yield cloud, region, f"{grams:g}", year, basis, PUE[cloud], "provider-average", free


def _profiles() -> Iterator[tuple[object, ...]]:
    """Yield, by month and hour of the day in UTC, what a grid's intensity is as a share of its yearly mean."""
    for grid, (dip, ahead) in sorted(SOLAR_GRIDS.items()):
        raw = {(month, hour): _shape(grid, dip, ahead, month, hour) for month in range(1, 13) for hour in range(24)}
        mean = statistics.fmean(raw.values())
        for (month, hour), value in raw.items():
            yield grid, month, hour, f"{value / mean:.3f}", "estimate"


def _shape(grid: str, dip: float, ahead: float, month: int, hour: int) -> float:
    season = math.cos((month - 6.5) * math.pi / 6) * (-1 if grid in _SOUTHERN else 1)  # 1 at midsummer
    half_day = 6 + 1.5 * season
    from_noon = abs((hour + 0.5 + ahead) % 24 - 12.5)
    sun = max(0.0, math.cos(from_noon / half_day * math.pi / 2)) if from_noon < half_day else 0.0
    return 1 - dip * sun * (0.7 + 0.3 * season)
