"""LP-safe names."""

import re

from hypothesis import given
from hypothesis import strategies as st

from skyflow.planner.solver.names import lp_names, lp_term


def test_what_a_writer_refuses_becomes_an_underscore():
    assert lp_names(["us-east-1", "test (3.12, a>b)"]) == {
        "us-east-1": "us_east_1",
        "test (3.12, a>b)": "test__3.12__a_b_",
    }


def test_names_that_would_meet_are_told_apart():
    assert lp_names(["a-b", "a_b", "a b", "a-b"]) == {"a-b": "a_b", "a_b": "a_b.2", "a b": "a_b.3"}


def test_a_term_is_a_family_with_its_index():
    assert lp_term("assign_once", "build") == "assign_once(build)"
    assert lp_term("p", "a", "b", 0) == "p(a,b,0)"
    assert lp_term("end") == "end"


@given(st.lists(st.text(alphabet="ab-_ .:é>[1", max_size=30)))
def test_names_are_legal_short_and_one_to_one(originals):
    names = lp_names(originals)
    assert set(names) == set(originals)
    assert len(set(names.values())) == len(names)
    assert all(re.fullmatch(r"[A-Za-z0-9._]{1,22}", name) for name in names.values())
