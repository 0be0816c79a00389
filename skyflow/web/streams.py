"""Server-sent events: what has changed on a page, told within a moment and not more often than it can be made."""

import json
import time
from collections.abc import AsyncIterator, Callable

import anyio
import anyio.to_thread
from starlette.responses import StreamingResponse

from skyflow.app.project import Project
from skyflow.app.showing.live_run import Changes, LiveRun
from skyflow.app.watching import mark_of_runs

__all__ = ["stream", "told_of_run", "told_of_runs"]

_SECONDS_BETWEEN_LOOKS = 0.05
_SECONDS_BETWEEN_SIGNS_OF_LIFE = 10.0


def stream(look: Callable[[], str], is_ending: Callable[[], bool]) -> StreamingResponse:
    """Return a stream of server-sent events.

    Args:
        look: returns an event, empty if there is none, in a thread of its own.
        is_ending: tells that the server wants to end.
    """

    async def events() -> AsyncIterator[str]:
        yield "retry: 1000\n\n"
        said_at = time.monotonic()
        while not is_ending():
            began = time.monotonic()
            if event := await anyio.to_thread.run_sync(look):
                yield event
                said_at = began
            elif began - said_at > _SECONDS_BETWEEN_SIGNS_OF_LIFE:
                yield ": still here\n\n"
                said_at = began
            # What takes long is done half of the time at most.
            await anyio.sleep(max(_SECONDS_BETWEEN_LOOKS, time.monotonic() - began))

    return StreamingResponse(events(), media_type="text/event-stream")


def told_of_runs(project: Project) -> Callable[[], str]:
    """Return what tells that something about any run has changed, and not what."""
    before: object = None

    def look() -> str:
        nonlocal before
        earlier, before = before, mark_of_runs(project)
        return "" if earlier is None or earlier == before else "event: changed\ndata:\n\n"

    return look


def told_of_run(live: LiveRun, *, since: int) -> Callable[[], str]:
    """Return what tells which parts of the page of a run are different from a version of it, and then from what it told."""

    def look() -> str:
        nonlocal since
        changes = live.changes(since)
        if changes is None:
            return ""
        since = changes.version
        return f"id: {since}\nevent: changed\ndata: {_json(changes)}\n\n"

    return look


def _json(changes: Changes) -> str:
    """Return changes in one line."""
    parts = [
        {"id": change.part.id, "html": change.part.html, "inside": change.part.inside, "after": change.after}
        for change in changes.changes
    ]
    return json.dumps({"title": changes.title, "parts": parts}, ensure_ascii=False)
