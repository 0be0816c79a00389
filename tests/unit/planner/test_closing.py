"""The last of the gap: tests of times raise the bound as far as brute force says, and never further."""

from itertools import product

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from unit.planner.small import everything, problems

from skyflow.model.objective import Goal, Objective
from skyflow.planner.bounds.closing import close
from skyflow.planner.bounds.network import Network, reduced
from skyflow.planner.bounds.tradeoff import Tradeoff
from skyflow.planner.problem import Limits

TIME, COST = Goal.of(Objective.MAKESPAN), Goal.of(Objective.COST)


class Ticking:
    """Seconds that are left, one less with every look."""

    def __init__(self, seconds):
        self.seconds = seconds

    def __call__(self):
        self.seconds -= 1
        return self.seconds


def closing(problem, goal, seconds):
    """Return a search that has been priced in one turn and then closed."""
    network = Network(problem, reduced(problem, goal))
    tradeoff = Tradeoff(network, goal, seconds_left=Ticking(seconds))
    tradeoff.prices = dict.fromkeys(tradeoff.prices, 1.0)
    for at in product(*(range(len(columns)) for columns in network.columns)):
        if tradeoff.exchange.is_within(tradeoff.exchange.figures(at)):
            tradeoff.offer_labels(at)  # any first plan: not the best one
            break
    close(tradeoff)
    return tradeoff


@settings(max_examples=30)
@given(problem=problems(max_jobs=4), share=st.floats(0, 1), seconds=st.sampled_from([50, 400]))
def test_a_budget(problem, share, seconds):
    found = everything(problem)
    costs = sorted(one.usd for one in found)
    budget = costs[int(share * (len(costs) - 1))]
    assume(budget > 0)
    least = min(one.makespan_seconds for one in found if one.usd <= budget)
    tradeoff = closing(problem.limited_by(Limits(usd=budget)), TIME, seconds)
    assert tradeoff.bound <= least * (1 + 1e-9)
    assert tradeoff.upper >= least * (1 - 1e-9)


@settings(max_examples=30)
@given(problem=problems(max_jobs=4), share=st.floats(0, 1), seconds=st.sampled_from([50, 400]))
def test_a_deadline(problem, share, seconds):
    found = everything(problem)
    spans = sorted(one.makespan_seconds for one in found)
    deadline = spans[int(share * (len(spans) - 1))]
    assume(deadline > 0)
    least = min(one.usd for one in found if one.makespan_seconds <= deadline)
    tradeoff = closing(problem.limited_by(Limits(seconds=deadline)), COST, seconds)
    assert tradeoff.bound <= least * (1 + 1e-9) + 1e-12
    assert tradeoff.upper >= least * (1 - 1e-9)


@settings(max_examples=60)
@given(problem=problems(max_jobs=3), shares=st.tuples(st.floats(0, 1), st.floats(0, 1)))
def test_limits_are_refuted_only_where_no_choice_keeps_them(problem, shares):
    found = everything(problem)
    budget, deadline = (
        sorted(values)[int(share * (len(values) - 1))]
        for values, share in zip(
            ([one.usd for one in found], [one.makespan_seconds for one in found]), shares, strict=True
        )
    )
    assume(budget > 0 and deadline > 0)
    tradeoff = closing(problem.limited_by(Limits(usd=budget, seconds=deadline)), COST, 400)
    if any(one.usd <= budget and one.makespan_seconds <= deadline for one in found):
        assert not tradeoff.is_refuted


def test_a_budget_and_a_deadline_that_contradict_each_other_are_refuted(tiny):
    found = everything(tiny)
    budget = min(one.usd for one in found) * 1.01
    deadline = min(one.makespan_seconds for one in found) * 1.01
    assert not any(one.usd <= budget and one.makespan_seconds <= deadline for one in found)
    assert closing(tiny.limited_by(Limits(usd=budget, seconds=deadline)), COST, 400).is_refuted


def test_tests_of_times_come_near_to_the_truth(tiny):
    for budget in (2.0, 2.6, 3.5, 4.4):
        problem = tiny.limited_by(Limits(usd=budget))
        least = min(one.makespan_seconds for one in everything(problem) if one.usd <= budget)
        tradeoff = closing(problem, TIME, 400)
        assert tradeoff.upper == pytest.approx(least)
        assert tradeoff.bound == pytest.approx(least, rel=0.02)
