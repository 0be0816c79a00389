"""What rented machines have cost."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from offerings import offering

from skyflow.model.costs import CostBy, cost_lines, costs_of
from skyflow.model.machines import Intent, MachineRecord

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)


def machine(
    name: str, *, run: str = "r", job: str = "a", provider: str = "aws", hours: float = 1.0, ago: float = 1.0
) -> MachineRecord:
    made = NOW - timedelta(hours=ago)
    gone = made + timedelta(hours=hours)
    return MachineRecord(
        name=name,
        run=run,
        job=job,
        attempt=1,
        node=0,
        offering=offering(provider, "r1", instance_type="m", price_usd_per_hour=2.0),
        intent=Intent.GONE if gone <= NOW else Intent.CREATED,
        cloud_id=name,
        detail="",
        intended_at=made,
        created_at=made,
        gone_at=gone if gone <= NOW else None,
        user=(job, 1),
    )


NEVER_MADE = replace(machine("d"), created_at=None, gone_at=NOW, intent=Intent.GONE)
MACHINES = [
    machine("a", job="a", hours=1, ago=20),
    machine("b", job="b", provider="gcp", hours=3, ago=3),
    machine("c", job="a", hours=5, ago=2),
    NEVER_MADE,
]


def test_what_was_never_made_costs_nothing_and_what_runs_costs_until_now() -> None:
    total = costs_of(MACHINES, NOW)
    assert (total.machines, total.running, total.hours, total.usd) == (3, 1, 6.0, 12.0)


@pytest.mark.parametrize(
    ("by", "lines"),
    [
        (CostBy.JOB, {"a": 6.0, "b": 6.0}),
        (CostBy.CLOUD, {"aws": 6.0, "gcp": 6.0}),
        (CostBy.REGION, {"aws/r1": 6.0, "gcp/r1": 6.0}),
        (CostBy.DAY, {"2026-01-01": 2.0, "2026-01-02": 10.0}),
        (CostBy.RUN, {"r": 12.0}),
    ],
)
def test_costs_are_told_apart(by, lines) -> None:
    assert {name: costs.usd for name, costs in cost_lines(MACHINES, by, NOW).items()} == lines


def test_emissions_are_not_known_where_those_of_one_machine_are_not() -> None:
    assert costs_of(MACHINES, NOW).grams is None
    assert costs_of([], NOW).grams == 0.0
