"""Every moment at which a driver may die, one after the other: a run that was resumed is as one that was never interrupted.

Scenarios draw moments by chance; here none is left out, for workflows that together use all that the engine has.
"""

import tempfile
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from skyflow.app.planning.plan import plan_workflow
from skyflow.model.execution import Pairs
from skyflow.model.run import RunId, RunOptions
from skyflow.model.status import Reason, Status
from skyflow.model.uses import BuiltInAction, LoadedAction, LocalAction
from skyflow.spec import load_action, load_workflow
from skyflow.store import maintenance
from skyflow.store.groups import GroupStore
from skyflow.store.store import Store
from skyflow.testing.world import Nature
from skyflow.testing.world_drive import Drive, drive_in_world, scenario_store

__all__ = ["CRASH_CASES", "CrashCase", "check_crash_points"]

_COMPOSITE = """
name: two steps
inputs: {what: {default: nothing}}
outputs: {made: {value: '${{ steps.second.outputs.value }}'}}
runs:
  using: composite
  steps:
    - {run: first, shell: bash}
    - {id: second, run: second, shell: bash}
"""
_WITH_POST = """
name: with a post phase
runs: {using: node20, main: main.js, post: post.js, post-if: always()}
"""
_CALLEE = """
on:
  workflow_call:
    outputs: {made: {value: '${{ jobs.inner.outputs.v }}'}}
jobs:
  inner: {runs-on: local, estimate: 4s, outputs: {v: '${{ steps.s.outputs.value }}'}, steps: [{id: s, run: x}]}
  last: {needs: inner, runs-on: local, estimate: 4s, steps: [{run: x}]}
"""
_EVERYTHING = """
on: push
concurrency: deploy
jobs:
  plan:
    runs-on: local
    estimate: 2s
    outputs: {legs: '["a", "b"]', v: '${{ steps.s.outputs.value }}'}
    steps: [{uses: actions/checkout@v4}, {id: s, run: x}]
  known: {runs-on: local, cache: {}, estimate: 2s, outputs: {v: '${{ steps.s.outputs.value }}'}, steps: [{id: s, run: x}]}
  fresh: {runs-on: local, cache: {inputs: src}, estimate: 2s, steps: [{run: x}, {run: x}]}
  legs:
    needs: [plan, known]
    runs-on: local
    estimate: 3s
    strategy: {max-parallel: 2, fail-fast: false, matrix: {leg: '${{ fromJSON(needs.plan.outputs.legs) }}', n: [1, 2]}}
    continue-on-error: ${{ matrix.leg == 'b' }}
    outputs: {v: '${{ steps.s.outputs.value }}'}
    steps:
      - {id: s, run: x, if: "hashFiles('lock') != ''"}
      - {uses: actions/upload-artifact@v4, with: {name: kept, path: out}}
  flaky: {runs-on: local, retry: {attempts: 3, backoff: 3s}, estimate: 2s, steps: [{run: x}, {run: x, retry: {attempts: 2}}]}
  held:
    needs: flaky
    runs-on: local
    estimate: 2s
    concurrency: {group: one-at-a-time}
    container: image
    services: {db: {image: postgres}}
    steps: [{run: x}, {uses: ./post}, {run: y, background: true}, {run: z}]
  also: {needs: flaky, runs-on: local, estimate: 2s, concurrency: one-at-a-time, steps: [{id: two, uses: ./composite}]}
  far: {needs: plan, runs-on: aws, estimate: 10s, resources: {cpus: 2}, checkpoint: {path: out, every: 4s}, steps: [{run: x}]}
  call: {needs: plan, uses: ./.github/workflows/callee.yml}
  broken: {needs: held, runs-on: local, estimate: 1s, steps: [{run: x}, {run: y, if: failure()}, {run: z}]}
  skipped: {needs: broken, runs-on: local, steps: [{run: x}]}
  always: {needs: [broken, legs, call, far], if: always(), runs-on: local, estimate: 1s, steps: [{run: x}]}
"""
_CANCELLED = """
on: push
jobs:
  done: {runs-on: local, estimate: 4s, outputs: {v: '${{ steps.s.outputs.value }}'}, steps: [{id: s, run: x}]}
  long:
    needs: done
    runs-on: local
    estimate: 1h
    steps: [{uses: ./post}, {run: x}, {run: never}, {run: clean, if: cancelled()}, {run: last, if: always()}]
  beside: {needs: done, runs-on: aws, estimate: 1h, steps: [{run: x}]}
  after: {needs: long, runs-on: local, steps: [{run: x}]}
  always: {needs: long, if: always(), runs-on: local, estimate: 5s, steps: [{run: x}]}
"""
_FAIL_FAST = """
on: push
jobs:
  legs:
    runs-on: local
    estimate: 30s
    strategy: {matrix: {n: [1, 2, 3, 4]}}
    steps: [{run: x}, {run: y, continue-on-error: true}, {run: z, timeout-minutes: 1}]
  slow: {runs-on: local, estimate: 10m, timeout-minutes: 2, retry: {attempts: 2, on: [timeout]}, steps: [{run: x}]}
  after: {needs: [legs, slow], if: failure(), runs-on: local, estimate: 3s, steps: [{run: x}]}
"""


_LONGEST_SECONDS = 2000.0
"""Longer than any of these workflows takes in its world."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CrashCase:
    """A workflow and what happens in it; `exits` is as in `Nature`, `cancelled_at` and `remembered` as of a drive."""

    source: str
    exits: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    remembered: Mapping[str, Pairs] = field(default_factory=dict)
    cancelled_at: float | None = None


CRASH_CASES = {
    "everything": CrashCase(
        source=_EVERYTHING,
        exits={"flaky/1": (1, 0), "legs.3/1": (1,), "broken/1": (1,)},
        remembered={"known": (("v", "from before"),)},
    ),
    "cancelled": CrashCase(source=_CANCELLED, cancelled_at=60.0),
    "fail-fast": CrashCase(source=_FAIL_FAST, exits={"legs.2/1": (1,), "legs.1/2": (1,)}),
}
"""The workflows, by what they are about."""


def check_crash_points(name: str, *, lost_keepers: bool = False, every: int = 1) -> tuple[int, list[str]]:
    """Kill the driver of a case at each moment, resume, and compare with a run that nothing happened to.

    With `lost_keepers` what the driver had started dies with it: then jobs have further attempts, and must end alike.
    `every` leaves moments out, for those in a hurry.

    Returns:
        At how many moments it was killed, and what was wrong, a sentence each.

    Raises:
        KeyError: there is no such case.
    """
    with tempfile.TemporaryDirectory() as folder, scenario_store(Path(folder)) as store:
        trial = _Trial(CRASH_CASES[name], store, lost_keepers=lost_keepers)
        calm = trial.drive("calm")
        wanted = trial.ends(calm)
        problems = [f"{name}, without a crash: {text}" for text in _problems(store, calm)]
        moments = range(1, calm.moments + 1, every)
        for moment in moments:
            drive = trial.drive(str(moment), moment)
            ends = trial.ends(drive)
            other = [key for key in sorted(ends.keys() | wanted.keys()) if ends.get(key) != wanted.get(key)]
            found = [*_problems(store, drive), *(f"{key}: {ends.get(key)}, was {wanted.get(key)}" for key in other)]
            problems += [f"{name}, killed at moment {moment}: {text}" for text in found]
        return len(moments), [*problems, *maintenance.check(store)]


class _Trial:
    """A case, ready to be driven again and again."""

    def __init__(self, case: CrashCase, store: Store, *, lost_keepers: bool) -> None:
        self._case, self._store, self._lost_keepers = case, store, lost_keepers
        self._workflow = load_workflow("crash.yml", text=case.source).workflow
        self._callees = {uses: load_workflow(uses, text=text).workflow for uses, text in _CALLEES.items()}
        self._plan = plan_workflow(self._workflow, callees=self._callees, slots=3)
        self._actions = _actions()

    def drive(self, name: str, *crashes: int) -> Drive:
        """Run it once."""
        case = self._case
        nature = Nature(
            spread=0.0,
            preemptions_per_hour=0.0,
            boot_seconds=5.0,
            exits=case.exits,
            lost_keepers=float(self._lost_keepers),
        )
        return drive_in_world(
            self._store,
            self._workflow,
            self._plan,
            run_id=RunId(f"crash-{name}"),
            seed="crash",
            nature=nature,
            options=RunOptions(),
            crashes=crashes,
            callees=self._callees,
            actions=self._actions,
            remembered=case.remembered,
            cancelled_at=case.cancelled_at,
            ends_within=_LONGEST_SECONDS,
        )

    def ends(self, drive: Drive) -> dict[str, object]:
        """Return how the run and its jobs ended; where nothing was lost, also what attempts did and which scripts ran how often.

        An attempt that was lost before anything of it had begun is none of those.
        """
        ends: dict[str, object] = {"the run": drive.run.conclusion}
        ends |= {f"job {job.key}": (job.conclusion, job.outcome, dict(job.outputs)) for job in drive.jobs}
        if self._lost_keepers:
            return ends
        steps = self._store.steps(drive.run.id)
        attempts: dict[str, list[object]] = defaultdict(list)
        for attempt in drive.attempts:
            if attempt.reason is not Reason.LOST:
                own = [step for step in steps if (step.job_key, step.attempt) == (attempt.job_key, attempt.number)]
                did = [(step.position, step.conclusion, step.outcome, step.reason) for step in own]
                attempts[f"attempts at {attempt.job_key}"].append((attempt.conclusion, attempt.reason, did))
        scripts = Counter((step.job_key, step.place) for step in drive.world.starts)
        return ends | attempts | {"scripts": scripts}


_CALLEES = {"./.github/workflows/callee.yml": _CALLEE}


def _actions() -> dict[str, LoadedAction]:
    composite, post = load_action("composite/action.yml", _COMPOSITE), load_action("post/action.yml", _WITH_POST)
    return {
        "actions/checkout@v4": BuiltInAction(name="actions/checkout", has_post=True),
        "actions/upload-artifact@v4": BuiltInAction(name="actions/upload-artifact"),
        "./composite": LocalAction(action=composite, folder="/simulated/composite"),
        "./post": LocalAction(action=post, folder="/simulated/post"),
    }


def _problems(store: Store, drive: Drive) -> list[str]:
    """Return what no run may leave behind or have done."""
    world, run = drive.world, drive.run
    problems = [] if run.status is Status.COMPLETED else [f"the run is {run.status}"]
    problems += [
        f"step {step} was started twice" for step in sorted(set(world.starts), key=str) if world.starts.count(step) > 1
    ]
    problems += [f"the machine of {key}#{number} outlives the run" for key, number in world.running_machines()]
    problems += [f"the containers of {key}#{number} outlive the run" for key, number in sorted(world.containers)]
    held = () if drive.crashes else GroupStore(store).group_moves(run.id)  # what a dead driver holds is free
    return [*problems, *(f"{holder or 'the run'} still holds its group" for holder in held)]
