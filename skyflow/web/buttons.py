"""What the buttons of the live page do; the guard has checked that one of our pages sends it."""

import re
from collections.abc import Awaitable, Callable
from functools import partial
from urllib.parse import parse_qs

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from skyflow.app.planning.explore import Explorer
from skyflow.app.planning.replan import adopt_plan
from skyflow.app.project import Project
from skyflow.app.running.cancel import ask_to_cancel
from skyflow.app.running.interrupt import interrupt_run
from skyflow.ports.clock import Clock
from skyflow.web.commands import start_in_background
from skyflow.web.explorers import weights_of

__all__ = ["button_routes"]


def button_routes(project: Project, *, clock: Clock) -> list[Route]:
    """Return the routes of everything that can be changed."""
    return [
        Route("/runs/{run}/cancel", _answered(project, _cancel), methods=["POST"]),
        Route("/runs/{run}/resume", _answered(project, _resume), methods=["POST"]),
        Route("/runs/{run}/replan", _answered(project, partial(_replan, clock)), methods=["POST"]),
        Route("/runs/{run}/retry", _answered(project, _retry), methods=["POST"]),
    ]


_Form = dict[str, str]


def _answered(
    project: Project, press: Callable[[Project, str, _Form], str]
) -> Callable[[Request], Awaitable[Response]]:
    """Return an endpoint that presses a button, and then leads to the page of the run that is to be looked at."""

    async def endpoint(request: Request) -> Response:
        fields = parse_qs((await request.body()).decode(errors="replace"))
        form = {name: values[-1] for name, values in fields.items()}
        run = await anyio.to_thread.run_sync(partial(press, project, request.path_params["run"], form))
        return RedirectResponse(f"/runs/{run}", 303)

    return endpoint


def _cancel(project: Project, run: str, _: _Form) -> str:
    if not ask_to_cancel(run, project=project):
        start_in_background(project, "resume", "--", run)  # somebody has to see it to its end
    return run


def _resume(project: Project, run: str, _: _Form) -> str:
    start_in_background(project, "resume", "--", run)
    return run


def _retry(project: Project, run: str, form: _Form) -> str:
    which = [f"--job={form['job']}"] if form.get("job") else ["--failed"] if form.get("failed") else []
    said = start_in_background(project, "retry", *which, "--", run)
    begun = re.search(r"Run (\d+)", said)
    return begun[1] if begun else run


def _replan(clock: Clock, project: Project, run: str, form: _Form) -> str:
    if form.get("interrupt"):  # the page has said what that does; one that did not must not do it
        interrupt_run(run, project=project)
    now = clock.now()
    explored = Explorer(project).of_run(run, weights_of(form), now=now, with_frontier=False)
    adopt_plan(run, explored.diff.new, project=project, now=now, why="chosen in the plan explorer")
    start_in_background(project, "resume", "--", run)
    return run
