"""An independent check of a finished plan against its problem: shares no arithmetic with what made the plan.

Whatever a solver, a heuristic or a file brought forth, nobody sees a plan that fails here.
"""

from collections.abc import Iterator, Mapping, Sequence
from math import isclose, isfinite

from skyflow.errors import InternalError
from skyflow.model.objective import Objective
from skyflow.model.placement import Placement, Plan, PlanStatus, Transfer
from skyflow.model.resources import LOCAL, OWN
from skyflow.planner.hours import Hours
from skyflow.planner.problem import Candidates, PlacementProblem

__all__ = ["PROOF_GAP", "verify_choice", "verify_plan"]

PROOF_GAP = 1e-6
"""A plan whose objective is within this share of its bound is called optimal; a thousandth of a cent in ten dollars."""

_TOLERANCE = 1e-9
_ROUGHLY = 1e-6


def verify_choice(
    problem: PlacementProblem, choice: Sequence[int], *, objective: Objective, value: float, bound: float
) -> None:
    """Check the answer to a problem without a workflow: one candidate per job, with the value that is claimed.

    Raises:
        InternalError: something is wrong.
    """
    faults = []
    if len(choice) != len(problem.jobs) or not all(
        0 <= k < len(options) for k, options in zip(choice, problem.candidates, strict=True)
    ):
        faults.append("it does not give every job one of its candidates")
    else:
        found = _cost(problem, choice) if objective is Objective.COST else _longest_path(problem, choice)
        if not _same(found, value):
            faults.append(f"its {objective} is {found}, not {value}")
    if bound > value + _TOLERANCE * abs(value):
        faults.append(f"its {objective} of {value} is below the proven bound {bound}")
    if faults:
        raise InternalError(f"the plan fails its verification: {'; '.join(faults)}")


def _cost(problem: PlacementProblem, choice: Sequence[int]) -> float:
    where = {job: problem.candidates[job].place[k] for job, k in enumerate(choice)}
    moved = sum(edge.gigabytes * problem.usd_per_gb[where[edge.source]][where[edge.target]] for edge in problem.edges)
    return moved + sum(problem.candidates[job].usd[k] for job, k in enumerate(choice))


def _longest_path(problem: PlacementProblem, choice: Sequence[int]) -> float:
    """From the end backwards, where the planner goes forwards."""
    after = [0.0] * len(choice)
    for job in reversed(range(len(choice))):
        after[job] += problem.candidates[job].seconds[choice[job]]
        for edge in problem.edges:
            if edge.target == job:
                here, there = problem.candidates[job].place[choice[job]], problem.candidates[edge.source]
                wait = edge.gigabytes * problem.seconds_per_gb[there.place[choice[edge.source]]][here]
                after[edge.source] = max(after[edge.source], after[job] + wait)
    return max(after, default=0.0)


def verify_plan(plan: Plan, problem: PlacementProblem, *, ends: Mapping[str, str] | None = None) -> None:
    """Check that a plan answers its problem and that every figure in it is right.

    `ends` gives, for every job of the problem that only stands for a place, the name that the plan has for it.

    Raises:
        InternalError: something is wrong; the message lists all of it.
    """
    faults = list(_Verification(plan, problem, ends or {}).faults())
    if faults:
        raise InternalError(f"the plan fails its verification: {'; '.join(faults)}")


class _Verification:
    """One plan under examination."""

    def __init__(self, plan: Plan, problem: PlacementProblem, ends: Mapping[str, str]) -> None:
        self.plan, self.problem, self.ends = plan, problem, ends
        self.index = {job: index for index, job in enumerate(problem.jobs)}
        self.chosen: dict[int, int] = {index: 0 for job, index in self.index.items() if job in ends}
        self.heirs: dict[int, int] = {}
        """Who has taken over the machine of whom."""

    def faults(self) -> Iterator[str]:
        """Yield everything that is wrong."""
        coverage = list(self._coverage())
        yield from coverage
        if not coverage:
            yield from self._machines()
            yield from self._jobs()
            yield from self._transfers()
            yield from self._capacities()
            yield from self._waiting()
            yield from self._limits()
            yield from self._spill()
            yield from self._proof()

    def _coverage(self) -> Iterator[str]:
        """Every job is placed exactly once, on one of its candidates."""
        placed = [placement.job for placement in self.plan.placements]
        expected = [job for job in self.problem.jobs if job not in self.ends]
        if sorted(placed) != sorted(expected):
            yield f"it places {sorted(placed)} where the jobs are {sorted(expected)}"
            return
        for placement in self.plan.placements:
            job = self.index[placement.job]
            offerings = self.problem.candidates[job].offerings
            if placement.offering not in offerings:
                yield f"job '{placement.job}' is placed on {placement.offering.id}, which is none of its candidates"
            else:
                self.chosen[job] = offerings.index(placement.offering)

    def _machines(self) -> Iterator[str]:
        """A machine goes from a job to one that may take it over, is the same for both, and is never held in between."""
        allowed = {(edge.source, edge.target) for edge in map(self.problem.edges.__getitem__, self.problem.heirs)}
        last: dict[str, Placement] = {}
        for placement in sorted(self.plan.placements, key=lambda one: one.start_seconds):
            if (placement.offering.provider == LOCAL) == bool(placement.machine):
                yield f"job '{placement.job}' has the machine '{placement.machine}'"
            before = last.get(placement.machine) if placement.machine else None
            last[placement.machine] = placement
            if before is None:
                continue
            pair = self.index[before.job], self.index[placement.job]
            self.heirs[pair[1]] = pair[0]
            if pair not in allowed or before.offering != placement.offering:
                yield f"job '{placement.job}' cannot take over the machine of '{before.job}'"
            elif abs(placement.start_seconds - before.finish_seconds) > _TOLERANCE * max(1.0, before.finish_seconds):
                yield f"the machine of '{before.job}' is held until '{placement.job}' takes it over"

    def _jobs(self) -> Iterator[str]:
        """Durations, costs and emissions are those of the candidates, and no job starts before the run."""
        for placement in self.plan.placements:
            name, job = f"job '{placement.job}'", self.index[placement.job]
            options, k = self.problem.candidates[job], self.chosen[job]
            start = 0.0 if job in self.heirs else options.startup_seconds(k)
            seconds = options.seconds[k] - options.startup_seconds(k) + start
            share = seconds / options.seconds[k] if options.seconds[k] else 1.0
            usd, grams = options.usd[k] * share, options.grams[k] * share
            grams *= _mean_factor(self.problem.hours, options, k, placement.start_seconds, seconds)
            if placement.startup_seconds != start:
                yield f"{name} waits {placement.startup_seconds} s for its machine to start, not {start} s"
            if not _same(placement.duration_seconds, seconds):
                yield f"{name} lasts {placement.duration_seconds} s, not {seconds} s"
            paid = placement.offering.price_usd_per_hour * seconds / 3600
            if not (_same(placement.compute_usd, usd) and (_same(paid, usd) or not usd)):
                yield f"{name} costs ${placement.compute_usd}, not ${usd}"
            if not _same(placement.carbon_grams or 0.0, grams):
                yield f"{name} emits {placement.carbon_grams} g, not {grams} g"
            if placement.not_before_seconds > placement.start_seconds + _TOLERANCE * placement.start_seconds:
                yield f"{name} starts at {placement.start_seconds} s, before the planned {placement.not_before_seconds} s"
            if not (isfinite(placement.start_seconds) and placement.start_seconds >= 0):
                yield f"{name} starts at {placement.start_seconds} s"

    def _transfers(self) -> Iterator[str]:
        """Every need is an input, at the right price, and no job starts before its inputs have arrived."""
        finishes = {placement.job: placement.finish_seconds for placement in self.plan.placements}
        starts = {placement.job: placement.start_seconds for placement in self.plan.placements}
        inputs = {placement.job: list(placement.inputs) for placement in self.plan.placements}
        outputs = list(self.plan.outputs)
        for edge in self.problem.edges:
            source, target = self.problem.jobs[edge.source], self.problem.jobs[edge.target]
            known = outputs if target in self.ends else inputs[target]
            said = source if target in self.ends else self.ends.get(source, source)
            transfer = next((one for one in known if one.from_job == said and one.gigabytes == edge.gigabytes), None)
            if transfer is None:
                yield f"job '{target}' takes other inputs than its needs"
                continue
            known.remove(transfer)
            yield from self._transfer(transfer, edge.source, edge.target)
            arrival = finishes.get(source, 0.0) + transfer.seconds
            if target in starts and starts[target] < arrival - _TOLERANCE * max(1.0, arrival):
                yield f"job '{target}' starts at {starts[target]} s, before the data of '{said}' arrives"
        if outputs or any(inputs.values()):
            yield "it moves data that nobody needs"

    def _transfer(self, transfer: Transfer, source: int, target: int) -> Iterator[str]:
        there = self.problem.candidates[source].place[self.chosen[source]]
        here = self.problem.candidates[target].place[self.chosen[target]]
        name = f"job '{self.problem.jobs[target]}'"
        moved = 0.0 if self.heirs.get(target) == source else transfer.gigabytes
        if not _same(transfer.usd, moved * self.problem.usd_per_gb[there][here]):
            yield f"{name} pays ${transfer.usd} for the data of '{transfer.from_job}'"
        if not _same(transfer.seconds, moved * self.problem.seconds_per_gb[there][here]):
            yield f"{name} waits {transfer.seconds} s for the data of '{transfer.from_job}'"
        if not _same(transfer.grams, moved * self.problem.grams_per_gb[there][here]):
            yield f"{name} emits {transfer.grams} g for the data of '{transfer.from_job}'"

    def _capacities(self) -> Iterator[str]:
        """At no time do the jobs that run take up more than there is."""
        for capacity in self.problem.capacities:
            changes = []
            for placement in self.plan.placements:
                job = self.index[placement.job]
                units = capacity.use(job, self.chosen[job])
                # at the same time an end counts before a start
                changes += [(placement.start_seconds, 1, units), (placement.finish_seconds, 0, -units)]
            taken = 0.0
            for when, _, units in sorted(changes):
                taken += units
                if taken > capacity.units * (1 + _TOLERANCE) + _TOLERANCE:
                    yield f"{taken:g} units of {capacity.name} are taken up at {when} s where there are {capacity.units:g}"
                    break

    def _waiting(self) -> Iterator[str]:
        """Nobody waits unasked, and what waiting is said to save it saves; where jobs never wait for one another."""
        hours, plan = self.problem.hours, self.plan
        is_held = any(placement.not_before_seconds for placement in plan.placements)
        if plan.begins_at != (hours.begins_at if hours else None) or is_held != (plan.waiting is not None):
            yield "it does not say from when on and why its jobs wait"
        if hours is None or plan.waiting is None or self.problem.capacities:
            return
        soonest: dict[str, float] = {}
        grams = 0.0
        arrivals = {placement.job: 0.0 for placement in plan.placements}
        for placement in plan.placements:  # every job after all that it needs
            for transfer in placement.inputs:
                came = soonest.get(transfer.from_job, 0.0) + transfer.seconds
                arrivals[placement.job] = max(arrivals[placement.job], came)
            soonest[placement.job] = arrivals[placement.job] + placement.duration_seconds
            job = self.index[placement.job]
            options, k, seconds = self.problem.candidates[job], self.chosen[job], placement.duration_seconds
            share = seconds / options.seconds[k] if options.seconds[k] else 1.0
            factor = _mean_factor(hours, options, k, arrivals[placement.job], seconds)
            grams += options.grams[k] * share * factor - (placement.carbon_grams or 0.0)
        ends = [*soonest.values(), *(soonest[one.from_job] + one.seconds for one in plan.outputs)]
        if not isclose(grams, plan.waiting.saved_grams, rel_tol=_ROUGHLY, abs_tol=_ROUGHLY):
            yield f"waiting saves {grams} g, not {plan.waiting.saved_grams} g"
        later = plan.makespan_seconds - max(ends, default=0.0)
        if not isclose(later, plan.waiting.later_seconds, rel_tol=_ROUGHLY, abs_tol=_ROUGHLY):
            yield f"waiting takes {later} s, not {plan.waiting.later_seconds} s"

    def _limits(self) -> Iterator[str]:
        """No limit is exceeded."""
        plan = self.plan
        values = {
            "usd": plan.cost.total_usd,
            "grams": plan.known_carbon_grams,
            "seconds": plan.makespan_seconds,
        }
        for name, limit in self.problem.limits.named().items():
            if values[name] > limit * (1 + 2 * _TOLERANCE) + _TOLERANCE:
                yield f"its {name} are {values[name]}, above the limit of {limit}"

    def _spill(self) -> Iterator[str]:
        """Only a rented machine needs a reason for it."""
        for placement in self.plan.placements:
            if placement.spilled is not None and placement.offering.provider in {LOCAL, OWN}:
                yield f"job '{placement.job}' spills over to {placement.offering.id}, which is there anyway"

    def _proof(self) -> Iterator[str]:
        """The stated value is the plan's, the bound is below it, and `optimal` is not said without proof."""
        plan, proof = self.plan, self.plan.proof
        if not _same(proof.value, plan.value):
            yield f"its {plan.objective} is {plan.value}, not {proof.value}"
        if proof.bound > proof.value + _TOLERANCE * abs(proof.value):
            yield f"its {plan.objective} of {proof.value} is below the proven bound {proof.bound}"
        if (plan.status is PlanStatus.OPTIMAL) != (proof.gap <= PROOF_GAP):
            yield f"its status is {plan.status} with a gap of {proof.gap}"


def _mean_factor(hours: Hours | None, options: Candidates, k: int, start: float, seconds: float) -> float:
    """Return how clean power is while a job runs, against the mean of the year: hour by hour, where the planner integrates."""
    if hours is None or not options.curve or options.curve[k] < 0 or seconds <= 0:
        return 1.0
    factors, total, at = hours.factors[options.curve[k]], 0.0, start
    while at < start + seconds:
        hour = 0 if at < hours.first_seconds else int((at - hours.first_seconds) // 3600) + 1
        end = hours.first_seconds + 3600 * hour
        until = min(max(end, at + _TOLERANCE), start + seconds) if hour < len(factors) else start + seconds
        total += (factors[hour] if hour < len(factors) else 1.0) * (until - at)
        at = until
    return total / seconds


def _same(left: float, right: float) -> bool:
    return isclose(left, right, rel_tol=_TOLERANCE, abs_tol=1e-12)
