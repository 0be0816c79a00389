"""From requirements to candidates, and what is said when there is none."""

from dataclasses import replace
from datetime import UTC, datetime
from operator import le

import pytest
from hypothesis import given
from hypothesis import strategies as st
from offerings import HOST

from skyflow.catalog import load_catalog, matching_offerings, select_candidates
from skyflow.errors import NoCandidateError
from skyflow.model.blocks import block_after
from skyflow.model.machines import FailureKind, Scope
from skyflow.model.resources import Accelerators, Alternatives, Amount, Limits, Market, Requirements

REGIONS = ("us-east-1", "eu-west-1", "us-central1", "europe-west4", "eastus")


@pytest.fixture(scope="module")
def shipped():
    return load_catalog()


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
    assert "the most is 8 vCPUs" in refusal(catalog, cpus=Amount(10, or_more=False), **here).message


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
            {"providers": frozenset({"own"})},
            "a machine of your own; only aws and gcp would have one",
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
    assert error.message == "job 'train' names 'gpc', but offerings are known only of local, own, aws, gcp and azure"
    assert error.hint == "did you mean 'gcp'?"


def candidates(catalog, *, seconds=None, by_power=False, **requirements):
    found = select_candidates(catalog, Requirements(**requirements), job="job", seconds=seconds, by_power=by_power)
    return [offering.instance_type for offering in found]


def test_of_each_place_and_market_only_the_cheapest_is_a_candidate(catalog):
    assert candidates(catalog) == ["m6i.large", "m6i.2xlarge", "a2-highgpu-1g", "a2-highgpu-8g"]
    assert candidates(catalog, market=Market.ANY)[0] == "m6i.xlarge"  # the only one on the spot market


def test_a_machine_on_which_the_job_is_faster_is_a_candidate_too(catalog):
    def on(**times):
        return lambda offering: times.get(offering.instance_type.partition(".")[0], 100.0)

    assert candidates(catalog, seconds=on()) == candidates(catalog)
    assert "g4dn.xlarge" in candidates(catalog, seconds=on(g4dn=10.0))
    assert "m6i.large" in candidates(catalog, seconds=on(g4dn=10.0))


def test_many_different_times_leave_what_nothing_beats_in_dollars_and_time(catalog):
    east = {"arch": "any", "limits": Limits(regions=frozenset({"us-east-1"})), "capabilities": frozenset()}
    times = {"m7g.large": 90, "m6i.large": 80, "m6i.xlarge": 50, "g4dn.xlarge": 60}
    kept = candidates(catalog, seconds=lambda one: times[one.instance_type], **east)
    assert kept == ["m7g.large", "m6i.large", "m6i.xlarge", "g4dn.xlarge"]  # few times: one machine of each
    with_front = candidates(catalog, seconds=lambda one: times[one.instance_type], by_power=True, **east)
    assert with_front == ["m7g.large", "m6i.large", "m6i.xlarge"]  # the last one is slower, dearer and draws more


def test_for_plans_that_count_carbon_a_dearer_machine_that_draws_less_is_kept(directory):
    path = directory / "aws/prices.csv"
    text = path.read_text(encoding="utf-8").replace("us-east-1,,m7g.large,0.08,", "us-east-1,,m7g.large,0.15,")
    path.write_text(text, encoding="utf-8")
    catalog = load_catalog(directory)
    asked = {"arch": "any", "providers": frozenset({"aws"}), "limits": Limits(regions=frozenset({"us-east-1"}))}
    assert candidates(catalog, **asked) == ["m6i.large"]
    assert candidates(catalog, **asked, by_power=True) == ["m6i.large", "m7g.large"]


@given(data=st.data())
def test_no_plan_loses_anything_by_the_selection(shipped, data):
    """Of all offerings that satisfy a job, none beats the candidate of its place, market and risk that stands for it."""
    asked = Requirements(
        cpus=data.draw(st.none() | st.builds(Amount, st.sampled_from([2, 4, 16, 96]), st.booleans())),
        memory_gib=data.draw(st.none() | st.builds(Amount, st.integers(1, 600), or_more=st.just(value=True))),
        market=data.draw(st.sampled_from(Market)),
        accelerators=data.draw(
            st.none() | st.builds(Accelerators, st.sampled_from(["T4", "A100", "H100"]), st.just(1))
        ),
        limits=Limits(regions=frozenset(data.draw(st.sets(st.sampled_from(REGIONS), min_size=1, max_size=2)))),
    )
    factors = data.draw(st.none() | st.lists(st.integers(1, 40), min_size=1, max_size=20))
    by_power = data.draw(st.booleans())

    def seconds(offering):
        return 100.0 if factors is None else 10.0 * factors[sum(map(ord, offering.instance_type)) % len(factors)]

    def figures(offering):
        time = seconds(offering)
        watts = offering.footprint.watts() if offering.footprint else float("inf")
        return offering.price_usd_per_hour * time, time, watts * time if by_power else 0.0

    every = matching_offerings(shipped, asked, job="job")
    try:
        chosen = select_candidates(
            shipped, asked, job="job", seconds=None if factors is None else seconds, by_power=by_power
        )
    except NoCandidateError:
        assert every == []
        return
    assert {one.id for one in chosen} <= {one.id for one in every}
    for one in every:
        rivals = (
            other
            for other in chosen
            if (other.provider, other.region, other.market, other.interruption)
            == (one.provider, one.region, one.market, one.interruption)
            and other.zone in {"", one.zone}
        )
        mine = figures(one)
        assert any(all(map(le, figures(other), (m + 1e-9 for m in mine))) for other in rivals), one.id


def test_an_architecture_is_taken_only_where_it_is_asked_for(catalog):
    assert "m7g.large" not in types(catalog)
    assert types(catalog, arch="arm64") == ["m7g.large"]
    assert "m7g.large" in types(catalog, arch="any")


def test_burstable_machines_are_taken_only_where_they_are_asked_for(catalog):
    assert "t3.large" not in types(catalog)
    assert types(catalog, capabilities=frozenset({"burstable"})) == ["t3.large"]


def test_a_slice_of_a_device_is_taken_only_where_it_is_asked_for(catalog):
    assert "g4x.small" not in types(catalog)
    assert types(catalog, accelerators=Accelerators("T4", 0.5)) == ["g4x.small"]


def test_an_instance_type_is_taken_whatever_it_is(catalog):
    assert types(catalog, instance_types=frozenset({"M7G.large", "t3.large"})) == ["t3.large", "m7g.large"]
    assert refusal(catalog, instance_types=frozenset({"m6i.lrage"})).hint == "did you mean 'm6i.large'?"


def test_a_closed_part_of_a_cloud_is_entered_only_by_its_name(catalog):
    assert types(catalog, cpus=Amount(2, or_more=False)) == ["m6i.large"]
    gov = Limits(partitions=frozenset({"aws-us-gov"}))
    assert types(catalog, limits=gov) == ["m6i.large"]
    assert types(catalog, limits=Limits(regions=frozenset({"us-gov-west-1"}))) == ["m6i.large"]


@pytest.mark.parametrize(
    ("limits", "found"),
    [
        (Limits(jurisdictions=frozenset({"EU"})), ["m6i.2xlarge"]),
        (Limits(jurisdictions=frozenset({"EU-adequate"})), ["m6i.2xlarge"]),
        (Limits(countries=frozenset({"IE"})), ["m6i.2xlarge"]),
        (Limits(regions=frozenset({"eu-west-1"})), ["m6i.2xlarge"]),
        (Limits(zones=frozenset({"us-central1-b"})), ["a2-highgpu-8g"]),
        (Limits(jurisdictions=frozenset({"EU", "US"})), None),
    ],
)
def test_residency_limits_where_a_job_may_run(catalog, limits, found):
    assert types(catalog, limits=limits) == (found or types(catalog))


def test_this_machine_is_in_no_country_that_anybody_knows(catalog):
    here = catalog.joined_by(HOST)
    assert "this-machine" in types(here)
    assert types(here, limits=Limits(jurisdictions=frozenset({"EU"}))) == ["m6i.2xlarge"]


@pytest.mark.parametrize(
    ("asked", "hint"),
    [
        ({"limits": Limits(regions=frozenset({"eu-west-2"}))}, "did you mean 'eu-west-1'?"),
        ({"limits": Limits(jurisdictions=frozenset({"EUU"}))}, "did you mean 'EU'?"),
        ({"limits": Limits(countries=frozenset({"XX"}))}, "known are IE and US"),
        ({"capabilities": frozenset({"tpus"})}, "did you mean 'tpu'?"),
        ({"arch": "arm64", "cpus": Amount(8, or_more=True)}, None),
        ({"cpus": Amount(3, or_more=False), "accelerators": Accelerators("T4", 0.25)}, None),
    ],
)
def test_what_nobody_knows_comes_with_what_is_near(catalog, asked, hint):
    assert refusal(catalog, **asked).hint == hint


def test_where_only_a_default_is_in_the_way_the_hint_says_how_to_lift_it(catalog):
    error = refusal(catalog, cpus=Amount(2, or_more=False), limits=Limits(zones=frozenset({"us-central1-a"})))
    assert "the nearest is 12 vCPUs" in error.message
    burst = Requirements(cpus=Amount(2, or_more=False), accelerators=Accelerators("T4", 0.5), arch="arm64")
    with pytest.raises(NoCandidateError, match="only x86_64 would have one"):
        select_candidates(catalog, burst, job="job")


def test_alternatives_in_order_are_looked_at_one_after_the_other(catalog):
    a100, t4, h100 = Accelerators("A100", 1), Accelerators("T4", 1), Accelerators("H100", 1)
    assert candidates(catalog, accelerators=Alternatives((h100, a100, t4), in_order=True)) == ["a2-highgpu-1g"]
    assert candidates(catalog, accelerators=Alternatives((h100, a100, t4), in_order=False)) == [
        "g4dn.xlarge",
        "a2-highgpu-1g",
    ]
    error = refusal(catalog, accelerators=Alternatives((h100, Accelerators("T4", 2)), in_order=True))
    assert error.message.startswith("job 'train' asks for H100:1 or T4:2; ")


def test_of_several_spot_machines_some_are_bought_on_demand(catalog):
    asked = Requirements(nodes=4, min_on_demand=1, market=Market.SPOT, cpus=Amount(4, or_more=False))
    mixed = select_candidates(catalog, asked, job="job")
    assert mixed
    for bundle in mixed:
        first, *others = (bundle.machine(rank) for rank in range(4))
        assert first.market is Market.ON_DEMAND
        assert {each.market for each in others} == {Market.SPOT}
        assert first.price_usd_per_hour > others[0].price_usd_per_hour
        assert sum(each.price_usd_per_hour for each in (first, *others)) == pytest.approx(bundle.price_usd_per_hour)
        assert bundle.spot_nodes == 3
    all_of_them = select_candidates(catalog, replace(asked, min_on_demand=4), job="job")
    assert {bundle.market for bundle in all_of_them} == {Market.ON_DEMAND}


def test_the_best_mixture_is_found_although_its_spot_machine_is_not_the_cheapest(shipped):
    asked = Requirements(
        nodes=2, min_on_demand=1, market=Market.SPOT, cpus=Amount(8, or_more=True),
        providers=frozenset({"aws"}), limits=Limits(regions=frozenset({"us-east-1"})),
    )  # fmt: skip
    by_place = {}
    for bundle in select_candidates(shipped, asked, job="job", every=True):
        place = bundle.place, bundle.interruption
        by_place[place] = min(by_place.get(place, bundle.price_usd_per_hour), bundle.price_usd_per_hour)
    best = select_candidates(shipped, asked, job="job")
    assert {(one.place, one.interruption): one.price_usd_per_hour for one in best} == pytest.approx(by_place)


def test_what_blocks_the_machines_on_demand_blocks_the_mixture(catalog):
    asked = Requirements(nodes=2, min_on_demand=1, market=Market.SPOT, cpus=Amount(4, or_more=False))
    [first, *_] = select_candidates(catalog, asked, job="job")
    block = block_after(first.machine(0), FailureKind.CAPACITY, Scope.REGION, datetime(2026, 1, 1, tzinfo=UTC))
    with pytest.raises(NoCandidateError, match="refused a short while ago"):
        select_candidates(catalog, asked, job="job", blocks=[block])


def test_where_everything_was_refused_that_is_said(catalog):
    asked = Requirements(cpus=Amount(4, or_more=False))
    blocks = [
        block_after(one, FailureKind.CAPACITY, Scope.REGION, datetime(2026, 1, 1, tzinfo=UTC))
        for one in select_candidates(catalog, asked, job="job", every=True)
    ]
    with pytest.raises(NoCandidateError, match="refused a short while ago"):
        select_candidates(catalog, asked, job="job", blocks=blocks)


def test_several_nodes_are_bought_together(catalog):
    [two, *_] = select_candidates(catalog, Requirements(nodes=2, cpus=Amount(4, or_more=False)), job="job")
    assert (two.nodes, two.price_usd_per_hour, two.footprint.idle_watts) == (2, 2 * 0.192, 24)
    [alike, *_] = select_candidates(catalog, Requirements(nodes=2, cpus=Amount(3, or_more=True)), job="other")
    assert alike is two, "jobs that buy alike are looked at together"
    assert types(catalog.joined_by(HOST), providers=frozenset({"local"}), nodes=2) == []


def test_capabilities_must_all_be_there(catalog):
    assert types(catalog, capabilities=frozenset({"local-ssd", "gpu"})) == ["g4dn.xlarge"]
    error = refusal(catalog, capabilities=frozenset({"confidential"}))
    assert error.message == "job 'train' asks for confidential; no machine like that is described as 'confidential'"


def test_what_is_not_to_be_had_is_left_out_before_the_best_are_chosen(catalog):
    """The next best machine of the place takes its turn, which is no candidate otherwise."""
    asked = Requirements(providers=frozenset({"aws"}))
    [first, *_] = select_candidates(catalog, asked, job="job")
    block = block_after(first, FailureKind.CAPACITY, Scope.REGION, datetime(2026, 1, 1, tzinfo=UTC))
    left = select_candidates(catalog, asked, job="job", blocks=[block])
    assert [one for one in left if one.region == first.region]
    assert not any(block.covers(one, image=None) for one in left)
    everything = matching_offerings(catalog, asked, job="job")
    blocks = [block_after(one, FailureKind.CAPACITY, Scope.REGION, block.ends_at) for one in everything]
    with pytest.raises(NoCandidateError):
        select_candidates(catalog, asked, job="job", blocks=blocks)
