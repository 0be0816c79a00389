"""Plans pressed to end sooner within a budget: never dearer than allowed, never later; and near the best where all is known."""

from dataclasses import replace
from itertools import product
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.planner.small import problems

from skyflow.model.objective import Goal, Objective
from skyflow.planner.bounds.exchange import Exchange
from skyflow.planner.bounds.likely import likely
from skyflow.planner.bounds.network import Columns, Network
from skyflow.planner.bounds.press import Press
from skyflow.planner.problem import Candidates, Edge, Limits, PlacementProblem

TIME = Goal.of(Objective.MAKESPAN)


def never():
    return False


def network_of(problem, budget):
    limited = problem.limited_by(Limits(usd=budget))
    return Network(limited, [Columns.of(candidates) for candidates in limited.candidates])


def press_of(network):
    return Press(network, TIME, Random(0), usd=1.0, grams=0.0)


def all_plans(exchange):
    """Return every choice of labels with its figures, when no job waits for a slot."""
    plans = product(*(range(len(columns)) for columns in exchange.network.columns))
    return [(list(at), exchange.figures(at)) for at in plans]


def cheapest(exchange):
    return min(all_plans(exchange), key=lambda plan: plan[1].usd)[0]


def nothing_said(network):
    """Return what a model says that has learnt nothing: messages and flows."""
    return [np.zeros(len(network.spots[u].places)) for u, _ in network.ends], [0.0] * len(network.ends)


def some_plan(problem, data):
    return [data.draw(st.integers(0, len(options) - 1)) for options in problem.candidates]


@settings(max_examples=60)
@given(problem=problems(), data=st.data(), share=st.floats(0, 1))
def test_what_is_hastened_keeps_the_deadline(problem, data, share):
    exchange = Exchange(network_of(problem, 1.0), TIME, is_late=never)
    at = some_plan(problem, data)
    deadline = share * exchange.paths.makespan(at)
    found = exchange.hastened(at, deadline=deadline, usd=1.0, grams=0.0)
    if found is not None:
        assert exchange.paths.makespan(found) <= deadline
    elif len(problem.jobs) == 1:
        assert min(problem.candidates[0].seconds) > deadline


def test_a_second_is_bought_where_it_costs_least():
    nowhere = ((0.0,),)
    row = PlacementProblem(
        jobs=("first", "second"),
        candidates=(
            Candidates.of([(0, 100.0, 0.0, 0.0), (0, 50.0, 1.0, 0.0)]),
            Candidates.of([(0, 100.0, 0.0, 0.0), (0, 40.0, 3.0, 0.0), (0, 95.0, 0.05, 0.0)]),
        ),
        edges=(Edge(0, 0, 1, 0.0),),
        usd_per_gb=nowhere,
        seconds_per_gb=nowhere,
        grams_per_gb=nowhere,
    )
    exchange = Exchange(network_of(row, 1.0), TIME, is_late=never)
    found = {
        deadline: exchange.hastened([0, 0], deadline=deadline, usd=1.0, grams=0.0)
        for deadline in (200.0, 196.0, 160.0, 100.0, 80.0)
    }
    assert found == {200.0: [0, 0], 196.0: [0, 2], 160.0: [1, 2], 100.0: [1, 1], 80.0: None}


@pytest.mark.parametrize("way", ["dive", "polished", "best"])
@settings(max_examples=40)
@given(problem=problems(max_jobs=3), data=st.data(), share=st.floats(0, 1))
def test_plans_that_are_found_are_allowed_and_sooner(way, problem, data, share):
    costs = sorted(figures.usd for _, figures in all_plans(press_of(network_of(problem, 1.0)).exchange))
    budget = costs[int(share * (len(costs) - 1))]
    press = press_of(network_of(problem, budget))
    known = cheapest(press.exchange)
    soonest = min(figures.seconds for _, figures in all_plans(press.exchange))
    if way == "dive":
        found = press.dive(known, *nothing_said(press.network), bound=data.draw(st.sampled_from([0.0, soonest])))
    elif way == "polished":
        found = press.polished(some_plan(problem, data), known, deadline=press.paths.makespan(known))
    else:
        found = press.best(some_plan(problem, data), known)
    if found is not None and found != known:
        assert press.exchange.figures(found).usd <= budget * (1 + 1e-9)
        assert press.paths.makespan(found) < press.paths.makespan(known)


@settings(max_examples=40)
@given(problem=problems(max_jobs=3), data=st.data(), share=st.floats(0, 1))
def test_where_no_plan_is_known_what_is_found_is_allowed(problem, data, share):
    costs = sorted(figures.usd for _, figures in all_plans(press_of(network_of(problem, 1.0)).exchange))
    budget = costs[int(share * (len(costs) - 1))]
    press = press_of(network_of(problem, budget))
    begin = some_plan(problem, data)
    found = press.best(begin, None)
    if found is not None:
        assert press.exchange.figures(found).usd <= budget * (1 + 1e-9)
        assert press.paths.makespan(found) <= press.paths.makespan(begin)
    else:
        assert press.exchange.figures(begin).usd > budget


def test_a_dive_comes_near_to_the_best(tiny):
    for budget in (2.6, 3.5, 4.4):
        press = press_of(network_of(tiny, budget))
        known = cheapest(press.exchange)
        found = press.dive(known, *nothing_said(press.network), bound=0.0)
        least = min(figures.seconds for _, figures in all_plans(press.exchange) if figures.usd <= budget)
        assert press.paths.makespan(found) <= 1.05 * least


@given(problem=problems(), data=st.data())
def test_when_it_is_late_only_what_is_at_hand_is_returned(problem, data):
    press = press_of(network_of(problem, 2.0))
    press.is_late = lambda: True
    known, other = some_plan(problem, data), some_plan(problem, data)
    is_allowed = press.exchange.figures(other).usd <= 2.0
    is_sooner = press.paths.makespan(other) < press.paths.makespan(known)
    assert press.best(other, None) == (other if is_allowed else None)
    assert press.best(other, known) == (other if is_allowed and is_sooner else None)
    assert press.dive(known, *nothing_said(press.network), bound=0.0) == known


@settings(max_examples=30)
@given(problem=problems(), data=st.data(), seed=st.integers(0, 99))
def test_the_labels_of_a_plan_and_forty_for_each_job_that_cost_least_are_likely(problem, data, seed):
    rows = {k: (k % 3, 60.0 * k, 1.0 + k, 5.0) for k in range(90)}
    crowded = data.draw(st.lists(st.booleans(), min_size=len(problem.jobs), max_size=len(problem.jobs)))
    candidates = tuple(
        Candidates.of(rows.values()) if is_crowded else few
        for few, is_crowded in zip(problem.candidates, crowded, strict=True)
    )
    network = network_of(replace(problem, candidates=candidates), 1.0)
    random = np.random.default_rng(seed)
    dearer = [random.permutation(len(columns)) * random.choice([0.1, 1.0]) for columns in network.columns]
    plan = some_plan(network.problem, data)
    every = sorted(value for one in dearer for value in one)
    most = every[min(len(every), 40 * len(dearer)) - 1]
    found = likely(network, dearer, plan)
    assert [columns.index.tolist() for columns in found.columns] == [
        [k for k, value in enumerate(one) if value <= most or k == at] for one, at in zip(dearer, plan, strict=True)
    ]
    assert found.labels(network.choice(plan)) is not None
