"""The page of one log: all of it, some lines at a time, followed while it grows, searched as a whole."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from skyflow.model.run import JobRecord, RunRecord, StepRecord
from skyflow.report.page.live import rendered
from skyflow.report.page.logs import line_html

__all__ = ["LogView", "lines_html", "render_log_page"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogView:
    """What is shown of a log: `lines` are numbers and texts, of `total` lines; with `find`, only those that have that.

    `is_followed` says that what comes is added; `more` that there are later lines than those shown.
    """

    run: RunRecord
    job: JobRecord
    attempts: int
    steps: Sequence[StepRecord]
    step: StepRecord
    lines: Sequence[tuple[int, str]]
    total: int
    page_size: int
    find: str
    is_followed: bool
    more: bool


def render_log_page(view: LogView) -> str:
    """Return the page."""
    return rendered(
        "log.html",
        scripts=["live_log.js"] if view.is_followed else [],
        view=view,
        first=view.lines[0][0] if view.lines else 0,
        last=view.lines[-1][0] if view.lines else 0,
        lines=Markup(lines_html(view.lines)),  # noqa: S704 -- escaped there
    )


def lines_html(lines: Iterable[tuple[int, str]]) -> str:
    """Return lines as HTML, each an element with its number."""
    return "".join(
        f'<span class="line" id="L{number}"><a href="#L{number}">{number}</a>{line_html(text)}\n</span>'
        for number, text in lines
    )
