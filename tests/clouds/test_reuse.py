"""A machine goes from job to job as planned, is given back once nobody needs it, and is never forgotten."""

import json
import signal
import sqlite3

import pytest
from renting import ON, PATIENCE_SECONDS, WAITING, Clouds, wait_until

STEP = "steps: [{run: 'echo ran on $(hostname)'}]"
SLOW = (
    "{runs-on: local, steps: [{run: 'for _ in $(seq 1200); do test ! -e go || break; sleep 0.1; done'}], estimate: 1s}"
)
"""A job here that holds up others until there is a file `go`."""
LATER = f"if: always(), needs: [a, slow], {ON['aws']}, {STEP}"


@pytest.mark.parametrize("provider", ["aws", "gcp", "azure"])
def test_a_job_takes_over_the_machine_of_the_one_before(clouds, provider: str) -> None:
    cloud = clouds(provider)
    cloud.write(
        f"""\
  a: {{{ON[provider]}, steps: [{{run: 'echo a > left.txt; setsid sleep 4321 > /dev/null 2>&1 < /dev/null & true'}}]}}
  b: {{{ON[provider]}, needs: a, steps: [
    {{run: 'test ! -e left.txt; if pgrep -fa "sleep 432[1]"; then exit 1; fi; ls -R ~/.skyflow/runs | head -20; test ! -e ~/.skyflow/runs/*/a/1'}}]}}
  c: {{{ON[provider]}, needs: b, {STEP}}}
"""
    )
    shown = cloud.skyflow("run", "w.yml", "--verbose")
    assert len(cloud.machines.started) == 1
    assert "is taken over from a" in shown
    assert "is taken over from b" in shown
    [record] = machines_of(cloud)
    assert record["id"]
    assert "Rented 1 machine" in shown


def machines_of(cloud: Clouds) -> list[dict]:
    jobs = cloud.run_json()["jobs"]
    return [each for job in jobs for attempt in job["attempts"] for each in attempt["machines"]]


@pytest.mark.parametrize(
    ("key", "config"), [("reuse: false", ""), ("reuse: true", "idle-minutes: 0")], ids=["of the job", "of the project"]
)
def test_who_does_not_want_that_has_a_machine_for_every_job(clouds, key: str, config: str) -> None:
    aws = clouds("aws")
    (aws.folder / "skyflow.yml").write_text(config)
    on = ON["aws"].replace("resources: {", f"resources: {{{key}, ")
    aws.write(f"  a: {{{on}, {STEP}}}\n  b: {{{on}, needs: a, {STEP}}}\n")
    aws.skyflow("run", "w.yml")
    assert len(aws.machines.started) == 2


def test_a_machine_goes_when_the_job_it_was_kept_for_is_skipped(clouds) -> None:
    aws = clouds("aws")
    aws.write(
        f"  a: {{{ON['aws']}, steps: [{{run: 'exit 3'}}]}}\n  b: {{{ON['aws']}, needs: a, {STEP}}}\n"
        "  here: {runs-on: local, if: always(), needs: b, steps: [{run: 'touch here; "
        "for _ in $(seq 1200); do test ! -e go || break; sleep 0.1; done'}]}\n"
    )
    driver = aws.start("run", "w.yml")
    wait_until((aws.folder / "here").exists)
    wait_until(lambda: aws.remains() == {})
    (aws.folder / "go").touch()
    driver.communicate(timeout=PATIENCE_SECONDS)
    assert driver.returncode == 1


def kept(clouds, config: str = "") -> tuple[Clouds, object]:
    """Return a run whose first machine is kept for a job that waits for another one."""
    aws = clouds("aws")
    (aws.folder / "skyflow.yml").write_text(config)
    aws.write(f"  a: {{{ON['aws']}, steps: [{{run: 'echo a > ~/mark'}}]}}\n  slow: {SLOW}\n  b: {{{LATER}}}\n")
    driver = aws.start("run", "w.yml", "--verbose")
    wait_until(lambda: job(aws, "a") == "completed")
    return aws, driver


def job(cloud: Clouds, key: str) -> str:
    path = cloud.folder / ".skyflow" / "state.db"
    if not path.exists():
        return ""
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        rows = database.execute("SELECT status FROM jobs WHERE job_key = ?", (key,)).fetchall()
    except sqlite3.OperationalError:
        return ""
    finally:
        database.close()
    return rows[0][0] if rows else ""


def let_slow_end(cloud: Clouds, driver) -> str:
    (cloud.folder / "go").touch()
    shown, _ = driver.communicate(timeout=PATIENCE_SECONDS)
    assert driver.returncode == 0, shown
    return shown


def test_a_machine_waits_for_its_next_job_and_the_idle_time_is_paid_for(clouds) -> None:
    aws, driver = kept(clouds)
    assert len(aws.machines.running) == 1
    assert "is taken over from a" in let_slow_end(aws, driver)
    assert len(aws.machines.started) == 1
    [line] = json.loads(aws.skyflow("cost", "latest", "--json"))["lines"]
    [machine] = machines_of(aws)
    assert line["usd"] == pytest.approx(machine["usd"], abs=1e-6)


def test_a_machine_that_nobody_takes_goes_after_the_idle_minutes(clouds) -> None:
    aws, driver = kept(clouds, "idle-minutes: 0.02")
    wait_until(lambda: aws.remains() == {})
    assert "is taken over" not in let_slow_end(aws, driver)
    assert len(aws.machines.started) == 2


def test_a_kept_machine_that_is_gone_is_replaced(clouds) -> None:
    aws, driver = kept(clouds)
    aws.take_away()
    assert "is taken over" not in let_slow_end(aws, driver)
    assert len(aws.machines.started) == 2


def test_a_resumed_run_finds_the_machine_that_was_kept(clouds) -> None:
    aws, driver = kept(clouds)
    driver.kill()
    resumed = aws.start("resume", "--verbose")
    assert "is taken over from a" in let_slow_end(aws, resumed)
    assert len(aws.machines.started) == 1


def test_a_resumed_run_finds_a_job_on_the_machine_that_it_took_over(clouds) -> None:
    aws = clouds("aws")
    aws.write(f"  a: {{{ON['aws']}, {STEP}}}\n  b: {{{ON['aws']}, needs: a, {WAITING}}}\n")
    driver = aws.start_until_begun("run", "w.yml")
    driver.kill()
    resumed = aws.start("resume", "--verbose")
    shown = aws.let_go_on(resumed)
    assert "count 1" in shown
    assert len(aws.machines.started) == 1


def test_a_run_that_is_cancelled_gives_a_kept_machine_back(clouds) -> None:
    aws, driver = kept(clouds)
    driver.send_signal(signal.SIGINT)
    driver.communicate(timeout=PATIENCE_SECONDS)
    assert driver.returncode == 130
    assert aws.remains() == {}
