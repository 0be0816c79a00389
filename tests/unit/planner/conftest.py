"""A small problem that needs every family of constraints."""

from array import array

import pytest
from offerings import offering_at

from skyflow.model.catalog import LOCAL_PLACE, Place
from skyflow.planner.problem import Candidates, Capacity, Edge, Limits, PlacementProblem


@pytest.fixture(scope="session")
def make_offering():
    return offering_at


@pytest.fixture(scope="session")
def tiny():
    """Two jobs with 10 GB between them; the local machine, with one slot, and two regions; limits on everything."""
    east, west = Place("aws", "us-east-1"), Place("gcp", "us-west1")
    index = {LOCAL_PLACE: 0, east: 1, west: 2}

    def candidates(*rows):
        return Candidates.of(
            ((index[place], seconds, usd, grams) for place, _, seconds, usd, grams in rows),
            (offering_at(place, kind, usd * 3600 / seconds) for place, kind, seconds, usd, _ in rows),
        )

    return PlacementProblem(
        jobs=("build", "test-all"),
        candidates=(
            candidates((LOCAL_PLACE, "this-machine", 200.0, 0.0, 30.0), (east, "m6i.large", 100.0, 0.5, 20.0)),
            candidates(
                (LOCAL_PLACE, "this-machine", 900.0, 0.0, 90.0),
                (east, "m6i.large", 300.0, 1.5, 60.0),
                (east, "m6i.xlarge", 150.0, 2.0, 50.0),
                (west, "n2-standard-8", 100.0, 3.0, 10.0),
            ),
        ),
        edges=(Edge(0, 0, 1, 10.0),),
        usd_per_gb=((0.0, 0.0, 0.0), (0.09, 0.0, 0.09), (0.12, 0.12, 0.0)),
        seconds_per_gb=((0.0, 80.0, 80.0), (80.0, 0.8, 1.6), (80.0, 1.6, 0.8)),
        grams_per_gb=((0.0, 2.0, 2.0), (2.0, 0.0, 4.0), (2.0, 4.0, 0.0)),
        capacities=(
            Capacity(name="slots of this machine", units=1.0, uses=(array("d", [1, 0]), array("d", [1, 0, 0, 0]))),
        ),
        limits=Limits(usd=5.0, grams=100.0, seconds=1500.0),
    )
