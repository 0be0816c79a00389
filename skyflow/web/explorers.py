"""What the explorers answer: plans under other weights, prices against carbon, machines and what they cost."""

from collections.abc import Callable, Mapping
from functools import partial

import anyio
import anyio.to_thread
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from skyflow.app.machines.clouds import list_instances, open_journal
from skyflow.app.market.catalog import Filters, open_catalog
from skyflow.app.planning.explore import Explorer, workflow_files
from skyflow.app.planning.price_map import price_map
from skyflow.app.project import Project
from skyflow.app.showing.history import list_runs, read_run
from skyflow.errors import NoCandidateError, UsageError
from skyflow.model.plan_view import Weights
from skyflow.model.resources import Market
from skyflow.ports.clock import Waiter
from skyflow.report.page.machines import CloudsAnswer, render_machines_page
from skyflow.report.page.plans import GoOn, render_plan_page, render_plans_page
from skyflow.report.page.prices import render_prices_page
from skyflow.web.numbers import whole_number

__all__ = ["explorer_routes", "weights_of"]

_HIGHEST_WEIGHT = 100
_CATALOG_FIELDS = {
    "cpus": "4+",
    "memory": "16+",
    "accelerators": "",
    "jurisdictions": "",
    "market": "any",
    "clouds": "",
}
"""What can be looked for, and what is looked for where nothing is said."""


def explorer_routes(project: Project, *, clock: Waiter, write_token: str) -> list[Route]:
    """Return the routes of all explorers; their forms carry the `write_token`."""
    explorer = Explorer(project)
    one_at_a_time = anyio.CapacityLimiter(1)  # a plan may take all of a core, and the explorer remembers the last one

    def answered(make: Callable[[Request], str], limiter: anyio.CapacityLimiter | None = None) -> Callable[..., object]:
        async def endpoint(request: Request) -> Response:
            return HTMLResponse(await anyio.to_thread.run_sync(partial(make, request), limiter=limiter))

        return endpoint

    def plan(request: Request) -> str:
        asked = request.query_params
        weights, with_frontier = weights_of(asked), asked.get("frontier") == "yes"
        if "workflow" in asked:
            explored = explorer.of_file(asked["workflow"], weights, with_frontier=with_frontier)
            return render_plan_page(explored, ("workflow", asked["workflow"]))
        if "run" in asked:
            explored = explorer.of_run(asked["run"], weights, now=clock.now(), with_frontier=with_frontier)
            is_driven = read_run(project, asked["run"]).overview.is_driven
            go_on = GoOn(weights, is_driven=is_driven, write_token=write_token)
            return render_plan_page(explored, ("run", asked["run"]), go_on)
        return render_plans_page(workflow_files(project.root), root=str(project.root))

    return [
        Route("/plan", answered(plan, one_at_a_time)),
        Route("/catalog", answered(partial(_catalog, project))),
        Route("/machines", answered(partial(_machines, project, clock))),
    ]


def weights_of(fields: Mapping[str, str]) -> Weights | None:
    """Return the weights that are asked for; None where none is, or not a number."""
    cost, time, carbon = (whole_number(fields.get(name)) for name in ("cost", "time", "carbon"))
    if cost is None or time is None or carbon is None:
        return None
    return Weights(
        cost=min(cost, _HIGHEST_WEIGHT), time=min(time, _HIGHEST_WEIGHT), carbon=min(carbon, _HIGHEST_WEIGHT)
    )


def _catalog(project: Project, request: Request) -> str:
    asked = {name: request.query_params.get(name, default).strip() for name, default in _CATALOG_FIELDS.items()}
    try:
        filters = Filters(
            cpus=asked["cpus"],
            memory=asked["memory"],
            accelerators=tuple(asked["accelerators"].replace(",", " ").split()),
            jurisdictions=tuple(asked["jurisdictions"].replace(",", " ").split()),
            market=Market(asked["market"]),
            clouds=tuple(asked["clouds"].split()),
        )
        return render_prices_page(price_map(open_catalog(project), filters), asked, problem="")
    except (NoCandidateError, UsageError) as error:
        return render_prices_page((), asked, problem=f"{error.message}; {error.hint}" if error.hint else error.message)
    except ValueError:
        return render_prices_page((), asked, problem=f"there is no market '{asked['market']}'")


def _machines(project: Project, clock: Waiter, request: Request) -> str:
    there = project.state.database.exists()
    clouds = None
    if request.query_params.get("ask") == "yes":
        found = list_instances(project, clock)
        lines = [(each.machine, each.usd_per_hour, each.cost_usd) for each in found.instances]
        clouds = CloudsAnswer(machines=lines, answered=found.asked.answered, silent=found.asked.silent)
    return render_machines_page(
        open_journal(project).records() if there else [],
        {overview.run.id: overview.run.number for overview in list_runs(project, limit=-1)},
        clouds,
        now=clock.now(),
        root=str(project.root),
    )
