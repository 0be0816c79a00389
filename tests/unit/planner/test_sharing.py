"""Machines that are taken over: who may, what it saves, and the best plan against brute force on small random problems."""

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from offerings import offering_at

from skyflow.model.catalog import LOCAL_PLACE, Place, TransferRates
from skyflow.model.objective import Goal, Objective
from skyflow.model.placement import PlanStatus
from skyflow.model.resources import Estimate
from skyflow.planner import PlanningJob, Pool, plan_jobs
from skyflow.planner.choose import choose
from skyflow.planner.decide import Decision
from skyflow.planner.estimates import Knowledge
from skyflow.planner.problem import Candidates, Edge, Limits, PlacementProblem
from skyflow.planner.schedule import evaluate
from skyflow.planner.sharing.savings import all_taken_over, find_heirs

EAST, WEST = Place("aws", "us-east-1"), Place("gcp", "us-west1")
ADDITIVE = (
    Goal.of(Objective.COST),
    Goal.of(Objective.CARBON),
    Goal.weighted(cost=1, usd_per_tonne=500, usd_per_hour=0),
)
GOALS = (*ADDITIVE, Goal.of(Objective.MAKESPAN), Goal.weighted(cost=1, usd_per_tonne=0, usd_per_hour=2))
KINDS = [(place, f"kind-{number}", price) for place in (0, 1) for number, price in enumerate([0.36, 0.3601, 0.72, 3.6])]


@st.composite
def problems(draw, *, is_tree=False, max_jobs=4):
    """Jobs whose candidates come from the same few machines, which take time to start."""
    count = draw(st.integers(2, max_jobs))
    pairs = [(u, v) for v in range(1, count) for u in range(v) if draw(st.booleans())]
    if is_tree:
        pairs = [(draw(st.integers(0, v - 1)), v) for v in range(1, count)]
    edges = tuple(Edge(e, u, v, draw(st.sampled_from([0.0, 1.0, 20.0]))) for e, (u, v) in enumerate(pairs))
    starts = draw(st.lists(st.sampled_from([0.0, 40.0, 90.0]), min_size=len(KINDS), max_size=len(KINDS)))
    candidates = []
    for _ in range(count):
        mine = draw(st.lists(st.integers(0, len(KINDS) - 1), min_size=1, max_size=4, unique=True))
        base = draw(st.sampled_from([10.0, 60.0, 600.0]))
        rows, offerings = [], []
        for number in mine:
            place, name, price = KINDS[number]
            seconds = starts[number] + base * draw(st.sampled_from([1.0, 1.0, 0.5]))
            rows.append((place, seconds, price * seconds / 3600, seconds * (number + 1) / 100))
            offerings.append(offering_at((EAST, WEST)[place], name, price))
        candidates.append(Candidates.of(rows, offerings, [starts[number] for number in mine]))
    return PlacementProblem(
        jobs=tuple(f"job-{j}" for j in range(count)),
        candidates=tuple(candidates),
        edges=edges,
        usd_per_gb=((0.0, 0.002), (0.003, 0.0)),
        seconds_per_gb=((0.8, 2.0), (2.0, 0.8)),
        grams_per_gb=((0.0, 0.1), (0.1, 0.0)),
        heirs=find_heirs(candidates, edges, [()] * count),
    )


def figures(problem, choice):
    """Work a choice out from the words of the documentation: sharing is undone until no machine is held."""
    heirs = {problem.edges[e].target: problem.edges[e] for e in problem.heirs}

    def machine(job):
        one = problem.candidates[job].offerings[choice[job]]
        return one.id

    shared = {
        job: edge
        for job, edge in heirs.items()
        if machine(job) == machine(edge.source) and problem.candidates[job].startup_seconds(choice[job])
    }
    while True:
        ends, begins, usd, grams = [], [], 0.0, 0.0
        for job, options in enumerate(problem.candidates):
            k, start = choice[job], 0.0
            for edge in problem.edges:
                if edge.target == job:
                    a, b = problem.place(edge.source, choice), options.place[k]
                    moved = 0.0 if shared.get(job) == edge else edge.gigabytes
                    usd, grams = usd + moved * problem.usd_per_gb[a][b], grams + moved * problem.grams_per_gb[a][b]
                    start = max(start, ends[edge.source] + moved * problem.seconds_per_gb[a][b])
            seconds = options.seconds[k] - (options.startup_seconds(k) if job in shared else 0.0)
            begins.append(start)
            ends.append(start + seconds)
            usd += options.usd[k] / options.seconds[k] * seconds
            grams += options.grams[k] / options.seconds[k] * seconds
        held = [job for job, edge in shared.items() if begins[job] > ends[edge.source] + 1e-6]
        if not held:
            return {"usd": usd, "grams": grams, "seconds": max(ends)}
        for job in held:
            del shared[job]


def everything(problem):
    return {choice: figures(problem, choice) for choice in product(*(range(len(one)) for one in problem.candidates))}


def answer(problem, goal):
    return choose(problem, goal, start=None, seconds_left=lambda: 60.0, solver="cbc")


@given(problems())
def test_what_a_choice_leads_to_is_what_the_documentation_says(problem):
    for choice, expected in everything(problem).items():
        found = evaluate(problem, choice)
        assert found.usd == pytest.approx(expected["usd"], abs=1e-9)
        assert found.grams == pytest.approx(expected["grams"], abs=1e-9)
        assert found.makespan_seconds == pytest.approx(expected["seconds"], abs=1e-6)


@given(problems(is_tree=True), st.sampled_from(ADDITIVE))
def test_where_each_job_has_one_need_the_best_plan_is_found_and_proven(problem, goal):
    best = min(goal.value(**one) for one in everything(problem).values())
    found = answer(problem, goal)
    assert isinstance(found, Decision)
    assert found.value == pytest.approx(best, rel=1e-9, abs=1e-12)
    assert found.is_proven


@given(problems(), st.sampled_from(GOALS))
def test_no_plan_is_below_the_bound_and_the_value_is_the_choice_s(problem, goal):
    best = min(goal.value(**one) for one in everything(problem).values())
    found = answer(problem, goal)
    assert isinstance(found, Decision)
    assert found.bound <= best * (1 + 1e-9)
    assert found.value >= best * (1 - 1e-9)
    assert goal.value(**figures(problem, found.choice)) == pytest.approx(found.value, rel=1e-9)


@given(problems(), st.sampled_from(GOALS))
def test_the_best_plan_of_a_few_jobs_is_found_and_proven_whatever_counts(problem, goal):
    best = min(goal.value(**one) for one in everything(problem).values())
    found = answer(problem, goal)
    assert isinstance(found, Decision)
    assert found.value == pytest.approx(best, rel=1e-8, abs=1e-12)
    assert found.bound == pytest.approx(best, rel=1e-8, abs=1e-12)


@settings(max_examples=60)
@given(problems(max_jobs=3), st.sampled_from(GOALS), st.sampled_from(["usd", "grams", "seconds"]), st.integers(0, 99))
def test_limits_are_kept_and_the_best_plan_within_them_is_found_and_proven(problem, goal, name, at):
    every = everything(problem)
    values = sorted({one[name] for one in every.values()})
    limit = values[at % len(values)] * 1.0000001
    within = [goal.value(**one) for one in every.values() if one[name] <= limit]
    found = answer(problem.limited_by(Limits(**{name: limit})), goal)
    assert isinstance(found, Decision)
    assert figures(problem, found.choice)[name] <= limit * (1 + 1e-6)
    assert goal.value(**figures(problem, found.choice)) == pytest.approx(min(within), rel=1e-8)
    assert found.bound == pytest.approx(min(within), rel=1e-8)


@given(problems(max_jobs=3), st.sampled_from([Goal.of(one) for one in Objective if one is not Objective.WEIGHTED]))
def test_among_the_best_plans_that_of_the_tie_break_is_found(problem, goal):
    every = everything(problem)
    best = min(goal.value(**one) for one in every.values())
    first = goal.tie_breaks[0]
    least = min(first.value(**one) for one in every.values() if goal.value(**one) <= best * (1 + 1e-9))
    found = answer(problem, goal)
    assert not found.notes
    assert first.value(**figures(problem, found.choice)) == pytest.approx(least, rel=1e-8)


@given(problems())
def test_nobody_leaves_a_machine_to_two_and_nobody_takes_two(problem):
    ends = [problem.edges[e] for e in problem.heirs]
    assert len({edge.source for edge in ends}) == len(ends) == len({edge.target for edge in ends})


@given(problems())
def test_the_problem_in_which_all_have_taken_over_is_never_dearer(problem):
    relaxed = all_taken_over(problem)
    for choice, real in everything(problem).items():
        found = evaluate(relaxed, choice)
        assert found.usd <= real["usd"] + 1e-9
        assert found.grams <= real["grams"] + 1e-9
        assert found.makespan_seconds <= real["seconds"] + 1e-6


def fork(gigabytes=(1.0, 5.0)):
    """One job, then a short and a long one that both need it."""

    def column(seconds):
        return Candidates.of([(0, seconds + 40.0, 1.0, 1.0)], [offering_at(EAST, "m", 0.1)], [40.0])

    edges = (Edge(0, 0, 1, gigabytes[0]), Edge(1, 0, 2, gigabytes[1]))
    return [column(60.0), column(60.0), column(600.0)], edges


def test_the_job_with_the_longest_way_takes_the_machine_over():
    candidates, edges = fork(gigabytes=(5.0, 1.0))
    assert find_heirs(candidates, edges, [(), (), ()]) == (1,)


@pytest.mark.parametrize("setups", [[(), (), None], [None, (), ()], [("image a",), (), ("image b",)]])
def test_a_machine_that_is_prepared_otherwise_is_not_taken_over(setups):
    candidates, edges = fork()
    assert 1 not in find_heirs(candidates, edges, setups)


@pytest.mark.parametrize(("gigabytes", "heirs"), [((0.0, 0.0), (0,)), ((5.0, 0.0), (0,)), ((5.0, 1.0), ())])
def test_of_needs_that_end_together_one_that_waits_for_no_data_of_the_others_leaves_its_machine(gigabytes, heirs):
    column = Candidates.of([(0, 100.0, 1.0, 1.0)], [offering_at(EAST, "m", 0.1)], [40.0])
    edges = (Edge(0, 0, 2, gigabytes[0]), Edge(1, 1, 2, gigabytes[1]))
    assert find_heirs([column, column, column], edges, [(), (), ()]) == heirs


def test_no_machine_is_held_for_a_job_that_is_not_ready():
    """The short job's machine would wait for the data of the long one."""

    def column(seconds):
        return Candidates.of([(0, seconds + 40.0, 1.0, 1.0)], [offering_at(EAST, "m", 0.1)], [40.0])

    candidates = [column(60.0), column(600.0), column(60.0)]
    edges = (Edge(0, 0, 2, 0.0), Edge(1, 1, 2, 0.0))
    problem = PlacementProblem(
        jobs=("short", "long", "join"),
        candidates=tuple(candidates),
        edges=edges,
        usd_per_gb=((0.0,),), seconds_per_gb=((0.0,),), grams_per_gb=((0.0,),),
        heirs=(0,),
    )  # fmt: skip
    assert not evaluate(problem, (0, 0, 0)).shared
    assert find_heirs(candidates, edges, [(), (), ()]) == (1,)
    assert evaluate(replace(problem, heirs=(1,)), (0, 0, 0)).shared == {2: 1}


RATES = TransferRates(
    places=(LOCAL_PLACE, EAST, WEST),
    usd_per_gb=((0.0, 0.0, 0.0), (0.09, 0.0, 0.09), (0.12, 0.12, 0.0)),
    seconds_per_gb=((0.0, 8.0, 8.0), (8.0, 0.8, 1.6), (8.0, 1.6, 0.8)),
)


def plan(*jobs, **options):
    return plan_jobs(
        jobs, transfers=RATES, objective=Objective.COST, local_slots=1, clock=lambda: 0.0,
        knowledge=Knowledge(startup=lambda one: 0.0 if one.provider == "local" else 40.0), **options,
    )  # fmt: skip


def job(key, *machines, needs=(), minutes=10, **options):
    estimate = Estimate(seconds=60.0 * minutes)
    data = tuple((need, 10.0) for need in needs)
    return PlanningJob(key=key, candidates=machines, needs=needs, estimate=estimate, data_gb=data, **options)


SMALL, LARGE = offering_at(EAST, "m.small", 0.1), offering_at(EAST, "m.large", 0.102)


def test_a_chain_on_one_offering_starts_one_machine_and_moves_no_data():
    found = plan(job("a", SMALL), job("b", SMALL, needs=("a",)), job("c", SMALL, needs=("b",)))
    assert [one.machine for one in found.placements] == ["m1", "m1", "m1"]
    assert [one.startup_seconds for one in found.placements] == [40.0, 0.0, 0.0]
    assert found.makespan_seconds == 3 * 600 + 40
    assert found.cost.total_usd == pytest.approx(0.1 * (3 * 600 + 40) / 3600)
    assert found.placement("b").inputs[0].gigabytes == 10.0
    assert found.placement("b").inputs[0].seconds == 0.0


def test_a_dearer_machine_is_taken_where_sharing_it_is_cheaper():
    found = plan(job("a", SMALL, LARGE), job("b", LARGE, needs=("a",)))
    assert [one.offering.instance_type for one in found.placements] == ["m.large", "m.large"]
    assert found.status is PlanStatus.OPTIMAL
    long = plan(job("a", SMALL, LARGE, minutes=600), job("b", LARGE, needs=("a",)))
    assert [one.offering.instance_type for one in long.placements] == ["m.small", "m.large"]
    assert [one.machine for one in long.placements] == ["m1", "m2"]
    assert long.status is PlanStatus.OPTIMAL


def test_the_machine_of_a_job_that_has_ended_is_gone_and_that_of_one_that_runs_is_not():
    gone = plan(job("a", SMALL, pinned_seconds=0.0), job("b", SMALL, needs=("a",)))
    assert [one.machine for one in gone.placements] == ["m1", "m2"]
    runs = plan(job("a", SMALL, pinned_seconds=90.0), job("b", SMALL, needs=("a",)))
    assert [one.machine for one in runs.placements] == ["m1", "m1"]
    assert runs.makespan_seconds == 690.0


def test_a_job_that_wants_a_machine_of_its_own_gets_one():
    found = plan(job("a", SMALL), job("b", SMALL, needs=("a",), reuse=False))
    assert [one.machine for one in found.placements] == ["m1", "m2"]
    assert found.placement("b").startup_seconds == 40.0


def test_a_machine_that_is_shared_counts_once_among_those_in_use():
    found = plan(
        job("a", SMALL), job("b", SMALL, needs=("a",)),
        pools=(Pool(name="limit on machines", units=1, takes=lambda one: float(one.nodes)),),
    )  # fmt: skip
    assert [one.machine for one in found.placements] == ["m1", "m1"]
    assert found.makespan_seconds == 1240.0
