"""The paper's kinds of application, planned by the broker and by simpler rules: `python tests/bench/applications.py`.

Keeps what was found in `site/results/evaluation.json`, of which `python site/gen/build.py` makes the page on the evaluation.
"""

import argparse
from collections import Counter
from pathlib import Path
from typing import Any

from recorded import RESULTS, keep, of_now

from skyflow.app.planning.plan import Planning, PlanOptions, prepare_planning
from skyflow.app.planning.plan_views import compare
from skyflow.model.objective import Objective
from skyflow.model.placement import Plan
from skyflow.planner import Limits
from skyflow.planner.schedule import evaluate
from skyflow.spec import load_workflow

WORKFLOWS = Path(__file__).parents[2] / "workflows" / "evaluation"
APPLICATIONS = ("machine-learning", "bioinformatics", "analytics")
PATIENCE = 20.0


def planned(path: Path) -> dict[str, Any]:
    """Return the broker's plans for cost, and for time with a budget, and those of simpler rules."""
    cheap = _prepared(path, Objective.COST)
    plan = cheap.plan()
    for_cost = {**_told(cheap, plan), "alone": _each_by_itself(cheap)}
    budget = next(one["usd"] for one in for_cost["rivals"] if one["name"] == "everything on demand")
    fast = _prepared(path, Objective.MAKESPAN, Limits(usd=budget))
    return {"cost": for_cost, "makespan": {**_told(fast, fast.plan()), "budget_usd": budget}}


def _prepared(path: Path, objective: Objective, limits: Limits | None = None) -> Planning:
    options = PlanOptions(objective=objective, limits=limits or Limits(), time_limit_seconds=PATIENCE)
    return prepare_planning(load_workflow(str(path)).workflow, options=options)


def _told(planning: Planning, plan: Plan) -> dict[str, Any]:
    rivals = [one for one in compare(planning, plan) if one.plan is not plan]
    return {
        **_figures(plan),
        "rivals": [{"name": one.name, **({} if one.plan is None else _figures(one.plan))} for one in rivals],
        "choices": _choices(plan),
    }


def _figures(plan: Plan) -> dict[str, float]:
    return {
        "usd": plan.cost.total_usd,
        "transfer_usd": plan.cost.transfer_usd,
        "seconds": plan.makespan_seconds,
        "gap": plan.proof.gap,
    }


def _each_by_itself(planning: Planning) -> dict[str, float]:
    """Return what it comes to when each job takes what costs least for it alone, and data has to follow."""
    problem = planning.problem.placement
    choice = tuple(min(range(len(one)), key=one.usd.__getitem__) for one in problem.candidates)
    found = evaluate(problem, choice)
    return {"usd": found.usd, "seconds": found.makespan_seconds}


def _choices(plan: Plan) -> list[dict[str, Any]]:
    """Return where jobs run: those of a matrix that run alike together."""
    alike = Counter((one.job.partition(".")[0], one.offering) for one in plan.placements)
    return [
        {
            "job": job,
            "count": count,
            "provider": offering.provider,
            "region": offering.region,
            "type": offering.instance_type,
            "market": offering.market.value,
        }
        for (job, offering), count in alike.items()
    ]


def main() -> None:
    """Plan each, and keep what was found."""
    argparse.ArgumentParser(description="The paper's kinds of application, planned.").parse_args()
    began = of_now()
    found = {name: planned(WORKFLOWS / f"{name}.yml") for name in APPLICATIONS}
    keep("evaluation.json", "applications", began, {"patience_seconds": PATIENCE, "applications": found})
    print(f"kept in {RESULTS / 'evaluation.json'}")


if __name__ == "__main__":
    main()
