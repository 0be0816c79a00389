"""Refreshing the catalog from local servers that answer in the official shapes."""

import csv
import io
import json
import os
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import boto3
import pytest

from skyflow.app.market.catalog_folder import catalog_folder, refreshed_folder
from skyflow.app.market.refresh import Endpoints, Wanted, refresh_catalog
from skyflow.catalog import load_catalog
from skyflow.catalog.diff import read_prices
from skyflow.errors import CatalogError, UsageError

NOW = datetime(2026, 11, 27, 9, 30, tzinfo=UTC)
pytestmark = pytest.mark.usefixtures("tables")


# ------------------------------------------------------------------------------------------------------------ azure


def item(region, name, price, *, sku="D2s v5", product="Virtual Machines Dsv5 Series", **other):
    return {
        "currencyCode": "USD", "tierMinimumUnits": 0.0, "retailPrice": price, "unitPrice": price, "armRegionName": region,
        "location": "US East", "effectiveStartDate": "2026-10-01T00:00:00Z", "meterId": "m", "meterName": sku,
        "productId": "p", "skuId": "s", "productName": product, "skuName": sku, "serviceName": "Virtual Machines",
        "serviceId": "v", "serviceFamily": "Compute", "unitOfMeasure": "1 Hour", "type": "Consumption",
        "isPrimaryMeterRegion": True, "armSkuName": name, **other,
    }  # fmt: skip


def azure(serve, prices, *, spot=0.3, extra=(), fail=None):
    """Serve two items a page; `fail` maps the number of a request to the status that it gets instead."""

    def answer(path, query, body, headers):
        number = len(service.requests)
        if fail and number in fail:
            return fail[number], "try later"
        region = query["$filter"].rsplit("'", 2)[1]
        items = [one for one in extra if one["armRegionName"] == region]
        for (where, name), price in prices.items():
            if where == region:
                items += [item(where, name, price), item(where, name, round(price * spot, 6), sku="D2s v5 Spot")]
        start = int(query.get("$skip", 0))
        page = items[start : start + 2]
        more = f"{service.url}/api?$filter={query['$filter']}&$skip={start + 2}".replace(" ", "%20")
        return 200, json.dumps(
            {
                "BillingCurrency": "USD",
                "Items": page,
                "NextPageLink": more if start + 2 < len(items) else None,
                "Count": 2,
            }
        )

    service = serve(answer)
    return service


PRICES = {
    (region, name): 0.1 * (index + 1)
    for region in ("eastus", "westeurope")
    for index, name in enumerate(("Standard_D2s_v5", "Standard_D4s_v5"))
} | {("eastus", "Standard_E8s_v5"): 0.5, ("westeurope", "Standard_E8s_v5"): 0.6}


def endpoints(service=None, **other):
    url = f"{service.url}/api" if service else "http://127.0.0.1:9"
    return Endpoints(**({"azure": url, "gcp": url, "sleep": lambda _: None} | other))


def refresh(*sources, service=None, progress=lambda _: None, at=NOW, **options):
    given = options.pop("endpoints", None) or endpoints(service)
    return refresh_catalog(Wanted(sources=sources, **options), progress=progress, endpoints=given, now=at)


def test_azure_prices_are_fetched_page_by_page_and_used_from_then_on(serve, tables):
    noise = [
        item("eastus", "Standard_D2s_v5", 9.0, product="Virtual Machines Dsv5 Series Windows"),
        item("eastus", "Standard_D2s_v5", 9.0, sku="D2s v5 Low Priority"),
        item("eastus", "Standard_D2s_v5", 9.0, product="Dsv5 Series CloudServices"),
        item("eastus", "Standard_D2s_v5", 9.0, unitOfMeasure="1 Month"),
        item("eastus", "Standard_D2s_v5", 9.0, type="Reservation"),
        item("eastus", "Standard_Z9_v9", 1.0),
    ]
    service = azure(serve, PRICES, extra=noise)
    told = []
    before = read_prices(tables)
    done = refresh("azure", service=service, progress=told.append)
    assert told[0] == "azure eastus, page 1"
    assert len(service.requests) == 9
    assert catalog_folder() == refreshed_folder()
    offerings = {one.id: one for one in load_catalog(catalog_folder()).offerings}
    assert offerings["azure/eastus/Standard_D2s_v5/on-demand"].price_usd_per_hour == pytest.approx(0.1)
    spot = offerings["azure/eastus/Standard_D2s_v5/spot"]
    assert (spot.price_usd_per_hour, spot.price_basis, spot.price_date.isoformat()) == (0.03, "list", "2026-10-01")
    assert done.diff.counts()["azure"][2] == len(done.diff.changed) > 0
    assert done.notes == ["azure: 1 machine types are left out, for no table knows them, such as Standard_Z9_v9"]
    assert read_prices(tables) == before  # what ships is never touched
    assert {key: price for key, price in read_prices(catalog_folder()).items() if key[0] != "azure"} == {
        key: price for key, price in before.items() if key[0] != "azure"
    }


def test_the_table_of_tables_says_where_the_new_prices_come_from(serve):
    refresh("azure", service=azure(serve, PRICES))
    meta = {row["table"]: row for row in csv.DictReader(io.StringIO((catalog_folder() / "meta.csv").read_text()))}
    assert meta["azure/prices.csv"]["as_of"] == "2026-11-27"
    assert meta["azure/prices.csv"]["source"] == "azure's own price service"
    assert meta["aws/prices.csv"]["as_of"] != "2026-11-27"


def test_a_service_that_is_busy_is_asked_again(serve):
    waits, heard = [], []
    service = azure(serve, PRICES, fail={2: 429, 3: 503})
    refresh("azure", endpoints=endpoints(service, sleep=waits.append), progress=heard.append)
    assert waits == [2.0, 4.0]
    assert [line.partition("/api ")[2] for line in heard if "again" in line] == [
        "answered 429 Too Many Requests; asking again in 2 s",
        "answered 503 Service Unavailable; asking again in 4 s",
    ]


@pytest.mark.parametrize(("status", "message"), [(403, "answered 403 Forbidden"), (500, "answered 500 Internal")])
def test_a_service_that_refuses_leaves_everything_as_it_was(serve, status, message):
    service = azure(serve, PRICES, fail=dict.fromkeys(range(3, 99), status))
    with pytest.raises(CatalogError, match=message):
        refresh("azure", service=service)
    assert not refreshed_folder().exists()
    assert list(refreshed_folder().parent.iterdir()) == []


def test_a_service_nobody_can_reach_is_told():
    with pytest.raises(CatalogError, match=r"http://127\.0\.0\.1 cannot be reached"):
        refresh("azure")


def test_an_answer_that_breaks_off_is_asked_for_again_and_then_told(serve):
    heard = []
    service = serve(lambda *_: (200, '{"Items": [', 1000))
    with pytest.raises(CatalogError, match=r"http://127\.0\.0\.1/api cannot be reached: IncompleteRead"):
        refresh("azure", service=service, progress=heard.append)
    assert len(service.requests) == 6
    assert sum("asking again" in line for line in heard) == 5


def test_pages_without_an_end_are_refused_rather_than_cut_off(serve, monkeypatch):
    monkeypatch.setattr("skyflow.catalog.refresh.azure._MOST_PAGES", 3)
    service = serve(lambda *_: (200, json.dumps({"Items": [], "NextPageLink": f"{service.url}/api?again"})))
    with pytest.raises(CatalogError, match="there is no end of pages after 3"):
        refresh("azure", service=service)


def test_a_meter_that_costs_nothing_yet_is_no_price(serve):
    where = ("westeurope", "Standard_E8s_v5")
    billed = {key: price for key, price in PRICES.items() if key != where}
    only_on_demand = [item(*where, PRICES[where]), item(*where, 0.0, sku="E8s v5 Spot")]
    refresh("azure", service=azure(serve, billed, extra=only_on_demand))
    prices = read_prices(catalog_folder())
    assert prices["azure", *where, "on-demand"] == PRICES[where]
    assert ("azure", *where, "spot") not in prices


@pytest.mark.parametrize("text", ["<html>", "[]", '{"Items": [{}], "NextPageLink": null}', '{"Items": null}'])
def test_an_answer_of_another_shape_is_told(serve, text):
    with pytest.raises(CatalogError, match=r"not JSON|another shape"):
        refresh("azure", service=serve(lambda *_: (200, text)))


def test_a_next_page_on_another_host_is_not_followed(serve):
    page = json.dumps({"Items": [], "NextPageLink": "http://elsewhere.invalid/api"})
    with pytest.raises(CatalogError, match="next page is on another host"):
        refresh("azure", service=serve(lambda *_: (200, page)))


def test_an_interrupted_refresh_leaves_everything_as_it_was(serve):
    refresh("azure", service=azure(serve, PRICES))
    good = read_prices(catalog_folder())

    def stop(line):
        if "westeurope" in line:
            raise KeyboardInterrupt

    dearer = {key: price * 1.1 for key, price in PRICES.items()}
    with pytest.raises(KeyboardInterrupt):
        refresh("azure", service=azure(serve, dearer), progress=stop)
    assert read_prices(catalog_folder()) == good
    assert not list(refreshed_folder().parent.glob(".catalogs*"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"spot": 1.2}, "azure: 6 new spot prices are above the list price, for example azure/eastus/"),
        ({"factor": 2.0}, r"azure/eastus/Standard_D2s_v5 went from \$0.096 to \$0.2, by more than half"),
        ({"drop": "Standard_E8s_v5"}, "azure: of 6 on-demand prices 4 are left, more than a fifth fewer"),
        ({"drop": "Standard_D2s_v5"}, "azure/eastus/Standard_D2s_v5 is no longer there"),
    ],
)
def test_implausible_prices_are_refused_and_the_old_ones_stay(serve, change, message):
    prices = {key: price * change.get("factor", 1) for key, price in PRICES.items() if key[1] != change.get("drop")}
    service = azure(serve, prices, spot=change.get("spot", 0.3))
    with pytest.raises(CatalogError, match=message) as caught:
        refresh("azure", service=service)
    assert caught.value.hint == "if they are right all the same, repeat it with --force"
    assert not refreshed_folder().exists()
    done = refresh("azure", service=service, is_forced=True)
    assert done.objections
    assert refreshed_folder().exists()


def test_a_rehearsal_shows_the_difference_and_changes_nothing(serve):
    done = refresh("azure", service=azure(serve, PRICES), is_rehearsal=True)
    assert not done.diff.is_empty
    assert done.folder is None
    assert not refreshed_folder().exists()


def test_only_some_regions_can_be_refreshed(serve):
    refresh("azure", service=azure(serve, PRICES), regions=("eastus",))
    prices = read_prices(catalog_folder())
    assert prices["azure", "eastus", "Standard_D4s_v5", "on-demand"] == pytest.approx(0.2)
    assert prices["azure", "westeurope", "Standard_D4s_v5", "on-demand"] != pytest.approx(0.2)
    with pytest.raises(UsageError, match="azure has no prices of mars"):
        refresh("azure", service=azure(serve, PRICES), regions=("mars",))


def test_the_folder_before_the_last_one_is_removed(serve):
    service = azure(serve, PRICES)
    for minute in range(4):
        refresh("azure", service=service, at=NOW + timedelta(minutes=minute))
    assert len(list(refreshed_folder().parent.glob("catalogs-*"))) == 2
    assert refreshed_folder().resolve().name == "catalogs-20261127T093300000000"


def test_what_a_killed_refresh_has_left_goes_after_a_day(serve):
    folder = refreshed_folder().parent
    old, young = folder / ".catalogs-old", folder / ".catalogs-young"
    for path, age in ((old, timedelta(days=2)), (young, timedelta(hours=1))):
        path.mkdir(parents=True)
        os.utime(path, ((NOW - age).timestamp(),) * 2)
    refresh("azure", service=azure(serve, PRICES))
    assert not old.exists()
    assert young.exists()


def test_a_folder_that_no_refresh_has_made_is_left_alone(serve):
    refreshed_folder().mkdir(parents=True)
    with pytest.raises(CatalogError, match="not a folder that a refresh has made"):
        refresh("azure", service=azure(serve, PRICES))


def test_an_unknown_source_is_told():
    with pytest.raises(UsageError, match="no source 'oracle'"):
        refresh("oracle")


# -------------------------------------------------------------------------------------------------------------- aws


def product(region, name, price, **attributes):
    return json.dumps(
        {
            "product": {
                "productFamily": "Compute Instance",
                "attributes": {
                    "instanceType": name, "regionCode": region, "operation": "RunInstances", "vcpu": "2", **attributes,
                },
            },
            "serviceCode": "AmazonEC2",
            "publicationDate": "2026-11-20T00:00:00Z",
            "terms": {
                "OnDemand": {
                    "X.Y": {
                        "effectiveDate": "2026-11-01T00:00:00Z",
                        "priceDimensions": {"X.Y.Z": {"unit": "Hrs", "pricePerUnit": {"USD": f"{price:.10f}"}}},
                    }
                }
            },
        }
    )  # fmt: skip


def aws(serve, monkeypatch, prices):
    """Serve the Price List Query API and EC2 to a real boto3, two products and two spot prices a page."""

    def answer(path, query, body, headers):
        if headers.get("X-Amz-Target", "").endswith("GetProducts"):
            asked = json.loads(body)
            wanted = {one["Field"]: one["Value"] for one in asked["Filters"]}
            assert wanted.items() >= {"operatingSystem": "Linux", "tenancy": "Shared", "preInstalledSw": "NA"}.items()
            found = [product(*key, price) for key, price in prices.items() if key[0] == wanted["regionCode"]]
            found.append(product(wanted["regionCode"], "m6i.large", 9.0, operation="RunInstances:0002"))
            start = int(asked.get("NextToken") or 0)
            more = {"NextToken": str(start + 2)} if start + 2 < len(found) else {}
            return 200, json.dumps({"FormatVersion": "aws_v1", "PriceList": found[start : start + 2], **more})
        asked = {key: values[0] for key, values in parse_qs(body).items()}
        assert asked["Action"] == "DescribeSpotPriceHistory"
        assert asked["ProductDescription.1"] == "Linux/UNIX"
        region = headers["Authorization"].split("/")[2]
        rows = [
            f"<item><instanceType>{name}</instanceType><productDescription>Linux/UNIX</productDescription>"
            f"<spotPrice>{price * share:.6f}</spotPrice><timestamp>2026-11-27T09:00:00.000Z</timestamp>"
            f"<availabilityZone>{where}{zone}</availabilityZone></item>"
            for (where, name), price in prices.items()
            if where == region
            for zone, share in (("a", 0.5), ("b", 0.4))
        ]
        start = int(asked.get("NextToken", 0))
        more = f"<nextToken>{start + 2}</nextToken>" if start + 2 < len(rows) else "<nextToken/>"
        return 200, (
            '<DescribeSpotPriceHistoryResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>r</requestId>'
            f"<spotPriceHistorySet>{''.join(rows[start : start + 2])}</spotPriceHistorySet>{more}"
            "</DescribeSpotPriceHistoryResponse>"
        )

    service = serve(answer)
    monkeypatch.setenv("AWS_ENDPOINT_URL", service.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "y")
    return service


AWS_PRICES = {
    (region, name): price
    for region in ("us-east-1", "eu-west-1")
    for name, price in {"m6i.large": 0.1, "m6i.xlarge": 0.2, "c6i.xlarge": 0.18, "g4dn.xlarge": 0.55}.items()
}


def test_aws_list_and_spot_prices_come_through_boto3(serve, monkeypatch):
    aws(serve, monkeypatch, AWS_PRICES)
    told = []
    refresh("aws", progress=told.append)
    offerings = {one.id: one for one in load_catalog(catalog_folder()).offerings}
    listed, spot = (offerings[f"aws/us-east-1/m6i.large/{market}"] for market in ("on-demand", "spot"))
    assert (listed.price_usd_per_hour, listed.price_basis, listed.price_date.isoformat()) == (0.1, "list", "2026-11-01")
    assert (spot.price_usd_per_hour, spot.price_basis, spot.price_date.isoformat()) == (0.04, "history", "2026-11-27")
    assert "aws eu-west-1, list prices, page 3: 0 prices" not in told
    assert "aws eu-west-1, spot prices, page 4" in told


def test_aws_that_refuses_is_told(serve, monkeypatch):
    service = aws(serve, monkeypatch, AWS_PRICES)
    denied = serve(lambda *_: (400, '{"__type": "AccessDeniedException", "message": "not yours"}'))
    monkeypatch.setenv("AWS_ENDPOINT_URL", denied.url)
    with pytest.raises(CatalogError, match=r"aws: .*AccessDenied"):
        refresh("aws")
    assert not service.requests


def test_aws_without_credentials_says_what_is_missing(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    boto3.DEFAULT_SESSION = None
    with pytest.raises(UsageError, match="no credentials are configured"):
        refresh("aws")


# -------------------------------------------------------------------------------------------------------------- gcp


def sku(description, dollars, *, usage="OnDemand", group="CPU", regions=("us-central1", "europe-west4")):
    units, nanos = divmod(round(dollars * 1e9), 10**9)
    return {
        "name": "services/S/skus/X", "skuId": "X", "description": description,
        "category": {
            "serviceDisplayName": "Compute Engine", "resourceFamily": "Compute", "resourceGroup": group,
            "usageType": usage,
        },
        "serviceRegions": list(regions),
        "pricingInfo": [
            {
                "effectiveTime": "2026-11-15T00:00:00Z",
                "pricingExpression": {
                    "usageUnit": "h",
                    "tieredRates": [
                        {"startUsageAmount": 0, "unitPrice": {"currencyCode": "USD", "units": str(units), "nanos": nanos}}
                    ],
                },
            }
        ],
    }  # fmt: skip


SKUS = [
    sku("N2 Instance Core running in Americas", 0.032),
    sku("N2 Instance Ram running in Americas", 0.0042, group="RAM"),
    sku("Spot Preemptible N2 Instance Core running in Americas", 0.008, usage="Preemptible"),
    sku("Spot Preemptible N2 Instance Ram running in Americas", 0.001, usage="Preemptible", group="RAM"),
    sku("N2 Custom Instance Core running in Americas", 9.0),
    sku("Commitment v1: N2 Core running in Americas for 1 Year", 9.0, usage="Commit1Yr"),
    sku("N2 Sole Tenancy Instance Core running in Americas", 9.0),
    sku("A2 Instance Core running in Americas", 0.03),
    sku("A2 Instance Ram running in Americas", 0.004, group="RAM"),
    sku("Nvidia Tesla A100 GPU running in Americas", 3.0, group="GPU"),
]


def gcp(serve):
    def answer(path, query, body, headers):
        if query.get("key") != "secret":
            return 403, "no"
        start = int(query.get("pageToken") or 0)
        more = {"nextPageToken": str(start + 4)} if start + 4 < len(SKUS) else {"nextPageToken": ""}
        return 200, json.dumps({"skus": SKUS[start : start + 4], **more})

    return serve(answer)


def test_gcp_prices_are_reckoned_from_rates(serve, tables, monkeypatch):
    monkeypatch.setenv("GOOGLE_CLOUD_API_KEY", "secret")
    service = gcp(serve)
    before = read_prices(tables)
    refresh("gcp", service=service)
    after = read_prices(catalog_folder())
    assert len(service.requests) == 3
    assert after["gcp", "us-central1-a", "n2-standard-4", "on-demand"] == pytest.approx(4 * 0.032 + 16 * 0.0042)
    assert after["gcp", "europe-west4-a", "n2-standard-8", "spot"] == pytest.approx(8 * 0.008 + 32 * 0.001)
    assert after["gcp", "us-central1-a", "a2-highgpu-1g", "on-demand"] == pytest.approx(12 * 0.03 + 85 * 0.004 + 3)
    spot = ("gcp", "us-central1-a", "a2-highgpu-1g", "spot")
    assert after[spot] == before[spot]  # no rate was given for it
    disks = [key for key in before if key[2] == "c3-standard-4-lssd"]
    assert disks
    assert all(after[key] == before[key] for key in disks)
    assert after.keys() == before.keys()


def test_a_wrong_key_is_told_without_repeating_it(serve, monkeypatch):
    monkeypatch.setenv("GOOGLE_CLOUD_API_KEY", "sesame")
    with pytest.raises(CatalogError) as caught:
        refresh("gcp", service=gcp(serve))
    assert "answered 403" in caught.value.message
    assert "sesame" not in caught.value.message
    assert caught.value.hint == "is the key right, and may it be used for this?"


def test_a_missing_key_is_named():
    with pytest.raises(UsageError) as caught:
        refresh("gcp")
    assert "GOOGLE_CLOUD_API_KEY" in caught.value.hint
