"""Carbon services, each asked over HTTP on a server that answers in the official shape; keys, gaps and faults."""

import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta

import pytest

from skyflow.app.market.carbon import expected_carbon
from skyflow.app.market.catalog_folder import catalog_folder
from skyflow.app.market.refresh import Endpoints, Wanted, refresh_catalog
from skyflow.catalog import load_catalog
from skyflow.catalog.refresh.carbon import Grid
from skyflow.catalog.refresh.eia import Eia
from skyflow.catalog.refresh.electricity_maps import ElectricityMaps
from skyflow.catalog.refresh.entsoe import Entsoe
from skyflow.catalog.refresh.fuels import mean_intensity
from skyflow.catalog.refresh.neso import NationalEnergySystemOperator
from skyflow.catalog.refresh.watttime import WattTime
from skyflow.catalog.refresh.web import Web
from skyflow.errors import CatalogError, UsageError

NOW = datetime(2026, 11, 27, 9, 30, tzinfo=UTC)
WEB = Web(lambda _: None)
DAY = datetime(2026, 11, 20, tzinfo=UTC)
POUND = 0.45359237
pytestmark = pytest.mark.usefixtures("tables")


def refreshed(*sources, told=None, **options):
    addresses = options.pop("addresses", {})
    endpoints = Endpoints(carbon=addresses, sleep=lambda _: None)
    progress = (lambda _: None) if told is None else told.append
    now = options.pop("now", NOW)
    wanted = Wanted(sources=sources, days=options.pop("days", 2), **options)
    return refresh_catalog(wanted, progress=progress, endpoints=endpoints, now=now)


def intensity(region):
    catalog = load_catalog(catalog_folder())
    footprint = next(one for one in catalog.offerings if one.region == region).footprint
    return footprint.gco2_per_kwh, catalog.index.profile(footprint.grid, footprint.gco2_per_kwh)


# ------------------------------------------------------------------------------------------------- electricity maps


def electricity_maps(serve):
    def answer(path, query, body, headers):
        if headers.get("auth-token") != "token":
            return 401, "no"
        if path.endswith("/forecast"):
            start, end, key = NOW, NOW + timedelta(hours=3), "forecast"
        else:
            start, end = (datetime.fromisoformat(query[name]) for name in ("start", "end"))
            assert end - start <= timedelta(days=10)
            key = "data"
        hours = int((end - start) / timedelta(hours=1))
        moments = [start.replace(minute=0) + timedelta(hours=hour) for hour in range(hours)]
        return 200, json.dumps(
            {
                "zone": query["zone"],
                key: [
                    {"datetime": at.isoformat().replace("+00:00", "Z"), "carbonIntensity": 100 if at.hour < 12 else 300}
                    for at in moments
                ]
                + ([{"datetime": "2026-11-01T00:00:00Z", "carbonIntensity": None}] if key == "data" else []),
            }
        )

    return serve(answer)


def test_carbon_is_the_mean_and_the_profile_of_measured_hours(serve, monkeypatch):
    monkeypatch.setenv("ELECTRICITYMAPS_TOKEN", "token")
    service, told = electricity_maps(serve), []
    addresses = {"electricitymaps": service.url}
    done = refreshed("carbon", regions=("eu-west-1", "us-east-1"), days=25, addresses=addresses, told=told)
    assert len(service.requests) == 2 * 3
    mean, profile = intensity("eu-west-1")
    assert mean == pytest.approx(200)
    assert profile.gco2_per_kwh(datetime(2026, 11, 20, 3, tzinfo=UTC)) == pytest.approx(100)
    assert profile.gco2_per_kwh(datetime(2026, 11, 20, 15, tzinfo=UTC)) == pytest.approx(300)
    assert told == [
        "carbon IE: 200 g/kWh over 25 days, by Electricity Maps",
        "carbon US-MIDA-PJM: 200 g/kWh over 25 days, by Electricity Maps",
    ]
    assert done.notes == []


def test_a_forecast_takes_the_place_of_a_profile(serve):
    forecast = ElectricityMaps(WEB, "token", electricity_maps(serve).url).forecast(Grid(name="IE"), NOW)
    assert forecast.gco2_per_kwh(NOW) == 100
    assert forecast.gco2_per_kwh(NOW + timedelta(days=9)) == 100


def test_the_command_asks_the_first_service_that_has_a_key(serve, tables, monkeypatch):
    catalog = load_catalog(tables)
    with pytest.raises(UsageError, match="no service can be asked for a forecast of the grid IE") as caught:
        expected_carbon(catalog, "eu-west-1", hours=3, is_live=True, now=NOW)
    assert "ELECTRICITYMAPS_TOKEN" in caught.value.hint
    monkeypatch.setenv("EIA_API_KEY", "k")  # it forecasts nothing
    monkeypatch.setenv("ELECTRICITYMAPS_TOKEN", "token")
    addresses = {"electricitymaps": electricity_maps(serve).url}
    found = expected_carbon(catalog, "eu-west-1", hours=3, is_live=True, now=NOW, addresses=addresses)
    assert found.basis == "forecast by Electricity Maps"
    assert [grams for _, grams in found.hours] == [100.0] * 3


# --------------------------------------------------------------------------------------------------------- watttime


def watttime(serve, *, units="lbs_co2_per_mwh"):
    def answer(path, query, body, headers):
        if path == "/login":
            is_right = headers.get("Authorization") == f"Basic {b64encode(b'me:secret').decode()}"
            return (200, '{"token": "abc"}') if is_right else (401, "no")
        assert headers.get("Authorization") == "Bearer abc"
        assert query["signal_type"] == "co2_aoer"
        if path == "/v3/region-from-loc":
            return 200, json.dumps({"region": "EIRE", "region_full_name": "Ireland", "signal_type": "co2_aoer"})
        assert query["region"] == "EIRE"
        if path == "/v3/historical":
            start, end = (datetime.fromisoformat(query[name]) for name in ("start", "end"))
            assert end - start <= timedelta(days=32)
        else:
            start, end = NOW, NOW + timedelta(hours=int(query["horizon_hours"]))
        steps = int((end - start) / timedelta(minutes=5))
        points = [
            {"point_time": (start + step * timedelta(minutes=5)).isoformat(), "value": 600.0 if step % 2 else 400.0}
            for step in range(steps)
        ]
        meta = {"region": "EIRE", "signal_type": "co2_aoer", "units": units, "data_point_period_seconds": 300}
        return 200, json.dumps({"data": points, "meta": meta})

    return serve(answer)


def test_watttime_finds_the_grid_by_place_and_its_pounds_become_grams(serve, monkeypatch):
    monkeypatch.setenv("WATTTIME_USER", "me")
    monkeypatch.setenv("WATTTIME_PASSWORD", "secret")
    service = watttime(serve)
    refreshed("watttime", regions=("eu-west-1",), days=40, addresses={"watttime": service.url})
    assert [path for path, _ in service.requests] == ["/login", "/v3/region-from-loc", *["/v3/historical"] * 2]
    assert service.requests[1][1].items() >= {"latitude": "53.35", "longitude": "-6.26"}.items()
    assert intensity("eu-west-1")[0] == pytest.approx(500 * POUND, abs=0.01)


def test_watttime_forecasts_too(serve):
    forecast = WattTime(WEB, "me", "secret", watttime(serve).url).forecast(
        Grid(name="IE", latitude=1, longitude=2), NOW
    )
    assert forecast.gco2_per_kwh(NOW) == pytest.approx(400 * POUND)


def test_watttime_in_other_units_or_with_a_wrong_password_is_refused(serve):
    grid = Grid(name="IE", latitude=1, longitude=2)
    other = WattTime(WEB, "me", "secret", watttime(serve, units="percentile").url)
    with pytest.raises(CatalogError, match=r"WattTime, IE: the answer has another shape: .*the unit is percentile"):
        other.hours(grid, DAY, DAY + timedelta(days=1))
    wrong = WattTime(WEB, "me", "guess", watttime(serve).url)
    with pytest.raises(CatalogError, match="answered 401 Unauthorized") as caught:
        wrong.hours(grid, DAY, DAY + timedelta(days=1))
    assert "guess" not in caught.value.message
    assert caught.value.hint == "is the key right, and may it be used for this?"


# -------------------------------------------------------------------------------------------------------------- eia


def eia(serve, mix, *, page=5000):
    def answer(path, query, body, headers):
        if query.get("api_key") != "key":
            return 403, '{"error": {"code": "API_KEY_INVALID"}}'
        assert query["frequency"] == "hourly"
        assert query["facets[respondent][]"] == "PJM"
        start, end = (datetime.strptime(query[name], "%Y-%m-%dT%H").replace(tzinfo=UTC) for name in ("start", "end"))
        hours = [start + timedelta(hours=hour) for hour in range(int((end - start) / timedelta(hours=1)) + 1)]
        rows = [
            {
                "period": f"{at:%Y-%m-%dT%H}", "respondent": "PJM", "fueltype": fuel, "type-name": fuel,
                "value": value, "value-units": "megawatthours",
            }
            for at in hours
            for fuel, value in mix.items()
        ]  # fmt: skip
        offset = int(query["offset"])
        shown = rows[offset : offset + min(page, int(query["length"]))]
        return 200, json.dumps({"response": {"total": str(len(rows)), "dateFormat": "YYYY-MM-DD", "data": shown}})

    return serve(answer)


def test_eia_says_what_is_generated_and_the_mix_gives_the_intensity(serve, monkeypatch):
    monkeypatch.setenv("EIA_API_KEY", "key")
    # numbers come as text or not at all; storage takes in as well, and "other" could be anything
    service = eia(serve, {"NG": "300", "NUC": "500", "WND": 200, "BAT": "-40", "OTH": "900", "SUN": None}, page=100)
    refreshed("eia", regions=("us-east-1",), addresses={"eia": service.url})
    assert len(service.requests) == 3  # 48 hours of six fuels, a hundred rows at a time
    assert intensity("us-east-1")[0] == pytest.approx((300 * 490 + 500 * 12 + 200 * 11) / 1000, abs=0.01)


def test_eia_that_answers_otherwise_is_refused(serve):
    shapeless = serve(lambda *_: (200, '{"response": {"data": [{"period": "today", "value": 1}], "total": 1}}'))
    with pytest.raises(CatalogError, match=r"EIA, US-MIDA-PJM: the answer has another shape"):
        Eia(WEB, "key", shapeless.url).hours(Grid(name="US-MIDA-PJM"), DAY, DAY + timedelta(hours=2))


# ----------------------------------------------------------------------------------------------------------- entsoe

SERIES = """
  <TimeSeries>
    <mRID>1</mRID><businessType>A01</businessType>
    <{side}BiddingZone_Domain.mRID codingScheme="A01">10YNL----------L</{side}BiddingZone_Domain.mRID>
    <quantity_Measure_Unit.name>MAW</quantity_Measure_Unit.name><curveType>A03</curveType>
    <MktPSRType><psrType>{fuel}</psrType></MktPSRType>
    <Period>
      <timeInterval><start>2026-11-20T00:00Z</start><end>2026-11-20T02:00Z</end></timeInterval>
      <resolution>{resolution}</resolution>{points}
    </Period>
  </TimeSeries>"""


def series(fuel, points, *, side="in", resolution="PT60M"):
    shown = "".join(f"<Point><position>{at}</position><quantity>{mw}</quantity></Point>" for at, mw in points.items())
    return SERIES.format(fuel=fuel, side=side, resolution=resolution, points=shown)


def document(*series_):
    space = "urn:iec62325.351:tc57wg16:451-6:generationloaddocument:3:0"
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<GL_MarketDocument xmlns="{space}">{"".join(series_)}</GL_MarketDocument>'


def test_entsoe_says_what_is_generated_where_points_left_out_are_those_before(serve, monkeypatch):
    monkeypatch.setenv("ENTSOE_API_KEY", "key")
    text = document(
        series("B04", {1: 400, 2: 100}),
        series("B19", {1: 600}),
        series("B10", {1: 50}, side="out"),
        series("B20", {1: 9000}),
    )
    service = serve(lambda *_: (200, text))
    refreshed("entsoe", regions=("westeurope",), addresses={"entsoe": service.url})
    [(_, asked)] = service.requests
    assert asked.items() >= {
        "securityToken": "key", "documentType": "A75", "processType": "A16", "in_Domain": "10YNL----------L",
        "periodStart": "202611250900", "periodEnd": "202611270900",
    }.items()  # fmt: skip
    first, second = (400 * 490 + 600 * 11) / 1000, (100 * 490 + 600 * 11) / 700
    assert intensity("westeurope")[0] == pytest.approx((first + second) / 2, abs=0.01)


def test_entsoe_speaks_in_quarters_of_an_hour(serve):
    service = serve(lambda *_: (200, document(series("B14", {1: 10, 5: 20}, resolution="PT15M"))))
    found = Entsoe(WEB, "key", service.url).hours(Grid(name="NL"), DAY, DAY + timedelta(hours=1))
    assert found == [(DAY + timedelta(minutes=15 * step), 12.0) for step in range(4)]


NOTHING = """<Acknowledgement_MarketDocument xmlns="urn:iec62325.351:tc57wg16:451-1:acknowledgementdocument:8:1">
  <Reason><code>999</code><text>No matching data found</text></Reason>
</Acknowledgement_MarketDocument>"""


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (NOTHING, "ENTSO-E, NL: .*No matching data found"),
        ("<html>", "ENTSO-E, NL: the answer has another shape"),
        (document(series("B04", {1: "many"})), "ENTSO-E, NL: the answer has another shape"),
    ],
)
def test_entsoe_that_answers_otherwise_is_refused_and_nothing_changes(serve, monkeypatch, answer, message):
    monkeypatch.setenv("ENTSOE_API_KEY", "key")
    before = intensity("westeurope")[0]
    service = serve(lambda *_: (200, answer))
    with pytest.raises(CatalogError, match=message):
        refreshed("entsoe", regions=("westeurope",), addresses={"entsoe": service.url})
    assert intensity("westeurope")[0] == before


# ------------------------------------------------------------------------------------------------------------ all


def test_each_grid_is_asked_of_the_first_service_that_knows_it_and_the_rest_is_told(serve, monkeypatch):
    monkeypatch.setenv("EIA_API_KEY", "key")
    monkeypatch.setenv("ENTSOE_API_KEY", "key")
    services = {"eia": eia(serve, {"NG": 1}), "entsoe": serve(lambda *_: (200, document(series("B14", {1: 1}))))}
    told = []
    done = refreshed(
        "carbon",
        regions=("us-east-1", "eu-west-1", "europe-west4"),
        addresses={name: service.url for name, service in services.items()},
        told=told,
    )
    assert told == [
        "carbon IE: 12 g/kWh over 2 days, by ENTSO-E",
        "carbon NL: 12 g/kWh over 2 days, by ENTSO-E",
        "carbon US-MIDA-PJM: 490 g/kWh over 2 days, by EIA",
    ]
    assert done.notes == []
    meta = (catalog_folder() / "meta.csv").read_text()
    assert "carbon.csv,ENTSO-E; EIA,2026-11-27" in meta
    monkeypatch.delenv("EIA_API_KEY")
    addresses = {"entsoe": services["entsoe"].url}
    later = NOW + timedelta(minutes=1)
    done = refreshed("carbon", regions=("us-east-1", "eu-west-1"), addresses=addresses, now=later)
    [note] = done.notes
    assert note.startswith("carbon: no service with a key knows US-MIDA-PJM, which keep their figures; set ELECTRICITY")


@pytest.mark.parametrize(
    ("source", "message", "hint"),
    [
        ("carbon", "no carbon service can be asked: none of them has a key", "WATTTIME_USER and WATTTIME_PASSWORD"),
        ("electricitymaps", "Electricity Maps asks for a key", "set ELECTRICITYMAPS_TOKEN"),
        ("watttime", "WattTime asks for a key", "set WATTTIME_USER and WATTTIME_PASSWORD"),
        ("eia", "EIA asks for a key", "set EIA_API_KEY"),
        ("entsoe", "ENTSO-E asks for a key", "set ENTSOE_API_KEY"),
    ],
)
def test_a_missing_key_is_named(source, message, hint):
    with pytest.raises(UsageError, match=message) as caught:
        refreshed(source)
    assert hint in caught.value.hint


def test_a_service_that_knows_none_of_the_grids_says_so(monkeypatch):
    monkeypatch.setenv("EIA_API_KEY", "key")
    with pytest.raises(UsageError, match="EIA knows none of these grids"):
        refreshed("eia", regions=("eu-west-1",))


def test_a_wrong_key_is_told_without_repeating_it(serve, monkeypatch):
    monkeypatch.setenv("EIA_API_KEY", "sesame")
    with pytest.raises(CatalogError, match="answered 403 Forbidden") as caught:
        refreshed("eia", regions=("us-east-1",), addresses={"eia": eia(serve, {"NG": 1}).url})
    assert "sesame" not in caught.value.message


def test_britain_forecasts_itself_without_a_key(serve):
    entries = [
        {"from": f"2026-11-27T{hour:02}:00Z", "to": f"2026-11-27T{hour:02}:30Z", "intensity": {"forecast": 10 * hour}}
        for hour in range(9, 24)
    ]
    service = serve(lambda *_: (200, json.dumps({"data": entries})))
    forecast = NationalEnergySystemOperator(WEB, service.url).forecast(Grid(name="GB"), NOW)
    assert service.requests[0][0] == "/2026-11-27T09:30Z/fw48h"
    assert forecast.gco2_per_kwh(NOW) == 90
    assert forecast.gco2_per_kwh(NOW + timedelta(hours=3)) == 120
    empty = serve(lambda *_: (200, '{"data": []}'))
    with pytest.raises(CatalogError, match="nothing is forecast"):
        NationalEnergySystemOperator(WEB, empty.url).forecast(Grid(name="GB"), NOW)


def test_what_generates_nothing_has_no_intensity():
    assert mean_intensity([("coal", 0.0), ("", 5.0), ("wind", -3.0)]) is None
    assert mean_intensity([("coal", 1.0), ("nuclear", 3.0)]) == pytest.approx((820 + 36) / 4)
