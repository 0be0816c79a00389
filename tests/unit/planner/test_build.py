"""From jobs and offerings to a problem."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from offerings import HOST, offering

from skyflow.errors import InternalError
from skyflow.model.catalog import LOCAL_PLACE, Place, TransferRates
from skyflow.model.footprint import Footprint
from skyflow.model.resources import Accelerators, Estimate, Market, Work
from skyflow.planner.build import build_problem
from skyflow.planner.estimates import DEFAULT_ESTIMATE_SECONDS, Knowledge, expected_timing
from skyflow.planner.jobs import OutsideData, PlanningJob, Pool

EAST = Place("aws", "us-east-1")
RATES = TransferRates(
    places=(EAST, LOCAL_PLACE), usd_per_gb=((0.0, 0.09), (0.0, 0.0)), seconds_per_gb=((0.8, 80.0), (80.0, 0.0))
)


@pytest.fixture
def machine(make_offering):
    return make_offering(EAST, "m6i.large", 0.1)


@pytest.fixture
def host(make_offering):
    return make_offering(LOCAL_PLACE, "this-machine", 0.0)


def built(*jobs, slots=1, **options):
    return build_problem(jobs, transfers=RATES, local_slots=slots, **options).placement


def estimated_seconds(estimate, offering):
    return expected_timing("a", estimate, offering, Knowledge()).seconds


def test_the_most_specific_estimate_wins(machine):
    gpu = replace(machine, instance_type="g5.xlarge", accelerators=Accelerators("A10G", 1))
    estimate = Estimate(seconds=100.0, on=(("aws", 50.0), ("a10g", 20.0), ("g5.xlarge", 10.0)))
    assert estimated_seconds(estimate, gpu) == 10.0
    assert estimated_seconds(replace(estimate, on=estimate.on[:2]), gpu) == 20.0
    assert estimated_seconds(estimate, machine) == 50.0
    assert estimated_seconds(estimate, replace(machine, provider="gcp")) == 100.0
    assert estimated_seconds(None, machine) == DEFAULT_ESTIMATE_SECONDS


def test_jobs_come_after_their_needs_and_otherwise_stay_in_order(host):
    jobs = [
        PlanningJob(key="report", candidates=(host,), needs=("test", "build")),
        PlanningJob(key="lint", candidates=(host,)),
        PlanningJob(key="test", candidates=(host,), needs=("build",), data_gb=(("build", 2.0),)),
        PlanningJob(key="build", candidates=(host,)),
    ]
    problem = built(*jobs)
    assert problem.jobs == ("lint", "build", "test", "report")
    assert [(edge.source, edge.target, edge.gigabytes) for edge in problem.edges] == [
        (1, 2, 2.0),
        (2, 3, 0.0),
        (1, 3, 0.0),
    ]


def test_candidates_come_cheapest_first_and_each_line_once(machine, host):
    dearer = replace(machine, instance_type="m6i.xlarge", price_usd_per_hour=0.2)
    problem = built(PlanningJob(key="a", candidates=(dearer, machine, host, machine)))
    assert problem.candidates[0].offerings == (host, machine, dearer)
    assert list(problem.candidates[0].place) == [1, 0, 0]
    assert problem.candidates[0].usd[2] == pytest.approx(0.2 * DEFAULT_ESTIMATE_SECONDS / 3600)


FOOTPRINTS = [
    None, Footprint(idle_watts=30.0, max_watts=90.0, pue=1.1, gco2_per_kwh=300.0),
    Footprint(idle_watts=10.0, max_watts=55.0, pue=1.2, gco2_per_kwh=20.0),
]  # fmt: skip
ESTIMATES = [
    None,
    Estimate(seconds=700.0, on=(("m3", 90.0), ("t4", 30.0))),
    Estimate(work=Work(core_hours=7.3, parallel_fraction=0.9), checkpoint_seconds=600.0),
    Estimate(work=Work(flops=1e15), recovery_seconds=40.0),
    Estimate(function="own:seconds"),
]
KNOWN = Knowledge(
    functions={"own:seconds": lambda one: 40.0 + one.memory_gib * one.price_usd_per_hour},
    peaks={"T4": 65e12},
    footprint=lambda one: one.footprint,
    interruptions=lambda one: len(one.instance_type) / 7,
    startup=lambda one: 40.0 if one.provider == "aws" else 0.0,
    curve=lambda one: one.vcpus % 3 - 1,
)
MACHINES = st.builds(
    offering, st.sampled_from(["aws", "local"]), instance_type=st.sampled_from(["m3.large", "m3.xlarge", "c5.large"]),
    market=st.sampled_from(Market), vcpus=st.integers(1, 4), memory_gib=st.sampled_from([1.0, 3.5]),
    price_usd_per_hour=st.sampled_from([0.02, 0.1, 0.3, 1.7]), footprint=st.sampled_from(FOOTPRINTS),
    accelerators=st.sampled_from([None, Accelerators("T4", 1), Accelerators("V100", 2)]),
)  # fmt: skip


@given(
    st.lists(
        st.builds(
            PlanningJob, key=st.uuids().map(str), candidates=st.lists(MACHINES, min_size=1, max_size=12).map(tuple),
            estimate=st.sampled_from(ESTIMATES), utilization=st.sampled_from([None, 0.9]),
        ),
        min_size=1, max_size=4,
    )
)  # fmt: skip
def test_many_candidates_have_the_figures_that_each_has_alone(jobs):
    places = (Place("aws", "us-east-1"), Place("local", "us-east-1"))
    rates = TransferRates(places=places, usd_per_gb=((0.0, 0.0),) * 2, seconds_per_gb=((0.0, 0.0),) * 2)
    pool = Pool(name="vCPUs", units=3, takes=lambda one: float(one.vcpus))
    problem = build_problem(jobs, transfers=rates, local_slots=1, knowledge=KNOWN, pools=[pool])
    for index, job in enumerate(problem.jobs):
        offered = {one.id: one for one in job.candidates}.values()
        timings = {
            one.id: expected_timing(job.key, job.estimate, one, KNOWN)
            for one in [one for one in offered if one.vcpus <= pool.units] or offered
        }
        rows = sorted(
            (
                one.price_usd_per_hour * timings[one.id].seconds / 3600, timings[one.id].seconds, one.id, places.index(one.place),
                one.footprint.gco2e(timings[one.id].seconds, job.utilization) if one.footprint else 0.0,
                timings[one.id].startup_seconds, KNOWN.curve(one),
            )
            for one in offered if one.id in timings
        )  # fmt: skip
        options = problem.placement.candidates[index]
        found = zip(
            options.usd, options.seconds, (one.id for one in options.offerings), options.place, options.grams,
            options.startup or [0.0] * len(options), options.curve or [-1] * len(options), strict=True,
        )  # fmt: skip
        assert list(map(repr, found)) == list(map(repr, rows))
        assert [problem.timing(index, k) for k in range(len(rows))] == [timings[row[2]] for row in rows]


def test_jobs_that_are_alike_share_their_candidates(host, machine):
    both = (host, machine)
    problem = built(*(PlanningJob(key=key, candidates=both) for key in "abc"))
    assert problem.candidates[0] is problem.candidates[1] is problem.candidates[2]


def test_data_from_outside_and_for_outside_are_jobs_that_cost_nothing(machine):
    data = (
        OutsideData(name="s3://raw", place=EAST, gigabytes=5.0),
        OutsideData(name="file:out", place=LOCAL_PLACE, gigabytes=1.0, is_output=True),
    )
    problem = built(PlanningJob(key="a", candidates=(machine,), outside=data))
    assert problem.jobs == ("s3://raw for a", "a", "file:out of a")
    assert [(edge.source, edge.target, edge.gigabytes) for edge in problem.edges] == [(0, 1, 5.0), (1, 2, 1.0)]
    assert [options.usd[0] for options in problem.candidates] == [0.0, pytest.approx(0.1 / 60), 0.0]


def test_a_pool_leaves_out_what_is_larger_than_itself(machine):
    larger = replace(machine, instance_type="m6i.8xlarge", vcpus=32)
    pool = Pool(name="vCPUs in aws us-east-1", units=8, takes=lambda one: float(one.vcpus))
    jobs = [PlanningJob(key=key, candidates=(machine, larger)) for key in "abc"]
    problem = built(*jobs, pools=[pool])
    assert problem.candidates[0].offerings == (machine,)
    [capacity] = problem.capacities
    assert (capacity.name, capacity.units, capacity.use(2, 0)) == ("vCPUs in aws us-east-1", 8, 4.0)


def test_only_the_local_machine_has_slots(host):
    jobs = [PlanningJob(key=key, candidates=(host,)) for key in "abcd"]
    [slots] = built(*jobs, slots=3).capacities
    assert (slots.name, slots.units) == ("slots of this machine", 3)
    assert not built(*jobs, slots=4).capacities  # nobody ever waits


@pytest.mark.parametrize(
    ("faulty", "message"),
    [
        ([{"key": "a"}, {"key": "a"}], "two jobs have the same key"),
        ([{"key": "a", "needs": ("b",)}], "job 'a' needs unknown jobs"),
        ([{"key": "a", "needs": ("b",)}, {"key": "b", "needs": ("a",)}], "jobs need each other"),
        ([{"key": "a", "candidates": ()}], "job 'a' has no candidate"),
        ([{"key": "a", "pinned_seconds": 1.0, "candidates": (HOST, HOST)}], "job 'a' is pinned, and has several"),
        ([{"key": "a", "data_gb": (("b", 1.0),)}, {"key": "b"}], "job 'a' takes data from"),
    ],
)
def test_a_caller_that_breaks_the_contract_is_told(host, faulty, message):
    jobs = [PlanningJob(**{"candidates": (host,), **fields}) for fields in faulty]
    with pytest.raises(InternalError, match=message):
        built(*jobs)


def test_a_place_without_rates_is_told(machine):
    with pytest.raises(InternalError, match="no transfer rates are known"):
        built(PlanningJob(key="a", candidates=(replace(machine, region="mars"),)))


def test_a_machine_without_slots_is_told(host):
    with pytest.raises(InternalError, match="0 jobs at once"):
        built(PlanningJob(key="a", candidates=(host,)), slots=0)
