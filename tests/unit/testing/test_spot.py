"""Recorded traces of spot machines, replayed."""

from math import inf

import pytest

from skyflow.testing import read_spot_trace

HEADER = "gap_seconds,start_tick,length,available_nodes\n"


@pytest.fixture
def trace(tmp_path):
    path = tmp_path / "trace.csv"
    path.write_text(HEADER + "10,0,3,1\n10,3,2,0\n10,5,4,1\n10,9,1,1\n10,10,2,0\n")
    return read_spot_trace(path)


@pytest.mark.parametrize(
    ("moment", "waited", "life"),
    [
        (0, 0, 30),
        (29, 0, 1),
        (30, 20, 50),  # two entries in a row that have one
        (50, 0, 50),
        (95, 0, 5),
        (100, 20, 30),  # the trace begins anew
        (120 + 29, 0, 1),
        (29.9999999, 20, 50),  # what a sum of moments makes of 30
    ],
)
def test_what_follows_a_moment(trace, moment: float, waited: float, life: float) -> None:
    assert trace.wait_and_life(moment) == pytest.approx((waited, life))


def test_a_machine_that_is_always_there_is_kept_for_ever(tmp_path) -> None:
    path = tmp_path / "trace.csv"
    path.write_text(HEADER + "10,0,3,1\n")
    assert read_spot_trace(path).wait_and_life(25) == (0, inf)
