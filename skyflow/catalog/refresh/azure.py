"""Azure Retail Prices: no key, a thousand items a page, one region after the other."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from skyflow.catalog.refresh.quotes import Page, Quote
from skyflow.catalog.refresh.web import Web
from skyflow.errors import CatalogError
from skyflow.model.resources import Market

__all__ = ["AZURE_PRICES", "azure_pages"]

AZURE_PRICES = "https://prices.azure.com/api/retail/prices"
_VERSION = "2023-01-01-preview"
_SPOT = "Spot"
_MOST_PAGES = 1000


def azure_pages(web: Web, regions: Iterable[str], *, base: str = AZURE_PRICES) -> Iterator[Page]:
    """Yield the Linux prices of virtual machines, page by page.

    Raises:
        CatalogError: the service cannot be used, or answers in another shape.
    """
    for region in regions:
        wanted = f"serviceName eq 'Virtual Machines' and priceType eq 'Consumption' and armRegionName eq '{region}'"
        link: str | None = f"{base}?api-version={_VERSION}&$filter={quote(wanted)}"
        for number in range(1, _MOST_PAGES + 1):
            answer = web.json(_same_host(link or "", base))
            try:
                quotes = [found for item in answer["Items"] if (found := _quote(item)) is not None]
                link = answer["NextPageLink"]
            except (KeyError, TypeError, ValueError) as error:
                raise CatalogError(f"azure {region}: the answer has another shape: {error!r}") from error
            yield Page(about=f"azure {region}, page {number}", quotes=quotes)
            if not link:
                break
        else:
            raise CatalogError(f"azure {region}: there is no end of pages after {_MOST_PAGES:,}")


def _same_host(link: str, base: str) -> str:
    if urlsplit(link).hostname != urlsplit(base).hostname:
        raise CatalogError(f"azure: the next page is on another host, {urlsplit(link).hostname}")
    return link


def _quote(item: Mapping[str, Any]) -> Quote | None:
    names = f"{item['productName']} {item['skuName']} {item['meterName']}"
    if (
        item["type"] != "Consumption"
        or item["unitOfMeasure"] != "1 Hour"
        or item["tierMinimumUnits"]
        or not item["armSkuName"]
        or item["retailPrice"] <= 0  # meters that are not billed yet; a plan would take nothing else
        or any(other in names for other in ("Windows", "Low Priority", "CloudServices", "Cloud Services"))
        or not item.get("isPrimaryMeterRegion", True)
    ):
        return None
    is_spot = item["skuName"].endswith(_SPOT) or item["meterName"].endswith(_SPOT)
    return Quote(
        region=item["armRegionName"],
        instance_type=item["armSkuName"],
        market=Market.SPOT if is_spot else Market.ON_DEMAND,
        usd_per_hour=float(item["retailPrice"]),
        basis="list",
        day=item["effectiveStartDate"][:10],
    )
