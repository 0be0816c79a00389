"""Stretches of rows: number by number what plain indices say, before the row, in it, and after it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skyflow.planner.bounds.stretches import Stretches


def said(row, index, before, after):
    if index < 0:
        return before
    return row[index] if index < len(row) else after


@settings(max_examples=200)
@given(data=st.data(), count=st.integers(1, 4), length=st.integers(1, 6), width=st.integers(1, 9))
def test_each_number_is_that_of_its_index(data, count, length, width):
    listeners = data.draw(st.lists(st.tuples(st.integers(0, count - 1), st.integers(-15, 15)), max_size=6))
    of = np.array([row for row, _ in listeners], dtype=np.int64)
    begins = np.array([begin for _, begin in listeners], dtype=np.int64)
    stretches = Stretches(of, begins, width=width, length=length)
    for rows in (np.random.default_rng(1).random((count, length)), np.random.default_rng(2).random((count, length))):
        as_given = rows.copy()
        found = stretches(rows, before=rows[:, :1] - 1, after=np.inf)
        assert found.tolist() == [
            [said(rows[row], begin + i, rows[row, 0] - 1, np.inf) for i in range(width)] for row, begin in listeners
        ]
        found = stretches(rows, before=7.0, after=rows[:, -1:])
        assert found.tolist() == [
            [said(rows[row], begin + i, 7.0, rows[row, -1]) for i in range(width)] for row, begin in listeners
        ]
        found[:] = 0.0
        assert np.array_equal(rows, as_given)


def test_truths_stay_truths():
    rows = np.array([[True, False, False], [False, False, True]])
    found = Stretches(np.array([0, 1]), np.array([-1, 1]), width=3, length=3)(rows, before=rows[:, :1], after=False)
    assert found.dtype == np.bool_
    assert found.tolist() == [[True, True, False], [False, True, False]]


@pytest.mark.parametrize("shape", [(1, 4), (3, 1), (3, 4)])
def test_rows_and_beginnings_are_broadcast(shape):
    rows = np.arange(15.0).reshape(3, 5)
    begins = np.arange(-3, -3 + shape[0] * shape[1]).reshape(shape)
    found = Stretches(np.arange(3)[:, None], begins, width=2, length=5)(rows, before=-1.0, after=-2.0)
    for a in range(3):
        for b in range(shape[1]):
            begin = begins[a % shape[0], b]
            assert found[a, b].tolist() == [said(rows[a], begin + i, -1.0, -2.0) for i in range(2)]


@pytest.mark.parametrize(("begin", "stretch"), [(-900, [-1.0, -1.0]), (900, [-2.0, -2.0])])
def test_beginnings_far_away_hear_what_goes_on_for_ever(begin, stretch):
    found = Stretches(np.array([0]), np.array([begin]), width=2, length=3)(np.zeros((1, 3)), before=-1.0, after=-2.0)
    assert found.tolist() == [stretch]
