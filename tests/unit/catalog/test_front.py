"""What none beats is what a comparison of all pairs leaves."""

from array import array

from hypothesis import given
from hypothesis import strategies as st

from skyflow.catalog.front import OfferingColumns

TYPES, SHELVES = 6, 3
FEW = st.integers(1, 4).map(float)
"""So few values that many are equal."""


@given(
    st.lists(st.tuples(st.integers(0, SHELVES - 1), FEW, st.integers(0, TYPES - 1)), max_size=40).map(sorted),
    st.tuples(st.sets(st.integers(0, TYPES - 1)), st.sets(st.integers(0, SHELVES - 1))),
    st.lists(FEW, min_size=TYPES, max_size=TYPES),
    st.lists(FEW | st.just(float("inf")), min_size=TYPES, max_size=TYPES),
    st.booleans(),
)
def test_what_is_left_of_a_shelf_is_what_no_other_one_there_beats(rows, asked, times, watts, by_power):
    types, shelves = asked
    columns = OfferingColumns(
        prices=array("d", [usd for _, usd, _ in rows]), types=array("I", [kind for _, _, kind in rows]),
        shelf_of=array("I", [shelf for shelf, _, _ in rows]), shelves=SHELVES, watts=watts,
    )  # fmt: skip
    wanted = [n for n, (shelf, _, kind) in enumerate(rows) if kind in types and shelf in shelves]
    entries = columns.every(types, shelves)
    assert entries.tolist() == wanted
    assert columns.among(range(len(rows)), types, shelves) == [n in wanted for n in range(len(rows))]
    assert columns.one_of_each_type(entries) == {rows[n][2]: n for n in reversed(wanted)}

    def figures(n):
        _, usd, kind = rows[n]
        return usd * times[kind], times[kind], watts[kind] * times[kind] if by_power else 0.0

    def beats(other, n):
        is_no_worse = all(theirs <= ours for theirs, ours in zip(figures(other), figures(n), strict=True))
        return rows[other][0] == rows[n][0] and is_no_worse and (figures(other) != figures(n) or other < n)

    kept = [n for n in wanted if not any(beats(other, n) for other in wanted)]
    assert columns.unbeaten(entries, {kind: times[kind] for kind in types}, by_power=by_power) == kept
