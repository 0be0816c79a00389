"""What the budget of a run has been spent on: time at its price, and data as it moved or as it was planned."""

from datetime import UTC, datetime, timedelta

import pytest
from offerings import offering

from skyflow.app.running.spending import Spending
from skyflow.model.catalog import Place
from skyflow.model.machines import Intent, MachineRecord
from skyflow.model.placement import Placement, Transfer
from skyflow.model.run import AttemptRecord
from skyflow.model.status import Conclusion, Status
from skyflow.model.transfers import TransferRecord, Way

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HERE, THERE = Place("aws", "us-east-1", ""), Place("gcp", "us-central1", "")


def placed(job: str, *, data_usd: float = 0.0) -> Placement:
    return Placement(
        job=job, offering=offering(), inputs=(Transfer(from_job="x", gigabytes=1.0, usd=data_usd, seconds=1.0),), duration_seconds=60.0,
        is_duration_assumed=True, start_seconds=0.0, compute_usd=0.0,
    )  # fmt: skip


def moved(usd: float | None, target: Place = THERE) -> TransferRecord:
    return TransferRecord(
        run="run", job="a", attempt=1, what="artifact", way=Way.TO_HERE, source=HERE, target=target, size=1, seconds=1.0,
        usd=usd, at=NOW,
    )  # fmt: skip


def ended(job: str, minutes: float | None) -> AttemptRecord:
    return AttemptRecord(
        job_key=job, number=1, status=Status.IN_PROGRESS if minutes is None else Status.COMPLETED,
        conclusion=None if minutes is None else Conclusion.SUCCESS, reason=None, message=None, started_at=NOW,
        completed_at=None if minutes is None else NOW + timedelta(minutes=minutes),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("records", "first", "second"),
    [
        ([], 0.2, 0.3),
        ([moved(0.1)], 0.2, 0.3),  # less than planned: what jobs load themselves nobody sees
        ([moved(0.4), moved(0.3)], 0.7, 0.0),  # more, and the second job has had it all
        ([moved(0.4, HERE), moved(None)], 0.2, 0.3),  # a copy on the spot, and one whose price nobody knows
    ],
)
def test_data_counts_as_it_moved_or_as_planned_and_only_once(
    records: list[TransferRecord], first: float, second: float
) -> None:
    spending = Spending(lambda: records)
    assert spending.of_attempt(placed("a", data_usd=0.2), 3600.0) == pytest.approx(1.0 + first)
    assert spending.of_attempt(placed("b", data_usd=0.3), 1800.0) == pytest.approx(0.5 + second)
    assert spending.of_attempt(None, 60.0) == 0.0


def test_a_resumed_run_counts_machines_as_they_cost_and_what_is_under_way_when_it_ends() -> None:
    rented = MachineRecord(
        name="m", run="run", job="a", attempt=1, node=0, offering=offering(), intent=Intent.GONE, cloud_id="1", detail="",
        intended_at=NOW, created_at=NOW, gone_at=NOW + timedelta(hours=2), user=("a", 1),
    )  # fmt: skip
    placements = {"a": placed("a", data_usd=0.2), "b": placed("b"), "c": placed("c", data_usd=0.1)}
    attempts = [ended("a", 60.0), ended("b", 30.0), ended("c", None)]
    spending = Spending(lambda: [moved(0.25)])
    assert spending.so_far(placements, attempts, [rented], NOW) == pytest.approx(2.0 + 0.5 + 0.25)
    assert spending.of_attempt(placements["c"], 0.0) == pytest.approx(0.05)  # 0.3 are planned for both
