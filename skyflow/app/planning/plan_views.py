"""A plan that can be argued with: why so, what else, what each limit costs, and what has changed."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from skyflow.app.planning.plan import Planning
from skyflow.errors import InfeasibleError, UsageError
from skyflow.model.catalog import Offering
from skyflow.model.objective import Goal, Objective
from skyflow.model.placement import Placement, Plan
from skyflow.model.plan_view import Alternative, Change, Comparison, DataReason, Explanation, LimitCost, PlanDiff
from skyflow.model.resources import LOCAL, Market
from skyflow.planner.build import Problem
from skyflow.planner.narrow import narrowed
from skyflow.planner.problem import Choice
from skyflow.planner.schedule import Evaluation, evaluate

__all__ = ["compare", "diff_plans", "explain", "frontier", "limit_costs"]


def explain(planning: Planning, plan: Plan, *, job: str | None = None) -> list[Explanation]:
    """Return, for one job or all, the choice and what the best one elsewhere would change if nothing else changed.

    Raises:
        UsageError: the plan has no such job.
    """
    named = [placement for placement in plan.placements if job in {None, placement.job}]
    if not named:
        raise UsageError(f"the plan has no job '{job}'", hint=f"it has {', '.join(one.job for one in plan.placements)}")
    choice = _choice(planning.problem, plan)
    goal, problem = planning.goal, planning.problem.placement
    now = evaluate(problem, choice)
    found = []
    for placement in named:
        index = problem.jobs.index(placement.job)
        options = problem.candidates[index]
        best: dict[tuple[str, str], tuple[float, int, Evaluation]] = {}
        for k, offering in enumerate(options.offerings):
            if k == choice[index]:
                continue
            after = evaluate(problem, (*choice[:index], k, *choice[index + 1 :]))
            scope = (offering.provider, offering.region)
            entry = (after.value(goal), k, after)
            if scope not in best or entry[:2] < best[scope][:2]:
                best[scope] = entry
        ordered = sorted(best.values(), key=lambda entry: entry[:2])
        found.append(
            Explanation(
                placement=placement,
                candidates=len(options),
                alternatives=tuple(
                    _alternative(options.offerings[k], after, now, goal, misses=tuple(after.exceeded(problem)))
                    for _, k, after in ordered
                ),
                data=tuple(_data_reasons(planning, plan, placement)),
            )
        )
    return found


def _data_reasons(planning: Planning, plan: Plan, placement: Placement) -> Iterator[DataReason]:
    """Yield, for all that comes in from other jobs and from outside of the run, where its figures are from."""
    places = {each.job: each.offering.place for each in plan.placements}
    places |= {
        data.name: data.place for job in planning.problem.jobs if job.key == placement.job for data in job.outside
    }
    sizes = {data.job: data.source for each in planning.expected if placement.job in each.keys for data in each.data}
    for transfer in placement.inputs:
        if transfer.gigabytes and transfer.from_job in places:
            speed = planning.history.speed(places[transfer.from_job], placement.offering.place)
            yield DataReason(
                transfer=transfer,
                size_source=sizes.get(transfer.from_job, "given"),
                time_source="by the tables" if speed is None else str(speed),
            )


def _alternative(
    offering: Offering, after: Evaluation, now: Evaluation, goal: Goal, *, misses: tuple[str, ...]
) -> Alternative:
    return Alternative(
        offering=offering,
        more_value=after.value(goal) - now.value(goal),
        more_usd=after.usd - now.usd,
        more_seconds=after.makespan_seconds - now.makespan_seconds,
        more_grams=after.grams - now.grams,
        misses=misses,
    )


def limit_costs(planning: Planning, plan: Plan) -> list[LimitCost]:
    """Return what each limit costs: how much better the plan would be without it."""
    problem = planning.problem.placement
    found = []
    for name in problem.limits.named():
        looser = replace(planning.problem, placement=problem.limited_by(replace(problem.limits, **{name: None})))
        found.append(_cost_of(name, planning.plan(problem=looser, again=True), plan))
    if planning.anywhere is not None:
        found.append(_cost_of("residency", planning.anywhere().plan(goal=planning.goal, again=True), plan))
    for capacity in problem.capacities:
        fewer = tuple(one for one in problem.capacities if one is not capacity)
        looser = replace(planning.problem, placement=replace(problem, capacities=fewer))
        found.append(_cost_of(capacity.name, planning.plan(problem=looser, again=True), plan))
    return found


def _cost_of(name: str, without: Plan, plan: Plan) -> LimitCost:
    return LimitCost(
        name=name,
        saved_value=plan.value - without.value,
        saved_usd=plan.cost.total_usd - without.cost.total_usd,
        saved_seconds=plan.makespan_seconds - without.makespan_seconds,
        saved_grams=plan.known_carbon_grams - without.known_carbon_grams,
    )


def frontier(planning: Planning, *, points: int = 8) -> list[Plan]:
    """Return plans of which none is beaten in cost, makespan and carbon at once, the cheapest first.

    Between the cheapest and the fastest plan stand the cheapest ones for so many deadlines. The time limit holds for each.
    """
    limits = planning.problem.placement.limits
    cheapest = planning.plan(goal=Goal.of(Objective.COST), again=True)
    fastest = planning.plan(goal=Goal.of(Objective.MAKESPAN), again=True)
    plans = [cheapest, fastest]
    if cheapest.carbon_grams is not None:
        plans.append(planning.plan(goal=Goal.of(Objective.CARBON), again=True))
    slow, quick = cheapest.makespan_seconds, fastest.makespan_seconds
    for step in range(1, points - 1):
        deadline = quick + (slow - quick) * step / (points - 1)
        tighter = planning.problem.placement.limited_by(replace(limits, seconds=deadline))
        try:
            plans.append(
                planning.plan(
                    goal=Goal.of(Objective.COST), problem=replace(planning.problem, placement=tighter), again=True
                )
            )
        except InfeasibleError:  # only when time ran out before the first plan
            continue
    return _undominated(plans)


def _undominated(plans: list[Plan]) -> list[Plan]:
    found: list[Plan] = []
    for plan in sorted(plans, key=_figures):
        if not any(
            all(a <= b * (1 + 1e-9) for a, b in zip(_figures(one), _figures(plan), strict=True)) for one in found
        ):
            found.append(plan)
    return found


def _figures(plan: Plan) -> tuple[float, float, float]:
    return plan.cost.total_usd, plan.makespan_seconds, plan.known_carbon_grams


def compare(planning: Planning, plan: Plan) -> list[Comparison]:
    """Return the plan beside simpler ones: everything in one cloud, everything on demand."""
    rivals: list[tuple[str, Callable[[Offering], bool]]] = [
        ("everything on demand", lambda one: one.market is not Market.SPOT or one.provider == LOCAL)
    ]
    providers = sorted({one.provider for options in planning.problem.placement.candidates for one in options.offerings})
    rivals += [(f"everything on {provider}", _on(provider)) for provider in providers if provider != LOCAL]
    found = [Comparison(name="this plan", plan=plan)]
    for name, accepts in rivals:
        narrower = _restricted(planning.problem, accepts)
        if narrower is None:
            found.append(Comparison(name=name, plan=None))
            continue
        try:
            found.append(Comparison(name=name, plan=planning.plan(problem=narrower, again=True)))
        except InfeasibleError:
            found.append(Comparison(name=name, plan=None))
    return found


def _on(provider: str) -> Callable[[Offering], bool]:
    return lambda offering: offering.provider == provider


def _restricted(problem: Problem, accepts: Callable[[Offering], bool]) -> Problem | None:
    """Keep only some candidates; a job that can run nowhere but on this machine stays there. None if a job has none left."""
    kept: dict[int, list[int]] = {}
    for index in problem.positions:
        offerings = problem.placement.candidates[index].offerings
        if all(one.provider == LOCAL for one in offerings):
            continue
        kept[index] = [k for k, one in enumerate(offerings) if accepts(one)]
        if not kept[index]:
            return None
    return narrowed(problem, kept)


def diff_plans(old: Plan, new: Plan) -> PlanDiff:
    """Return what has changed from one plan to another."""
    before = {placement.job: placement for placement in old.placements}
    after = {placement.job: placement for placement in new.placements}
    return PlanDiff(old=old, new=new, changes=tuple(_changes(before, after)))


def _changes(before: dict[str, Placement], after: dict[str, Placement]) -> Iterator[Change]:
    for job in dict.fromkeys((*before, *after)):
        old, new = before.get(job), after.get(job)
        if old is None or new is None or old.offering.id != new.offering.id:
            yield Change(job=job, old=old, new=new)


def _choice(problem: Problem, plan: Plan) -> Choice:
    placed = {placement.job: placement.offering for placement in plan.placements}
    return tuple(
        options.offerings.index(placed[job]) if job in placed else 0
        for job, options in zip(problem.placement.jobs, problem.placement.candidates, strict=True)
    )
