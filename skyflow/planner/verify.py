"""An independent check of a finished plan against its problem: shares no arithmetic with what made the plan.

Whatever a solver, a heuristic or a file brought forth, nobody sees a plan that fails here.
"""

from collections.abc import Iterator, Mapping
from math import isclose, isfinite

from skyflow.errors import InternalError
from skyflow.model.objective import Objective
from skyflow.model.placement import Plan, PlanStatus
from skyflow.planner.problem import Candidate, PlacementProblem

__all__ = ["PROOF_GAP", "verify_plan"]

PROOF_GAP = 1e-6
"""A plan whose objective is within this share of its bound is called optimal; a thousandth of a cent in ten dollars."""

_TOLERANCE = 1e-9


def verify_plan(plan: Plan, problem: PlacementProblem) -> None:
    """Check that a plan answers its problem and that every figure in it is right.

    Raises:
        InternalError: something is wrong; the message lists all of it.
    """
    options = dict(zip(problem.jobs, problem.candidates, strict=True))
    faults = [*_coverage(plan, options)]
    if not faults:
        chosen = {
            placement.job: next(
                candidate for candidate in options[placement.job] if candidate.offering == placement.offering
            )
            for placement in plan.placements
        }
        faults = [*_jobs(plan, chosen), *_transfers(plan, problem, chosen), *_slots(plan, problem, chosen)]
        faults += _proof(plan)
    if faults:
        raise InternalError(f"the plan fails its verification: {'; '.join(faults)}")


def _coverage(plan: Plan, options: Mapping[str, tuple[Candidate, ...]]) -> Iterator[str]:
    """Every job is placed exactly once, on one of its candidates."""
    placed = [placement.job for placement in plan.placements]
    if sorted(placed) != sorted(options):
        yield f"it places {sorted(placed)} where the jobs are {sorted(options)}"
        return
    for placement in plan.placements:
        if all(candidate.offering != placement.offering for candidate in options[placement.job]):
            yield f"job '{placement.job}' is placed on {placement.offering.id}, which is none of its candidates"


def _jobs(plan: Plan, chosen: Mapping[str, Candidate]) -> Iterator[str]:
    """Durations and costs are those of the offerings, and no job starts before the run."""
    for placement in plan.placements:
        name = f"job '{placement.job}'"
        seconds = chosen[placement.job].seconds
        if not _same(placement.duration_seconds, seconds):
            yield f"{name} lasts {placement.duration_seconds} s, not {seconds} s"
        usd = placement.offering.price_usd_per_hour * seconds / 3600
        if not _same(placement.compute_usd, usd):
            yield f"{name} costs ${placement.compute_usd}, not ${usd}"
        if not (isfinite(placement.start_seconds) and placement.start_seconds >= 0):
            yield f"{name} starts at {placement.start_seconds} s"


def _transfers(plan: Plan, problem: PlacementProblem, chosen: Mapping[str, Candidate]) -> Iterator[str]:
    """Every need is an input, at the right price, and no job starts before its inputs have arrived."""
    needed: dict[str, dict[str, float]] = {job: {} for job in problem.jobs}
    for edge in problem.edges:
        needed[problem.jobs[edge.target]][problem.jobs[edge.source]] = edge.gigabytes
    finishes = {placement.job: placement.finish_seconds for placement in plan.placements}
    for placement in plan.placements:
        name = f"job '{placement.job}'"
        if {transfer.from_job: transfer.gigabytes for transfer in placement.inputs} != needed[placement.job]:
            yield f"{name} takes other inputs than its needs"
            continue
        here = chosen[placement.job].place
        for transfer in placement.inputs:
            there = chosen[transfer.from_job].place
            if not _same(transfer.usd, transfer.gigabytes * problem.usd_per_gb[there][here]):
                yield f"{name} pays ${transfer.usd} for the data of '{transfer.from_job}'"
            if not _same(transfer.seconds, transfer.gigabytes * problem.seconds_per_gb[there][here]):
                yield f"{name} waits {transfer.seconds} s for the data of '{transfer.from_job}'"
            arrival = finishes[transfer.from_job] + transfer.seconds
            if placement.start_seconds < arrival - _TOLERANCE * max(1.0, arrival):
                yield f"{name} starts at {placement.start_seconds} s, before the data of '{transfer.from_job}' arrives"


def _slots(plan: Plan, problem: PlacementProblem, chosen: Mapping[str, Candidate]) -> Iterator[str]:
    """No place runs more jobs at once than it has slots."""
    for place, slots in enumerate(problem.slots):
        if slots is None:
            continue
        here = [placement for placement in plan.placements if chosen[placement.job].place == place]
        changes = [(placement.start_seconds, 1) for placement in here]
        changes += [(placement.finish_seconds, -1) for placement in here]
        running = 0
        for when, change in sorted(changes):  # at the same time an end counts before a start
            running += change
            if running > slots:
                yield f"{running} jobs run at once at {when} s where {slots} may"
                break


def _proof(plan: Plan) -> Iterator[str]:
    """The stated value is the plan's, the bound is below it, and `optimal` is not said without proof."""
    value = plan.cost.total_usd if plan.objective is Objective.COST else plan.makespan_seconds
    if not _same(plan.proof.value, value):
        yield f"its {plan.objective} is {value}, not {plan.proof.value}"
    if plan.proof.bound > plan.proof.value + _TOLERANCE * abs(plan.proof.value):
        yield f"its {plan.objective} of {plan.proof.value} is below the proven bound {plan.proof.bound}"
    if (plan.status is PlanStatus.OPTIMAL) != (plan.proof.gap <= PROOF_GAP):
        yield f"its status is {plan.status} with a gap of {plan.proof.gap}"


def _same(left: float, right: float) -> bool:
    return isclose(left, right, rel_tol=_TOLERANCE, abs_tol=1e-12)
