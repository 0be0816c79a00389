"""Which store a job leaves its artifacts in, and what data then costs on its way to the next job."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skyflow.model.catalog import LOCAL_PLACE, Place, TransferRates
from skyflow.model.stores import DeclaredStore, routed, store_for

EAST, WEST, FAR = Place("aws", "us-east-1"), Place("aws", "us-west-2"), Place("gcp", "europe-west4")
PLACES = (EAST, WEST, FAR, LOCAL_PLACE)
RATES = TransferRates(
    places=PLACES,
    usd_per_gb=((0.0, 0.02, 0.09, 0.09), (0.02, 0.0, 0.09, 0.09), (0.12, 0.12, 0.0, 0.12), (0.0, 0.0, 0.0, 0.0)),
    seconds_per_gb=((1.0, 2.0, 4.0, 80.0), (2.0, 1.0, 5.0, 80.0), (4.0, 5.0, 1.0, 80.0), (80.0, 80.0, 80.0, 0.0)),
)


def store(name: str, place: Place | None = LOCAL_PLACE, *serves: str) -> DeclaredStore:
    return DeclaredStore(name=name, url=name, place=place, serves=serves)


HERE = store("here")
EVERYWHERE = [store("east", EAST), store("far", FAR), HERE]


def chosen(place: Place, *stores: DeclaredStore) -> str:
    return store_for(place, stores, lambda: RATES).name


def test_the_store_of_the_region_is_taken() -> None:
    assert [chosen(place, *EVERYWHERE) for place in PLACES] == ["east", "east", "far", "here"]
    assert chosen(Place("aws", "us-east-1", "us-east-1a"), *EVERYWHERE) == "east"


def test_else_the_one_to_which_data_costs_least_then_takes_least_time() -> None:
    assert chosen(WEST, store("far", FAR), HERE) == "far"  # at the same price, sooner
    assert chosen(FAR, store("west", WEST), store("east", EAST), HERE) == "east"
    assert chosen(WEST, store("anywhere", None), HERE) == "here"  # nobody knows what it costs


@pytest.mark.parametrize("pattern", ["aws", "aws/us-*", "aws/us-west-2"])
def test_a_store_that_serves_a_place_comes_first_and_serves_no_other(pattern: str) -> None:
    serving = store("serving", FAR, pattern)
    assert chosen(WEST, store("west", WEST), serving, HERE) == "serving"
    assert chosen(FAR, serving, HERE) == "here"


def test_data_goes_over_the_store_of_the_place_that_it_comes_from() -> None:
    found = routed(RATES, EVERYWHERE, RATES, outside=[])
    index = found.index
    assert found.usd_per_gb[index[EAST]] == RATES.usd_per_gb[index[EAST]]  # it is there already
    assert found.usd_per_gb[index[WEST]][index[FAR]] == pytest.approx(0.02 + 0.09)
    assert found.usd_per_gb[index[WEST]][index[WEST]] == pytest.approx(0.02 + 0.02)
    assert found.seconds_per_gb[index[WEST]][index[FAR]] == pytest.approx(2 + 4)


def test_data_that_no_job_hands_on_goes_directly() -> None:
    found = routed(RATES, EVERYWHERE, RATES, outside=[WEST])
    there = found.outside_index[WEST]
    assert (there, found.index[WEST]) == (len(PLACES), 1)
    assert found.usd_per_gb[there][:4] == RATES.usd_per_gb[1]
    assert [row[there] for row in found.usd_per_gb[:4]] == [row[1] for row in RATES.usd_per_gb]
    assert {len(row) for row in (*found.usd_per_gb, *found.seconds_per_gb)} == {len(PLACES) + 1}


@given(st.lists(st.sampled_from(PLACES), max_size=4), st.sets(st.sampled_from(PLACES)))
def test_a_route_is_what_its_two_parts_are(where: list[Place], outside: set[Place]) -> None:
    stores = [*(store(str(number), place) for number, place in enumerate(where)), HERE]
    found = routed(RATES, stores, RATES, outside=outside)
    for a, source in enumerate(PLACES):
        stop = RATES.index[store_for(source, stores, lambda: RATES).place or source]
        for b in range(len(PLACES)):
            parts = (RATES.usd_per_gb[a][stop] if a != stop else 0.0) + RATES.usd_per_gb[stop][b]
            assert found.usd_per_gb[a][b] == pytest.approx(parts)
