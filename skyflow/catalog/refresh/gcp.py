"""Google Cloud Billing Catalog: rates of cores, memory and accelerators, of which the price of a machine is made."""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from skyflow.catalog.refresh.quotes import Page, Quote
from skyflow.catalog.refresh.web import Web
from skyflow.errors import CatalogError
from skyflow.model.resources import Market

__all__ = ["GCP_BILLING", "GcpMachine", "gcp_pages"]

GCP_BILLING = "https://cloudbilling.googleapis.com/v1/services/6F81-5844-456A/skus"
_PAGE_SIZE = 5000
_NANO = 1e-9

GcpMachine = tuple[float, float, str | None, float]
"""vCPUs, GiB, accelerator and how many."""

# How a rate's description begins -> the family of machine types.
_FAMILIES = {
    "n1 predefined": "n1", "n2": "n2", "n2d amd": "n2d", "e2": "e2", "c2d amd": "c2d", "compute optimized": "c2",
    "t2d amd": "t2d", "t2a arm": "t2a", "c3": "c3", "c3d": "c3d", "c4": "c4", "c4a": "c4a", "c4d": "c4d", "n4": "n4",
    "n4a": "n4a", "n4d": "n4d", "a2": "a2", "a3": "a3", "g2": "g2",
}  # fmt: skip
_DEVICES = {
    "nvidia tesla a100": "A100", "nvidia tesla a100 80gb": "A100-80GB", "nvidia a100 80gb": "A100-80GB",
    "nvidia l4": "L4", "nvidia h100 80gb": "H100",
}  # fmt: skip
_RATE = re.compile(
    r"(?:spot preemptible |preemptible )?(?P<what>.+?)(?: instance)? (?P<kind>core|ram|gpu)(?: attached to .*)? running in .+",
    re.IGNORECASE,
)
_NOT_PLAIN = re.compile(
    r"custom|sole tenancy|commit|reserved|reservation|dws|extended|upgrade|premium|overcommit", re.IGNORECASE
)

Rate = tuple[str, str, Market]
"""Region, what (`n2 core`, `gpu A100`), market."""


def gcp_pages(web: Web, key: str, machines: Mapping[str, GcpMachine], *, base: str = GCP_BILLING) -> Iterator[Page]:
    """Yield one empty page for each answer, then a last one with the prices of those machines that can be reckoned.

    Raises:
        CatalogError: the service cannot be used, or answers in another shape.
    """
    rates: dict[Rate, tuple[float, str]] = {}
    token, number = "", 0
    while True:
        number += 1
        parameters = {"key": key, "pageSize": str(_PAGE_SIZE), "currencyCode": "USD", "pageToken": token}
        answer = web.json(f"{base}?{urlencode(parameters)}")
        try:
            for sku in answer["skus"]:
                rates |= dict(_rates(sku))
            token = answer.get("nextPageToken") or ""
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise CatalogError(f"gcp: the answer has another shape: {error!r}") from error
        yield Page(about=f"gcp, page {number}: {len(rates):,} rates", quotes=())
        if not token:
            break
    quotes = list(_prices(rates, machines))
    yield Page(about=f"gcp, {len(quotes):,} prices reckoned", quotes=quotes)


def _rates(sku: Mapping[str, Any]) -> Iterator[tuple[Rate, tuple[float, str]]]:
    category = sku["category"]
    markets = {"OnDemand": Market.ON_DEMAND, "Preemptible": Market.SPOT}
    market = markets.get(category["usageType"])
    described = _RATE.fullmatch(sku["description"])
    if market is None or described is None or _NOT_PLAIN.search(sku["description"]):
        return
    what, kind = described["what"].lower(), described["kind"].lower()
    name = _DEVICES.get(what) if kind == "gpu" else _FAMILIES.get(what)
    if name is None or not sku["pricingInfo"]:
        return
    info = sku["pricingInfo"][-1]
    price = info["pricingExpression"]["tieredRates"][-1]["unitPrice"]
    dollars = int(price.get("units") or 0) + int(price.get("nanos") or 0) * _NANO
    if dollars > 0:
        for region in sku["serviceRegions"]:
            yield (region, f"{name} {kind}", market), (dollars, info["effectiveTime"][:10])


def _prices(rates: Mapping[Rate, tuple[float, str]], machines: Mapping[str, GcpMachine]) -> Iterator[Quote]:
    regions = sorted({region for region, _, _ in rates})
    for name, (vcpus, memory, device, count) in sorted(machines.items()):
        family = name.partition("-")[0]
        parts = [(f"{family} core", vcpus), (f"{family} ram", memory), *([(f"{device} gpu", count)] if device else [])]
        for region in regions:
            for market in (Market.ON_DEMAND, Market.SPOT):
                found = [(rates.get((region, what, market)), amount) for what, amount in parts]
                known = [(rate[0] * amount, rate[1]) for rate, amount in found if rate is not None]
                if len(known) == len(parts):
                    yield Quote(
                        region=region,
                        instance_type=name,
                        market=market,
                        usd_per_hour=round(sum(dollars for dollars, _ in known), 6),
                        basis="list",
                        day=max(day for _, day in known),
                    )
