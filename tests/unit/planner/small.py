"""Small random placement problems, and all that can be chosen in them."""

from itertools import product

from hypothesis import strategies as st

from skyflow.planner.problem import Candidates, Edge, PlacementProblem
from skyflow.planner.schedule import evaluate

__all__ = ["everything", "problems"]

PLACES = 3


def tables(values):
    row = st.lists(values, min_size=PLACES, max_size=PLACES)
    return st.lists(row, min_size=PLACES, max_size=PLACES).map(
        lambda rows: tuple(tuple(0.0 if a == b else x for b, x in enumerate(row)) for a, row in enumerate(rows))
    )


@st.composite
def problems(draw, max_jobs=5):
    count = draw(st.integers(1, max_jobs))
    row = st.tuples(
        st.integers(0, PLACES - 1),
        st.sampled_from([0.0, 60.0, 100.0, 100.0004, 900.0, 2500.0]),
        st.sampled_from([0.0, 0.02, 0.5, 1.0, 1.000004, 3.0, 4.5]),
        st.sampled_from([0.0, 5.0, 100.0, 300.0, 2000.0]),
    )
    edges = [(u, v) for v in range(count) for u in range(v) if draw(st.booleans())]
    gigabytes = st.sampled_from([0.0, 0.25, 5.0, 50.0])
    return PlacementProblem(
        jobs=tuple(f"job-{j}" for j in range(count)),
        candidates=tuple(Candidates.of(draw(st.lists(row, min_size=1, max_size=5))) for _ in range(count)),
        edges=tuple(Edge(e, u, v, draw(gigabytes)) for e, (u, v) in enumerate(edges)),
        usd_per_gb=draw(tables(st.sampled_from([0.0, 0.01, 0.09, 0.12]))),
        seconds_per_gb=draw(tables(st.sampled_from([0.0, 0.8, 8.0]))),
        grams_per_gb=draw(tables(st.sampled_from([0.0, 2.0, 7.0]))),
    )


def everything(problem):
    return [evaluate(problem, choice) for choice in product(*(range(len(one)) for one in problem.candidates))]
