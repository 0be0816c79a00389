"""The keys of jobs: `build.2/test.0` is combination 0 of `test` in the workflow that combination 2 of `build` calls."""

import re
from collections.abc import Iterator, Mapping
from itertools import product
from typing import TypeVar

__all__ = ["names_in_plan", "planned", "without_combination"]

_T = TypeVar("_T")

_COMBINATION = re.compile(r"\.\d+$")


def without_combination(key: str) -> str:
    """Return the key of all jobs of the matrix that a job belongs to, or its own."""
    return _COMBINATION.sub("", key)


def names_in_plan(key: str) -> Iterator[str]:
    """Yield the keys under which a job may stand in a plan, the most exact first.

    A matrix that is not known when a run is planned has one entry for all of its combinations, without their numbers: the
    one of the job itself, or that of a job that calls its workflow, or both.
    """
    parts = [(part, _COMBINATION.sub("", part)) for part in key.split("/")]
    choices = (each if each[0] != each[1] else each[:1] for each in parts)
    for chosen in sorted(product(*choices), key=lambda names: sum(map(len, names)), reverse=True):
        yield "/".join(chosen)


def planned(known: Mapping[str, _T], key: str) -> _T | None:
    """Return what a plan has of a job, by the keys of the plan."""
    if not known or key in known:  # nearly always: the engine asks for every job that waits, whenever one has ended
        return known.get(key)
    return next((known[name] for name in names_in_plan(key) if name in known), None)
