"""AWS: list prices from the Price List Query API, spot prices from EC2's history, both through boto3."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from skyflow.catalog.refresh.quotes import Page, Quote
from skyflow.errors import CatalogError, UsageError
from skyflow.model.resources import Market

__all__ = ["aws_pages", "aws_session"]

_PRICING_REGION = "us-east-1"
_SELECT = {
    "operatingSystem": "Linux",
    "tenancy": "Shared",
    "preInstalledSw": "NA",
    "capacitystatus": "Used",
}


def aws_session() -> Any:
    """Return a boto3 session with the user's own configuration.

    Raises:
        UsageError: boto3 is not installed, or nobody has said who the user is.
    """
    try:
        import boto3  # noqa: PLC0415 -- an extra, and slow to import
    except ImportError:
        raise UsageError(
            "boto3 is not installed, which asks AWS for its prices", hint="pip install 'skyflow[aws]'"
        ) from None
    session = boto3.Session()
    if session.get_credentials() is None:
        raise UsageError(
            "AWS asks who you are, and no credentials are configured",
            hint="`aws configure`, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; the rights needed are "
            "pricing:GetProducts and ec2:DescribeSpotPriceHistory",
        )
    return session


def aws_pages(session: Any, regions: Iterable[str], *, now: datetime) -> Iterator[Page]:
    """Yield the prices of every region, page by page: the list, then the spot market.

    Raises:
        CatalogError: AWS refuses, cannot be reached, or answers in another shape.
    """
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 -- comes with boto3

    try:
        for region in regions:
            yield from _listed(session, region)
            yield from _spot(session, region, now)
    except (BotoCoreError, ClientError) as error:
        raise CatalogError(f"aws: {error}", hint="may these credentials read prices?") from error
    except (KeyError, TypeError, ValueError) as error:
        raise CatalogError(f"aws: the answer has another shape: {error!r}") from error


def _listed(session: Any, region: str) -> Iterator[Page]:
    filters = [
        {"Type": "TERM_MATCH", "Field": field, "Value": value}
        for field, value in (("regionCode", region), *_SELECT.items())
    ]
    client = session.client("pricing", region_name=_PRICING_REGION)
    pages = client.get_paginator("get_products").paginate(
        ServiceCode="AmazonEC2", FormatVersion="aws_v1", Filters=filters
    )
    for number, page in enumerate(pages, start=1):
        found = (_product(json.loads(text), region) for text in page["PriceList"])
        yield Page(about=f"aws {region}, list prices, page {number}", quotes=[one for one in found if one is not None])


def _product(entry: Mapping[str, Any], region: str) -> Quote | None:
    attributes = entry["product"]["attributes"]
    if attributes.get("operation", "RunInstances") != "RunInstances" or "instanceType" not in attributes:
        return None
    for offer in entry["terms"].get("OnDemand", {}).values():
        for dimension in offer["priceDimensions"].values():
            price = float(dimension["pricePerUnit"].get("USD", 0))
            if dimension["unit"] == "Hrs" and price > 0:
                day = str(offer.get("effectiveDate") or entry["publicationDate"])[:10]
                return Quote(
                    region=region,
                    instance_type=attributes["instanceType"],
                    market=Market.ON_DEMAND,
                    usd_per_hour=price,
                    basis="list",
                    day=day,
                )
    return None


def _spot(session: Any, region: str, now: datetime) -> Iterator[Page]:
    """Yield the lowest price of the zones: their names differ from account to account."""
    pages = (
        session.client("ec2", region_name=region)
        .get_paginator("describe_spot_price_history")
        .paginate(StartTime=now, EndTime=now, ProductDescriptions=["Linux/UNIX"])
    )
    lowest: dict[str, Quote] = {}
    for number, page in enumerate(pages, start=1):
        for entry in page["SpotPriceHistory"]:
            quote = Quote(
                region=region,
                instance_type=entry["InstanceType"],
                market=Market.SPOT,
                usd_per_hour=float(entry["SpotPrice"]),
                basis="history",
                day=f"{entry['Timestamp']:%Y-%m-%d}",
            )
            known = lowest.get(quote.instance_type)
            if known is None or quote.usd_per_hour < known.usd_per_hour:
                lowest[quote.instance_type] = quote
        yield Page(about=f"aws {region}, spot prices, page {number}", quotes=())
    yield Page(about=f"aws {region}, spot prices, lowest of the zones", quotes=list(lowest.values()))
