"""Offerings and places."""

from dataclasses import replace

from offerings import A100

from skyflow.model.catalog import LOCAL_PLACE, Offering, Place, TransferRates
from skyflow.model.resources import LOCAL


def test_an_offering_is_named_by_its_place_type_and_market():
    assert A100.id == "gcp/us-central1-a/a2-highgpu-1g/spot"
    assert replace(A100, zone="").id == "gcp/us-central1/a2-highgpu-1g/spot"


def test_an_offering_survives_json():
    plain = replace(A100, zone="", accelerators=None, price_date=None)
    assert Offering.from_json(A100.to_json()) == A100
    assert Offering.from_json(plain.to_json()) == plain


def test_a_place_is_named_by_the_smallest_thing_it_is():
    assert A100.place.name == "us-central1-a"
    assert Place("aws", "us-east-1").name == "us-east-1"


def test_the_local_place_belongs_to_the_local_provider():
    assert LOCAL_PLACE.provider == LOCAL


def test_rates_know_the_position_of_each_place():
    rates = TransferRates(
        places=(LOCAL_PLACE, A100.place), usd_per_gb=((0, 0), (0.12, 0)), seconds_per_gb=((0, 80), (80, 0.8))
    )
    assert rates.usd_per_gb[rates.index[A100.place]][rates.index[LOCAL_PLACE]] == 0.12
