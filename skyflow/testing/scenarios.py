"""Seeded scenarios: a workflow, a world and a driver that dies now and then; and what must be true at the end of each.

A scenario is a number. The same number is the same scenario: `python -m skyflow.testing 4711` runs it again.
"""

import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from random import Random

from skyflow.app.planning.plan import plan_workflow
from skyflow.model.execution import StepRef
from skyflow.model.placement import Plan
from skyflow.model.run import JobRecord, RunId, RunOptions
from skyflow.model.status import Conclusion, Status
from skyflow.model.workflow import Workflow
from skyflow.spec import load_workflow
from skyflow.store.store import Store
from skyflow.testing.time import VirtualClock
from skyflow.testing.world import Nature, World
from skyflow.testing.world_drive import Drive, drive_in_world, scenario_store

__all__ = ["Scenario", "ScenarioError", "check_scenario"]

_WORKFLOWS = 40
"""How many different workflows there are; a scenario is one of them in a world of its own."""
_MOST_CRASHES = 4
_SHARE_WAITING = 0.3
"""The share of scenarios in which jobs wait for a planned start."""
_COST_SLACK_USD = 1e-6


class ScenarioError(AssertionError):
    """Something is not as it must be; the message says what, and how to see it again."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """What a number stands for. `crashes` tells after how many effects each driver dies, 0 for one that does not."""

    seed: int
    workflow: Workflow
    plan: Plan
    nature: Nature
    options: RunOptions
    crashes: tuple[int, ...]

    @classmethod
    def of(cls, seed: int) -> "Scenario":
        """Return the scenario of a number."""
        chance = Random(f"scenario/{seed}")
        workflow, plan = _planned(seed % _WORKFLOWS)
        nature = Nature(
            spread=chance.choice((0.0, 0.2, 0.5)),
            preemptions_per_hour=chance.choice((0.0, 0.2, 2.0)),
            boot_seconds=chance.choice((0.0, 30.0, 300.0)),
            failing=chance.choice((0.0, 0.0, 0.1)),
            flaky=chance.choice((0.0, 0.2)),
            lost_keepers=chance.choice((0.0, 0.0, 0.5)),
            outruns_estimate=False,
        )
        budget = chance.choice((None, None, plan.cost.total_usd * chance.uniform(0.5, 1.5)))
        crashes = tuple(chance.randint(1, 60) for _ in range(chance.randint(0, _MOST_CRASHES)))
        options = RunOptions(keep_going=chance.random() < 0.2, budget_usd=budget)
        if chance.random() < _SHARE_WAITING:
            plan = _with_planned_starts(plan, chance)
        return cls(seed, workflow, plan, nature, options, crashes)


@lru_cache(maxsize=_WORKFLOWS)
def _planned(number: int) -> tuple[Workflow, Plan]:
    """Return a workflow and its plan, made by the real parser and planner."""
    chance = Random(f"workflow/{number}")
    lines = ["on: push", "jobs:"]
    count = chance.randint(1, 9)
    for index in range(count):
        needs = sorted(chance.sample(range(index), min(index, chance.choice((0, 1, 1, 2)))))
        lines += [f"  j{index}:", f"    runs-on: {chance.choice(('local', 'aws', 'gcp', 'sky'))}"]
        lines += [f"    needs: [{', '.join(f'j{need}' for need in needs)}]"] if needs else []
        lines += [
            f"    resources: {{cpus: {chance.choice((1, 2))}+, market: {chance.choice(('any', 'spot', 'on-demand'))}}}"
        ]
        lines += [f"    estimate: {chance.randint(1, 90)}m"]
        lines += ["    if: always()"] if chance.random() < 0.15 else []
        lines += ["    retry: {attempts: 3, backoff: 20s}"] if chance.random() < 0.4 else []
        lines += ["    strategy: {matrix: {n: [1, 2, 3]}}"] if chance.random() < 0.2 else []
        lines += ["    outputs: {v: '${{ steps.s1.outputs.value }}'}", "    steps:"]
        lines += [f"      - {{id: s{step}, run: step {step}}}" for step in range(1, chance.randint(2, 4))]
    workflow = load_workflow(f"scenario-{number}.yml", text="\n".join(lines) + "\n").workflow
    return workflow, plan_workflow(workflow, slots=2)


def _with_planned_starts(plan: Plan, chance: Random) -> Plan:
    """Return the plan with some jobs that wait for up to three hours from the start of the run."""
    waits = (chance.choice((0.0, float(chance.randint(1, 3 * 3600)))) for _ in plan.placements)
    placements = tuple(
        replace(one, not_before_seconds=seconds) for one, seconds in zip(plan.placements, waits, strict=True)
    )
    return replace(plan, placements=placements, begins_at=VirtualClock().now())


def check_scenario(seed: int, store: Store | None = None) -> Drive:
    """Run a scenario and check everything that must be true.

    Raises:
        ScenarioError: something is not.
    """
    scenario = Scenario.of(seed)
    with tempfile.TemporaryDirectory() as folder:
        used = store or scenario_store(Path(folder))
        try:
            drive = _drive(scenario, used, "crashes", scenario.crashes)
            calm = _drive(scenario, used, "calm", ()) if _is_comparable(scenario) else None
            problems = [*_problems(scenario, drive), *_differences(drive, calm)]
        finally:
            if store is None:
                used.connection.close()
    if problems:
        raise ScenarioError(
            f"scenario {seed}: {'; '.join(problems)}\nto see it again: python -m skyflow.testing {seed}"
        )
    return drive


def _drive(scenario: Scenario, store: Store, name: str, crashes: tuple[int, ...]) -> Drive:
    return drive_in_world(
        store,
        scenario.workflow,
        scenario.plan,
        run_id=RunId(f"{scenario.seed}-{name}"),
        seed=str(scenario.seed),
        nature=scenario.nature,
        options=scenario.options,
        crashes=crashes,
    )


def _is_comparable(scenario: Scenario) -> bool:
    """Tell whether a crash must not change how jobs end: chance does not depend on the number of attempts."""
    calm = replace(scenario.nature, flaky=0.0, preemptions_per_hour=0.0, lost_keepers=0.0)
    return bool(scenario.crashes) and scenario.nature == calm and scenario.options.budget_usd is None


def _problems(scenario: Scenario, drive: Drive) -> list[str]:
    """Return what is wrong with a run that has ended."""
    problems: list[str] = []
    world, run = drive.world, drive.run
    if run.status is not Status.COMPLETED:
        problems.append(f"the run is {run.status}")
    problems += [f"job {job.key} is {job.status}" for job in drive.jobs if job.status is not Status.COMPLETED]
    missing = {spec.id for spec in scenario.workflow.jobs} - {job.spec_id for job in drive.jobs}
    problems += [f"job {key} never came to be" for key in sorted(missing)]
    twice = [step for step, count in Counter(world.starts).items() if count > 1]
    problems += [f"step {step} was started twice" for step in twice]
    problems += [f"the machine of {key}#{number} outlives the run" for key, number in world.running_machines()]
    problems += [f"job {job.key}: {text}" for job in drive.jobs for text in _unfinished(scenario.workflow, world, job)]
    problems += [f"job {key} began before its planned start" for key in _too_early(scenario.plan, drive)]
    budget = scenario.options.budget_usd
    if budget is not None and world.cost() > budget + _worst_overrun(scenario, drive) + _COST_SLACK_USD:
        problems.append(f"${world.cost():.4f} were spent of a budget of ${budget:.4f}")
    return problems


def _too_early(plan: Plan, drive: Drive) -> list[str]:
    """Return the jobs whose first attempt began before the moment that the plan has it wait for."""
    began = {attempt.job_key: attempt.started_at for attempt in reversed(drive.attempts)}
    return [key for key, moment in plan.moments.items() if key in began and began[key] < moment]


def _unfinished(workflow: Workflow, world: World, job: JobRecord) -> list[str]:
    """Return what a job that has succeeded has not done, or what one that was skipped has."""
    ran: dict[int, list[StepRef]] = {}
    for step in world.starts:
        if step.job_key == job.key:
            ran.setdefault(step.attempt, []).append(step)
    if job.conclusion is Conclusion.SKIPPED:
        return ["was not to run, and did"] if ran else []
    if job.conclusion is not Conclusion.SUCCESS:
        return []
    wanted = list(range(1, len(workflow.job(job.spec_id).steps) + 1))
    last = [step.position for step in ran.get(max(ran, default=0), [])]
    return [] if last == wanted else [f"succeeded with the steps {last} of {wanted}"]


def _worst_overrun(scenario: Scenario, drive: Drive) -> float:
    """Return what starting machines may have cost on top: the plan bills without it."""
    boots = 4 * scenario.nature.boot_seconds / 3600
    return sum(machine.offering.price_usd_per_hour * boots for machine in drive.world.machines.values())


def _differences(drive: Drive, calm: Drive | None) -> list[str]:
    """Return how a run with crashes ended otherwise than the same without."""
    if calm is None:
        return []
    with_crashes, without = _ends(drive), _ends(calm)
    return [f"with crashes the jobs ended as {with_crashes}, without as {without}"] if with_crashes != without else []


def _ends(drive: Drive) -> Mapping[str, tuple[str, tuple[tuple[str, str], ...]]]:
    """Return how each job ended.

    Of a matrix in which one failed there is only that: how far the others had come when it did, and with `fail-fast`
    whether they failed themselves or were cancelled, is a question of time, which a crash may answer otherwise.
    """
    failed = {job.spec_id for job in drive.jobs if job.leg_total > 1 and job.conclusion is Conclusion.FAILURE}
    ends = {
        job.key: (str(job.conclusion), tuple(job.outputs.items())) for job in drive.jobs if job.spec_id not in failed
    }
    return ends | dict.fromkeys(sorted(failed), (str(Conclusion.FAILURE), ()))
