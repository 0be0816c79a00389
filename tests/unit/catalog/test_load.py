"""Reading the tables: good ones and bad ones, and what becomes of their rows."""

from dataclasses import replace
from datetime import date

import offerings
import pytest

from skyflow.catalog import load_catalog
from skyflow.errors import CatalogError
from skyflow.model.catalog import LOCAL_PLACE, Offering, Place
from skyflow.model.config import PriceRule, ProjectConfig
from skyflow.model.footprint import Footprint
from skyflow.model.resources import Accelerators, Market


@pytest.fixture
def catalog(directory):
    return load_catalog(directory)


HOST = replace(offerings.HOST, vcpus=16, memory_gib=62.7, accelerators=Accelerators("NVIDIA A100-SXM4-40GB", 1))


def offering(catalog, name):
    return next(one for one in catalog.offerings if one.id == name)


def rate(rates, source, destination):
    row, column = rates.index[source], rates.index[destination]
    return rates.usd_per_gb[row][column], rates.seconds_per_gb[row][column]


def test_a_row_becomes_an_offering_in_each_market_that_it_has_a_price_in(catalog):
    assert offering(catalog, "aws/us-east-1/m6i.xlarge/spot") == Offering(
        provider="aws",
        region="us-east-1",
        instance_type="m6i.xlarge",
        market=Market.SPOT,
        vcpus=4,
        memory_gib=16.0,
        price_usd_per_hour=0.07,
        price_basis="advisor",
        price_date=date(2025, 6, 28),
        arch="x86_64",
        interruption=0.075,
        footprint=Footprint(
            idle_watts=12, max_watts=32, pue=1.2, gco2_per_kwh=320, embodied_g_per_hour=5.7078, grid="US-PJM"
        ),
    )
    assert offering(catalog, "aws/us-east-1/m6i.xlarge/on-demand").price_usd_per_hour == 0.192
    assert len(catalog.offerings) == len({one.id for one in catalog.offerings}) == 11


def test_accelerators_get_their_canonical_name(catalog):
    assert offering(catalog, "gcp/us-central1-b/a2-highgpu-8g/on-demand").accelerators == Accelerators("A100", 8)
    assert catalog.joined_by(HOST).offerings[0].accelerators == Accelerators("A100", 1)


def test_an_accelerator_that_nobody_knows_keeps_its_name(catalog):
    odd = replace(HOST, accelerators=Accelerators("NVIDIA GeForce RTX 9090", 2))
    assert catalog.joined_by(odd).offerings[0] == odd


def test_what_an_accelerator_is_can_be_asked_for(catalog):
    assert offering(catalog, "aws/us-east-1/g4dn.xlarge/on-demand").capabilities == {"gpu", "local-ssd"}
    assert catalog.accelerators.capabilities("Trainium") == {"trainium"}


def test_names_of_accelerators_ignore_case(catalog):
    assert catalog.accelerators.canonical(" tesla t4") == "T4"
    assert catalog.accelerators.canonical("T5") is None
    assert catalog.accelerators.known == ("A100", "T4", "H100", "Trainium")


def test_a_machine_whose_power_nobody_knows_has_no_footprint(catalog):
    assert offering(catalog, "aws/us-east-1/g4x.small/on-demand").footprint is None
    assert offering(catalog, "aws/us-gov-west-1/m6i.large/on-demand").footprint is None


def test_only_an_estimate_is_one(catalog):
    assert offering(catalog, "aws/us-east-1/g4x.small/on-demand").is_estimated
    assert not offering(catalog, "aws/us-east-1/m6i.xlarge/spot").is_estimated


def test_the_first_transfer_rule_that_fits_holds(catalog):
    east, ireland = Place("aws", "us-east-1"), Place("aws", "eu-west-1")
    iowa_a, iowa_b = Place("gcp", "us-central1", "us-central1-a"), Place("gcp", "us-central1", "us-central1-b")
    wanted = [one for one in catalog.joined_by(HOST).offerings if one.region != "us-gov-west-1"]
    rates = catalog.rates_between({one.place for one in wanted})
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
    zoned = offering(catalog, "gcp/us-central1-b/a2-highgpu-8g/on-demand")
    anywhere = replace(zoned, zone="", instance_type="n2-standard-2")
    assert rate(catalog.rates_between({anywhere.place, zoned.place}), anywhere.place, zoned.place) == (0, 0.8)


def test_an_unknown_place_has_no_rates(catalog):
    with pytest.raises(CatalogError, match="no table says where aws mars is"):
        catalog.rates_between({replace(catalog.offerings[0], region="mars").place})


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
    other = HOST if table == "network.csv" else offering(catalog, "gcp/us-central1-a/a2-highgpu-1g/on-demand")
    with pytest.raises(CatalogError, match=message):
        catalog.rates_between({offering(catalog, "aws/us-east-1/m6i.large/on-demand").place, other.place})


PRICE = "aws/prices.csv"
KIND = "aws/instance_types.csv"


@pytest.mark.parametrize(
    ("table", "old", "new", "fault"),
    [
        (
            KIND,
            "g4dn.xlarge,4",
            "g4dn.xlarge,four",
            f"{KIND}:7: column 'vcpus': 'four' is not a whole number above zero",
        ),
        (KIND, "g4dn.xlarge,4", "g4dn.xlarge,0", f"{KIND}:7: column 'vcpus': '0' is not a whole number above zero"),
        (KIND, "4,16,x86_64,Cas", "4,lots,x86_64,Cas", f"{KIND}:7: column 'memory_gib': 'lots' is not a number"),
        (KIND, "4,16,x86_64,Cas", "4,0,x86_64,Cas", f"{KIND}:7: column 'memory_gib': '0' is not a number above zero"),
        (KIND, "x86_64,Cascade Lake,T4,1", "vax,Cascade Lake,T4,1", f"{KIND}:7: column 'arch': 'vax' is none of"),
        (KIND, "T4,1,", "T5,1,", f"{KIND}:7: column 'accelerator': 'T5' is not in accelerators.csv"),
        (KIND, "T4,1,", ",1,", f"{KIND}:7: column 'accelerator': is empty where the other is given"),
        (KIND, "T4,1,", "T4,,", f"{KIND}:7: column 'accelerator_count': is empty where the other is given"),
        (KIND, "m6i.xlarge", "m6i.large", f"{KIND}:3: column 'instance_type': 'm6i.large' is there twice"),
        (PRICE, "0.526", "-0.526", f"{PRICE}:5: column 'usd_per_hour': '-0.526' is not a number from zero"),
        (PRICE, "0.526", "inf", f"{PRICE}:5: column 'usd_per_hour': 'inf' is not a number"),
        (PRICE, "0.526", "", f"{PRICE}:5: column 'usd_per_hour': is empty"),
        (PRICE, "0.526,list", "0.526,rumour", f"{PRICE}:5: column 'basis': 'rumour' is none of list, history"),
        (PRICE, "2025-06-28", "last week", f"{PRICE}:3: column 'spot_date': 'last week' is not a day; write it as"),
        (PRICE, "advisor,2025-06-28", ",", f"{PRICE}:3: column 'spot_basis': is empty, or spot_date is"),
        (PRICE, "eu-west-1", "mars", f"{PRICE}:4: column 'region': 'mars' of aws is not in regions.csv"),
        (
            PRICE,
            "m6i.large",
            "m6i.xlarge",
            f"{PRICE}:3: column 'instance_type': aws/us-east-1/m6i.xlarge is there twice",
        ),
        (PRICE, "m6i.large", "m6i.tiny", f"{PRICE}:2: column 'instance_type': 'm6i.tiny' is not in aws/instance_types"),
        (PRICE, "advisor,", "advisor,,", f"{PRICE}:3: 11 cells under 10 columns"),
        (PRICE, "us-east-1,,m6i.large", 'us-east-1,,"m6i.large', f"{PRICE}:9: unexpected end of data"),
        (
            "accelerators.csv",
            "Tesla T4",
            "a100-40gb",
            "accelerators.csv:3: column 'aliases': 'a100-40gb' already stands",
        ),
        ("egress.csv", "cross-zone", "next-door", "egress.csv:7: column 'scope': 'next-door' is none of"),
        ("egress.csv", "0.03", "free", "egress.csv:4: column 'usd_per_gb': 'free' is not a number"),
        ("network.csv", ",10,", ",0,", "network.csv:3: column 'gbps': '0' is not a number above zero"),
        ("regions.csv", "Virginia", "", "regions.csv:2: column 'name': is empty"),
        ("regions.csv", ",IE,53.3", ",XX,53.3", "regions.csv:3: column 'country': 'XX' is not in countries.csv"),
        ("carbon.csv", "gcp,us-central1", "gcp,mars", "carbon.csv:4: column 'region': 'mars' of gcp is not in regions"),
        ("carbon_profiles.csv", "IE,1,0,", "IE,13,0,", "carbon_profiles.csv:2: column 'month': there is no hour 0 of"),
    ],
)
def test_a_bad_row_is_named_and_the_others_still_load(directory, table, old, new, fault):
    path = directory / table
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    catalog = load_catalog(directory)
    assert any(str(one).startswith(fault) for one in catalog.faults), catalog.faults
    assert len(catalog.offerings) >= 2


def test_a_price_far_below_what_the_machine_costs_elsewhere_is_taken_for_a_mistake(directory):
    path = directory / PRICE
    rows = "".join(f"us-east-1,us-east-1{zone},m6i.2xlarge,0.5,list,2025-04-04,,,,\n" for zone in "abc")
    last = "us-east-1,us-east-1d,m6i.2xlarge,0.09,list,2025-04-04,,,,\n"  # with the row in Ireland there are five
    path.write_text(path.read_text(encoding="utf-8") + rows + last, encoding="utf-8")
    fault = f"{PRICE}:13: column 'usd_per_hour': $0.09 is taken for a mistake: it is less than a fifth of what"
    catalog = load_catalog(directory)
    assert [str(one) for one in catalog.faults if str(one).startswith(fault)]
    agreed = PriceRule(instance_type="m6i.2xlarge", region="us-east-1", usd_per_hour=0.08)
    catalog = load_catalog(directory, ProjectConfig(prices=(agreed,)))
    assert catalog.faults == ()
    assert {one.price_usd_per_hour for one in catalog.offerings if one.instance_type == "m6i.2xlarge"} == {0.08, 0.428}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("zone,", "", r"prices.csv:1: column 'zone' must be there once"),
        ("zone,", "zone,zone,", r"prices.csv:1: column 'zone' must be there once"),
        ("interruption", "interruption,colour", r"prices.csv:1: unknown column 'colour'"),
    ],
)
def test_a_table_with_other_columns_is_refused(directory, old, new, message):
    path = directory / PRICE
    path.write_text(path.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(CatalogError, match=message):
        assert load_catalog(directory).offerings


def test_the_same_name_twice_for_one_device_does_no_harm(directory):
    path = directory / "accelerators.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("Tesla T4", "t4|Tesla T4"), encoding="utf-8")
    assert load_catalog(directory).faults == ()


def test_a_missing_table_is_named(directory):
    (directory / "regions.csv").unlink()
    with pytest.raises(CatalogError, match=r"regions.csv: .*No such file"):
        assert load_catalog(directory).offerings


def test_a_table_that_is_not_text_is_named(directory):
    (directory / PRICE).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CatalogError, match=r"prices.csv: 'utf-8' codec"):
        assert load_catalog(directory).offerings


def test_a_directory_without_prices_is_named(directory):
    for path in directory.glob("*/prices.csv"):
        path.unlink()
    with pytest.raises(CatalogError, match="holds no price list"):
        assert load_catalog(directory).offerings


def test_a_plan_for_this_machine_alone_opens_no_table(tmp_path):
    catalog = load_catalog(tmp_path / "nowhere").joined_by(replace(HOST, accelerators=None))
    rates = catalog.rates_between({one.place for one in catalog.own})
    assert rates.usd_per_gb == ((0.0,),)
