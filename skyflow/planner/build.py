"""From jobs and offerings to a placement problem."""

from collections.abc import Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from skyflow.errors import InternalError
from skyflow.model.catalog import Offering, TransferRates
from skyflow.model.resources import LOCAL, Estimate
from skyflow.planner.problem import Candidate, Edge, PlacementProblem

__all__ = ["DEFAULT_ESTIMATE_SECONDS", "PlanningJob", "build_problem", "estimated_seconds"]

DEFAULT_ESTIMATE_SECONDS = 60.0
"""How long a job without an estimate is assumed to take, on every machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanningJob:
    """One job after matrix expansion, with the offerings that satisfy its requirements.

    `needs` are keys of other jobs. `data_gb` gives the decimal gigabytes that flow in from some of them.
    """

    key: str
    candidates: tuple[Offering, ...]
    needs: tuple[str, ...] = ()
    estimate: Estimate | None = None
    data_gb: tuple[tuple[str, float], ...] = ()


def build_problem(jobs: Sequence[PlanningJob], *, transfers: TransferRates, local_slots: int) -> PlacementProblem:
    """State the problem, with jobs in an order in which they can run and candidates in a stable one.

    Raises:
        InternalError: the caller broke the contract: a duplicate key, an unknown need, a cycle, no candidate, a place
            without transfer rates, less than one slot.
    """
    if local_slots < 1:
        raise InternalError(f"the local machine cannot run {local_slots} jobs at once")
    ordered = _in_running_order(jobs)
    position = {job.key: index for index, job in enumerate(ordered)}
    edges: list[Edge] = []
    for job in ordered:
        gigabytes = dict(job.data_gb)
        if unknown := gigabytes.keys() - set(job.needs):
            raise InternalError(f"job '{job.key}' takes data from {sorted(unknown)}, which it does not need")
        for need in dict.fromkeys(job.needs):
            edges.append(Edge(len(edges), position[need], position[job.key], gigabytes.get(need, 0.0)))
    return PlacementProblem(
        jobs=tuple(job.key for job in ordered),
        candidates=tuple(_candidates(job, transfers) for job in ordered),
        edges=tuple(edges),
        usd_per_gb=transfers.usd_per_gb,
        seconds_per_gb=transfers.seconds_per_gb,
        slots=tuple(local_slots if place.provider == LOCAL else None for place in transfers.places),
    )


def estimated_seconds(estimate: Estimate | None, offering: Offering) -> float:
    """Return how long a job takes on an offering.

    Of the entries of `estimate.on` the most specific one that fits wins: the instance type, then the accelerator, then
    the provider; case is ignored.
    """
    if estimate is None:
        return DEFAULT_ESTIMATE_SECONDS
    refined = {key.lower(): seconds for key, seconds in estimate.on}
    accelerator = offering.accelerators.name if offering.accelerators else ""
    for key in (offering.instance_type, accelerator, offering.provider):
        if key.lower() in refined:
            return refined[key.lower()]
    return estimate.seconds


def _in_running_order(jobs: Sequence[PlanningJob]) -> list[PlanningJob]:
    """Sort so that every job comes after its needs; jobs that could go either way keep the caller's order."""
    given = {job.key: index for index, job in enumerate(jobs)}
    if len(given) < len(jobs):
        raise InternalError("two jobs have the same key")
    for job in jobs:
        if unknown := set(job.needs) - given.keys():
            raise InternalError(f"job '{job.key}' needs unknown jobs: {sorted(unknown)}")
    sorter = TopologicalSorter({given[job.key]: [given[need] for need in job.needs] for job in jobs})
    try:
        sorter.prepare()
    except CycleError as error:
        raise InternalError(f"jobs need each other: {[jobs[index].key for index in error.args[1]]}") from error
    ordered: list[PlanningJob] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        ordered.extend(jobs[index] for index in ready)
        sorter.done(*ready)
    return ordered


def _candidates(job: PlanningJob, transfers: TransferRates) -> tuple[Candidate, ...]:
    """Cheapest first, then fastest, then by id."""
    if not job.candidates:
        raise InternalError(f"job '{job.key}' has no candidate")
    found = []
    for offering in {offering.id: offering for offering in job.candidates}.values():
        place = transfers.index.get(offering.place)
        if place is None:
            raise InternalError(f"no transfer rates are known for {offering.place}")
        seconds = estimated_seconds(job.estimate, offering)
        found.append((offering, place, seconds, offering.price_usd_per_hour * seconds / 3600))
    found.sort(key=lambda entry: (entry[3], entry[2], entry[0].id))
    return tuple(
        Candidate(offering, place, seconds, usd, rank) for rank, (offering, place, seconds, usd) in enumerate(found)
    )
