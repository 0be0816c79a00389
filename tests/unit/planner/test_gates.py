"""How labels ask what comes over an edge: in groups as one by one, but for what is rounded twice."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skyflow.planner.bounds.gates import Asked, Clock, Direct, Grouped, Span, gate

CLOCK = Clock(1 - 1e-9)
"""So that times of whole seconds are that many ticks, although rounding makes them a little shorter."""


@st.composite
def edges(draw):
    """An edge with two or three voices, up to three groups, and up to seven labels."""
    voices, groups = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    costs = np.array([[draw(st.sampled_from([0.0, 1.0, 2.5])) for _ in range(groups)] for _ in range(voices)])
    waits = np.array([[draw(st.sampled_from([0.0, 0.4, 0.7, 3.0])) for _ in range(groups)] for _ in range(voices)])
    of = np.array(draw(st.lists(st.integers(0, groups - 1), min_size=1, max_size=7)))
    _, of = np.unique(of, return_inverse=True)
    seconds = np.array([draw(st.sampled_from([0.0, 0.5, 1.0, 2.3, 6.0])) for _ in of])
    span = Span(draw(st.integers(-4, 7)), draw(st.integers(1, 7)), draw(st.integers(1, 7)))
    return costs, waits, of, seconds, span


def messages(way, voices, labels, span):
    by_then = np.minimum.accumulate(np.random.default_rng(1).random((voices, span.back)), axis=1)
    from_then = np.minimum.accumulate(np.random.default_rng(2).random((labels, span.ahead))[:, ::-1], axis=1)[:, ::-1]
    return by_then, way.forward(by_then), from_then, way.backward(from_then)


@settings(max_examples=200)
@given(edge=edges())
def test_a_group_says_what_its_labels_would_with_times_rounded_twice(edge):
    costs, waits, of, seconds, span = edge
    grouped = Grouped(Asked(costs[:, : of.max() + 1], waits[:, : of.max() + 1], seconds), of, CLOCK, span)
    by_then, said, from_then, said_back = messages(grouped, len(costs), len(of), span)

    def took(a, k):
        return math.floor(waits[a, of[k]]) + math.floor(seconds[k])

    for k in range(len(of)):
        for m in range(span.ahead):
            ends = [(a, min(m + span.lead - took(a, k), span.back - 1)) for a in range(len(costs))]
            least = min((by_then[a, n] + costs[a, of[k]] for a, n in ends if n >= 0), default=math.inf)
            assert said[k, m] == pytest.approx(least)
    for a in range(len(costs)):
        for n in range(span.back):
            ends = [(k, max(n - span.lead + took(a, k), 0)) for k in range(len(of))]
            least = min((from_then[k, m] + costs[a, of[k]] for k, m in ends if m < span.ahead), default=math.inf)
            assert said_back[a, n] == pytest.approx(least)


@settings(max_examples=100)
@given(edge=edges())
def test_a_group_never_says_more_than_its_labels_one_by_one(edge):
    costs, waits, of, seconds, span = edge
    grouped = Grouped(Asked(costs[:, : of.max() + 1], waits[:, : of.max() + 1], seconds), of, CLOCK, span)
    direct = Direct(Asked(costs[:, of], waits[:, of], seconds), CLOCK, span)
    _, in_groups, _, back_in_groups = messages(grouped, len(costs), len(of), span)
    _, one_by_one, _, back_one_by_one = messages(direct, len(costs), len(of), span)
    assert (in_groups <= one_by_one).all()
    assert (back_in_groups <= back_one_by_one).all()


def test_many_labels_of_few_kinds_ask_in_groups_unless_times_are_rounded_up():
    kinds = np.random.default_rng(3).random((12, 4))
    of = np.arange(400) % 4
    asked = Asked(kinds[:, of], kinds[:, of], np.ones(400))
    found = gate(asked, Clock(0.1), Span(0, 100, 100))
    assert isinstance(found, Grouped)
    assert found.cells < Direct(asked, Clock(0.1), Span(0, 100, 100)).cells / 5
    assert isinstance(gate(asked, Clock(0.1, is_up=True), Span(0, 100, 100)), Direct)
    different = Asked(np.random.default_rng(4).random((12, 400)), kinds[:, of], np.ones(400))
    assert isinstance(gate(different, Clock(0.1), Span(0, 100, 100)), Direct)
