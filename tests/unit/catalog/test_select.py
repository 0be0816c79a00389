"""From requirements to candidates, and what is said when there is none."""

from dataclasses import replace

import pytest

from skyflow.catalog import load_catalog, matching_offerings, select_candidates
from skyflow.errors import NoCandidateError
from skyflow.model.catalog import Offering
from skyflow.model.resources import Accelerators, Amount, Market, Requirements

HOST = Offering(
    provider="local",
    region="local",
    instance_type="this-machine",
    market=Market.ON_DEMAND,
    vcpus=6,
    memory_gib=31.2,
    price_usd_per_hour=0.0,
    price_basis="own",
)


@pytest.fixture
def catalog(directory):
    return load_catalog(directory)


def types(catalog, **requirements):
    found = matching_offerings(catalog, Requirements(**requirements), job="job")
    return [offering.instance_type for offering in found]


def refusal(catalog, **requirements):
    with pytest.raises(NoCandidateError) as caught:
        select_candidates(catalog, Requirements(**requirements), job="train")
    return caught.value


def test_a_job_that_asks_for_nothing_gets_everything_on_demand_cheapest_first(catalog):
    assert types(catalog) == [
        "m6i.large",
        "m6i.xlarge",
        "m6i.2xlarge",
        "g4dn.xlarge",
        "a2-highgpu-1g",
        "a2-highgpu-8g",
    ]


def test_an_amount_is_exact_and_with_a_plus_a_minimum(catalog):
    assert types(catalog, cpus=Amount(4, or_more=False)) == ["m6i.xlarge", "g4dn.xlarge"]
    assert types(catalog, cpus=Amount(12, or_more=True)) == ["a2-highgpu-1g", "a2-highgpu-8g"]
    assert types(catalog, memory_gib=Amount(32, or_more=False)) == ["m6i.2xlarge"]


def test_accelerators_go_by_any_name_and_an_exact_count(catalog):
    assert types(catalog, accelerators=Accelerators("a100-40GB", 8)) == ["a2-highgpu-8g"]


def test_the_market_is_on_demand_unless_asked_otherwise(catalog):
    assert types(catalog, market=Market.SPOT) == ["m6i.xlarge"]
    assert len(types(catalog, market=Market.ANY)) == 7


def test_providers_limit_the_choice(catalog):
    assert types(catalog, providers=frozenset({"gcp"})) == ["a2-highgpu-1g", "a2-highgpu-8g"]


def test_the_local_machine_is_not_sold_in_sizes_nor_markets(catalog):
    here = {"providers": frozenset({"local"}), "market": Market.SPOT}
    catalog = catalog.joined_by(HOST)
    assert types(catalog, cpus=Amount(4, or_more=False), **here) == ["this-machine"]
    assert types(catalog, memory_gib=Amount(16, or_more=False), **here) == ["this-machine"]
    assert "the most is 6 vCPUs" in refusal(catalog, cpus=Amount(8, or_more=False), **here).message


def test_an_accelerator_only_this_machine_has_can_be_asked_for_by_its_own_name(catalog):
    odd = replace(HOST, accelerators=Accelerators("NVIDIA GeForce RTX 9090", 1))
    asked = Accelerators("NVIDIA GeForce RTX 9090", 1)
    assert types(catalog.joined_by(odd), accelerators=asked) == ["this-machine"]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (
            {"accelerators": Accelerators("A100", 16)},
            "A100:16; the most in one machine of the catalog is A100:8; try nodes: 2 with A100:8 each",
        ),
        ({"accelerators": Accelerators("A100", 3)}, "A100:3; it comes as A100:1 or A100:8"),
        ({"accelerators": Accelerators("H100", 1)}, "H100:1; no machine with H100 is on sale"),
        ({"cpus": Amount(3, or_more=False)}, "3 vCPUs; the nearest are 2 and 4 vCPUs"),
        ({"cpus": Amount(1, or_more=False)}, "1 vCPUs; the nearest is 2 vCPUs"),
        ({"cpus": Amount(500, or_more=True)}, "500+ vCPUs; the most is 96 vCPUs"),
        ({"memory_gib": Amount(64, or_more=False)}, "64 GiB; the nearest are 32 and 85 GiB"),
        (
            {"accelerators": Accelerators("T4", 1), "market": Market.SPOT},
            "T4:1 and a spot price; with all else as asked, no machine with T4 is on sale; or it is sold only in the on-demand market",
        ),
        (
            {"accelerators": Accelerators("T4", 1), "providers": frozenset({"gcp"})},
            "T4:1 and a machine of gcp; with all else as asked, no machine with T4 is on sale; or only aws would have one",
        ),
        (
            {"accelerators": Accelerators("T4", 8), "cpus": Amount(500, or_more=True)},
            "T4:8 and 500+ vCPUs; with all else as asked, the most in one machine of the catalog is T4:1; try nodes: 8 with T4:1 each",
        ),
    ],
)
def test_the_nearest_misses_are_told(catalog, asked, message):
    assert refusal(catalog, **asked).message == f"job 'train' asks for {message}"


def test_an_exact_amount_comes_with_a_hint(catalog):
    assert refusal(catalog, cpus=Amount(3, or_more=False)).hint == "write 3+ for at least that much"
    assert refusal(catalog, cpus=Amount(500, or_more=True)).hint is None


def test_a_misspelt_accelerator_comes_with_a_suggestion(catalog):
    error = refusal(catalog, accelerators=Accelerators("A1000", 1))
    assert error.message == "job 'train' asks for A1000:1, an accelerator that no table knows"
    assert error.hint == "did you mean 'A100'?"


def test_an_unheard_of_accelerator_comes_with_what_is_on_sale(catalog):
    assert refusal(catalog, accelerators=Accelerators("flux-capacitor", 1)).hint == "known are A100 and T4"


def test_an_unknown_provider_is_told(catalog):
    error = refusal(catalog, providers=frozenset({"gpc", "aws"}))
    assert (
        error.message == "job 'train' may run on 'gpc', but offerings are known only of local, own, aws, gcp and azure"
    )
    assert error.hint == "did you mean 'gcp'?"
