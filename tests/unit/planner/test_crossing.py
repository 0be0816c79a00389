"""What a job on a clock tells another: that of all pairs of labels, with voices as without."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skyflow.planner.bounds.crossing import Crossing, Link, alike
from skyflow.planner.bounds.gates import Clock, Span

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


@settings(max_examples=150)
@given(data=st.data(), tables=tables(), gigabytes=st.sampled_from([0.0, 0.5, 2.0]), lead=st.integers(-3, 6))
def test_messages_are_the_least_over_all_pairs(data, tables, gigabytes, lead):
    costs, waits = tables
    there = np.array(sorted(data.draw(st.sets(st.integers(0, PLACES - 1), min_size=1))))
    here = np.array(data.draw(st.lists(st.integers(0, PLACES - 1), min_size=1, max_size=6)))
    seconds = np.array([data.draw(st.sampled_from([0.0, 1.0, 2.0, 5.0])) for _ in here])
    ahead, back = data.draw(st.integers(1, 7)), data.draw(st.integers(1, 7))
    link = Link(
        there=there, here=here, seconds=seconds, gigabytes=gigabytes, voices=alike(tables),
        cost_per_gb=costs, seconds_per_gb=waits,
    )  # fmt: skip
    crossing = Crossing(link, CLOCK, Span(lead, ahead, back))

    def took(a, k):
        return math.floor(gigabytes * waits[there[a], here[k]] + seconds[k])

    def cost(a, k):
        return gigabytes * costs[there[a], here[k]]

    by_then = np.minimum.accumulate(np.random.default_rng(1).random((len(there), back)), axis=1)
    said = crossing.forward(by_then)
    from_then = np.minimum.accumulate(np.random.default_rng(2).random((len(here), ahead))[:, ::-1], axis=1)[:, ::-1]
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
