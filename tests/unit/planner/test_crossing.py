"""What a job on a clock tells another: that of all pairs of labels, with voices as without."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skyflow.planner.bounds.crossing import Clock, Crossing, Link, Span, alike

PLACES = 5
CLOCK = Clock(1 - 1e-9)
"""So that times of whole seconds are that many ticks, although rounding makes them a little shorter."""


@st.composite
def tables(draw):
    """Two square tables in which places form groups, as real prices do, but for a few entries."""
    group = [draw(st.integers(0, 1)) for _ in range(PLACES)]
    found = []
    for values in ([0.0, 0.5, 1.0], [0.0, 1.0, 3.0]):
        between = [[draw(st.sampled_from(values)) for _ in range(2)] for _ in range(2)]
        table = np.array([[between[group[a]][group[b]] for b in range(PLACES)] for a in range(PLACES)])
        if draw(st.booleans()):
            np.fill_diagonal(table, 0.0)
        if draw(st.booleans()):
            table[draw(st.integers(0, PLACES - 1)), draw(st.integers(0, PLACES - 1))] = draw(st.sampled_from(values))
        found.append(table)
    return found


@settings(max_examples=200)
@given(tables=tables())
def test_places_with_one_voice_differ_in_what_stays_at_home_only(tables):
    voices = alike(tables)
    for a in range(PLACES):
        for b in range(PLACES):
            if voices[a] == voices[b]:
                others = [c for c in range(PLACES) if c not in (a, b)]
                assert all((table[a, others] == table[b, others]).all() for table in tables)
                # to either of the two it is the same from everywhere else in the group, and dearer than to stay
                for table in tables:
                    group = [c for c in range(PLACES) if voices[c] == voices[a] and c != b]
                    assert len({float(table[c, b]) for c in group}) <= 1
                    assert all(table[b, b] <= table[c, b] for c in group)


def test_prices_by_cloud_have_one_voice_each():
    cloud = np.array([0, 0, 0, 1, 1])
    table = np.where(cloud[:, None] == cloud[None, :], 0.02, 0.09)
    np.fill_diagonal(table, 0.0)
    assert alike([table]).tolist() == [0, 0, 0, 1, 1]
    table[1, 4] = 0.05
    assert alike([table]).tolist() == [0, 1, 0, 2, 2]


@st.composite
def links(draw):
    costs, waits = draw(tables())
    here = draw(st.lists(st.integers(0, PLACES - 1), min_size=1, max_size=6))
    return Link(
        there=np.array(sorted(draw(st.sets(st.integers(0, PLACES - 1), min_size=1)))),
        here=np.array(here),
        seconds=np.array([draw(st.sampled_from([0.0, 1.0, 2.0, 5.0])) for _ in here]),
        gigabytes=draw(st.sampled_from([0.0, 0.5, 2.0])),
        voices=alike([costs, waits]),
        cost_per_gb=costs,
        seconds_per_gb=waits,
    )


spans = st.builds(Span, st.integers(-3, 6), st.integers(1, 7), st.integers(1, 7))


def known(link, span):
    """Return what places know, which falls by tick, and what listeners do, which rises."""
    first, second = np.random.default_rng(1), np.random.default_rng(2)
    by_then = np.minimum.accumulate(first.random((len(link.there), span.back)), axis=1)
    from_then = np.minimum.accumulate(second.random((len(link.here), span.ahead))[:, ::-1], axis=1)[:, ::-1]
    return by_then, from_then


@settings(max_examples=150)
@given(link=links(), span=spans)
def test_messages_are_the_least_over_all_pairs(link, span):
    hold_to_all_pairs(link, span)


def hold_to_all_pairs(link, span):
    there, here, gigabytes = link.there, link.here, link.gigabytes
    lead, ahead, back = span.lead, span.ahead, span.back
    crossing = Crossing(link, CLOCK, span)

    def took(a, k):
        return math.floor(gigabytes * link.seconds_per_gb[there[a], here[k]] + link.seconds[k])

    def cost(a, k):
        return gigabytes * link.cost_per_gb[there[a], here[k]]

    by_then, from_then = known(link, span)
    said = crossing.forward(by_then)
    said_back = crossing.backward(from_then)
    for k in range(len(here)):
        for m in range(ahead):
            ends = [(a, min(m + lead - took(a, k), back - 1)) for a in range(len(there))]
            least = min((by_then[a, n] + cost(a, k) for a, n in ends if n >= 0), default=math.inf)
            assert said[k, m] == pytest.approx(least)
    for a in range(len(there)):
        for n in range(back):
            ends = [(k, max(n - lead + took(a, k), 0)) for k in range(len(here))]
            least = min((from_then[k, m] + cost(a, k) for k, m in ends if m < ahead), default=math.inf)
            assert said_back[a, n] == pytest.approx(least)


@given(link=links(), before=spans, span=spans, ticks=st.sampled_from([0.5, 1.0, 3.0]), is_up=st.booleans())
def test_on_another_clock_an_edge_says_what_it_would_say_if_made_for_it(link, before, span, ticks, is_up):
    clock = Clock(ticks, is_up=is_up)
    crossing, anew = Crossing(link, CLOCK, before), Crossing(link, clock, span)
    of_before, of_now = known(link, before), known(link, span)
    first = crossing.forward(of_before[0]), crossing.backward(of_before[1])
    moved = crossing.at(clock, span)
    assert moved.cells == anew.cells
    assert np.array_equal(moved.forward(of_now[0]), anew.forward(of_now[0]))
    assert np.array_equal(moved.backward(of_now[1]), anew.backward(of_now[1]))
    again = crossing.forward(of_before[0]), crossing.backward(of_before[1])
    assert all(np.array_equal(one, two) for one, two in zip(first, again, strict=True))


def test_listeners_that_are_alike_are_asked_for_once():
    cloud = np.array([0, 0, 0, 1, 1])
    costs = np.where(cloud[:, None] == cloud[None, :], 0.5, 1.0)
    np.fill_diagonal(costs, 0.0)
    every = np.arange(PLACES)
    for seconds, kinds in ((np.zeros(PLACES), 2), (np.array([0.0, 0.0, 5.0, 1.0, 1.0]), 3)):
        link = Link(
            there=every, here=every, seconds=seconds, gigabytes=2.0, voices=alike([costs]), cost_per_gb=costs,
            seconds_per_gb=2 * costs,
        )  # fmt: skip
        span = Span(3, 4, 5)
        assert Crossing(link, CLOCK, span).cells == (2 * kinds + PLACES) * 5  # and each hears its own place
        hold_to_all_pairs(link, span)


def test_listeners_are_told_apart_that_only_happen_to_have_one_key():
    costs, waits = np.zeros((PLACES, PLACES)), np.zeros((PLACES, PLACES))
    costs[1, 3], waits[2, 4] = 2.0, 1.0  # sqrt(3) * 2 for the one, sqrt(3) * sqrt(4) * 1 for the other
    link = Link(
        there=np.arange(3), here=np.array([3, 4, 3]), seconds=np.zeros(3), gigabytes=1.0, voices=np.arange(PLACES),
        cost_per_gb=costs, seconds_per_gb=waits,
    )  # fmt: skip
    hold_to_all_pairs(link, Span(2, 4, 5))
