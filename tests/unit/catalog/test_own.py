"""Machines and prices of a project's own."""

from dataclasses import replace

import pytest

from skyflow.catalog import load_catalog, select_candidates
from skyflow.errors import NoCandidateError
from skyflow.model.catalog import LOCAL_PLACE, Place
from skyflow.model.config import OwnPool, Peering, PriceRule, ProjectConfig
from skyflow.model.resources import Accelerators, Amount, Limits, Market, Requirements

LAB = OwnPool(
    name="lab", kind="ssh", count=3, vcpus=64, memory_gib=512.0, accelerators=Accelerators("a100-40gb", 4),
    price_usd_per_hour=0.5, country="IE", idle_watts=300, max_watts=1800, uplink_gbps=1.0, egress_usd_per_gb=0.02,
)  # fmt: skip
RACK = OwnPool(name="rack", kind="slurm", vcpus=32, memory_gib=128.0, arch="arm64", jurisdictions=("EU",))


@pytest.fixture
def catalog(directory):
    return load_catalog(directory, ProjectConfig(pools=(LAB, RACK)))


def names(catalog, **requirements):
    return [one.instance_type for one in select_candidates(catalog, Requirements(**requirements), job="job")]


def prices(directory, **config):
    found = load_catalog(directory, ProjectConfig(**config))
    return {one.id: (one.price_usd_per_hour, one.price_basis) for one in found.offerings}


def test_a_pool_is_an_offering_at_a_place_of_its_own(catalog):
    [lab] = select_candidates(catalog, Requirements(accelerators=Accelerators("A100", 4)), job="job")
    assert (lab.id, lab.capacity, lab.price_usd_per_hour) == ("own/lab/lab/on-demand", 3, 0.5)
    assert lab.capabilities == {"gpu"}
    assert lab.footprint.gco2_per_kwh == 290  # the mean of Ireland's regions
    assert lab.footprint.pue == 1.58


def test_a_job_pays_its_share_of_a_machine_that_runs_several_at_once(directory):
    catalog = load_catalog(directory, ProjectConfig(pools=(replace(LAB, slots=2),)))
    [lab] = select_candidates(catalog, Requirements(accelerators=Accelerators("A100", 4)), job="job")
    assert (lab.price_usd_per_hour, lab.footprint.idle_watts, lab.footprint.max_watts) == (0.25, 150, 900)


def test_a_pool_does_not_come_in_sizes_or_markets(catalog):
    own = {"providers": frozenset({"own"}), "market": Market.SPOT}
    assert names(catalog, cpus=Amount(8, or_more=False), **own) == ["rack", "lab"]
    assert names(catalog, arch="arm64", **own) == ["rack"]


def test_a_pool_has_so_many_machines_and_no_more(catalog):
    own = frozenset({"own"})
    assert names(catalog, providers=own, nodes=3) == ["lab"]
    with pytest.raises(
        NoCandidateError, match=r"asks for 4 nodes and a machine of your own; .*the most machines of a kind are 3"
    ):
        names(catalog, providers=own, nodes=4)


def test_a_disk_limits_the_pools_that_say_how_large_theirs_is(directory):
    large, small = replace(LAB, disk_gib=2000.0), replace(RACK, disk_gib=100.0)
    catalog = load_catalog(directory, ProjectConfig(pools=(large, small, replace(RACK, name="shed"))))
    own = frozenset({"own"})
    assert set(names(catalog, providers=own, disk_gib=Amount(500, or_more=True))) == {"lab", "shed"}
    assert set(names(catalog, providers=own, disk_gib=Amount(100, or_more=False))) == {"lab", "rack", "shed"}
    only = load_catalog(directory, ProjectConfig(pools=(small,)))
    with pytest.raises(NoCandidateError, match=r"a disk of 1073\.7 GB.*the largest disk is one of 107 GB"):
        names(only, providers=own, disk_gib=Amount(1000, or_more=False))


def test_a_disk_costs_what_the_project_says(directory):
    def listed(**config):
        asked = Requirements(providers=frozenset({"aws", "gcp"}), disk_gib=Amount(500, or_more=False), nodes=2)
        found = select_candidates(load_catalog(directory, ProjectConfig(**config)), asked, job="job")
        return {one.id: one.price_usd_per_hour for one in found}

    plain, priced = listed(), listed(disk_prices=(("aws", 0.08),))
    assert {name.partition("/")[0] for name in plain} == {"aws", "gcp"}
    hourly = 500 * 2**30 / 1e9 * 0.08 / 730
    for name, price in plain.items():
        assert priced[name] == pytest.approx(price + (2 * hourly if name.startswith("aws") else 0))


def test_a_pool_lies_under_the_laws_of_its_country_or_those_it_names(catalog):
    eu = Limits(jurisdictions=frozenset({"EU"}))
    assert names(catalog, providers=frozenset({"own"}), limits=eu) == ["rack", "lab"]
    assert names(catalog, providers=frozenset({"own"}), limits=Limits(countries=frozenset({"IE"}))) == ["lab"]
    assert names(catalog, limits=Limits(regions=frozenset({"lab"}))) == ["lab"]


def test_data_moves_over_the_line_of_the_pool(catalog):
    rates = catalog.rates_between({one.place for one in (*catalog.own, catalog.index.offering(0))})
    lab, rack, cloud = Place("own", "lab"), Place("own", "rack"), catalog.index.offering(0).place
    index = rates.index

    def rate(source, destination):
        row, column = index[source], index[destination]
        return rates.usd_per_gb[row][column], rates.seconds_per_gb[row][column]

    assert rate(lab, cloud) == (0.02, 8)
    assert rate(cloud, lab) == (0.09, 8)
    assert rate(lab, rack) == (0.02, 80)
    assert rate(lab, lab) == (0, 0.8)
    assert LOCAL_PLACE not in index


def test_the_first_price_rule_that_fits_holds(directory):
    rules = (
        PriceRule(provider="aws", instance_type="m6i.large", usd_per_hour=0.01),
        PriceRule(provider="aws", region="us-*", market=Market.ON_DEMAND, percent_less=10, why="EDP"),
        PriceRule(percent_less=50),
    )
    before, found = prices(directory), prices(directory, prices=rules)
    assert found["aws/us-east-1/m6i.large/on-demand"] == (0.01, "agreed")
    assert found["aws/us-east-1/m6i.xlarge/on-demand"] == (pytest.approx(0.192 * 0.9), "list, EDP")
    assert found["aws/us-east-1/m6i.xlarge/spot"] == (0.035, "advisor, reduced")
    assert found["aws/eu-west-1/m6i.2xlarge/on-demand"] == (0.214, "list, reduced")
    assert found.keys() == before.keys()


def test_less_than_an_estimate_is_an_estimate_still(directory):
    path = directory / "aws" / "prices.csv"
    path.write_text(path.read_text().replace(",advisor,", ",estimate,"))
    rules = (PriceRule(market=Market.SPOT, percent_less=5, why="EDP"), PriceRule(percent_less=5))
    offerings = load_catalog(directory, ProjectConfig(prices=rules)).offerings
    spot = [one for one in offerings if (one.provider, one.market) == ("aws", Market.SPOT)]
    assert {(one.price_basis, one.is_estimated) for one in spot} == {("estimate, EDP", True)}
    listed = [one for one in offerings if one.price_basis == "list, reduced"]
    assert listed
    assert not any(one.is_estimated for one in listed)


def test_a_discount_changes_what_is_chosen(directory):
    rules = (PriceRule(instance_type="m6i.xlarge", percent_less=90),)
    catalog = load_catalog(directory, ProjectConfig(prices=rules))
    east = Limits(regions=frozenset({"us-east-1"}))
    assert names(catalog, limits=east) == ["m6i.xlarge"]
    assert names(load_catalog(directory), limits=east) == ["m6i.large"]


def test_a_line_between_clouds_has_a_price_and_a_speed_in_both_directions(directory):
    line = Peering(between=("gcp", "aws"), usd_per_gb=0.005, gbps=16)
    rates = load_catalog(directory, ProjectConfig(peerings=(line,))).index.rates
    found = rates.rates([Place("aws", "us-east-1"), Place("aws", "eu-west-1"), Place("gcp", "us-central1")])
    assert found.usd_per_gb[1][2] == found.usd_per_gb[2][0] == 0.005
    assert found.seconds_per_gb[1][2] == 0.5
    assert found.usd_per_gb[1][0] == 0.02  # inside of a cloud nothing changes
