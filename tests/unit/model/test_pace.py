"""The pace that a deadline asks of a job on spot machines: its rules by hand, and that it is never late by them."""

import math
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from offerings import offering

from skyflow.model.pace import Pace
from skyflow.model.resources import Market

PACE = Pace(
    begins_at=0.0,
    ends_at=2000.0,
    work_seconds=1000.0,
    overhead_seconds=10.0,
    checkpoint_seconds=50.0,
    spot=offering(market=Market.SPOT),
    on_demand=offering(),
)


def test_at_its_beginning_a_job_asks_for_a_spot_machine_once() -> None:
    assert PACE.patience(0.0, 1000.0) == 0.0


@pytest.mark.parametrize(
    ("now", "left", "patience"),
    [
        (300.0, 700.0, 300.0),  # what it has done is expected at 600
        (700.0, 700.0, 0.0),  # behind, and with time enough to try
        (1229.0, 700.0, 0.0),
        (1231.0, 700.0, None),  # 769 are left, less than 700 + 2 * 10 + 50
        (1500.0, 200.0, 100.0),
        (1930.0, 10.0, 30.0),  # ahead for 50 more, but of time to spare there are 30
        (1950.0, 20.0, None),  # what is lost is no more than what is left: 20 + 2 * 10 + 20
        (1930.0, 20.0, 10.0),
    ],
)
def test_a_job_waits_while_it_is_ahead_and_there_is_time_to_spare(
    now: float, left: float, patience: float | None
) -> None:
    assert PACE.patience(now, left) == patience


def test_on_demand_it_goes_on_until_it_is_ahead_by_the_reserve() -> None:
    # 300 are done at 700, where 350 are expected; after 170 it is 470 at 870, and 470 is expected at 870 + 70
    assert PACE.stint(700.0, 700.0) == 200.0, "to the next checkpoint after 170"
    assert PACE.stint(1200.0, 700.0) == math.inf, "with 100 to spare it could not go back to spot machines in time"
    assert PACE.stint(700.0, 100.0) == 50.0
    assert PACE.stint(1000.0, 50.0) == math.inf, "the end comes first"
    assert replace(PACE, checkpoint_seconds=0.0).stint(700.0, 700.0) == math.inf, "all would be lost"


def test_work_counts_up_to_the_last_checkpoint_of_each_machine() -> None:
    assert PACE.left_after([170.0, 49.0, -5.0]) == 1000.0 - 150.0
    assert PACE.left_after([5000.0]) == 0.0
    assert PACE.left_after([(0.3 + 50.0) - 0.3 - 1e-13]) == 950.0, "what rounding takes from a moment does not count"
    assert replace(PACE, checkpoint_seconds=0.0).left_after([500.0]) == 1000.0


def test_without_checkpoints_spot_machines_are_for_who_has_time_for_all_of_it_twice() -> None:
    fragile = replace(PACE, checkpoint_seconds=0.0)
    assert fragile.patience(0.0, 1000.0) is None
    assert replace(fragile, ends_at=2020.0).patience(0.0, 1000.0) == 0.0


def test_it_counts_from_when_the_run_began() -> None:
    assert PACE.shifted(100.0).patience(400.0, 700.0) == PACE.patience(300.0, 700.0)
    assert Pace.from_json(PACE.to_json()) == PACE


seconds = st.floats(1.0, 500.0)


@given(
    work=st.floats(1.0, 5000.0),
    slack=st.floats(0.0, 5000.0),
    overhead=st.floats(0.0, 200.0),
    checkpoint=st.floats(0.0, 2000.0).map(lambda every: every if every >= 20.0 else 0.0),
    world=st.lists(st.tuples(seconds, seconds, st.floats(0.0, 1.0)), min_size=1, max_size=12),
)
@example(work=1000.0, slack=70.0, overhead=10.0, checkpoint=50.0, world=[(1.0, 59.9, 1.0)])
@example(work=1000.0, slack=0.0, overhead=0.0, checkpoint=0.0, world=[(1.0, 1.0, 1.0)])
def test_a_job_that_would_be_in_time_on_demand_is_in_time(
    work: float, slack: float, overhead: float, checkpoint: float, world: list[tuple[float, float, float]]
) -> None:
    """Machines come after a wait, start within the overhead, and go, as `world` says over and over, at the worst of moments."""
    pace = replace(
        PACE,
        ends_at=work + overhead + slack,
        work_seconds=work,
        overhead_seconds=overhead,
        checkpoint_seconds=checkpoint,
    )
    now, left, done, turn = 0.0, work, [], 0
    while left > 0:
        wait, life, part = world[turn % len(world)]
        turn += 1
        believed, start = pace.left_after(done), overhead * part
        assert believed >= left - 1e-6, "never taken for further than it is"
        patience = pace.patience(now, believed)
        if patience is not None and wait <= patience:
            begun, until = now + wait, life
        else:
            begun = now + (patience or 0.0)
            until = start + pace.stint(begun + start, believed)
        worked = max(until - start, 0.0)
        if worked >= left:
            now, left = begun + start + left, 0.0
        else:
            done.append(until - start)
            now = begun + until
            left -= (worked + 1e-6) // checkpoint * checkpoint if checkpoint else 0.0
        assert now <= pace.ends_at + 1e-6
