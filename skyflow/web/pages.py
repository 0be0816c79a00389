"""What the live page answers: the list of runs, one run, and that something has changed."""

from collections.abc import Callable
from functools import partial

import anyio.to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from skyflow.app.project import Project
from skyflow.app.showing.history import list_runs
from skyflow.app.showing.report import make_report
from skyflow.errors import PlanningError, SkyflowError, UsageError, WorkflowError
from skyflow.model.run import RunFilter
from skyflow.ports.clock import Waiter
from skyflow.report.page.live import render_message_page, render_runs_page
from skyflow.web.buttons import button_routes
from skyflow.web.explorers import explorer_routes
from skyflow.web.live_runs import LiveRuns
from skyflow.web.logs import log_routes
from skyflow.web.numbers import whole_number
from skyflow.web.streams import stream, told_of_run, told_of_runs

__all__ = ["make_pages"]

_MOST_RUNS = 100


def make_pages(
    project: Project, *, write_token: str, clock: Waiter, is_ending: Callable[[], bool] = lambda: False
) -> Starlette:
    """Return the application; who may use it is for others to check.

    Args:
        project: whose runs.
        write_token: what its forms carry.
        clock: the time.
        is_ending: tells that the server wants to end, and with it every stream.
    """

    async def runs(request: Request) -> Response:
        return HTMLResponse(await anyio.to_thread.run_sync(partial(_runs_page, project, _wanted(request))))

    live_runs = LiveRuns(project, clock=clock, write_token=write_token)

    async def run(request: Request) -> Response:
        live = await anyio.to_thread.run_sync(live_runs.named, request.path_params["run"])
        return HTMLResponse(await anyio.to_thread.run_sync(live.page))

    async def report(request: Request) -> Response:
        _, page = await anyio.to_thread.run_sync(partial(make_report, project, request.path_params["run"], clock=clock))
        return HTMLResponse(page)

    async def changes_of_runs(_: Request) -> Response:
        return stream(told_of_runs(project), is_ending)

    async def changes_of_run(request: Request) -> Response:
        live = await anyio.to_thread.run_sync(live_runs.named, request.path_params["run"])
        return stream(told_of_run(live, since=_version(request)), is_ending)

    async def nothing(_: Request) -> Response:
        return Response(status_code=204)

    return Starlette(
        routes=[
            Route("/", runs),
            Route("/changes", changes_of_runs),
            Route("/runs", lambda _: RedirectResponse("/")),
            Route("/runs/{run}", run),
            Route("/runs/{run}/report.html", report),
            Route("/runs/{run}/changes", changes_of_run),
            Route("/favicon.ico", nothing),
            *log_routes(project, is_ending),
            *button_routes(project, clock=clock),
            *explorer_routes(project, clock=clock, write_token=write_token),
        ],
        exception_handlers={SkyflowError: _told, HTTPException: _not_there},
    )


def _wanted(request: Request) -> RunFilter:
    asked = request.query_params
    return RunFilter(
        state=asked.get("state", ""),
        text=asked.get("text", "").strip(),
        before=whole_number(asked.get("before")),
    )


def _runs_page(project: Project, wanted: RunFilter) -> str:
    found = list_runs(project, limit=_MOST_RUNS + 1, wanted=wanted)
    return render_runs_page(found[:_MOST_RUNS], wanted, root=str(project.root), more=len(found) > _MOST_RUNS)


def _version(request: Request) -> int:
    """Return the version of the page that a browser has: what it was last told, or the page says."""
    given = request.headers.get("last-event-id") or request.query_params.get("since", "")
    return whole_number(given) or 0


async def _told(request: Request, error: Exception) -> Response:
    """Return an error of ours as a page; what is not there is not found, and what cannot be done conflicts."""
    message, hint = (error.message, error.hint) if isinstance(error, SkyflowError) else (str(error), None)
    is_button = request.method == "POST"
    if isinstance(error, WorkflowError):
        status, title = 422, "The workflow has errors"
    elif isinstance(error, PlanningError):
        status, title = 422, "There is no plan"
    elif not isinstance(error, UsageError):
        status, title = 500, "That did not work"
    elif is_button:
        status, title = 409, "That was not done"
    else:
        status, title = 404, "There is no such page"
    back = request.url.path.rpartition("/")[0] if is_button else "/"
    return HTMLResponse(render_message_page(title, message, hint=hint, back=back), status)


async def _not_there(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return PlainTextResponse("there is no such page\n" if status == 404 else "that did not work\n", status)  # noqa: PLR2004
