"""What the sweeper decides, case by case."""

from datetime import UTC, datetime, timedelta

import pytest

from skyflow.model.catalog import Offering
from skyflow.model.machines import Intent, Leftover, Machine, MachineRecord, MachineState
from skyflow.model.resources import Market
from skyflow.provisioners.sweep import Sweep, plan_sweep

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
OWNER = "0123456789"
NAME = f"skyflow-{OWNER}-{'a' * 20}"
OFFERING = Offering(
    provider="aws", region="us-east-1", instance_type="m6i.large", market=Market.ON_DEMAND, vcpus=2, memory_gib=8.0,
    price_usd_per_hour=0.096, price_basis="list",
)  # fmt: skip


def machine(*, minutes_old: float = 60, owner: str = OWNER, state: MachineState = MachineState.RUNNING) -> Machine:
    return Machine(
        provider="aws", region="us-east-1", zone="us-east-1a", id="i-1", name=NAME, owner=owner, run="run-1", job="a",
        attempt=1, state=state, instance_type="m6i.large", created_at=NOW - timedelta(minutes=minutes_old),
    )  # fmt: skip


def record(
    intent: Intent = Intent.CREATED, *, minutes_old: float = 60, kept_minutes: float | None = None
) -> MachineRecord:
    at = NOW - timedelta(minutes=minutes_old)
    kept_until = None if kept_minutes is None else NOW + timedelta(minutes=kept_minutes)
    return MachineRecord(
        name=NAME, run="run-1", job="a", attempt=1, node=0, offering=OFFERING, intent=intent, cloud_id="i-1", detail="",
        intended_at=at, created_at=at, gone_at=None, user=("a", 1), kept_until=kept_until,
    )  # fmt: skip


def leftover(*, owner: str = OWNER, minutes_old: float | None = 60) -> Leftover:
    made = None if minutes_old is None else NOW - timedelta(minutes=minutes_old)
    return Leftover(
        provider="aws", region="us-east-1", kind="disk", id="vol-1", name=NAME, owner=owner, created_at=made
    )


def swept(*, machines=(), leftovers=(), records=(), listed=("aws",), driven=(), removed=()) -> Sweep:
    return plan_sweep(
        machines, leftovers, records, listed=listed, driven_runs=driven, owner=OWNER, now=NOW,
        grace=timedelta(minutes=5), removed=removed,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("given", "goes", "why"),
    [
        ({"machines": [machine()]}, True, "our records do not know it"),
        ({"machines": [machine()], "records": [record()]}, True, "nobody drives its run"),
        ({"machines": [machine()], "records": [record()], "driven": {"run-1"}}, False, "its run goes on"),
        ({"machines": [machine()], "driven": {"run-1"}}, False, "its run goes on"),
        ({"machines": [machine()], "records": [record(kept_minutes=1)]}, False, "it is kept until "),
        ({"machines": [machine()], "records": [record(kept_minutes=-1)]}, True, "it was kept until "),
        (
            {"machines": [machine()], "records": [record(kept_minutes=-1)], "driven": {"run-1"}},
            True,
            "it was kept until ",
        ),
        ({"machines": [machine()], "records": [record(Intent.RELEASED, kept_minutes=1)]}, True, "it was given back"),
        ({"machines": [machine(minutes_old=4)]}, False, "it is too new to judge"),
        ({"machines": [machine(minutes_old=4)], "records": [record(Intent.RELEASED)]}, True, "it was given back"),
        (
            {"machines": [machine()], "records": [record(Intent.RELEASED)], "driven": {"run-1"}},
            True,
            "it was given back",
        ),
        ({"machines": [machine()], "records": [record(Intent.GONE)]}, True, "it was given back"),
        ({"machines": [machine(owner="ffffffffff")]}, False, "it belongs to another store"),
        (
            {"machines": [machine(owner="")], "records": [record(Intent.RELEASED)]},
            False,
            "it belongs to another store",
        ),
        ({"leftovers": [leftover()]}, True, "no machine uses it"),
        ({"leftovers": [leftover(minutes_old=None)]}, True, "no machine uses it"),
        ({"leftovers": [leftover(minutes_old=4)]}, False, "it is too new to judge"),
        ({"leftovers": [leftover(minutes_old=4)], "removed": {NAME}}, True, "its machine was removed"),
        ({"leftovers": [leftover(owner="ffffffffff")], "removed": {NAME}}, False, "it belongs to another store"),
        (
            {"leftovers": [leftover(minutes_old=None)], "records": [record(Intent.INTENDED, minutes_old=1)]},
            False,
            "its machine exists, or is being made",
        ),
    ],
)
def test_each_thing_has_one_fate(given: dict[str, object], goes: bool, why: str) -> None:
    [decision] = swept(**given).decisions
    assert (decision.goes, decision.why.startswith(why)) == (goes, True)


def test_what_is_gone_is_not_decided_about() -> None:
    assert swept(machines=[machine(state=MachineState.GONE)]).decisions == ()


def test_a_record_is_closed_when_its_cloud_answered_and_knows_nothing() -> None:
    assert swept(records=[record()]).closed == (NAME,)
    assert swept(records=[record()], listed=("gcp",)).closed == ()
    assert swept(records=[record()], machines=[machine()]).closed == ()
    assert swept(records=[record()], machines=[machine(state=MachineState.GONE)]).closed == (NAME,)
    assert swept(records=[record(Intent.INTENDED, minutes_old=4)]).closed == ()
    assert swept(records=[record()], driven={"run-1"}).closed == ()
