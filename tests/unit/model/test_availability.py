"""What observations say, and how that fades."""

from datetime import UTC, datetime, timedelta

import pytest

from skyflow.model.availability import HALF_LIFE_DAYS, Observation, Outcome, estimate_availability

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def seen(outcome, *, days=0.0, seconds=None):
    return Observation(offering="o", at=NOW - timedelta(days=days), outcome=outcome, seconds=seconds)


def estimate(*observations):
    return estimate_availability(observations, now=NOW)


def test_nothing_is_said_of_what_nobody_tried():
    assert estimate() is None


def test_failures_lower_and_successes_raise_the_chance():
    failed = estimate(*[seen(Outcome.CAPACITY_ERROR)] * 3).available
    had = estimate(*[seen(Outcome.PROVISIONED, seconds=60)] * 3).available
    assert failed == pytest.approx(0.9 / 4)
    assert had == pytest.approx(3.9 / 4)
    assert 0 < failed < estimate(seen(Outcome.CAPACITY_ERROR)).available < had < 1


def test_an_observation_counts_half_after_its_half_life():
    fresh, old = estimate(seen(Outcome.CAPACITY_ERROR)), estimate(seen(Outcome.CAPACITY_ERROR, days=HALF_LIFE_DAYS))
    assert (fresh.weight, old.weight) == (1, 0.5)
    assert old.available == pytest.approx(0.9 / 1.5)
    ancient = estimate(seen(Outcome.CAPACITY_ERROR, days=300))
    assert ancient.available == pytest.approx(0.9)


def test_a_clock_that_went_back_does_not_make_an_observation_count_more():
    assert estimate(seen(Outcome.CAPACITY_ERROR, days=-5)).weight == 1


def test_interruptions_are_counted_per_hour_held():
    none = estimate(seen(Outcome.RELEASED, seconds=100 * 3600))
    often = estimate(*[seen(Outcome.PREEMPTED, seconds=3600)] * 10)
    assert none.interruptions_per_hour == pytest.approx(0.02 / 124)
    assert often.interruptions_per_hour == pytest.approx(10.02 / 34)


def test_provisioning_time_is_a_weighted_mean_of_those_that_were_had():
    found = estimate(
        seen(Outcome.PROVISIONED, seconds=100),
        seen(Outcome.PROVISIONED, seconds=40, days=HALF_LIFE_DAYS),
        seen(Outcome.CAPACITY_ERROR),
    )
    assert found.provisioning_seconds == pytest.approx((100 + 20) / 1.5)
    assert (found.observations, found.last_seen) == (3, NOW)
    assert estimate(seen(Outcome.PREEMPTED, seconds=5)).provisioning_seconds is None
