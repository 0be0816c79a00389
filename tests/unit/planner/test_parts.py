"""Models in parts: what is refuted by then is not to be had by then, however deadlines are made earlier on the way."""

import math
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from unit.planner.small import everything, problems

from skyflow.planner.bounds.clocked import Clocked, Prices
from skyflow.planner.bounds.network import Columns, Network
from skyflow.planner.bounds.parts import Part, Parts, Watch
from skyflow.planner.problem import Candidates, Edge, PlacementProblem

USD = Prices(1.0, 0.0, 0.0)


def tangled(problem):
    """The problem with an edge between every two jobs, so that many cycles meet in each."""
    pairs = enumerate(combinations(range(len(problem.jobs)), 2))
    return replace(problem, edges=tuple(Edge(position, u, v, 2.0) for position, (u, v) in pairs))


def watch(ceiling):
    """Return a watch whose time runs out slowly, so that what is hopeless is found to be so."""
    seconds = iter(range(10_000, 0, -1))
    return Watch(lambda: ceiling, lambda: False, lambda: next(seconds), lambda _: None)


def clocked(problem, deadline):
    network = Network(problem, [Columns.of(candidates) for candidates in problem.candidates])
    return Clocked(network, USD, deadline=deadline, ticks=50)


@pytest.mark.parametrize("slack", [0.0, 0.1, 0.5])
@settings(max_examples=60)
@given(problem=problems(max_jobs=4), money=st.floats(0, 1), time=st.floats(0, 1))
def test_nothing_that_ends_by_a_refuted_time_costs_less_than_the_ceiling(slack, problem, money, time):
    problem = tangled(problem)
    found = everything(problem)
    costs, spans = (sorted(values) for values in zip(*((one.usd, one.makespan_seconds) for one in found), strict=True))
    ceiling, deadline = costs[int(money * (len(costs) - 1))], spans[int(time * (len(spans) - 1))]
    assume(ceiling > 0 and deadline > 0)
    finest = 100_000  # so that a part is divided, and not made finer
    parts = Parts(Part(clocked(problem, deadline), deadline, finest), watch(ceiling))
    for _ in range(300):
        if not parts.advance(sweeps=3, slack=slack):
            break
    if not parts.open:
        assert parts.refuted <= deadline
        by_then = [one.usd for one in found if one.makespan_seconds <= parts.refuted]
        assert min(by_then, default=math.inf) >= ceiling * (1 - 1e-9)


@settings(max_examples=60)
@given(problem=problems(max_jobs=4), time=st.floats(0, 1))
def test_halves_have_all_labels_between_them_and_none_of_the_hub_twice(problem, time):
    problem = tangled(problem)
    spans = sorted(one.makespan_seconds for one in everything(problem))
    deadline = spans[int(time * (len(spans) - 1))]
    assume(deadline > 0)
    whole = clocked(problem, deadline)
    halves = whole.halves()
    if halves is None:
        return
    divided = 0
    for before, early, late in zip(whole.unary, *(half.unary for half in halves), strict=True):
        assert np.array_equal(np.minimum(early, late), before)
        is_twice = np.isfinite(early) & np.isfinite(late)
        divided += not is_twice.any()
    assert divided >= 1


def test_the_half_that_waits_for_its_turn_is_not_forgotten():
    """Of four jobs in cycles only one plan is below the ceiling, and it is in a half that is not looked at first."""
    problem = tangled(
        PlacementProblem(
            jobs=("a", "b", "c", "d"),
            candidates=tuple(
                Candidates.of((place, seconds, usd, 0.0) for place, seconds, usd in rows)
                for rows in (
                    [(0, 200.0, 6.0), (0, 900.0, 3.0)],
                    [(1, 50.0, 0.0), (2, 50.0, 1.0)],
                    [(0, 200.0, 3.0), (0, 200.0, 0.0), (0, 100.0, 2.0)],
                    [(2, 900.0, 4.5), (0, 50.0, 4.5), (1, 200.0, 0.0)],
                )
            ),
            edges=(),
            usd_per_gb=((0.0, 1.0, 0.0), (1.0, 0.0, 0.5), (1.0, 2.0, 0.0)),
            seconds_per_gb=((0.0, 0.0, 100.0), (100.0, 0.0, 100.0), (50.0, 10.0, 0.0)),
            grams_per_gb=((0.0,) * 3,) * 3,
        )
    )
    deadline, finest = 1500.0, 100_000
    by_then = sorted(one.usd for one in everything(problem) if one.makespan_seconds <= deadline)
    ceiling = 1.01 * by_then[0]
    assert by_then[0] < ceiling < by_then[1]
    parts = Parts(Part(clocked(problem, deadline), deadline, finest), watch(ceiling))
    most = 1
    while parts.advance(sweeps=3):
        most = max(most, len(parts.open))
    assert parts.open
    assert parts.bound <= by_then[0] * (1 + 1e-9)
    assert most > 1  # without halves it would prove nothing
