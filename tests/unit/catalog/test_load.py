"""Reading the tables: good ones, bad ones, and those that ship."""

from dataclasses import replace
from datetime import date

import pytest

from skyflow.catalog import load_catalog
from skyflow.errors import CatalogError
from skyflow.model.catalog import LOCAL_PLACE, Offering, Place
from skyflow.model.resources import Accelerators, Market


@pytest.fixture
def catalog(directory):
    return load_catalog(directory)


HOST = Offering(
    provider="local",
    region="local",
    instance_type="this-machine",
    market=Market.ON_DEMAND,
    vcpus=16,
    memory_gib=62.7,
    accelerators=Accelerators("NVIDIA A100-SXM4-40GB", 1),
    price_usd_per_hour=0.0,
    price_basis="own",
)


def rate(rates, source, destination):
    row, column = rates.index[source], rates.index[destination]
    return rates.usd_per_gb[row][column], rates.seconds_per_gb[row][column]


def test_a_row_becomes_an_offering(catalog):
    assert catalog.offerings[2] == Offering(
        provider="aws",
        region="us-east-1",
        instance_type="m6i.xlarge",
        market=Market.SPOT,
        vcpus=4,
        memory_gib=16.0,
        price_usd_per_hour=0.07,
        price_basis="advisor",
        price_date=date(2025, 6, 28),
    )


def test_accelerators_get_their_canonical_name(catalog):
    assert catalog.offerings[-1].accelerators == Accelerators("A100", 8)
    assert catalog.joined_by(HOST).offerings[0].accelerators == Accelerators("A100", 1)


def test_an_accelerator_that_nobody_knows_keeps_its_name(catalog):
    odd = replace(HOST, accelerators=Accelerators("NVIDIA GeForce RTX 9090", 2))
    assert catalog.joined_by(odd).offerings[0] == odd


def test_names_of_accelerators_ignore_case(catalog):
    assert catalog.accelerators.canonical(" tesla t4") == "T4"
    assert catalog.accelerators.canonical("T5") is None
    assert catalog.accelerators.known == ("A100", "T4", "H100")


def test_the_first_transfer_rule_that_fits_holds(catalog):
    east, ireland = Place("aws", "us-east-1"), Place("aws", "eu-west-1")
    iowa_a, iowa_b = Place("gcp", "us-central1", "us-central1-a"), Place("gcp", "us-central1", "us-central1-b")
    rates = catalog.joined_by(HOST).transfer_rates([HOST, *catalog.offerings])
    assert rates.places == (ireland, east, iowa_a, iowa_b, LOCAL_PLACE)
    assert rate(rates, east, east) == (0, 0.8)
    assert rate(rates, east, ireland) == (0.02, 4)
    assert rate(rates, ireland, east) == (0.03, 4)
    assert rate(rates, east, iowa_a) == (0.09, 2)
    assert rate(rates, iowa_a, iowa_b) == (0.01, 0.8)
    assert rate(rates, iowa_a, iowa_a) == (0, 0.8)
    assert rate(rates, iowa_a, ireland) == (0.13, 4)
    assert rate(rates, LOCAL_PLACE, LOCAL_PLACE) == (0, 0)
    assert rate(rates, LOCAL_PLACE, east) == (0, 80)
    assert rate(rates, east, LOCAL_PLACE) == (0.09, 40)


def test_a_machine_without_a_zone_can_be_had_in_any_zone(catalog):
    anywhere = replace(catalog.offerings[-1], zone="", instance_type="n2-standard-2")
    rates = catalog.transfer_rates([anywhere, catalog.offerings[-1]])
    assert rate(rates, anywhere.place, catalog.offerings[-1].place) == (0, 0.8)


def test_an_unknown_place_has_no_rates(catalog):
    with pytest.raises(CatalogError, match="no table says where aws mars is"):
        catalog.transfer_rates([replace(catalog.offerings[0], region="mars")])


@pytest.mark.parametrize(
    ("table", "rule", "message"),
    [
        (
            "egress.csv",
            "aws,cross-provider",
            r"no price is known for data from aws us-east-1 to gcp us-central1 \(cross",
        ),
        ("network.csv", "*,*,any", r"no speed is known for data from aws us-east-1 to local local \(cross-continent\)"),
    ],
)
def test_a_pair_without_a_rule_is_named(directory, table, rule, message):
    path = directory / table
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line.startswith((rule, "*,local"))), encoding="utf-8")
    catalog = load_catalog(directory)
    with pytest.raises(CatalogError, match=message):
        catalog.transfer_rates([catalog.offerings[0], HOST if table == "network.csv" else catalog.offerings[-1]])


@pytest.mark.parametrize(
    ("table", "old", "new", "message"),
    [
        ("prices.csv", "4,16,T4,1", "four,16,T4,1", r"prices.csv:6: column 'vcpus': 'four' is not a whole number"),
        ("prices.csv", "4,16,T4,1", "0,16,T4,1", r":6: column 'vcpus': '0' is not a whole number above zero"),
        ("prices.csv", "4,16,T4,1", "4,lots,T4,1", r":6: column 'memory_gib': 'lots' is not a number"),
        ("prices.csv", "4,16,T4,1", "4,0,T4,1", r":6: column 'memory_gib': '0' is not a number above zero"),
        ("prices.csv", "0.526", "-0.526", r":6: column 'price_usd_per_hour': '-0.526' is not a number from zero"),
        ("prices.csv", "0.526", "inf", r":6: column 'price_usd_per_hour': 'inf' is not a number"),
        ("prices.csv", "0.526", "", r":6: column 'price_usd_per_hour': is empty"),
        ("prices.csv", "T4,1", "T5,1", r":6: column 'accelerator': 'T5' is not in accelerators.csv"),
        ("prices.csv", "T4,1", ",1", r":6: column 'accelerator': is empty where a count is given"),
        ("prices.csv", "T4,1", "T4,0.5", r":6: column 'accelerator_count': '0.5' is not a whole number above zero"),
        ("prices.csv", "xlarge,spot", "xlarge,any", r":4: column 'market': 'any' is none of on-demand, spot"),
        ("prices.csv", "2025-06-28", "last week", r":4: column 'price_date': 'last week' is not a day; write it as"),
        ("prices.csv", "eu-west-1", "mars", r":5: column 'region': 'mars' of aws is not in regions.csv"),
        ("prices.csv", "m6i.large", "m6i.xlarge", r":3: column 'instance_type': aws/us-east-1/m6i.xlarge/on-demand is"),
        ("prices.csv", ",spot,4", ",spot,4,4", r"prices.csv:4: 13 cells under 12 columns"),
        ("prices.csv", "zone,", "", r"prices.csv:1: column 'zone' must be there once"),
        ("prices.csv", "zone,", "zone,zone,", r"prices.csv:1: column 'zone' must be there once"),
        ("prices.csv", "price_date", "price_date,colour", r"prices.csv:1: unknown column 'colour'"),
        ("prices.csv", "m6i.large", '"m6i.large', r"prices.csv:8: unexpected end of data"),
        ("accelerators.csv", "Tesla T4", "a100-40gb", r":3: column 'aliases': 'a100-40gb' already stands for A100"),
        ("accelerators.csv", "H100", "T4", None),
        ("egress.csv", "cross-zone", "next-door", r"egress.csv:7: column 'scope': 'next-door' is none of"),
        ("egress.csv", "0.03", "free", r"egress.csv:4: column 'usd_per_gb': 'free' is not a number"),
        ("network.csv", ",10,", ",0,", r"network.csv:3: column 'gbps': '0' is not a number above zero"),
        ("network.csv", "same-continent", "near", r"network.csv:6: column 'scope': 'near' is none of"),
        ("regions.csv", "Virginia", "", r"regions.csv:2: column 'name': is empty"),
    ],
)
def test_a_bad_cell_is_named_by_file_line_column_and_reason(directory, table, old, new, message):
    path = directory / table
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    if message is None:  # the same name twice for the same device does no harm
        load_catalog(directory)
        return
    with pytest.raises(CatalogError, match=message):
        load_catalog(directory)


def test_a_missing_table_is_named(directory):
    (directory / "regions.csv").unlink()
    with pytest.raises(CatalogError, match=r"regions.csv: .*No such file"):
        load_catalog(directory)


def test_a_table_that_is_not_text_is_named(directory):
    (directory / "prices.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CatalogError, match=r"prices.csv: 'utf-8' codec"):
        load_catalog(directory)


def test_a_directory_without_prices_is_named(directory):
    (directory / "prices.csv").unlink()
    with pytest.raises(CatalogError, match="holds no price list"):
        load_catalog(directory)


@pytest.fixture(scope="module")
def shipped():
    return load_catalog()


def test_the_shipped_catalog_is_broad_enough_to_choose_from(shipped):
    assert len(shipped.offerings) >= 500
    assert {offering.provider for offering in shipped.offerings} == {"aws", "azure", "gcp"}
    for provider in ("aws", "azure", "gcp"):
        here = [offering for offering in shipped.offerings if offering.provider == provider]
        assert len({offering.region for offering in here}) == 6
        continents = {shipped.regions[provider, offering.region].continent for offering in here}
        assert continents == {"North America", "Europe", "Asia"}
    devices = {offering.accelerators.name for offering in shipped.offerings if offering.accelerators}
    assert devices >= {"T4", "A10G", "L4", "V100", "A100", "A100-80GB", "H100"}


def test_every_shipped_row_is_sane(shipped):
    for offering in shipped.offerings:
        assert 0.01 < offering.price_usd_per_hour < 500, offering.id
        assert 1 <= offering.vcpus <= 448, offering.id
        assert 1 <= offering.memory_gib / offering.vcpus <= 32, offering.id
        assert offering.price_basis == "list" or (offering.price_basis, offering.provider) == ("advisor", "aws")
        assert date(2025, 1, 1) < offering.price_date < date(2027, 1, 1), offering.id
        assert offering.zone.startswith(offering.region) or not offering.zone


def test_shipped_spot_is_never_dearer_than_on_demand(shipped):
    prices = {offering.id: offering.price_usd_per_hour for offering in shipped.offerings}
    spot = [offering for offering in shipped.offerings if offering.market is Market.SPOT]
    assert spot
    for offering in spot:
        assert offering.price_usd_per_hour <= prices[replace(offering, market=Market.ON_DEMAND).id], offering.id


def test_shipped_transfers_are_sane(shipped):
    rates = shipped.joined_by(HOST).transfer_rates([HOST, *shipped.offerings])
    local = rates.index[LOCAL_PLACE]
    for row, source in enumerate(rates.places):
        assert rates.usd_per_gb[row][row] == 0, source
        assert rates.usd_per_gb[local][row] == 0, source
        for column, destination in enumerate(rates.places):
            assert 0 <= rates.usd_per_gb[row][column] <= 0.2
            assert 0 <= rates.seconds_per_gb[row][column] <= 80
            if source.provider != destination.provider and source != LOCAL_PLACE:
                assert rates.usd_per_gb[row][column] >= 0.08


def test_the_names_that_drivers_print_are_known(shipped):
    for printed, name in (
        ("Tesla T4", "T4"),
        ("NVIDIA A100-SXM4-80GB", "A100-80GB"),
        ("NVIDIA H100 80GB HBM3", "H100"),
        ("Tesla V100-SXM2-16GB", "V100"),
    ):
        assert shipped.accelerators.canonical(printed) == name
