"""Candidates that others always beat: without them the best within all limits is as good, and there is one as often."""

import math
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.planner.small import everything, problems

from skyflow.model.objective import Goal, Objective
from skyflow.planner.bounds.dominance import undominated
from skyflow.planner.bounds.network import Columns, Network
from skyflow.planner.problem import Candidates, Edge, Limits, PlacementProblem

COST, CARBON, MAKESPAN = (Goal.of(one) for one in (Objective.COST, Objective.CARBON, Objective.MAKESPAN))
GOALS = (
    COST,
    CARBON,
    MAKESPAN,
    Goal.weighted(cost=1.0, usd_per_tonne=4000.0, usd_per_hour=0.0),
    Goal.weighted(cost=1.0, usd_per_tonne=0.0, usd_per_hour=4.0),
    Goal.weighted(cost=0.0, usd_per_tonne=2000.0, usd_per_hour=1.0),
    Goal.weighted(cost=1.0, usd_per_tonne=2000.0, usd_per_hour=2.0),
)


def kept(problem, goal, limits=None):
    """Return the indices of each job's candidates that no other one always beats."""
    network = Network(problem, [Columns.of(candidates) for candidates in problem.candidates])
    return [
        columns.index.tolist()
        for columns in undominated(network, goal, limits or Limits(), is_late=lambda: False).columns
    ]


@st.composite
def some_limits(draw, found):
    """Limits that are the figures of some choice each, so that they are just kept or missed together."""

    def limit(name):
        values = sorted(getattr(one, name) for one in found)
        at = draw(st.none() | st.floats(0, 1))
        return None if at is None else values[int(at * (len(values) - 1))]

    return Limits(usd=limit("usd"), grams=limit("grams"), seconds=limit("makespan_seconds"))


@pytest.mark.parametrize("goal", GOALS)
@settings(max_examples=40)
@given(problem=problems(max_jobs=3), data=st.data())
def test_the_best_within_the_limits_is_as_good_without_them(goal, problem, data):
    found = dict(zip(product(*(range(len(one)) for one in problem.candidates)), everything(problem), strict=True))
    limits = data.draw(some_limits(found.values()))
    limited = problem.limited_by(limits)

    def best(choices):
        return min((found[one].value(goal) for one in choices if not found[one].exceeded(limited)), default=math.inf)

    assert best(product(*kept(problem, goal, limits))) == pytest.approx(best(found), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("goal", GOALS)
@given(problem=problems(), data=st.data())
@settings(max_examples=20)
def test_of_equals_the_first_stays(goal, problem, data):
    limits = data.draw(st.sampled_from([Limits(), Limits(usd=2.0), Limits(grams=200.0, seconds=1000.0)]))
    twice = tuple(one.only([*range(len(one))] * 2) for one in problem.candidates)
    doubled = PlacementProblem(**{**vars(problem), "candidates": twice})
    assert kept(doubled, goal, limits) == kept(problem, goal, limits)


def between(*, far, candidates, edges):
    """Return a problem of two places; what moves between them costs, takes and emits so much per gigabyte."""
    usd, seconds, grams = (((0.0, value), (value, 0.0)) for value in far)
    return PlacementProblem(
        jobs=tuple(f"job-{j}" for j in range(len(candidates))),
        candidates=tuple(Candidates.of(rows) for rows in candidates),
        edges=tuple(Edge(e, u, v, gigabytes) for e, (u, v, gigabytes) in enumerate(edges)),
        usd_per_gb=usd,
        seconds_per_gb=seconds,
        grams_per_gb=grams,
    )


HERE = [(0, 100.0, 1.0, 10.0)]
CHEAPER_THERE = [(0, 100.0, 1.0, 10.0), (1, 100.0, 0.5, 10.0)]


@pytest.mark.parametrize(("gigabytes", "first"), [(10.0, [0, 1]), (5.0, [1])])
def test_what_is_cheaper_elsewhere_beats_where_it_saves_more_than_its_egress_costs(gigabytes, first):
    def left(candidates):
        return kept(between(far=(0.09, 0.0, 0.0), candidates=candidates, edges=[(0, 1, gigabytes)]), COST)

    assert left([CHEAPER_THERE, HERE]) == [first, [0]]
    assert left([HERE, CHEAPER_THERE]) == [[0], first]


def test_only_moves_to_where_a_job_can_run_count():
    one_way = between(far=(0.0, 0.0, 0.0), candidates=[CHEAPER_THERE, HERE], edges=[(0, 1, 10.0)])
    for usd_per_gb, first in ((((0.0, 9.0), (0.0, 0.0)), [1]), (((0.0, 0.0), (9.0, 0.0)), [0, 1])):
        assert kept(PlacementProblem(**{**vars(one_way), "usd_per_gb": usd_per_gb}), COST)[0] == first
    unused = ((0.0, 0.0, 0.0), (0.0, 0.0, 9.0), (0.0, 0.0, 0.0))
    nothing = ((0.0,) * 3,) * 3
    three = {**vars(one_way), "usd_per_gb": unused, "seconds_per_gb": nothing, "grams_per_gb": nothing}
    assert kept(PlacementProblem(**three), COST)[0] == [1]


def test_dollars_are_paid_for_all_data_and_seconds_are_waited_for_the_longest_only():
    def left(goal):
        cheaper_and_sooner = [(0, 100.0, 1.0, 10.0), (1, 50.0, 0.5, 10.0)]
        candidates, edges = [HERE, HERE, cheaper_and_sooner], [(0, 2, 5.0), (1, 2, 5.0)]
        return kept(between(far=(0.09, 8.0, 0.0), candidates=candidates, edges=edges), goal)[2]

    assert left(COST) == [0, 1]  # 0.90 USD more to save 0.50 USD
    assert left(MAKESPAN) == [1]  # 40 seconds more to save 50


def test_a_figure_counts_when_it_is_in_the_goal_or_has_a_limit():
    fastest, cheapest, cleanest = (0, 50.0, 2.0, 20.0), (0, 200.0, 0.5, 20.0), (0, 200.0, 2.0, 10.0)
    beaten = (0, 200.0, 2.0, 20.0)
    problem = between(far=(0.0, 0.0, 0.0), candidates=[[beaten, fastest, cheapest, cleanest]], edges=[])
    assert kept(problem, MAKESPAN) == [[1]]
    assert kept(problem, COST) == [[2]]
    assert kept(problem, CARBON) == [[3]]
    assert kept(problem, COST, Limits(seconds=100.0)) == [[1, 2]]
    assert kept(problem, MAKESPAN, Limits(grams=15.0)) == [[1, 3]]
    assert kept(problem, CARBON, Limits(usd=1.0, seconds=100.0)) == [[1, 2, 3]]


NOWHERE = ((0.0, 0.0, 0.0),) * 3


def test_what_a_move_saves_on_one_edge_is_not_lent_to_another():
    """Data that stays goes through a store far away; but the longest path takes the edge on which that hardly counts."""
    slow_at_home = ((8.0, 1.0), (8.0, 1.0))
    problem = PlacementProblem(
        jobs=("long", "large", "both"),
        candidates=(
            Candidates.of([(0, 100.0, 1.0, 0.0)]),
            Candidates.of([(0, 0.0, 1.0, 0.0)]),
            Candidates.of([(0, 10.0, 1.0, 0.0), (1, 60.0, 1.0, 0.0)]),
        ),
        edges=(Edge(0, 0, 2, 0.25), Edge(1, 1, 2, 10.0)),
        usd_per_gb=((0.0, 0.0),) * 2,
        seconds_per_gb=slow_at_home,
        grams_per_gb=((0.0, 0.0),) * 2,
    )
    assert kept(problem, MAKESPAN)[2] == [0, 1]


@given(
    speaks=st.lists(st.sampled_from([0.1, 0.2, 0.7, 0.8, 1.6]), min_size=3, max_size=3),
    hears=st.lists(st.sampled_from([0.1, 0.2, 0.7, 0.8, 1.6]), min_size=3, max_size=3),
    gigabytes=st.sampled_from([0.1, 0.3, 0.7, 7.0]),
)
def test_equals_but_for_rounding_never_beat_each_other_in_a_circle(speaks, hears, gigabytes):
    problem = PlacementProblem(
        jobs=("first", "second"),
        candidates=(
            Candidates.of([(0, 1.0, 1.0, 0.0)]),
            Candidates.of([(b, 17.7 - gigabytes * hears[b], 1.0, 0.0) for b in range(3)]),
        ),
        edges=(Edge(0, 0, 1, gigabytes),),
        usd_per_gb=NOWHERE,
        seconds_per_gb=tuple(tuple(there + here for here in hears) for there in speaks),
        grams_per_gb=NOWHERE,
    )
    assert kept(problem, MAKESPAN)[1]


def test_jobs_that_come_too_late_keep_all_candidates():
    better = Candidates.of([(0, 10.0, 1.0, 0.0), (0, 9.0, 0.5, 0.0)])
    problem = PlacementProblem(
        jobs=("first", "second"), candidates=(better, better), edges=(),
        usd_per_gb=((0.0,),), seconds_per_gb=((0.0,),), grams_per_gb=((0.0,),),
    )  # fmt: skip
    network = Network(problem, [Columns.of(candidates) for candidates in problem.candidates])
    late = iter((False, True))
    found = undominated(network, COST, Limits(), is_late=lambda: next(late))
    assert [columns.index.tolist() for columns in found.columns] == [[1], [0, 1]]
