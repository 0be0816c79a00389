"""Plans improved along trees: never worse, never late, and where the whole problem is a tree, the best there is."""

from dataclasses import replace
from itertools import product
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from unit.planner.small import everything, problems

from skyflow.planner.bounds.network import Columns, Network
from skyflow.planner.bounds.woods import Woods
from skyflow.planner.problem import Edge


def never():
    return False


def woods_of(problem):
    network = Network(problem, [Columns.of(candidates) for candidates in problem.candidates])
    paths = network.paths()
    return Woods(network, paths, Random(0), usd=1.0, grams=0.001), paths


@settings(max_examples=80)
@given(problem=problems(), data=st.data())
def test_plans_become_cheaper_and_keep_the_deadline(problem, data):
    woods, paths = woods_of(problem)
    at = [data.draw(st.integers(0, len(options) - 1)) for options in problem.candidates]
    deadline = paths.makespan(at) * data.draw(st.sampled_from([1.0, 1.2])) or 1.0
    found = woods.improved(at, deadline=deadline, is_late=never)
    assert paths.makespan(found) <= deadline
    assert woods.cost(found) <= woods.cost(at)
    assert found == woods_of(problem)[0].improved(at, deadline=deadline, is_late=never)


@settings(max_examples=60)
@given(problem=problems(max_jobs=4), share=st.floats(0.3, 1.0))
def test_jobs_in_a_row_are_chosen_at_once_and_best(problem, share):
    edges = tuple(Edge(j, j, j + 1, 5.0) for j in range(len(problem.jobs) - 1))
    problem = replace(problem, edges=edges)
    woods, paths = woods_of(problem)
    choices = list(product(*(range(len(options)) for options in problem.candidates)))
    spans = sorted(found.makespan_seconds for found in everything(problem))
    begin = min(choices, key=paths.makespan)
    deadline = max(spans[int(share * (len(spans) - 1))], 1.0)
    # rounding up costs each job one of 500 ticks at most
    safe = deadline * (1 - (len(problem.jobs) + 1) / 500)
    least = min((woods.cost(at) for at in choices if paths.makespan(at) <= safe), default=woods.cost(begin))
    if paths.makespan(begin) <= deadline:
        assert woods.cost(woods.improved(begin, deadline=deadline, is_late=never)) <= least * (1 + 1e-9) + 1e-12


@given(problem=problems(), data=st.data())
def test_what_costs_little_enough_stays(problem, data):
    woods, paths = woods_of(problem)
    at = [data.draw(st.integers(0, len(options) - 1)) for options in problem.candidates]
    deadline = paths.makespan(at) or 1.0
    assert woods.improved(at, deadline=deadline, is_late=never, enough=woods.cost(at)) == at


@given(problem=problems(), data=st.data())
def test_when_it_is_late_nothing_changes(problem, data):
    at = [data.draw(st.integers(0, len(options) - 1)) for options in problem.candidates]
    woods, paths = woods_of(problem)
    assert woods.improved(at, deadline=paths.makespan(at) or 1.0, is_late=lambda: True) == at
