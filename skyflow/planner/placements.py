"""A decision as a plan: which machine, from when to when, at what price, and what moves between."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from skyflow.model.objective import Goal, Objective
from skyflow.model.placement import Placement, Plan, PlanStatus, Proof, Transfer, Waiting
from skyflow.model.planning import Spilled
from skyflow.model.resources import LOCAL
from skyflow.planner.build import Problem
from skyflow.planner.decide import Decision
from skyflow.planner.estimates import Knowledge
from skyflow.planner.problem import Edge, PlacementProblem
from skyflow.planner.schedule import Evaluation, evaluate
from skyflow.planner.verify import PROOF_GAP

__all__ = ["ends_of", "plan_of"]


def plan_of(
    problem: Problem,
    goal: Goal,
    decision: Decision,
    *,
    knowledge: Knowledge,
    local_slots: int,
    seconds: float,
    spilled: Mapping[int, Spilled] = MappingProxyType({}),
    notes: tuple[str, ...] = (),
) -> Plan:
    """Return a decision as a plan, with all that follows from it."""
    placement = problem.placement
    found = evaluate(placement, decision.choice, decision.held)
    making = _Making(problem, decision, found, knowledge)
    value = found.value(goal)
    proof = Proof(value=value, bound=min(decision.bound, value), method=decision.method, seconds=seconds)
    return Plan(
        objective=goal.objective,
        status=PlanStatus.OPTIMAL if proof.gap <= PROOF_GAP else PlanStatus.FEASIBLE,
        placements=tuple(
            replace(
                making.placement(index, pinned=job.pinned_seconds is not None),
                spilled=spilled.get(index),
                setup=job.setup,
            )
            for job, index in zip(problem.jobs, problem.positions, strict=True)
        ),
        proof=proof,
        local_slots=local_slots,
        notes=notes,
        goal=goal if goal.objective is Objective.WEIGHTED else None,
        limits=placement.limits.named(),
        outputs=tuple(
            making.transfer(edge, placement.jobs[edge.source])
            for edge in placement.edges
            if placement.jobs[edge.target] in making.ends
        ),
        begins_at=placement.hours.begins_at if placement.hours else None,
        waiting=_saved(placement, decision, found) if decision.held else None,
    )


def _saved(problem: PlacementProblem, decision: Decision, found: Evaluation) -> Waiting:
    """Return what waiting saves against the same machines without it."""
    soon = evaluate(problem, decision.choice)
    return Waiting(
        saved_grams=soon.grams - found.grams,
        saved_usd=soon.usd - found.usd,
        later_seconds=found.makespan_seconds - soon.makespan_seconds,
    )


def ends_of(problem: Problem) -> dict[str, str]:
    """Return what people call the jobs that only stand for a place."""
    return {problem.placement.jobs[index]: data.name for index, data in problem.outside.items()}


class _Making:
    """A plan being made of a choice."""

    def __init__(self, problem: Problem, decision: Decision, found: Evaluation, knowledge: Knowledge) -> None:
        self.problem, self.choice, self.found, self.knowledge = problem, decision.choice, found, knowledge
        self.held = decision.held
        self.ends = ends_of(problem)
        self.handed_over = set(found.shared.values())
        self.machines = self._machines()

    def _machines(self) -> dict[int, str]:
        """Number the machines that are rented; a job that takes one over has that of the job before it."""
        placement, names = self.problem.placement, dict[int, str]()
        numbers = 0
        for index in self.problem.positions:
            if placement.candidates[index].offerings[self.choice[index]].provider == LOCAL:
                names[index] = ""
            elif index in self.found.shared:
                names[index] = names[placement.edges[self.found.shared[index]].source]
            else:
                numbers += 1
                names[index] = f"m{numbers}"
        return names

    def placement(self, index: int, *, pinned: bool) -> Placement:
        """Return the decision for one job."""
        placement, k = self.problem.placement, self.choice[index]
        options, timing = placement.candidates[index], self.problem.timing(index, k)
        offering = options.offerings[k]
        is_known = pinned or self.knowledge.footprint(offering) is not None
        return Placement(
            job=placement.jobs[index],
            offering=offering,
            inputs=tuple(
                self.transfer(edge, self.ends.get(placement.jobs[edge.source], placement.jobs[edge.source]))
                for edge in placement.incoming[index]
            ),
            duration_seconds=self.found.seconds[index],
            is_duration_assumed=timing.is_assumed,
            start_seconds=self.found.starts[index],
            compute_usd=self.found.job_usd[index],
            duration_source=timing.source,
            carbon_grams=self.found.job_grams[index] if is_known else None,
            machine=self.machines[index],
            startup_seconds=0.0 if index in self.found.shared else options.startup_seconds(k),
            work_seconds=timing.busy_seconds,
            not_before_seconds=self.held.get(index, 0.0),
        )

    def transfer(self, edge: Edge, name: str) -> Transfer:
        """Return what moves over an edge, and what that costs; nothing between two jobs on the same machine."""
        placement = self.problem.placement
        there, here = placement.place(edge.source, self.choice), placement.place(edge.target, self.choice)
        moved = 0.0 if edge.position in self.handed_over else edge.gigabytes
        return Transfer(
            from_job=name,
            gigabytes=edge.gigabytes,
            usd=moved * placement.usd_per_gb[there][here],
            seconds=moved * placement.seconds_per_gb[there][here],
            grams=moved * placement.grams_per_gb[there][here],
        )
