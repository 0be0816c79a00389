"""Names of machines, and what they cost."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from skyflow.model.catalog import Offering
from skyflow.model.machines import Intent, MachineRecord, MachineRequest, machine_in_name, owner_in_name
from skyflow.model.resources import Market

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
OFFERING = Offering(
    provider="gcp", region="us-central1", instance_type="n2-standard-4", market=Market.SPOT, vcpus=4, memory_gib=16.0,
    price_usd_per_hour=0.5, price_basis="list",
)  # fmt: skip
REQUEST = MachineRequest(
    offering=OFFERING, owner="0123456789", run="run", job="Train (Ü, 3.12)", attempt=1, public_key="ssh-ed25519 AAAA"
)


def test_a_name_follows_from_what_the_machine_is_for() -> None:
    same = replace(REQUEST, public_key="ssh-ed25519 BBBB")
    others = [
        replace(REQUEST, attempt=2),
        replace(REQUEST, node=1),
        replace(REQUEST, job="test"),
        replace(REQUEST, run="another"),
        replace(REQUEST, owner="9876543210"),
        replace(REQUEST, offering=replace(OFFERING, region="europe-west4")),
    ]
    assert same.name == REQUEST.name
    assert len({REQUEST.name, *(each.name for each in others)}) == 1 + len(others)
    assert len(REQUEST.name) <= 63


@pytest.mark.parametrize("suffix", ["", "-disk", "-nic", "-ip"])
def test_a_thing_of_a_machine_tells_whose_it_is(suffix: str) -> None:
    assert owner_in_name(REQUEST.name + suffix) == "0123456789"
    assert machine_in_name(REQUEST.name + suffix) == REQUEST.name


@pytest.mark.parametrize(
    "name", ["", "skyflow", "skyflow-network", "skyflow-0123456789", "my-vm", f"x{REQUEST.name}", f"{REQUEST.name}a"]
)
def test_what_is_not_ours_is_nobodys(name: str) -> None:
    assert owner_in_name(name) is None


def test_a_machine_costs_from_its_creation_to_its_end_or_to_now() -> None:
    record = MachineRecord(
        name=REQUEST.name, run="run", job="job", attempt=1, node=0, offering=OFFERING, intent=Intent.CREATED,
        cloud_id="1", detail="", intended_at=NOW, created_at=NOW, gone_at=None, user=("job", 1),
    )  # fmt: skip
    assert record.cost_usd(NOW + timedelta(hours=2)) == pytest.approx(1.0)
    assert replace(record, gone_at=NOW + timedelta(minutes=30)).cost_usd(NOW + timedelta(hours=2)) == pytest.approx(
        0.25
    )
    assert replace(record, created_at=None).cost_usd(NOW) == 0.0
    kept = replace(record, kept_until=NOW + timedelta(hours=1))
    assert kept.cost_usd(NOW + timedelta(minutes=30)) == pytest.approx(0.25)
    assert kept.cost_usd(NOW + timedelta(hours=9)) == pytest.approx(0.5)  # it has ended itself
