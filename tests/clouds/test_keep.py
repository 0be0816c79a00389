"""Machines that stay after their run to be looked at, end themselves when their time is over, and are given back."""

import json
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest
from renting import ON, Clouds, wait_until

FAILS = "steps: [{run: 'echo here > left.txt; exit 3'}]"
FINE = "steps: [{run: 'true'}]"


def left_on(machine) -> str:
    """Return what the first job left in its working folder."""
    return machine.run("sh", "-c", "cat /home/skyflow/.skyflow/runs/*/a/1/work/left.txt")


def row(cloud: Clouds) -> dict[str, str]:
    """Return the newest line of the journal."""
    database = sqlite3.connect(f"file:{cloud.folder}/.skyflow/state.db?mode=ro", uri=True)
    database.row_factory = sqlite3.Row
    try:
        return dict(database.execute("SELECT * FROM machines ORDER BY intended_at DESC, name").fetchone())
    finally:
        database.close()


@pytest.mark.parametrize("provider", ["aws", "gcp", "azure"])
def test_a_machine_stays_as_its_job_left_it_until_it_is_given_back(clouds, provider: str) -> None:
    cloud = clouds(provider)
    cloud.write(f"  a: {{{ON[provider]}, {FAILS}}}\n")
    shown = cloud.skyflow("run", "w.yml", "--keep", code=1)
    assert "`skyflow ssh a --run 1`" in shown
    assert "`skyflow down 1` gives back 1 machine" in shown
    assert left_on(cloud.only) == "here\n"
    assert "Given back: 1 machine" in cloud.skyflow("down", "--yes")
    assert cloud.remains() == {}
    assert cloud.skyflow("down") == "No machine is left.\n"


def test_a_machine_that_is_kept_is_listed_and_no_sweep_takes_it(clouds) -> None:
    aws = clouds("aws")
    aws.write(f"  a: {{{ON['aws']}, {FAILS}}}\n")
    aws.skyflow("run", "w.yml", "--keep", code=1)
    assert "kept until" in aws.skyflow("instances", "--on", "aws")
    [listed] = json.loads(aws.skyflow("instances", "--on", "aws", "--json"))
    until = datetime.fromisoformat(listed["kept_until"]) - datetime.now(UTC)
    assert timedelta(minutes=50) < until < timedelta(hours=1)
    assert "[a] aws/us-east-1/m6i.large/on-demand is kept for 1h 0" in aws.skyflow("timeline")
    assert "stays" in aws.skyflow("gc", "--on", "aws", "--grace", "0")
    aws.write(f"  b: {{{ON['aws']}, {FINE}}}\n")
    aws.skyflow("run", "w.yml")  # it sweeps as well
    assert left_on(aws.only) == "here\n"
    aws.skyflow("down", "--yes")


def test_a_machine_that_is_kept_gets_more_time(clouds) -> None:
    aws = clouds("aws")
    aws.write(f"  a: {{{ON['aws']}, {FAILS}}}\n")
    aws.skyflow("run", "w.yml", "--keep", code=1)
    assert "kept until" in aws.skyflow("keep", "--for", "3h")
    until = datetime.fromisoformat(row(aws)["kept_until"]) - datetime.now(UTC)
    assert timedelta(hours=2, minutes=50) < until <= timedelta(hours=3)
    ends = datetime.fromtimestamp(float(aws.only.run("cat", "/var/lib/skyflow/deadline")), UTC)
    assert abs(ends - datetime.fromisoformat(row(aws)["kept_until"])) < timedelta(minutes=1)
    assert "at most three days" in aws.skyflow("keep", "--for", "8d", code=2)
    aws.skyflow("down", "--yes")
    assert "no machine is left" in aws.skyflow("keep", code=2)


def test_a_machine_that_is_kept_ends_itself_when_its_time_is_over(clouds) -> None:
    aws = clouds("aws")
    aws.write(f"  a: {{{ON['aws']}, {FAILS}}}\n")
    aws.skyflow("run", "w.yml", "--keep-for", "6s", code=1, SKYFLOW_MACHINE_SILENCE="8s")  # it looks that more often
    kept = row(aws)
    assert kept["intent"] == "created"
    until = datetime.fromisoformat(kept["kept_until"])
    wait_until(lambda: aws.remains() == {} and datetime.now(UTC) > until)  # its own clock is coarser than the journal's
    aws.skyflow("gc", "--on", "aws", "--grace", "0")
    written = row(aws)
    assert written["intent"] == "gone"
    assert written["gone_at"] == kept["kept_until"]  # after that nobody paid for it


def test_a_sweep_removes_what_was_kept_and_did_not_end_itself(clouds) -> None:
    aws = clouds("aws")
    aws.write(f"  a: {{{ON['aws']}, {FAILS}}}\n")
    aws.skyflow("run", "w.yml", "--keep", code=1)
    database = sqlite3.connect(aws.folder / ".skyflow" / "state.db")
    with database:
        database.execute("UPDATE machines SET kept_until = '2026-01-01T00:00:00.000Z'")
    database.close()
    [key, _] = sorted(aws.folder.glob(f".skyflow/.skyflow-keys/{row(aws)['name']}*"))
    assert "was kept until 2026-01-01" in aws.skyflow("gc", "--on", "aws", "--grace", "0")
    assert not key.exists()


def test_the_next_job_takes_a_machine_over_and_only_then_it_is_cleared(clouds) -> None:
    aws = clouds("aws")
    aws.write(
        f"  a: {{{ON['aws']}, steps: [{{run: 'echo here > left.txt'}}]}}\n"
        f"  b: {{{ON['aws']}, needs: a, steps: [{{run: 'test ! -e ~/.skyflow/runs/*/a/1; echo b > left.txt'}}]}}\n"
    )
    shown = aws.skyflow("run", "w.yml", "--keep", "--verbose")
    assert "is taken over from a" in shown
    assert "Kept: b: " in shown
    assert aws.only.run("sh", "-c", "cat /home/skyflow/.skyflow/runs/*/b/1/work/left.txt") == "b\n"
    aws.skyflow("down", "latest", "-y")


def test_what_waits_for_a_job_that_is_skipped_stays_as_it_was(clouds) -> None:
    aws = clouds("aws")
    aws.write(
        f"  a: {{{ON['aws']}, {FAILS}}}\n"
        "  here: {runs-on: local, if: always(), needs: a, steps: [{run: 'exit 1'}]}\n"
        f"  b: {{{ON['aws']}, if: '!cancelled() && needs.here.result == ''success''', needs: [a, here], {FINE}}}\n"
    )
    aws.skyflow("run", "w.yml", "--keep", code=1)
    assert left_on(aws.only) == "here\n"
    aws.skyflow("down", "--yes")


def test_machines_of_several_runs_are_given_back_run_by_run_or_all_at_once(clouds) -> None:
    aws = clouds("aws")
    aws.write(f"  a: {{{ON['aws']}, {FINE}}}\n")
    for _ in range(3):
        aws.skyflow("run", "w.yml", "--keep-for", "2h")
    shown = aws.skyflow("down", "--yes")
    assert "Run 3: w.yml" in shown
    assert "Other runs have 2 machines" in shown
    assert "nobody is there to be asked" in aws.skyflow("down", "1", code=2)
    assert len(aws.machines.running) == 2
    aws.skyflow("down", "1", "-y")
    [machine] = aws.machines.running
    aws.skyflow("down", "--all", "-y")
    assert row(aws)["name"] != machine  # the newest was given back first
    assert aws.machines.running == {}


def test_what_cannot_be_given_back_is_said_and_found_later(clouds) -> None:
    aws = clouds("aws")
    aws.write(f"  a: {{{ON['aws']}, {FINE}}}\n")
    aws.skyflow("run", "w.yml", "--keep")
    aws.faults["aws"].plan("error", "delete", times=100)
    shown = aws.skyflow("down", "--yes", code=5)
    assert "not given back" in shown
    aws.faults["aws"].clear()
    assert "was given back" in aws.skyflow("gc", "--on", "aws", "--grace", "0")


@pytest.mark.parametrize("time", ["0s", "4d", "soon", ""])
def test_a_time_that_is_none_or_too_long_is_refused(clouds, time: str) -> None:
    aws = clouds("aws")
    aws.write(f"  a: {{{ON['aws']}, {FINE}}}\n")
    assert "--keep-for" in aws.skyflow("run", "w.yml", "--keep-for", time, code=2)
    assert aws.machines.started == []


def test_all_machines_of_a_job_are_kept_and_each_has_a_shell(clouds) -> None:
    aws = clouds("aws")
    on = ON["aws"].replace("resources: {", "resources: {nodes: 2, ")
    aws.write(f"  a: {{{on}, steps: [{{run: 'echo rank $SKYFLOW_NODE_RANK > left.txt'}}, {{run: 'exit 3'}}]}}\n")
    assert "gives back 2 machines" in aws.skyflow("run", "w.yml", "--keep", code=1)
    for rank in ("0", "1"):
        assert aws.skyflow("ssh", "a", "--node", rank, "--", "cat left.txt") == f"rank {rank}\n"
    shown = aws.skyflow("show")
    assert shown.count("Kept: a: m6i.large in aws/us-east-1") == 2
    aws.skyflow("down", "--yes")
    assert "Kept" not in aws.skyflow("show")
