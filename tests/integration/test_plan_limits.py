"""Workflows with limits, weights, places of data, estimates of every kind: from the file to the plan."""

import re
from pathlib import Path

import pytest

from skyflow.app.planning.plan import PlanOptions, prepare_planning
from skyflow.app.planning.plan_views import compare, diff_plans, explain, frontier, limit_costs
from skyflow.app.project import find_project
from skyflow.errors import InfeasibleError, NoCandidateError, UsageError
from skyflow.model.objective import Objective
from skyflow.model.placement import Plan, PlanStatus
from skyflow.planner import Limits
from skyflow.report.frontier_svg import frontier_svg
from skyflow.spec import load_workflow

STEPS = "steps: [{run: x}]"
CHAIN = f"""\
  prepare:
    runs-on: [aws, gcp]
    resources: {{cpus: 8+, market: any}}
    estimate: {{work: {{core-hours: 24, parallel-fraction: 0.95}}}}
    {STEPS}
  train:
    needs: prepare
    runs-on: [aws, gcp]
    resources: {{cpus: 4+, market: any}}
    estimate: {{work: {{core-hours: 8}}, on: {{m6i: 1h}}}}
    data: {{prepare: 50GB}}
    {STEPS}
"""


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    (tmp_path / ".skyflow").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def planning(jobs: str, plan: str = "{}", **options):
    workflow = load_workflow("w.yml", text=f"on: push\nplan: {plan}\njobs:\n{jobs}").workflow
    return prepare_planning(workflow, options=PlanOptions(slots=2, **options), project=find_project())


def planned(jobs: str, plan: str = "{}", **options) -> Plan:
    return planning(jobs, plan, **options).plan()


def test_no_machine_is_left_out_that_costs_less_with_its_start(here) -> None:
    """Of machines that cost the same for an hour of a core, small ones cost less while they start."""
    job = f"  work:\n    runs-on: azure\n    resources: {{cpus: 8+}}\n    estimate: {{work: {{core-hours: 20}}}}\n    {STEPS}\n"
    every = planned(job, "{quotas: {azure: {vcpus: 100000}}}")  # a quota looks at all machines
    assert planned(job).cost.total_usd == pytest.approx(every.cost.total_usd, rel=1e-9)


def test_a_deadline_buys_time_and_a_budget_sells_it(here) -> None:
    cheap, fast = planned(CHAIN), planned(CHAIN, "{objective: makespan}")
    between = (cheap.makespan_seconds + fast.makespan_seconds) / 2
    timely = planned(CHAIN, f"{{deadline: {between:.0f}s}}")
    assert timely.makespan_seconds <= between + 1
    assert cheap.cost.total_usd < timely.cost.total_usd <= fast.cost.total_usd
    assert timely.proof.gap < 0.01  # what sharing a machine could save, at most
    frugal = planned(
        CHAIN, f"{{objective: makespan, budget: {timely.cost.total_usd + 0.01:.2f} USD}}", time_limit_seconds=60
    )
    assert frugal.cost.total_usd <= timely.cost.total_usd + 0.02
    assert fast.makespan_seconds <= frugal.makespan_seconds <= timely.makespan_seconds + 1


def test_the_price_of_time_moves_the_plan(here) -> None:
    slow = planned(CHAIN, "{objective: {cost: 1, time: 0.01 USD/h}}")
    quick = planned(CHAIN, "{objective: {cost: 1, time: 500 USD/h}}")
    assert slow.makespan_seconds > quick.makespan_seconds
    assert slow.objective is Objective.WEIGHTED
    assert slow.proof.value == pytest.approx(slow.cost.total_usd + 0.01 * slow.makespan_seconds / 3600)


@pytest.mark.parametrize(
    ("limits", "message", "conflict"),
    [
        (
            "{deadline: 60s}",
            "no plan keeps the deadline of 1m 00s: the fastest possible plan takes",
            ("meets_deadline",),
        ),
        ("{budget: 0.01}", "no plan keeps the budget of $0.01: the cheapest possible plan costs", ("within_budget",)),
        ("{budget: 0.0000001}", "the budget of $0.0000001: the cheapest", ("within_budget",)),
        ("{carbon-cap: 0.00001g}", "the carbon cap of 0.00001 g: the cleanest", ("within_carbon_cap",)),
    ],
)
def test_a_limit_that_nothing_keeps_is_named(here, limits, message, conflict) -> None:
    with pytest.raises(InfeasibleError, match="no plan keeps") as caught:
        planned(CHAIN, limits)
    assert message in caught.value.message
    assert caught.value.conflict == conflict


def test_a_limit_and_what_is_possible_never_look_the_same(here) -> None:
    cheapest = planned(CHAIN).cost.total_usd
    with pytest.raises(InfeasibleError) as caught:
        planned(CHAIN, f"{{budget: {cheapest * (1 - 1e-5):.9f}}}")
    budget, possible = re.findall(r"[$]([\d.]+)", caught.value.message)
    assert float(budget) < float(possible) == pytest.approx(cheapest, rel=1e-5)


def test_limits_that_contradict_each_other_are_named_with_what_would_have_to_give(here) -> None:
    cheap, fast = planned(CHAIN), planned(CHAIN, "{objective: makespan}")
    with pytest.raises(InfeasibleError) as caught:
        planned(
            CHAIN,
            f"{{deadline: {fast.makespan_seconds * 1.01:.0f}s, budget: {cheap.cost.total_usd * 1.01:.2f}, carbon-cap: 1t}}",
        )
    assert set(caught.value.conflict) == {"meets_deadline", "within_budget"}
    assert "cannot be kept together" in caught.value.message
    assert "with the budget kept, the fastest possible plan takes" in caught.value.message
    assert "with the deadline kept, the cheapest possible plan costs" in caught.value.message


def test_residency_keeps_jobs_in(here) -> None:
    plan = planned(CHAIN, "{residency: EU}")
    assert all(one.offering.region.startswith(("eu", "europe")) for one in plan.placements)
    with pytest.raises(NoCandidateError, match="finds machines only outside of DE"):
        planned(f"  a: {{runs-on: local, {STEPS}}}\n", "{residency: DE}")
    with pytest.raises(UsageError, match=r"^\S+:\d+:\d+: 'plan.residency' names 'Atlantis'"):
        planned(CHAIN, "{residency: [EU, Atlantis]}")
    assert planned(f"  a: {{runs-on: local, {STEPS}}}\n", "{residency: [DE, local]}").placements


def test_what_residency_costs_is_said(here) -> None:
    jobs = f"  a: {{runs-on: [aws, gcp, azure], resources: {{cpus: 4+}}, estimate: 10h, {STEPS}}}\n"
    kept = planning(jobs, "{residency: FR}")
    plan = kept.plan()
    [cost] = limit_costs(kept, plan)
    assert cost.name == "residency"
    assert cost.saved_usd == pytest.approx(plan.cost.total_usd - planned(jobs).cost.total_usd)
    assert cost.saved_usd > 0
    assert limit_costs(planning(jobs), planned(jobs)) == []


def test_quotas_and_machines_make_jobs_wait(here) -> None:
    jobs = "".join(f"  j{i}: {{runs-on: aws, resources: {{cpus: 4}}, estimate: 10m, {STEPS}}}\n" for i in range(4))
    objective = "objective: makespan"
    assert planned(jobs, f"{{{objective}}}").makespan_seconds == 640
    assert planned(jobs, f"{{{objective}, max-machines: 2}}").makespan_seconds == 2 * 640
    assert planned(jobs, f"{{{objective}, quotas: {{aws: {{vcpus: 4}}}}}}").makespan_seconds == 4 * 640
    for quota, message in (
        ("mars: {vcpus: 4}", "w.yml:2:17: 'plan.quotas' names 'mars'"),
        ("aws/us-east-1/m6i.lagre: {vcpus: 4}", "w.yml:2:17: 'plan.quotas' names the instance type 'm6i.lagre'"),
        ("aws: {wings: 4}", "w.yml:2:23: 'plan.quotas' counts 'wings'"),
    ):
        with pytest.raises(UsageError, match=f"^{message}"):
            planned(jobs, f"{{quotas: {{{quota}}}}}")


def test_work_needs_machines_whose_speed_a_table_knows(here) -> None:
    def job(accelerators: str, more: str = "") -> str:
        resources = f"resources: {{accelerators: {accelerators}}}"
        return (
            f"  a: {{runs-on: aws, {resources}, estimate: {{work: {{flops: 3e18, utilization: 1}}{more}}}, {STEPS}}}\n"
        )

    placement = planned(job("{K80: 1, T4: 1}")).placement("a")
    assert placement.offering.accelerators.name == "T4"
    assert placement.duration_seconds == pytest.approx(placement.startup_seconds + 3e18 / 65e12)
    with pytest.raises(NoCandidateError, match="no table knows how many of them K80 does in a second"):
        planned(job("K80:1"))
    assert planned(job("K80:1", ", on: {K80: 9h}")).makespan_seconds == 40 + 9 * 3600


POOL = "machines:\n  lab: {count: 2, cpus: 64, memory: 512GiB, price: 0.80}\n"


def test_the_machines_of_a_pool_are_shared(here) -> None:
    (here / "skyflow.yml").write_text(POOL)
    matrix = f"  a: {{runs-on: [own, aws], strategy: {{matrix: {{n: [1, 2, 3, 4]}}}}, estimate: 10m, {STEPS}}}\n"
    gang = f"  b: {{runs-on: own, resources: {{nodes: 2}}, estimate: 10m, {STEPS}}}\n"
    planning_ = planning(matrix + gang, "{objective: makespan}", providers=("own",))
    plan = planning_.plan()
    assert plan.makespan_seconds == 1800
    assert plan.placement("b").offering.nodes == 2
    assert "for the machines of lab, up to 20m 00s: 2 at a time" in " ".join(plan.notes)
    [cost] = limit_costs(planning_, plan)
    assert (cost.name, cost.saved_seconds) == ("machines of lab", 1200)
    assert planned(matrix + gang, "{objective: makespan}").makespan_seconds == 640  # clouds take what does not fit
    (here / "skyflow.yml").write_text(POOL.replace("count: 2", "count: 2, slots: 2"))
    assert planned(matrix, "{objective: makespan}", providers=("own",)).makespan_seconds == 600  # two jobs on each
    with pytest.raises(NoCandidateError, match="the most machines of a kind are 2"):
        planned(f"  b: {{runs-on: own, resources: {{nodes: 3}}, {STEPS}}}\n")


def test_how_a_machine_is_set_up_is_carried_along_and_its_disk_counts_where_it_has_a_price(here) -> None:
    resources = "resources: {cpus: 4, disk: 500GB, ports: [8080, 9000-9010], image: ami-1}"
    job = f"  a: {{runs-on: aws, {resources}, estimate: 10h, {STEPS}}}\n"
    free = planned(job)
    [placement] = free.to_json()["jobs"]
    assert placement["setup"] == {
        "disk_gib": pytest.approx(465.66, 1e-4),
        "ports": ["8080", "9000-9010"],
        "image": "ami-1",
    }
    assert Plan.from_json(free.to_json()).placement("a").setup == free.placement("a").setup
    assert "the disk of 'a' is not in the cost" in " ".join(free.notes)
    (here / "skyflow.yml").write_text("disks: {aws: 0.08}\n")
    priced = planned(job)
    hours = placement["duration_seconds"] / 3600
    assert priced.cost.total_usd == pytest.approx(free.cost.total_usd + 500 * 0.08 / 730 * hours)
    assert "not in the cost" not in " ".join(priced.notes)


def test_data_pulls_jobs_to_where_it_is(here) -> None:
    def job(data: str) -> str:
        return f"  a: {{runs-on: [aws, gcp], resources: {{cpus: 4+}}, estimate: 1h, data: {{{data}}}, {STEPS}}}\n"

    for region in ("aws/us-west-2", "gcp/europe-west4"):
        plan = planned(job(f"'s3://raw': {{size: 5TB, region: {region}}}"))
        offering = plan.placement("a").offering
        assert f"{offering.provider}/{offering.region}" == region
        plan = planned(job(f"'s3://out': {{size: 5TB, region: {region}, output: true}}"))
        assert f"{plan.placement('a').offering.provider}/{plan.placement('a').offering.region}" == region
        [output] = plan.outputs
        assert (output.from_job, output.gigabytes, output.usd) == ("a", 5000.0, 0.0)
    with_file = planning(job("'file:raw': 10GB"))
    plan = with_file.plan()
    [transfer] = plan.placement("a").inputs
    [reason] = explain(with_file, plan)[0].data
    assert (reason.transfer, reason.size_source, reason.time_source) == (transfer, "given", "by the tables")
    assert transfer.from_job == "file:raw"
    assert plan.placement("a").start_seconds == transfer.seconds > 0
    with pytest.raises(UsageError, match=r"^w.yml:4:\d+: 'data' of job 'a' is in 'aws/us-esat-1'"):
        planned(job("'s3://raw': {size: 5TB, region: aws/us-esat-1}"))


def test_the_function_of_a_project_estimates(here) -> None:
    (here / "guesses.py").write_text(
        "def by_cpus(offering):\n    return 7200 / offering.vcpus\ndef broken(offering):\n    return -1\n"
    )

    def job(name: str) -> str:
        return f"  a: {{runs-on: aws, resources: {{cpus: 4+}}, estimate: {{function: '{name}'}}, {STEPS}}}\n"

    placement = planned(job("guesses:by_cpus"), "{objective: makespan}").placement("a")
    assert placement.duration_seconds == 40 + 7200 / placement.offering.vcpus
    assert placement.duration_source == "guesses:by_cpus"
    for name, message in (
        ("guesses:broken", "gives -1.0 seconds"),
        ("guesses:missing", "cannot be imported"),
        ("nowhere:at_all", "cannot be imported"),
        ("guesses:__name__", "is not a function"),
    ):
        with pytest.raises(UsageError, match=message):
            planned(job(name))


def test_an_explanation_tells_what_else_there_was(here) -> None:
    one = planning(CHAIN, "{budget: 100}")
    plan = one.plan()
    [reason] = explain(one, plan, job="train")
    assert all(alternative.more_value >= -1e-9 for alternative in reason.alternatives)
    assert len({(a.offering.provider, a.offering.region) for a in reason.alternatives}) == len(reason.alternatives)
    assert {"aws", "gcp"} <= {a.offering.provider for a in reason.alternatives}
    [cost] = limit_costs(one, plan)
    assert (cost.name, cost.saved_value) == ("usd", 0.0)
    with pytest.raises(UsageError, match="the plan has no job 'trainn'"):
        explain(one, plan, job="trainn")


def test_what_a_limit_costs_is_told(here) -> None:
    fast = planned(CHAIN, "{objective: makespan}")
    one = planning(CHAIN, limits=Limits(seconds=fast.makespan_seconds * 1.01))
    [cost] = limit_costs(one, one.plan())
    assert cost.name == "seconds"
    assert cost.saved_usd > 0 > cost.saved_seconds


def test_the_frontier_goes_from_the_cheapest_to_the_fastest(here) -> None:
    plans = frontier(planning(CHAIN))
    costs = [plan.cost.total_usd for plan in plans]
    times = [plan.makespan_seconds for plan in plans]
    assert costs == sorted(costs)
    figures = [(plan.cost.total_usd, plan.makespan_seconds, plan.known_carbon_grams) for plan in plans]
    beaten = [
        one
        for one in figures
        if any(all(a <= b for a, b in zip(other, one, strict=True)) for other in figures if other != one)
    ]
    assert beaten == []
    assert costs[0] == pytest.approx(planned(CHAIN).cost.total_usd)
    assert min(times) == pytest.approx(planned(CHAIN, "{objective: makespan}").makespan_seconds)
    assert frontier_svg(plans).count("<circle") == len(plans) >= 3


def test_a_plan_is_compared_with_simpler_ones(here) -> None:
    one = planning(CHAIN)
    found = {comparison.name: comparison.plan for comparison in compare(one, one.plan())}
    assert set(found) == {"this plan", "everything on demand", "everything on aws", "everything on gcp"}
    assert all(plan.cost.total_usd >= found["this plan"].cost.total_usd for plan in found.values())
    assert {one.offering.provider for one in found["everything on aws"].placements} == {"aws"}


def test_a_lost_offering_moves_no_more_than_it_must(here) -> None:
    before = planned(CHAIN)
    lost = before.placement("train").offering.id
    left = planning(CHAIN, pinned={"prepare": (before.placement("prepare").offering, 30.0)}, lost=frozenset({lost}))
    found = diff_plans(before, left.plan(before=before))
    assert [change.job for change in found.changes] == ["train"]
    assert found.new.placement("prepare").duration_seconds == 30.0
    assert found.new.placement("prepare").compute_usd == 0.0
    kept = planning(CHAIN).plan(before=before)
    assert diff_plans(before, kept).changes == ()


def test_time_is_kept(here) -> None:
    plan = planned(CHAIN, "{objective: {cost: 1, time: 3 USD/h}}", time_limit_seconds=0.0)
    assert plan.status is PlanStatus.FEASIBLE or plan.proof.gap <= 1e-6


@pytest.mark.parametrize(
    ("plan", "options", "seconds"),
    [
        ("{objective: carbon, wait: 12h}", PlanOptions(), 12 * 3600),
        ("{objective: carbon, wait: 12h, deadline: 8h}", PlanOptions(), 8 * 3600),
        ("{objective: carbon, wait: 12h}", PlanOptions(wait_seconds=3600), 3600),
        ("{objective: carbon, deadline: 8h}", PlanOptions(), 8 * 3600),
        ("{objective: cost, carbon-cap: 40kg, deadline: 8h}", PlanOptions(), 8 * 3600),
        ("{objective: carbon, wait: 12h}", PlanOptions(wait_seconds=0), None),
        ("{objective: carbon}", PlanOptions(), None),
        ("{objective: cost, wait: 12h}", PlanOptions(), None),
        ("{objective: {carbon: 1, time: 1}, wait: 12h}", PlanOptions(), None),  # time has a price
    ],
)
def test_until_when_jobs_may_wait_for_cleaner_power(here, plan, options, seconds) -> None:
    workflow = load_workflow("w.yml", text=f"on: push\nplan: {plan}\njobs:\n{CHAIN}").workflow
    hours = prepare_planning(workflow, options=options).problem.placement.hours
    assert (None if hours is None else hours.latest_seconds) == seconds
