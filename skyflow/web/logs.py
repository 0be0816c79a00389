"""What is answered about the log of a step: a page of its lines, and those that it prints while somebody looks."""

import json
import time
from collections.abc import Callable
from functools import partial

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from skyflow.app.project import Project
from skyflow.app.showing.step_log import NumberedLine, StepLog, find_step_log
from skyflow.report.page.log_page import LogView, lines_html, render_log_page
from skyflow.web.numbers import whole_number
from skyflow.web.streams import stream

__all__ = ["log_routes"]

_PAGE_LINES = 2000
_MOST_AT_ONCE = 1000
_SECONDS_BETWEEN_STATES = 0.5
"""How often to look whether a step that prints nothing has ended."""


def log_routes(project: Project, is_ending: Callable[[], bool]) -> list[Route]:
    """Return the routes of logs; streams end when `is_ending` says so."""

    async def page(request: Request) -> Response:
        return HTMLResponse(await anyio.to_thread.run_sync(partial(_page, project, request)))

    async def lines(request: Request) -> Response:
        log = await anyio.to_thread.run_sync(partial(_asked, project, request))
        after = whole_number(request.headers.get("last-event-id") or request.query_params.get("after")) or 0
        return stream(_told(project, log, after, request.query_params.get("find", "").strip()), is_ending)

    return [Route("/runs/{run}/log", page), Route("/runs/{run}/log/lines", lines)]


def _asked(project: Project, request: Request) -> StepLog:
    asked = request.query_params
    return find_step_log(
        project,
        request.path_params["run"],
        asked.get("job", ""),
        attempt=whole_number(asked.get("attempt")),
        position=whole_number(asked.get("step")),
    )


def _page(project: Project, request: Request) -> str:
    log, find = _asked(project, request), request.query_params.get("find", "").strip()
    total, after = log.count(), whole_number(request.query_params.get("after"))
    if after is None:
        after = 0 if find else max(0, total - _PAGE_LINES)
    lines = log.lines(after=after, most=_PAGE_LINES + 1, text=find)
    more = len(lines) > _PAGE_LINES
    return render_log_page(
        LogView(
            run=log.history.overview.run,
            job=log.job,
            attempts=log.attempts,
            steps=log.steps,
            step=log.step,
            lines=_pairs(lines[:_PAGE_LINES]),
            total=total,
            page_size=_PAGE_LINES,
            find=find,
            is_followed=not log.has_ended and not more,
            more=more,
        )
    )


def _told(project: Project, log: StepLog, after: int, find: str) -> Callable[[], str]:
    """Return what tells the lines that were printed since it was last asked, and then that there will be no more."""
    step, looked_at = log.step, time.monotonic()

    def look() -> str:
        nonlocal log, after, looked_at
        has_ended = log.has_ended
        if lines := log.lines(after=after, most=_MOST_AT_ONCE, text=find):
            after = lines[-1].number
            told = json.dumps({"html": lines_html(_pairs(lines)), "number": after}, ensure_ascii=False)
            return f"id: {after}\nevent: lines\ndata: {told}\n\n"
        if has_ended:
            return "event: ended\ndata:\n\n"
        if time.monotonic() - looked_at > _SECONDS_BETWEEN_STATES:
            name, looked_at = str(log.history.overview.run.id), time.monotonic()
            log = find_step_log(project, name, step.job_key, attempt=step.attempt, position=step.position)
        return ""

    return look


def _pairs(lines: list[NumberedLine]) -> list[tuple[int, str]]:
    return [(line.number, line.text) for line in lines]
