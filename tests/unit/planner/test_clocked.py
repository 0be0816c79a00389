"""Jobs on a clock: the bound is below every choice that keeps the deadline, whatever is dropped and however fine the tick."""

import math
from dataclasses import replace
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.planner.small import everything, problems

from skyflow.planner.bounds.clocked import Clocked, Prices
from skyflow.planner.bounds.network import Columns, Network
from skyflow.planner.problem import Edge

PRICES = (Prices(1.0, 0.0, 0.0), Prices(1.0, 0.01, 0.0), Prices(1.0, 0.0, 0.002), Prices(0.0, 0.0, 1.0))


def whole(problem):
    return Network(problem, [Columns.of(candidates) for candidates in problem.candidates])


def value(found, prices):
    return prices.usd * found.usd + prices.grams * found.grams + prices.seconds * found.makespan_seconds


@pytest.mark.parametrize("prices", PRICES)
@settings(max_examples=60)
@given(problem=problems(max_jobs=4), ticks=st.integers(1, 40), at=st.floats(0, 1))
def test_what_keeps_the_deadline_is_never_below_the_bound_nor_dropped(prices, problem, ticks, at):
    choices = list(product(*(range(len(one)) for one in problem.candidates)))
    found = everything(problem)
    spans = sorted({one.makespan_seconds for one in found})
    deadline = spans[int(at * (len(spans) - 1))]
    if not deadline:
        return
    within = [
        (value(one, prices), choice)
        for one, choice in zip(found, choices, strict=True)
        if one.makespan_seconds <= deadline
    ]
    least, best = min(within)
    model = Clocked(whole(problem), prices, deadline=deadline, ticks=ticks)
    slack = 1e-9 * max(1.0, least)
    for _ in range(3):
        for _ in range(3):
            forward, made = model.forward()
            backward = model.backward()
            assert max(forward, backward) <= least + slack
            assert all(0 <= k < len(options) for k, options in zip(made, problem.candidates, strict=True))
            model.drop(least - forward + slack)
        assert model.crop()
        assert all(k in kept for k, kept in zip(best, model.kept, strict=False))
        model.refine()


@settings(max_examples=60)
@given(problem=problems(max_jobs=4), share=st.floats(0.5, 0.999))
def test_a_deadline_that_nothing_keeps_is_refuted(problem, share):
    fastest = min(one.makespan_seconds for one in everything(problem))
    if fastest:
        model = Clocked(whole(problem), PRICES[0], deadline=share * fastest, ticks=4000)
        assert model.forward()[0] == math.inf


@settings(max_examples=40)
@given(problem=problems(max_jobs=4))
def test_the_finest_clock_is_exact_where_jobs_stand_in_a_row(problem):
    edges = tuple(Edge(j, j, j + 1, 5.0) for j in range(len(problem.jobs) - 1))
    problem = replace(problem, edges=edges)
    found = everything(problem)
    deadline = sorted(one.makespan_seconds for one in found)[len(found) // 2] * (1 + 1e-6)
    if not deadline:
        return
    least = min(one.usd for one in found if one.makespan_seconds <= deadline)
    later = min(one.usd for one in found if one.makespan_seconds <= deadline * 1.01)
    model = Clocked(whole(problem), PRICES[0], deadline=deadline, ticks=2000)
    bound = max(model.forward()[0], model.backward())
    assert later * (1 - 1e-9) <= bound <= least * (1 + 1e-9)


@settings(max_examples=60)
@given(problem=problems(max_jobs=4), at=st.floats(0, 1), divisions=st.integers(1, 4))
def test_what_is_divided_loses_no_choice(problem, at, divisions):
    edges = tuple(Edge(j, u, v, 2.0) for j, (u, v) in enumerate(combinations(range(len(problem.jobs)), 2)))
    problem = replace(problem, edges=edges)  # many cycles
    found = everything(problem)
    deadline = sorted(one.makespan_seconds for one in found)[int(at * (len(found) - 1))]
    if not deadline:
        return
    least = min(one.usd for one in found if one.makespan_seconds <= deadline)
    parts = [Clocked(whole(problem), PRICES[0], deadline=deadline, ticks=50)]
    for _ in range(divisions):
        halves = parts[0].halves()
        if halves is None:
            break
        parts[:1] = halves
        parts.reverse()
    bounds = []
    for part in parts:
        bound = max(part.forward()[0], part.backward())
        if bound < math.inf:
            part.drop(least - bound + 1e-9 * max(1.0, least))
            bound = max(part.forward()[0], part.backward()) if part.crop() else math.inf
        bounds.append(bound)
    assert min(bounds) <= least * (1 + 1e-9)


def test_a_chain_is_not_divided(tiny):
    chain = replace(tiny, edges=tuple(Edge(j, j, j + 1, 5.0) for j in range(len(tiny.jobs) - 1)))
    assert Clocked(whole(chain), PRICES[0], deadline=1e6, ticks=50).halves() is None


def in_a_row(problem):
    return replace(problem, edges=tuple(Edge(j, j, j + 1, 5.0) for j in range(len(problem.jobs) - 1)))


def limits_of(problem, prices, deadline, tick):
    """Return what the bound of an exact model is between: late by a share, and rounded down by some ticks; and what is true."""
    found = everything(problem)
    least = min(value(one, prices) for one in found if one.makespan_seconds <= deadline)
    later = min(value(one, prices) for one in found if one.makespan_seconds <= deadline * 1.01)
    return later - 3 * len(problem.jobs) * tick * prices.seconds, least


@pytest.mark.parametrize("prices", PRICES)
@settings(max_examples=40)
@given(problem=problems(max_jobs=4), at=st.floats(0, 1), room=st.sampled_from([0.0, 0.1, 1.0]))
def test_in_a_row_the_bound_stays_exact_when_what_is_too_dear_is_dropped(prices, problem, at, room):
    problem = in_a_row(problem)
    spans = sorted(one.makespan_seconds for one in everything(problem))
    deadline = spans[int(at * (len(spans) - 1))] * (1 + 1e-6)
    if not deadline:
        return
    model = Clocked(whole(problem), prices, deadline=deadline, ticks=2000)
    later, least = limits_of(problem, prices, deadline, model.tick)
    slack = 1e-9 * max(1.0, least)
    bound = max(model.forward()[0], model.backward())
    for is_cropped in (False, True, True):
        model.drop((1 + room) * (least - bound) + room * least + slack)
        assert not is_cropped or model.crop()
        backward, forward, bound = model.backward(), model.forward()[0], model.backward()
        for one in (backward, forward, bound):
            assert later - slack <= one <= least + slack


@settings(max_examples=40)
@given(problem=problems(max_jobs=4), at=st.floats(0, 1))
def test_in_a_row_an_earlier_deadline_is_as_good_as_one_from_the_start(problem, at):
    problem = in_a_row(problem)
    spans = sorted(one.makespan_seconds for one in everything(problem))
    deadline = spans[int(at * (len(spans) - 1))] * (1 + 1e-6)
    if not deadline:
        return
    model = Clocked(whole(problem), PRICES[0], deadline=spans[-1] * (1 + 1e-6), ticks=20_000)
    model.forward()
    model.backward()
    model = model.until(deadline)
    later, least = limits_of(problem, PRICES[0], deadline, model.tick)
    slack = 1e-9 * max(1.0, least)
    for _ in range(2):
        backward, forward = model.backward(), model.forward()[0]
        assert later - slack <= min(backward, forward)
        assert max(backward, forward) <= least + slack


@settings(max_examples=40)
@given(problem=problems(max_jobs=4), at=st.floats(0, 1))
def test_what_a_half_leaves_out_is_closed_to_its_neighbours(problem, at):
    edges = tuple(Edge(j, u, v, 2.0) for j, (u, v) in enumerate(combinations(range(len(problem.jobs)), 2)))
    problem = replace(problem, edges=edges)
    spans = sorted(one.makespan_seconds for one in everything(problem))
    deadline = spans[int(at * (len(spans) - 1))]
    model = Clocked(whole(problem), PRICES[0], deadline=deadline, ticks=50) if deadline else None
    halves = model.halves() if model else None
    if halves is None:
        return
    early, late = halves
    hub = hub_of(model, late)
    if late.forward()[0] < math.inf:
        for e in late.out[hub]:
            starts = ticks_of(late, late.ends[e][1], is_start=True)
            assert starts.min() >= ticks_of(late, hub).min()
    if early.backward() < math.inf:
        for e in early.into[hub]:
            starts = ticks_of(early, hub, is_start=True)
            assert ticks_of(early, early.ends[e][0]).max() <= starts.max()


def hub_of(model, half):
    """Return the job by which a model was divided."""
    return next(j for j in range(model.end) if not np.array_equal(model.unary[j], half.unary[j]))


def ticks_of(model, job, *, is_start=False):
    """Return the ticks in which a job's open labels end, or start."""
    labels, ticks = np.nonzero(np.isfinite(model.unary[job]))
    took = np.floor(model.columns[job].seconds[labels] / model.tick * (1 - 1e-12)).astype(int)
    return model.first[job] + ticks - (took if is_start else 0)
