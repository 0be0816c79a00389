"""When labels start: so many ticks before they end, label by label and tick by tick."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from skyflow.planner.bounds.starts import Starts


@st.composite
def labels(draw):
    """Return the first tick of an end, how many ticks labels take, in which they are open, and the row of each one's place."""
    count, width = draw(st.integers(1, 4)), draw(st.integers(1, 6))
    took = [draw(st.integers(0, 8)) for _ in range(count)]
    is_open = [
        draw(st.lists(st.booleans(), min_size=width, max_size=width) | st.just([False] * width)) for _ in range(count)
    ]
    row = [draw(st.integers(0, 2)) for _ in range(count)]
    return draw(st.integers(0, 20)), np.array(took), np.array(is_open), np.array(row)


def open_starts(first_end, took, is_open):
    """Return the ticks in which open labels start."""
    return [
        first_end + n - took[k] for k in range(len(took)) for n in range(is_open.shape[1]) if is_open[k, n]
    ]  # fmt: skip


def nearest(row, index):
    return row[min(max(index, 0), len(row) - 1)]


@settings(max_examples=200)
@given(labels=labels())
def test_the_ticks_reach_from_the_first_open_start_to_the_last(labels):
    first_end, took, is_open, _ = labels
    starts = Starts(*labels)
    ticks = open_starts(first_end, took, is_open)
    if ticks:
        assert (starts.first, starts.count) == (min(ticks), max(ticks) - min(ticks) + 1)
    else:
        assert starts.count == 1


@settings(max_examples=200)
@given(labels=labels())
def test_a_label_hears_what_is_said_of_the_tick_in_which_it_starts(labels):
    first_end, took, is_open, row = labels
    starts = Starts(*labels)
    rows = np.random.default_rng(1).random((3, starts.count))
    heard = starts.by_end(rows)
    assert heard.shape == is_open.shape
    for k in range(len(took)):
        for n in range(is_open.shape[1]):
            assert heard[k, n] == nearest(rows[row[k]], first_end + n - took[k] - starts.first)
            if is_open[k, n]:
                assert 0 <= first_end + n - took[k] - starts.first < starts.count
    is_out = rows < 0.5
    assert np.array_equal(starts.by_end(is_out), heard < 0.5)


@settings(max_examples=200)
@given(labels=labels())
def test_what_labels_say_by_their_end_is_said_by_their_start(labels):
    first_end, took, is_open, _ = labels
    starts = Starts(*labels)
    rows = np.where(is_open, np.random.default_rng(1).random(is_open.shape), np.inf)
    begun = starts.by_start(rows)
    assert begun.shape == (len(took), starts.count)
    for k in range(len(took)):
        for m in range(starts.count):
            n = starts.first + m + took[k] - first_end
            assert begun[k, m] == (rows[k, n] if 0 <= n < is_open.shape[1] else math.inf)
        assert begun[k].min() == rows[k].min()  # no label that is open is forgotten


@settings(max_examples=200)
@given(labels=labels(), first=st.integers(-20, 20), length=st.integers(1, 8))
def test_what_was_said_of_other_ticks_is_taken_tick_by_tick(labels, first, length):
    starts = Starts(*labels)
    rows = np.random.default_rng(1).random((3, length))
    taken = starts.taken(rows, starts.first + first)
    assert taken.tolist() == [[nearest(row, m - first) for m in range(starts.count)] for row in rows]
