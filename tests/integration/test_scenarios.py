"""The real engine, planner and store in simulated worlds: a share of the scenarios that the CI runs in full."""

import pytest

from skyflow.testing import ScenarioError, check_scenario
from skyflow.testing.scenarios import Scenario
from skyflow.testing.simulated import SimulatedRunner
from skyflow.testing.world import World
from skyflow.testing.world_drive import Drive, scenario_store


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with scenario_store(tmp_path_factory.mktemp("worlds")) as store:
        yield store


@pytest.mark.parametrize("first", range(0, 160, 40))
def test_nothing_is_lost_and_nothing_done_twice(store, first: int) -> None:
    drives = [check_scenario(seed, store) for seed in range(first, first + 40)]
    assert sum(drive.crashes for drive in drives) > 5, "drivers have to die for this to mean anything"


def test_a_number_is_the_same_scenario_each_time(tmp_path) -> None:
    def ends(name: str) -> object:
        with scenario_store(tmp_path / name) as store:
            drive: Drive = check_scenario(7, store)
            return [
                (job.key, job.conclusion, job.started_at, job.completed_at) for job in drive.jobs
            ], drive.world.cost()

    assert ends("once") == ends("again")


def test_scenarios_differ() -> None:
    scenarios = [Scenario.of(seed) for seed in range(60)]
    assert any(scenario.crashes for scenario in scenarios)
    assert any(scenario.options.budget_usd for scenario in scenarios)
    assert any(scenario.nature.preemptions_per_hour for scenario in scenarios)


async def _releases_nothing(self, job_key, attempt):
    return None


def _forgets_what_ran(self, step, steps):
    self.starts.append(step)
    return self._started(step, steps)


def _check_many() -> None:
    for seed in range(1000, 1100):
        check_scenario(seed)


@pytest.mark.parametrize(
    ("broken", "problem"),
    [
        ((SimulatedRunner, "release", _releases_nothing), "outlives the run"),
        ((World, "process", _forgets_what_ran), "was started twice"),
    ],
)
def test_what_is_wrong_is_found_and_can_be_seen_again(monkeypatch, broken, problem) -> None:
    monkeypatch.setattr(*broken)
    with pytest.raises(ScenarioError, match=problem) as found:
        _check_many()
    assert "to see it again: python -m skyflow.testing 10" in str(found.value)
