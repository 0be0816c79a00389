"""A small problem that needs every family of constraints."""

import pytest

from skyflow.model.catalog import LOCAL_PLACE, Offering, Place
from skyflow.model.resources import Market
from skyflow.planner.problem import Candidate, Edge, PlacementProblem


def offering(place, instance_type, price):
    return Offering(
        provider=place.provider,
        region=place.region,
        zone=place.zone,
        instance_type=instance_type,
        market=Market.ON_DEMAND,
        vcpus=4,
        memory_gib=16.0,
        price_usd_per_hour=price,
        price_basis="list",
    )


@pytest.fixture(scope="session")
def make_offering():
    return offering


@pytest.fixture(scope="session")
def tiny():
    """Two jobs with 10 GB between them; the local machine, with one slot, and two regions."""
    east, west = Place("aws", "us-east-1"), Place("gcp", "us-west1")

    def candidate(place, instance_type, seconds, usd, rank):
        return Candidate(offering(place, instance_type, usd * 3600 / seconds), rank_of[place], seconds, usd, rank)

    rank_of = {LOCAL_PLACE: 0, east: 1, west: 2}
    return PlacementProblem(
        jobs=("build", "test-all"),
        candidates=(
            (candidate(LOCAL_PLACE, "this-machine", 200.0, 0.0, 0), candidate(east, "m6i.large", 100.0, 0.5, 1)),
            (
                candidate(LOCAL_PLACE, "this-machine", 900.0, 0.0, 0),
                candidate(east, "m6i.large", 300.0, 1.5, 1),
                candidate(east, "m6i.xlarge", 150.0, 2.0, 2),
                candidate(west, "n2-standard-8", 100.0, 3.0, 3),
            ),
        ),
        edges=(Edge(0, 0, 1, 10.0),),
        usd_per_gb=((0.0, 0.0, 0.0), (0.09, 0.0, 0.09), (0.12, 0.12, 0.0)),
        seconds_per_gb=((0.0, 80.0, 80.0), (80.0, 0.8, 1.6), (80.0, 1.6, 0.8)),
        slots=(1, None, None),
    )
