"""How long a job takes: which source counts, and what interruptions add."""

import math
import random
from dataclasses import replace

import pytest

from skyflow.model.catalog import Place
from skyflow.model.resources import Accelerators, Estimate, Market, Work
from skyflow.planner.estimates import Knowledge, Past, expected_timing, with_interruptions

EAST = Place("aws", "us-east-1")
PAST = Past(runs=7, median_seconds=100.0, low_seconds=90.0, high_seconds=110.0)
ONCE_ELSEWHERE = replace(PAST, runs=1, is_of_this_kind=False)
KNOWLEDGE = Knowledge(
    past=lambda job, _: {"seen": PAST, "seen elsewhere": ONCE_ELSEWHERE}.get(job),
    functions={"m:f": lambda offering: 10.0 * offering.vcpus},
    peaks={"A100": 312e12},
)


@pytest.fixture
def machine(make_offering):
    return make_offering(EAST, "p4d.24xlarge", 30.0)


@pytest.fixture
def gpu(machine):
    return replace(machine, accelerators=Accelerators("A100", 8))


def seconds(estimate, offering, job="unseen"):
    return expected_timing(job, estimate, offering, KNOWLEDGE).seconds


def test_sources_count_in_the_documented_order(machine):
    everything = Estimate(seconds=1.0, on=(("p4d", 2.0),), function="m:f", work=Work(core_hours=1.0), from_history=True)
    no_table = replace(everything, on=())
    no_function = replace(no_table, function=None)
    no_work = replace(no_function, work=None)
    assert seconds(everything, machine) == 2.0
    assert seconds(no_table, machine) == 40.0
    assert seconds(no_function, machine) == 900.0
    assert seconds(no_work, machine, "seen") == 100.0
    assert seconds(no_work, machine) == 1.0
    assert seconds(Estimate(from_history=True), machine) == 60.0
    assert seconds(None, machine) == 60.0


def test_a_family_stands_between_its_type_and_the_accelerator(gpu):
    table = (("aws", 4.0), ("a100", 3.0), ("P4D", 2.0), ("p4d.24xlarge", 1.0))
    assert [seconds(Estimate(on=table[:count]), gpu) for count in (1, 2, 3, 4)] == [4.0, 3.0, 2.0, 1.0]


def test_a_timing_says_where_it_comes_from(machine):
    def source(estimate, job="unseen"):
        timing = expected_timing(job, estimate, machine, KNOWLEDGE)
        return timing.source, timing.is_assumed

    assert source(None) == ("assumed", True)
    assert source(Estimate(from_history=True)) == ("assumed", True)
    assert source(Estimate(from_history=True), "seen") == ("median of 7 runs, ±10%", False)
    assert source(Estimate(from_history=True), "seen elsewhere") == ("as in 1 run on other machines", False)
    assert source(Estimate(on=(("aws", 5.0),))) == ("given for aws", False)
    assert source(Estimate(seconds=5.0)) == ("given", False)


def test_work_is_divided_by_what_the_machine_can_do(machine, gpu):
    flops = Work(flops=3e18, utilization=0.4)
    assert seconds(Estimate(work=flops), gpu) == pytest.approx(3e18 / (0.4 * 8 * 312e12))
    assert seconds(Estimate(work=flops), machine) == pytest.approx(3e18 / (0.4 * 4 * 32e9))
    unknown = replace(gpu, accelerators=Accelerators("Abacus", 1))
    assert seconds(Estimate(work=flops, seconds=7.0), unknown) == 7.0
    assert seconds(Estimate(work=flops), unknown) == math.inf
    amdahl = Work(core_hours=10.0, parallel_fraction=0.8)
    assert seconds(Estimate(work=amdahl), machine) == pytest.approx(36000 * (0.2 + 0.8 / 4))


def simulated(work, rate, stretch, recovery, rng):
    """One run of a job that loses a machine now and then, second by second of its own clock."""
    elapsed, left = 0.0, work
    while left > 0:
        piece = min(stretch, left)
        until = rng.expovariate(rate)
        if until < piece:
            elapsed += until + recovery
        else:
            elapsed += piece
            left -= piece
    return elapsed


def test_expected_interruptions_are_those_of_a_simulation():
    rng = random.Random(1)
    work, rate, stretch, recovery = 7200.0, 1 / 3600, 600.0, 120.0
    runs = [simulated(work, rate, stretch, recovery, rng) for _ in range(4000)]
    expected = with_interruptions(work, rate=rate, stretch=stretch, recovery=recovery)
    assert sum(runs) / len(runs) == pytest.approx(expected, rel=0.02)


def test_checkpoints_make_spot_machines_bearable(machine):
    spot = replace(machine, market=Market.SPOT)
    known = Knowledge(interruptions=lambda _: 0.5)
    job = Estimate(seconds=36000.0)
    saved = replace(job, checkpoint_seconds=600.0)
    assert expected_timing("a", job, machine, known).seconds == 36000.0
    without, with_them = (expected_timing("a", one, spot, known).seconds for one in (job, saved))
    assert without > 10 * 36000 > with_them > 36000
    assert expected_timing("a", saved, spot, known).busy_seconds == 36000.0
    assert with_interruptions(1e9, rate=1.0, stretch=None, recovery=0.0) == math.inf
    assert with_interruptions(0.0, rate=1.0, stretch=None, recovery=0.0) == 0.0
