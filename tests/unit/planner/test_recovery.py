"""What follows when a spot machine is taken away: the expectation, checked by hand."""

import math
from dataclasses import replace

import pytest
from offerings import offering

from skyflow.model.catalog import LOCAL_PLACE, Place, TransferRates
from skyflow.model.objective import Goal, Objective
from skyflow.model.placement import Plan
from skyflow.model.recovery import RecoverySpec, RecoveryStrategy
from skyflow.model.resources import Estimate, Market
from skyflow.planner import Limits, PlanningJob
from skyflow.planner.plan import plan_jobs
from skyflow.planner.recovery import OUTAGE_SECONDS, chance_within

EAST, WEST = Place("aws", "us-east-1"), Place("gcp", "us-west1")
HERE = offering(market=Market.SPOT, price_usd_per_hour=1.0)
THERE = offering("gcp", "us-west1", instance_type="n2-standard-4", market=Market.SPOT, price_usd_per_hour=1.2)
HOUR = Estimate(seconds=3600.0)
RATES = TransferRates(
    places=(LOCAL_PLACE, EAST, WEST),
    usd_per_gb=((0.0, 0.0, 0.0), (0.09, 0.0, 0.09), (0.12, 0.12, 0.0)),
    seconds_per_gb=((0.0, 80.0, 80.0), (80.0, 0.8, 8.0), (80.0, 8.0, 0.8)),
)


def planned(*jobs: PlanningJob, objective: Objective | Goal = Objective.COST, **more: object) -> Plan:
    return plan_jobs(jobs, transfers=RATES, objective=objective, local_slots=1, clock=lambda: 0.0, **more)


def job(*candidates, estimate: Estimate = HOUR, **more: object) -> PlanningJob:
    return PlanningJob(key="train", candidates=candidates, estimate=estimate, **more)


def recovery(plan: Plan):
    found = plan.placement("train").recovery
    assert found is not None
    return found


def test_half_of_the_outages_of_the_traces_are_over_after_their_median() -> None:
    assert chance_within(19.5 * 60) == pytest.approx(0.5)
    assert chance_within(0.0) == 0.0


def test_without_checkpoints_all_is_done_again_and_with_them_half_and_half_an_interval() -> None:
    found = recovery(planned(job(HERE, THERE)))
    assert (found.move.usd, found.move.seconds) == pytest.approx((1.2, 3600.0))
    found = recovery(planned(job(HERE, THERE, estimate=replace(HOUR, checkpoint_seconds=600.0))))
    assert found.move.seconds == pytest.approx(1800.0 + 300.0)
    assert found.move.usd == pytest.approx(1.2 * 2100 / 3600)


def test_waiting_is_the_mean_of_both_ends_after_the_mean_wait() -> None:
    found = recovery(planned(job(HERE, THERE)))
    chance = 1 - math.exp(-900 / OUTAGE_SECONDS)
    assert found.chance == pytest.approx(chance)
    assert found.wait.usd == pytest.approx(chance * 1.0 + (1 - chance) * 1.2)
    assert found.wait.seconds == pytest.approx(OUTAGE_SECONDS * chance + 3600.0)


@pytest.mark.parametrize(
    ("price", "objective", "strategy"),
    [
        (1.2, Objective.COST, RecoveryStrategy.EAGER),  # waiting saves $0.08, and takes 12 minutes that are worth $0.19
        (3.0, Objective.COST, RecoveryStrategy.WAIT),
        (3.0, Objective.MAKESPAN, RecoveryStrategy.EAGER),
        (3.0, Goal.weighted(cost=1.0, usd_per_tonne=0.0, usd_per_hour=0.5), RecoveryStrategy.WAIT),
        (3.0, Goal.weighted(cost=1.0, usd_per_tonne=0.0, usd_per_hour=10.0), RecoveryStrategy.EAGER),
    ],
)
def test_the_goal_of_the_plan_decides(price: float, objective: Objective | Goal, strategy: RecoveryStrategy) -> None:
    found = recovery(planned(job(HERE, replace(THERE, price_usd_per_hour=price)), objective=objective))
    assert found.strategy is strategy
    assert found.wait_seconds == (900.0 if strategy is RecoveryStrategy.WAIT else 0.0)


def test_a_plan_for_cost_does_not_move_to_where_the_job_takes_for_ever() -> None:
    slow = replace(THERE, instance_type="slow", price_usd_per_hour=0.1)
    estimate = Estimate(seconds=3600.0, on=(("slow", 40_000.0),))
    found = recovery(planned(job(HERE, slow, THERE, estimate=estimate)))
    assert found.elsewhere == THERE


def test_data_that_would_have_to_follow_counts() -> None:
    source = PlanningJob(key="source", candidates=(offering(),), estimate=Estimate(seconds=60.0))
    found = recovery(planned(source, job(HERE, THERE, needs=("source",), data_gb=(("source", 20.0),))))
    assert found.move.usd == pytest.approx(1.2 + 20 * 0.09)
    assert found.move.seconds == pytest.approx(3600.0 + 20 * 8.0)
    assert found.strategy is RecoveryStrategy.WAIT


def test_a_deadline_leaves_no_more_time_to_wait_than_the_plan_is_before_it() -> None:
    dear = replace(THERE, price_usd_per_hour=9.0)
    found = recovery(planned(job(HERE, dear), limits=Limits(seconds=3600.0 + 300.0)))
    assert (found.strategy, found.wait_seconds) == (RecoveryStrategy.WAIT, pytest.approx(300.0))
    found = recovery(planned(job(HERE, dear), limits=Limits(seconds=3600.0)))
    assert found.strategy is RecoveryStrategy.EAGER


def test_what_the_workflow_says_holds() -> None:
    asked = RecoverySpec(strategy=RecoveryStrategy.WAIT, wait_seconds=60.0)
    found = recovery(planned(job(HERE, THERE, recovery=asked), objective=Objective.MAKESPAN))
    assert (found.strategy, found.wait_seconds, found.is_asked) == (RecoveryStrategy.WAIT, 60.0, True)
    eager = RecoverySpec(strategy=RecoveryStrategy.EAGER)
    found = recovery(planned(job(HERE, replace(THERE, price_usd_per_hour=9.0), recovery=eager)))
    assert found.strategy is RecoveryStrategy.EAGER


def test_where_there_is_no_other_place_waiting_is_all_there_is() -> None:
    found = recovery(planned(job(HERE)))
    assert (found.strategy, found.move, found.elsewhere) == (RecoveryStrategy.WAIT, None, None)


def test_another_type_or_market_of_the_same_region_is_elsewhere() -> None:
    firm = replace(HERE, market=Market.ON_DEMAND, price_usd_per_hour=2.0)
    assert recovery(planned(job(HERE, firm))).elsewhere == firm


def test_a_job_that_recovers_by_the_deadline_has_a_pace() -> None:
    on_demand = replace(HERE, market=Market.ON_DEMAND, price_usd_per_hour=2.0)
    dearer = replace(on_demand, instance_type="other", price_usd_per_hour=1.9)
    spec = RecoverySpec(strategy=RecoveryStrategy.DEADLINE)
    estimate = replace(HOUR, checkpoint_seconds=600.0, recovery_seconds=300.0)
    source = PlanningJob(key="source", candidates=(offering(),), estimate=Estimate(seconds=60.0))
    sink = PlanningJob(key="sink", candidates=(offering(),), estimate=Estimate(seconds=120.0), needs=("train",))
    train = job(HERE, THERE, dearer, on_demand, estimate=estimate, recovery=spec, needs=("source",))
    plan = planned(source, train, sink, limits=Limits(seconds=7200.0))
    pace = recovery(plan).kept_pace
    assert (pace.begins_at, pace.ends_at) == (60.0, 7200.0 - 120.0), "those before and after it have their time"
    assert (pace.work_seconds, pace.overhead_seconds, pace.checkpoint_seconds) == (3600.0, 300.0, 600.0)
    assert (pace.spot, pace.on_demand) == (HERE, on_demand), "the same machine, for others may be slower"
    assert Plan.from_json(plan.to_json()).placements == plan.placements
    moved = plan.moving("train", pace.on_demand)
    assert moved.placement("train").compute_usd == pytest.approx(2.0)
    again = job(on_demand, pinned_seconds=1800.0, estimate=estimate, recovery=spec)
    assert recovery(planned(again, before=moved)).kept_pace == pace, "also while it is on demand"


def test_who_cannot_keep_a_pace_waits() -> None:
    spec = RecoverySpec(strategy=RecoveryStrategy.DEADLINE)
    on_demand = replace(HERE, market=Market.ON_DEMAND, price_usd_per_hour=2.0)
    for candidates, limits in (((HERE, on_demand), Limits()), ((HERE, THERE), Limits(seconds=9000.0))):
        found = recovery(planned(job(*candidates, recovery=spec), limits=limits))
        assert (found.strategy, found.kept_pace) == (RecoveryStrategy.WAIT, None)
        with pytest.raises(ValueError, match="no pace"):
            found.by(RecoveryStrategy.DEADLINE)


def test_the_rest_of_a_run_keeps_the_pace_of_before() -> None:
    on_demand = replace(HERE, market=Market.ON_DEMAND, price_usd_per_hour=2.0)
    spec = RecoverySpec(strategy=RecoveryStrategy.DEADLINE)
    before = planned(job(HERE, on_demand, recovery=spec), limits=Limits(seconds=9000.0))
    after = planned(job(HERE, on_demand, recovery=spec), limits=Limits(seconds=8000.0), before=before)
    assert recovery(after.keeping_pace(before, 1000.0)).pace == recovery(before).pace
    other = replace(before, placements=())
    assert recovery(after.keeping_pace(other, 1000.0)).pace == recovery(after).pace.shifted(1000.0)


def test_a_job_that_runs_keeps_what_was_planned_and_others_have_nothing() -> None:
    before = planned(job(HERE, THERE))
    pinned = job(HERE, pinned_seconds=1800.0)
    assert recovery(planned(pinned, before=before)) == recovery(before)
    assert planned(job(offering())).placement("train").recovery is None


def test_a_plan_is_read_back_as_it_was() -> None:
    plan = planned(job(HERE, THERE, estimate=replace(HOUR, checkpoint_seconds=600.0)))
    assert Plan.from_json(plan.to_json()).placements == plan.placements
    assert recovery(plan.recovering(RecoveryStrategy.WAIT)).wait_seconds == 900.0
