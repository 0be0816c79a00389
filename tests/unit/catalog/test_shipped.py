"""The tables that ship: broad, sane, and as their meta table says."""

import csv
import hashlib
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from skyflow.catalog import load_catalog
from skyflow.catalog.columns import SHARED, TABLES
from skyflow.model.catalog import LOCAL_PLACE, Place
from skyflow.model.resources import Market

TABLES_FOLDER = Path(__file__).parents[3] / "catalogs"


@pytest.fixture(scope="module")
def shipped():
    return load_catalog()


@pytest.fixture(scope="module")
def offerings(shipped):
    return shipped.offerings


def test_every_row_can_be_used(shipped):
    assert shipped.faults == ()


def test_it_is_the_full_list_of_each_cloud(offerings):
    on_demand = [one for one in offerings if one.market is Market.ON_DEMAND]
    assert len(on_demand) > 90_000
    for provider, regions, types in (("aws", 33, 1300), ("gcp", 43, 500), ("azure", 57, 1200)):
        here = [one for one in on_demand if one.provider == provider]
        assert len({one.region for one in here}) >= regions
        assert len({one.instance_type for one in here}) >= types
    devices = {one.accelerators.name for one in offerings if one.accelerators}
    assert devices >= {"T4", "A10G", "L4", "V100", "A100", "A100-80GB", "H100", "H200", "MI300X", "Trainium", "tpu-v5e"}


def test_every_row_is_sane(offerings):
    for one in offerings:
        assert 0.0005 < one.price_usd_per_hour < 700, one.id
        assert 1 <= one.vcpus <= 1920, one.id
        assert 0.2 <= one.memory_gib / one.vcpus <= 130, one.id
        assert one.price_basis in {"list", "advisor", "estimate"}
        assert date(2025, 1, 1) < one.price_date < date(2027, 1, 1), one.id
        assert one.zone.startswith(one.region) or not one.zone


def test_an_azure_spot_price_is_called_an_estimate(offerings):
    spot = {one.price_basis for one in offerings if one.provider == "azure" and one.market is Market.SPOT}
    assert spot == {"estimate"}


def test_spot_is_never_dearer_than_on_demand(offerings):
    prices = {one.id: one.price_usd_per_hour for one in offerings}
    spot = [one for one in offerings if one.market is Market.SPOT]
    assert len(spot) > 80_000
    dearer = [one.id for one in spot if one.price_usd_per_hour > prices[replace(one, market=Market.ON_DEMAND).id]]
    assert len(dearer) < len(spot) / 500, dearer[:5]  # some lists of the providers themselves say so


def test_nearly_every_machine_has_a_footprint(offerings):
    with_one = [one for one in offerings if one.footprint]
    assert len(with_one) > 0.98 * len(offerings)
    for one in with_one:
        assert 0 < one.footprint.idle_watts <= one.footprint.max_watts < 20_000, one.id
        assert one.footprint.max_watts / one.vcpus >= 0.1
        assert 1 <= one.footprint.pue < 2
        assert 1 < one.footprint.gco2_per_kwh < 1000, one.id


def test_transfers_are_sane(shipped):
    rates = shipped.index.rates.rates({*(replace_zone(place) for place in shipped.index.places), LOCAL_PLACE})
    local = rates.index[LOCAL_PLACE]
    for row, source in enumerate(rates.places):
        assert rates.usd_per_gb[row][row] == 0, source
        assert rates.usd_per_gb[local][row] == 0, source
        for column, destination in enumerate(rates.places):
            assert 0 <= rates.usd_per_gb[row][column] <= 0.2
            assert 0 <= rates.seconds_per_gb[row][column] <= 80
            if source.provider != destination.provider and source != LOCAL_PLACE:
                assert rates.usd_per_gb[row][column] >= 0.08


def replace_zone(place):
    return Place(place.provider, place.region)


def test_the_names_that_drivers_print_are_known(shipped):
    for printed, name in (
        ("Tesla T4", "T4"),
        ("NVIDIA A100-SXM4-80GB", "A100-80GB"),
        ("NVIDIA H100 80GB HBM3", "H100"),
        ("Tesla V100-SXM2-16GB", "V100"),
        ("H100-80GB", "H100"),
    ):
        assert shipped.accelerators.canonical(printed) == name


def test_meta_says_what_is_there():
    with (TABLES_FOLDER / "meta.csv").open(encoding="utf-8") as file:
        rows = {row["table"]: row for row in csv.DictReader(file)}
    there = {path.relative_to(TABLES_FOLDER).as_posix() for path in TABLES_FOLDER.rglob("*.csv")} - {"meta.csv"}
    assert rows.keys() == there
    assert {name for name in there if "/" not in name} == set(SHARED) - {"meta.csv"}
    for name, row in rows.items():
        content = (TABLES_FOLDER / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == row["sha256"], name
        assert content.count(b"\n") - 1 == int(row["rows"]), name
        assert content.decode().split("\n", 1)[0].split(",") == list(TABLES[name.rsplit("/", 1)[-1]].names)


def test_the_places_nobody_may_choose_unasked_are_marked(shipped):
    closed = {region.partition for region in shipped.regions.values()} - {"aws", "gcp", "azure", ""}
    assert closed == {"aws-us-gov", "aws-cn", "aws-eusc"}
