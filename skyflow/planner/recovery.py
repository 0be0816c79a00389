"""What follows when a spot machine is taken away, as an expectation: waiting for it there against going elsewhere.

A machine is lost at any moment of the work alike. Then half of the work is left in the mean, and half a checkpoint interval c is
done again: of a duration t, the share (1 + c / t) / 2, which without checkpoints is all of it. Going on at x costs and takes

    start of x + share * expected duration at x + transfers of the inputs to x,   and for the data of later jobs from x,

at the prices of x. A machine that was taken away is there again after W, taken to be exponential with the mean D. Waiting T at
most succeeds with the chance q = 1 - exp(-T / D) and takes D * q in the mean, so that it comes to

    D * q  +  q * (going on there)  +  (1 - q) * (going on elsewhere).

Both are judged by the goal of the plan. Where the goal does not count time, a second until the end counts as one of the machine
that was lost, the price at which the plan buys time: else it would wait for the last cent, or move to where the job takes for
ever. A deadline leaves no more time to wait than the plan is before it.

A job that is to keep pace with the deadline does neither: its rules are those of `skyflow.model.pace`, and the plan gives them their
figures. It has to end as late as the plan without it leaves room for: when it is planned to, and the slack of the plan later.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from skyflow.model.catalog import Offering
from skyflow.model.objective import Goal
from skyflow.model.pace import Pace
from skyflow.model.placement import Placement, Plan
from skyflow.model.recovery import Recovery, RecoveryStrategy, Resumption
from skyflow.model.resources import Market
from skyflow.planner.build import Problem
from skyflow.planner.estimates import DEFAULT_RECOVERY_SECONDS
from skyflow.planner.jobs import PlanningJob
from skyflow.planner.problem import Choice

__all__ = ["OUTAGE_SECONDS", "chance_within", "with_recoveries"]

OUTAGE_SECONDS = 19.5 * 60 / math.log(2)
"""D, 28 minutes: an exponential time with the median of the 6,851 outages in the published traces of spot machines
(github.com/skypilot-org/spot-traces); within 15 minutes it has 41 % end, and 50 % did."""


def chance_within(seconds: float) -> float:
    """Return how likely a spot machine that was taken away is to be had again within so many seconds."""
    return -math.expm1(-seconds / OUTAGE_SECONDS)


def with_recoveries(plan: Plan, problem: Problem, goal: Goal, choice: Choice, *, before: Plan | None = None) -> Plan:
    """Return a plan that says of every spot machine what follows when it is taken away.

    A job that runs already keeps what the plan before says: here it has no other choice.
    One that is to keep pace with a deadline, and cannot, waits: who asks for a plan looks at whether it has a pace.
    """
    earlier = {one.job: one.recovery for one in before.placements if one.recovery} if before is not None else {}
    if not earlier and not any(one.offering.market is Market.SPOT for one in plan.placements):
        return plan
    expected = _Expected(problem, goal, choice, _slack(plan))
    placements = tuple(
        replace(one, recovery=_of(one, job, index, expected, earlier))
        for one, job, index in zip(plan.placements, problem.jobs, problem.positions, strict=True)
    )
    return replace(plan, placements=placements)


def _slack(plan: Plan) -> float:
    deadline = plan.limits.get("seconds")
    return math.inf if deadline is None else max(deadline - plan.makespan_seconds, 0.0)


def _of(
    placement: Placement, job: PlanningJob, index: int, expected: "_Expected", earlier: Mapping[str, Recovery]
) -> Recovery | None:
    if job.pinned_seconds is not None:
        return earlier.get(placement.job)
    if placement.offering.market is not Market.SPOT:
        return None
    return expected.recovery(index, job, placement)


@dataclass(slots=True)
class _Figures:
    """What going on at a candidate comes to."""

    usd: float
    grams: float
    seconds: float

    def value(self, goal: Goal) -> float:
        return goal.value(usd=self.usd, grams=self.grams, seconds=self.seconds)


class _Expected:
    """The expectations for the jobs of one plan; `slack` is how many seconds before its deadline it ends."""

    def __init__(self, problem: Problem, goal: Goal, choice: Choice, slack: float) -> None:
        self._problem = problem
        self._goal = goal
        self._choice = choice
        self._slack = slack
        self._others: dict[tuple[int, int, float, float], tuple[int, ...]] = {}

    def recovery(self, index: int, job: PlanningJob, placement: Placement) -> Recovery:
        """Return what follows when the machine of a job is taken away."""
        spec, k = job.recovery, self._choice[index]
        pace = self._pace(index, job, placement)
        if pace is None and spec.strategy is RecoveryStrategy.DEADLINE:
            spec = replace(spec, strategy=RecoveryStrategy.WAIT)
        is_asked = spec.strategy is not None
        patience = spec.wait_seconds if is_asked else min(spec.wait_seconds, self._slack)
        options = self._problem.placement.candidates[index]
        goal = self._judging(options.offerings[k])
        stay, other = self._going_on(index, k, job), self._best_elsewhere(index, job, goal)
        move = None if other is None else self._going_on(index, other, job)
        chance = chance_within(patience)
        wait = _mean(stay, move, chance, OUTAGE_SECONDS * chance)
        is_better = move is None or (chance > 0 and wait.value(goal) < move.value(goal))
        strategy = spec.strategy or (RecoveryStrategy.WAIT if is_better else RecoveryStrategy.EAGER)
        return Recovery(
            strategy=strategy,
            wait_seconds=patience if strategy is RecoveryStrategy.WAIT else 0.0,
            chance=chance,
            wait=Resumption(usd=wait.usd, seconds=wait.seconds),
            move=None if move is None else Resumption(usd=move.usd, seconds=move.seconds),
            elsewhere=None if other is None else options.offerings[other],
            elsewhere_seconds=0.0 if other is None else self._problem.timing(index, other).busy_seconds,
            checkpoint_seconds=_checkpoint_seconds(job),
            pace=pace,
            is_asked=is_asked,
        )

    def _pace(self, index: int, job: PlanningJob, placement: Placement) -> Pace | None:
        """Return how a job can end in time; None without a deadline, or without the same machine there on demand."""
        spot, options = placement.offering, self._problem.placement.candidates[index].offerings
        alike = [one for one in options if _is_same_on_demand(one, spot)]
        if math.isinf(self._slack) or not alike:
            return None
        timing = self._problem.timing(index, self._choice[index])
        said = job.estimate.recovery_seconds if job.estimate is not None else None
        start = max(timing.startup_seconds, DEFAULT_RECOVERY_SECONDS) if said is None else said
        return Pace(
            begins_at=placement.start_seconds,
            ends_at=placement.finish_seconds + self._slack,
            work_seconds=timing.busy_seconds,
            overhead_seconds=start + max((one.seconds for one in placement.inputs), default=0.0),
            checkpoint_seconds=_checkpoint_seconds(job),
            spot=spot,
            on_demand=min(alike, key=lambda one: (one.price_usd_per_hour, one.id)),
        )

    def _judging(self, lost: Offering) -> Goal:
        """Return the goal, with a price for time from the machine that was lost where it has none."""
        if self._goal.seconds:
            return self._goal
        grams = lost.footprint.gco2e(1.0) if lost.footprint is not None else 0.0
        per_second = self._goal.value(usd=lost.price_usd_per_hour / 3600, grams=grams, seconds=0.0)
        return replace(self._goal, seconds=per_second)

    def _going_on(self, index: int, k: int, job: PlanningJob) -> _Figures:
        """Return what is expected from when there is a machine of a candidate until the job has ended."""
        problem = self._problem.placement
        found, here = self._working(index, k, job), problem.candidates[index].place[k]
        longest = 0.0
        for edge in problem.incoming[index]:
            there = problem.place(edge.source, self._choice)
            found.usd += edge.gigabytes * problem.usd_per_gb[there][here]
            found.grams += edge.gigabytes * problem.grams_per_gb[there][here]
            longest = max(longest, edge.gigabytes * problem.seconds_per_gb[there][here])
        for edge in problem.outgoing[index]:
            there = problem.place(edge.target, self._choice)
            found.usd += edge.gigabytes * problem.usd_per_gb[here][there]
            found.grams += edge.gigabytes * problem.grams_per_gb[here][there]
        found.seconds += longest
        return found

    def _working(self, index: int, k: int, job: PlanningJob) -> _Figures:
        """Return the same without what is moved."""
        options, timing = self._problem.placement.candidates[index], self._problem.timing(index, k)
        every = _checkpoint_seconds(job)
        stretch = min(every, timing.busy_seconds) if every else timing.busy_seconds
        share = 0.5 * (1 + stretch / timing.busy_seconds) if timing.busy_seconds else 1.0
        seconds = timing.startup_seconds + share * (timing.seconds - timing.startup_seconds)
        part = seconds / timing.seconds if timing.seconds else 0.0
        return _Figures(options.usd[k] * part, options.grams[k] * part, seconds)

    def _best_elsewhere(self, index: int, job: PlanningJob, goal: Goal) -> int | None:
        """Return the best candidate that is not of the same type in the same region and market."""
        options, chosen = self._problem.placement.candidates[index], self._choice[index]
        key = id(options), chosen, _checkpoint_seconds(job), goal.seconds  # jobs of one matrix are alike
        if key not in self._others:
            self._others[key] = self._best_of_places(index, job, goal)
        found = ((self._going_on(index, k, job).value(goal), k) for k in self._others[key])
        return min(found, default=(0.0, None))[1]

    def _best_of_places(self, index: int, job: PlanningJob, goal: Goal) -> tuple[int, ...]:
        """Return the best candidate of each place without what is moved, for that depends on the place alone."""
        options = self._problem.placement.candidates[index]
        lost = _kind(options.offerings[self._choice[index]])
        best: dict[int, tuple[float, int]] = {}
        for k, one in enumerate(options.offerings):
            if _kind(one) != lost:
                entry = self._working(index, k, job).value(goal), k
                best[options.place[k]] = min(entry, best.get(options.place[k], entry))
        return tuple(k for _, k in best.values())


def _kind(offering: Offering) -> tuple[str, str, str, Market]:
    return offering.provider, offering.region, offering.instance_type, offering.market


def _is_same_on_demand(one: Offering, spot: Offering) -> bool:
    return one.market is Market.ON_DEMAND and _kind(one)[:3] == _kind(spot)[:3]


def _checkpoint_seconds(job: PlanningJob) -> float:
    return (job.estimate.checkpoint_seconds or 0.0) if job.estimate is not None else 0.0


def _mean(stay: _Figures, move: _Figures | None, chance: float, waited: float) -> _Figures:
    other = stay if move is None else move
    return _Figures(
        chance * stay.usd + (1 - chance) * other.usd,
        chance * stay.grams + (1 - chance) * other.grams,
        waited + chance * stay.seconds + (1 - chance) * other.seconds,
    )
