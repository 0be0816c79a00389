"""The names of machines over a new plan of the rest of a run."""

from dataclasses import replace

from offerings import HOST, offering

from skyflow.app.planning.replan import with_known_machines
from skyflow.model.objective import Objective
from skyflow.model.placement import Placement, Plan, PlanStatus, Proof

HERE = offering()
ELSEWHERE = offering("gcp", "us-central1")


def plan(*placed: tuple[str, str]) -> Plan:
    """Return a plan by the job and the machine of each placement; machines `g...` are elsewhere, none is this one."""
    return Plan(
        objective=Objective.COST,
        status=PlanStatus.OPTIMAL,
        placements=tuple(
            Placement(
                job=job,
                offering=HOST if not machine else ELSEWHERE if machine.startswith("g") else HERE,
                inputs=(),
                duration_seconds=60.0,
                is_duration_assumed=True,
                start_seconds=0.0,
                compute_usd=0.0,
                machine=machine,
            )
            for job, machine in placed
        ),
        proof=Proof(value=0.0, bound=0.0, method="direct", seconds=0.0),
        local_slots=2,
    )


def machines(new: Plan, old: Plan, *ended: str) -> dict[str, str]:
    return {each.job: each.machine for each in with_known_machines(new, old, ended=ended).placements}


def test_a_machine_keeps_its_name() -> None:
    old = plan(("a", "m1"), ("b", "m2"), ("c", ""))
    assert machines(plan(("a", "m2"), ("b", "m1"), ("c", "")), old) == {"a": "m1", "b": "m2", "c": ""}


def test_whoever_was_to_take_over_the_machine_of_a_job_that_has_ended_still_is() -> None:
    old = plan(("a", "m1"), ("x", "m2"), ("b", "m1"))
    new = plan(("a", "m1"), ("x", "g2"), ("b", "m3"))
    assert machines(new, old, "a") == {"a": "m1", "x": "m3", "b": "m1"}


def test_one_that_was_to_take_over_and_has_its_own_by_the_new_plan_shares_no_name_with_a_job_that_runs() -> None:
    old = plan(("a", "m1"), ("b", "m1"))
    assert machines(plan(("a", "m1"), ("b", "m2")), old) == {"a": "m1", "b": "m2"}


def test_of_two_that_could_keep_a_name_one_does() -> None:
    old = plan(("a", "m1"), ("b", "m1"), ("c", "m1"))
    assert machines(plan(("a", "m1"), ("b", "m2"), ("c", "m3")), old, "a") == {"a": "m1", "b": "m1", "c": "m2"}


def test_a_job_that_moves_leaves_the_name_to_the_machine_it_had() -> None:
    old = plan(("a", "m1"), ("b", "m1"))
    moved = plan(("a", "m1"), ("b", "g2"))
    assert machines(moved, old, "a") == {"a": "m1", "b": "m2"}
    assert machines(replace(moved, placements=moved.placements[::-1]), old, "a") == {"a": "m1", "b": "m2"}
