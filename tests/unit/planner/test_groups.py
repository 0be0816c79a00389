"""Groups of rows: the least of each is what numpy says, whether they are filled up or not."""

import numpy as np
import pytest

from skyflow.planner.bounds.groups import Groups


@pytest.mark.parametrize("of", [[0], [3, 3, 3], [2, 0, 2, 5, 0], [0] * 30 + [1, 2, 3, 4], list(range(6))])
def test_the_least_of_each(of):
    of = np.array(of)
    rows = np.random.default_rng(0).random((len(of), 7))
    expected = [rows[of == group].min(axis=0) for group in np.unique(of)]
    assert np.array_equal(Groups(of).least(rows), np.array(expected))
    assert np.array_equal(Groups(of).least(rows[:, 0]), np.array(expected)[:, 0])
