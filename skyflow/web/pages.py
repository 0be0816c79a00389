"""What the live page answers: the list of runs, one run, and that something has changed."""

from collections.abc import AsyncIterator, Callable
from functools import partial

import anyio.to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from skyflow.app.history import list_runs, read_run
from skyflow.app.project import Project
from skyflow.app.report import make_report
from skyflow.app.watching import mark_of_run, mark_of_runs
from skyflow.errors import SkyflowError, UsageError
from skyflow.ports.clock import Clock
from skyflow.report.page.render import render_runs_page

__all__ = ["make_pages"]

_SECONDS_BETWEEN_LOOKS = 0.1
_LOOKS_BETWEEN_SIGNS_OF_LIFE = 100
_MOST_RUNS = 200


def make_pages(project: Project, *, clock: Clock) -> Starlette:
    """Return the application; who may use it is for others to check."""

    async def runs(_: Request) -> Response:
        found = await anyio.to_thread.run_sync(partial(list_runs, project, limit=_MOST_RUNS))
        return HTMLResponse(render_runs_page(found, root=str(project.root)))

    async def run(request: Request) -> Response:
        name = request.path_params["run"]
        _, page = await anyio.to_thread.run_sync(partial(make_report, project, name, clock=clock, live=True))
        return HTMLResponse(page)

    async def changes_of_runs(_: Request) -> Response:
        return _stream(partial(mark_of_runs, project))

    async def changes_of_run(request: Request) -> Response:
        history = await anyio.to_thread.run_sync(read_run, project, request.path_params["run"])
        last = 0

        def mark() -> tuple[int, int]:
            nonlocal last
            last, size = mark_of_run(project, history.overview.run.id, after=last)
            return last, size

        return _stream(mark)

    async def nothing(_: Request) -> Response:
        return Response(status_code=204)

    return Starlette(
        routes=[
            Route("/", runs),
            Route("/changes", changes_of_runs),
            Route("/runs", lambda _: RedirectResponse("/")),
            Route("/runs/{run}", run),
            Route("/runs/{run}/changes", changes_of_run),
            Route("/favicon.ico", nothing),
        ],
        exception_handlers={SkyflowError: _told, HTTPException: _not_there},
    )


def _stream(mark: Callable[[], object]) -> StreamingResponse:
    """Return a stream of server-sent events: one whenever the mark is another than before."""

    async def events() -> AsyncIterator[str]:
        yield "retry: 1000\n\n"
        before = await anyio.to_thread.run_sync(mark)
        looks = 0
        while True:
            await anyio.sleep(_SECONDS_BETWEEN_LOOKS)
            now = await anyio.to_thread.run_sync(mark)
            looks += 1
            if now != before:
                before = now
                yield "event: changed\ndata:\n\n"
            elif looks % _LOOKS_BETWEEN_SIGNS_OF_LIFE == 0:
                yield ": still here\n\n"

    return StreamingResponse(events(), media_type="text/event-stream")


async def _told(_: Request, error: Exception) -> Response:
    """Return an error of ours as text; what is not there is not found."""
    message = error.message if isinstance(error, SkyflowError) else str(error)
    return PlainTextResponse(f"{message}\n", 404 if isinstance(error, UsageError) else 500)


async def _not_there(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return PlainTextResponse("there is no such page\n" if status == 404 else "that did not work\n", status)  # noqa: PLR2004
