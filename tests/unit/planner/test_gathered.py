"""Plans in which all jobs run at one place: what they are, and that no plan under a budget is worse than the best of them."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from unit.planner.small import problems

from skyflow.model.objective import Goal, Objective
from skyflow.planner.bounds.gathered import gathered
from skyflow.planner.bounds.network import Columns, Network
from skyflow.planner.bounds.tradeoff import Tradeoff
from skyflow.planner.problem import Candidates, Edge, Limits, PlacementProblem
from skyflow.planner.schedule import evaluate


def network_of(problem):
    return Network(problem, [Columns.of(candidates) for candidates in problem.candidates])


@settings(max_examples=60)
@given(problem=problems())
def test_a_job_is_elsewhere_only_where_it_cannot_be_with_the_others(problem):
    for at in gathered(network_of(problem), usd=1.0, grams=0.0):
        places = [candidates.place[label] for candidates, label in zip(problem.candidates, at, strict=True)]
        assert any(
            all(
                place == one or one not in candidates.place
                for place, candidates in zip(places, problem.candidates, strict=True)
            )
            for one in range(len(problem.seconds_per_gb))
        )


def spread_out(samples: int) -> PlacementProblem:
    """Many jobs alike, each cheapest and fastest somewhere else than where what they make is put together, and far from there."""
    many = Candidates.of([(0, 4000.0, 1.0, 0.0), (1, 3000.0, 1.2, 0.0), (1, 1500.0, 2.0, 0.0), (2, 3900.0, 0.9, 0.0)])
    last = Candidates.of([(0, 1000.0, 1.0, 0.0), (1, 1200.0, 1.0, 0.0), (2, 3600.0, 5.0, 0.0)])
    far = tuple(tuple(0.0 if a == b else 0.09 for b in range(3)) for a in range(3))
    slow = tuple(tuple(0.0 if a == b else 8.0 for b in range(3)) for a in range(3))
    return PlacementProblem(
        jobs=tuple(f"job-{j}" for j in range(samples + 1)),
        candidates=(many,) * samples + (last,),
        edges=tuple(Edge(j, j, samples, 20.0) for j in range(samples)),
        usd_per_gb=far,
        seconds_per_gb=slow,
        grams_per_gb=tuple((0.0,) * 3 for _ in range(3)),
        limits=Limits(usd=2.0 * samples + 2.0),
    )


@given(samples=st.integers(20, 60))
@settings(max_examples=5)
def test_where_many_jobs_hand_on_data_the_first_plan_has_them_together(samples):
    problem = spread_out(samples)
    tradeoff = Tradeoff(network_of(problem), Goal.of(Objective.MAKESPAN), seconds_left=lambda: 60.0)
    tradeoff.price_from((2,) * samples + (1,), {"usd": (0,) * samples + (0,)})
    tradeoff.gather()
    assert tradeoff.best is not None
    found = evaluate(problem, tradeoff.best)
    together = evaluate(replace(problem, limits=Limits()), (2,) * samples + (1,))  # the fastest of place 1
    assert found.makespan_seconds <= together.makespan_seconds
    assert not found.exceeded(problem)
