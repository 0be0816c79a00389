"""What follows when a spot machine is taken away: another one elsewhere at once, or the same where it was."""

import re
from pathlib import Path

import ec2_server
import pytest
from renting import PATIENCE_SECONDS, Clouds, wait_until

from skyflow.model.layout import StateFolder
from skyflow.model.machines import MachineRecord
from skyflow.model.resources import Market
from skyflow.store.machines import machine_records
from skyflow.store.store import open_store

SPOT = (
    "runs-on: [aws, gcp], resources: {market: spot, regions: [us-east-1, us-central1], "
    "instance-type: [m6i.large, n2-standard-4]}"
)
TRAIN = (
    "checkpoint: {path: kept, every: 30m}, steps: [{run: 'mkdir -p kept; echo began >> kept/log; touch ~/begun; "
    'trap "echo saved >> kept/log; exit 1" INT; while ! test -e ~/go; do sleep 0.1; done; cat kept/log\'}]'
)
ZONES = {"aws": [f"us-east-1{letter}" for letter in "abcdef"], "gcp": [f"us-central1-{letter}" for letter in "abcf"]}
KINDS = {"aws": "m6i.large", "gcp": "n2-standard-4"}


def give_room(both: Clouds, provider: str, machines: int) -> None:
    table = ec2_server.ACCOUNT.capacity if provider == "aws" else both.faults["gcp"].app.capacity
    table.update({(zone, KINDS[provider]): machines for zone in ZONES[provider]})


def place_of(both: Clouds) -> str:
    [name] = both.machines.running
    return "aws" if name.startswith("i-") else "gcp"


def take_away(both: Clouds, provider: str) -> None:
    notice = {
        "aws": ("/latest/meta-data/spot/instance-action", '{"action": "terminate"}'),
        "gcp": ("/computeMetadata/v1/instance/preempted", "TRUE"),
    }
    both.only.set_metadata(*notice[provider])


def finish(both: Clouds, driver) -> str:
    both.only.run("touch", "/home/skyflow/go")
    shown, _ = driver.communicate(timeout=PATIENCE_SECONDS)
    assert driver.returncode == 0, shown
    assert re.search(r"│ began\n.*│ saved\n.*│ began$", shown, re.MULTILINE), shown
    return shown


@pytest.mark.parametrize(("strategy", "stays"), [("{strategy: wait, for: 2m}", True), ("eager", False)])
def test_a_job_goes_on_where_its_strategy_says_from_its_checkpoint(clouds, strategy: str, stays: bool) -> None:
    both = clouds("aws", "gcp")
    both.write(f"  a: {{{SPOT}, recovery: {strategy}, {TRAIN}}}\n")
    driver = both.start("run", "w.yml", "--verbose")
    wait_until(lambda: both.has("/home/skyflow/begun"))
    first, place = both.only, place_of(both)
    give_room(both, place, 0)
    take_away(both, place)
    if stays:
        wait_until(lambda: _is_refused(both.folder))
        give_room(both, place, 1)
    wait_until(lambda: first not in both.machines.running.values() and both.has("/home/skyflow/begun"))
    assert (place_of(both) == place) is stays
    shown = finish(both, driver)
    assert ("Waiting up to 2m 00s for another" in shown) is stays
    assert ("Planned anew" in shown) is not stays


def test_a_machine_that_does_not_come_back_is_given_up(clouds) -> None:
    both = clouds("aws", "gcp")
    both.write(f"  a: {{{SPOT}, recovery: {{strategy: wait, for: 3s}}, {TRAIN}}}\n")
    driver = both.start("run", "w.yml", "--verbose")
    wait_until(lambda: both.has("/home/skyflow/begun"))
    first, place = both.only, place_of(both)
    give_room(both, place, 0)
    take_away(both, place)
    wait_until(lambda: first not in both.machines.running.values() and both.has("/home/skyflow/begun"))
    assert place_of(both) != place
    assert "There is none again after 3.0s" in finish(both, driver)


def test_a_deadline_sends_a_job_to_a_machine_on_demand_and_back_when_it_is_ahead(clouds) -> None:
    both = clouds("aws")
    spot = "runs-on: aws, resources: {market: any, regions: us-east-1, instance-type: m6i.large}, recovery: deadline"
    train = TRAIN.replace("every: 30m", "every: 1s")
    both.write(f"  a: {{{spot}, estimate: {{duration: 1m, recovery: 1s}}, {train}}}\nplan: {{deadline: 15m}}\n")
    driver = both.start("run", "w.yml", "--verbose")
    wait_until(lambda: both.has("/home/skyflow/begun"))
    ec2_server.ACCOUNT.no_spot.add("m6i.large")
    take_away(both, "aws")
    wait_until(lambda: Market.ON_DEMAND in _markets(both.folder))
    ec2_server.ACCOUNT.no_spot.clear()
    wait_until(lambda: _markets(both.folder)[-1] is Market.SPOT and both.has("/home/skyflow/begun"))
    shown = finish(both, driver)
    assert "To keep the deadline, it goes on on demand: m6i.large in aws/us-east-1" in shown
    assert re.search(
        r"on demand the job is ahead of its deadline.*Asking .* for m6i.large \(spot\)", shown, re.DOTALL
    ), shown
    assert _markets(both.folder)[0] is Market.SPOT


def _is_refused(folder: Path) -> bool:
    """Tell whether the second attempt has been refused a machine: what was intended for it is gone."""
    return any(each.attempt == 2 and each.gone_at is not None for each in _records(folder))


def _markets(folder: Path) -> list[Market]:
    """Return how each machine was bought that there was, oldest first."""
    return [each.offering.market for each in _records(folder) if each.created_at is not None]


def _records(folder: Path) -> list[MachineRecord]:
    with open_store(StateFolder(folder / ".skyflow" / "state.db"), create=False) as store:
        return machine_records(store)
