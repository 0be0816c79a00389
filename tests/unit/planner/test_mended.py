"""Earlier plans, mended: what is said to be the shortest run is it, and few jobs are looked at for that."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.planner.small import everything, problems

from skyflow.planner.bounds import mended as module
from skyflow.planner.bounds.mended import mended
from skyflow.planner.problem import Candidates, Edge, PlacementProblem
from skyflow.planner.schedule import evaluate


def never():
    return False


@settings(max_examples=200)
@given(problem=problems(), data=st.data())
def test_what_is_proven_is_the_shortest_run(problem, data):
    start = tuple(data.draw(st.integers(0, len(one) - 1)) for one in problem.candidates)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_SHARE", 1)
        found = mended(problem, start, is_late=never)
    least = min(one.makespan_seconds for one in everything(problem))
    if found is not None:
        choice, value = found
        assert evaluate(problem, choice).makespan_seconds == pytest.approx(value)
        assert value == pytest.approx(least)
        if evaluate(problem, start).makespan_seconds == least:
            assert choice == start


@pytest.fixture
def wide():
    """Twenty chains of three jobs each, every job a minute here and two minutes there, the first chain's twice that."""
    quick, slow = (
        Candidates.of([(0, 60.0, 1.0, 0.0), (1, 120.0, 0.5, 0.0)]),
        [(0, 120.0, 1.0, 0.0), (1, 240.0, 0.5, 0.0)],
    )
    chains = range(20)
    return PlacementProblem(
        jobs=tuple(f"{chain}-{step}" for chain in chains for step in range(3)),
        candidates=tuple(Candidates.of(slow) if not chain else quick for chain in chains for _ in range(3)),
        edges=tuple(
            Edge(2 * chain + step, 3 * chain + step, 3 * chain + step + 1, 1.0) for chain in chains for step in range(2)
        ),
        usd_per_gb=((0.0, 0.0), (0.0, 0.0)),
        seconds_per_gb=((0.0, 0.0), (0.0, 0.0)),
        grams_per_gb=((0.0, 0.0), (0.0, 0.0)),
    )


def test_only_jobs_on_the_longest_paths_are_moved(wide):
    start = (0, 1, 0) + (1,) * 57
    assert mended(wide, start, is_late=never) == ((0, 0, 0) + (1,) * 57, 360.0)


def test_a_plan_that_is_as_short_as_can_be_stays_though_its_longest_jobs_could_be_quicker(wide):
    bottleneck = replace(wide, candidates=(*wide.candidates[:-3], *[Candidates.of([(0, 240.0, 1.0, 0.0)])] * 3))
    start = (1, 1, 1) + (0,) * 57
    assert mended(bottleneck, start, is_late=never) == (start, 720.0)


def test_a_plan_of_which_most_must_be_looked_at_is_left_to_the_whole_search(wide):
    alike = replace(wide, candidates=(wide.candidates[-1],) * 60)
    assert mended(alike, (1,) * 60, is_late=never) is None


def test_no_time_leaves_the_question_open(wide):
    assert mended(wide, (0,) * 60, is_late=lambda: True) is None
