"""A run on rented machines is cancelled from elsewhere, wherever it is: it ends, and nothing is left."""

import signal

import pytest
from renting import ON, PATIENCE_SECONDS, WAITING, wait_until


def detached(cloud) -> None:
    assert "Run 1" in cloud.skyflow("run", "w.yml", "--detach")


@pytest.mark.parametrize("provider", ["aws", "gcp", "azure"])
def test_a_run_is_cancelled_by_another_process(clouds, provider: str) -> None:
    cloud = clouds(provider)
    cloud.write(
        f"  a: {{{ON[provider]}, {WAITING}}}\n"
        f"  b: {{{ON[provider]}, needs: a, steps: [{{run: 'true'}}]}}\n"
        "  last: {runs-on: local, needs: a, if: always(), steps: [{run: 'touch last'}]}\n"
    )
    if provider == "aws":
        detached(cloud)
    else:
        cloud.start("run", "w.yml")
    wait_until(lambda: cloud.has("/home/skyflow/begun"))
    assert cloud.skyflow("cancel") == "Run 1: cancelled\n"
    assert cloud.remains() == {}
    conclusions = {job["key"]: job["conclusion"] for job in cloud.run_json()["jobs"]}
    assert conclusions == {"a": "cancelled", "b": "cancelled", "last": "success"}
    assert (cloud.folder / "last").exists()


def test_a_run_is_cancelled_while_its_machine_boots(clouds) -> None:
    aws = clouds("aws")
    aws.machines.boot_seconds = 600.0
    aws.write(f"  a: {{{ON['aws']}, {WAITING}}}\n")
    detached(aws)
    wait_until(lambda: aws.machines.running)
    assert aws.skyflow("cancel") == "Run 1: cancelled\n"
    assert aws.remains() == {}


def test_a_run_whose_driver_was_killed_is_cancelled_and_its_machine_found(clouds) -> None:
    aws = clouds("aws")
    aws.write(f"  a: {{{ON['aws']}, {WAITING}}}\n")
    driver = aws.start("run", "w.yml")
    wait_until(lambda: aws.has("/home/skyflow/begun"))
    driver.send_signal(signal.SIGKILL)
    driver.communicate(timeout=PATIENCE_SECONDS)
    assert aws.skyflow("cancel").endswith("Run 1: cancelled\n")
    assert aws.remains() == {}


def test_a_machine_of_a_cancelled_run_is_kept_if_that_was_asked_for(clouds) -> None:
    aws = clouds("aws")
    aws.write(f"  a: {{{ON['aws']}, {WAITING}}}\n")
    aws.skyflow("run", "w.yml", "--detach", "--keep")
    wait_until(lambda: aws.has("/home/skyflow/begun"))
    aws.skyflow("cancel")
    assert "begun" in aws.skyflow("ssh", "a", "--", "ls ~; ps -e")
    aws.skyflow("down", "--yes")
