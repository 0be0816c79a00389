"""From a workflow file to a plan over the shipped catalog."""

import pytest

from skyflow.app.planning.plan import plan_workflow
from skyflow.errors import NoCandidateError, UsageError
from skyflow.model.objective import Objective
from skyflow.model.placement import Plan, PlanStatus
from skyflow.spec import load_workflow


def planned(jobs: str, **options: object) -> Plan:
    workflow = load_workflow("w.yml", text=f"on: push\njobs:\n{jobs}").workflow
    return plan_workflow(workflow, slots=options.pop("slots", 2), **options)


def keys(plan: Plan) -> list[str]:
    return [placement.job for placement in plan.placements]


STEPS = "steps: [{run: x}]"


def test_every_combination_of_a_matrix_is_planned() -> None:
    plan = planned(
        f"  m: {{runs-on: local, strategy: {{matrix: {{n: [1, 2, 3]}}}}, {STEPS}}}\n  z: {{runs-on: local, needs: m, {STEPS}}}\n"
    )
    assert keys(plan) == ["m.0", "m.1", "m.2", "z"]
    assert plan.status is PlanStatus.OPTIMAL
    assert not any("matrix" in note for note in plan.notes)


def test_a_matrix_that_depends_on_a_result_is_planned_as_one_job_and_says_so() -> None:
    plan = planned(
        f"  a: {{runs-on: local, outputs: {{l: '[]'}}, {STEPS}}}\n"
        f"  m: {{runs-on: local, needs: a, strategy: {{matrix: {{n: '${{{{ fromJSON(needs.a.outputs.l) }}}}'}}}}, {STEPS}}}\n"
    )
    assert keys(plan) == ["a", "m"]
    assert any("the matrix of 'm' is known only when" in note for note in plan.notes)


def test_a_duration_for_a_machine_that_nobody_sells_is_told_of() -> None:
    durations = "{duration: 10m, on: {c7a.medum: 1m, M6I: 2m, a100: 3m, m6i.xlarge: 4m, gcp: 5m, local: 6m}}"
    plan = planned(f"  a: {{runs-on: local, estimate: {durations}, {STEPS}}}\n")
    assert [note for note in plan.notes if "estimate.on" in note] == [
        "'estimate.on' of 'a' names 'c7a.medum', which no machine of the catalog is or has; did you mean 'c7a.medium'?"
    ]


def test_local_jobs_share_the_slots_of_this_machine() -> None:
    jobs = "".join(f"  j{i}: {{runs-on: local, estimate: 10m, {STEPS}}}\n" for i in range(4))
    assert planned(jobs, slots=2).makespan_seconds == 1200
    assert planned(jobs, slots=4).makespan_seconds == 600


def test_data_of_a_matrix_is_split_over_its_combinations() -> None:
    plan = planned(
        f"  m: {{runs-on: local, strategy: {{matrix: {{n: [1, 2]}}}}, {STEPS}}}\n"
        f"  z: {{runs-on: aws, needs: m, data: {{m: 10GB}}, {STEPS}}}\n"
    )
    assert [(one.from_job, one.gigabytes) for one in plan.placement("z").inputs] == [("m.0", 5.0), ("m.1", 5.0)]


def test_this_machine_costs_nothing_and_is_taken_where_it_fits() -> None:
    assert planned(f"  a: {{resources: {{cpus: 1+}}, {STEPS}}}\n").placement("a").offering.provider == "local"


def test_a_faster_machine_is_taken_when_time_counts() -> None:
    jobs = f"  a: {{runs-on: sky, estimate: {{duration: 2h, on: {{T4: 1h, H100: 10m}}}}, {STEPS}}}\n"
    fast = planned(jobs, objective=Objective.MAKESPAN).placement("a")
    assert fast.offering.accelerators is not None
    assert fast.offering.accelerators.name == "H100"
    assert fast.duration_seconds == fast.startup_seconds + 600
    assert planned(jobs, objective=Objective.COST).placement("a").offering.provider == "local"


def test_the_objective_of_the_workflow_holds_unless_told_otherwise() -> None:
    workflow = load_workflow(
        "w.yml", text=f"on: push\nplan: {{objective: makespan}}\njobs:\n  a: {{runs-on: local, {STEPS}}}\n"
    ).workflow
    assert plan_workflow(workflow).objective is Objective.MAKESPAN
    assert plan_workflow(workflow, objective=Objective.COST).objective is Objective.COST


def test_providers_can_be_narrowed() -> None:
    jobs = f"  a: {{runs-on: sky, {STEPS}}}\n"
    assert planned(jobs, providers=["gcp"]).placement("a").offering.provider == "gcp"
    with pytest.raises(NoCandidateError, match="runs on local only, which --on gcp rules out"):
        planned(f"  a: {{runs-on: local, {STEPS}}}\n", providers=["gcp"])
    with pytest.raises(UsageError, match="no provider 'awz'"):
        planned(jobs, providers=["awz"])


def test_a_plan_survives_its_json_form() -> None:
    plan = planned(f"  a: {{runs-on: sky, {STEPS}}}\n  b: {{runs-on: aws, needs: a, data: {{a: 3GB}}, {STEPS}}}\n")
    assert Plan.from_json(plan.to_json()) == plan


def test_the_same_workflow_gives_the_same_plan() -> None:
    jobs = "".join(
        f"  j{i}: {{runs-on: [aws, gcp, azure], estimate: 1h, {f'needs: j{i - 1}, data: {{j{i - 1}: 20GB}}, ' if i else ''}{STEPS}}}\n"
        for i in range(6)
    )
    assert planned(jobs) == planned(jobs)
