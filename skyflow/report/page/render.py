"""Puts a report together: the values of jobs, rows and sections in a template each."""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet

from markupsafe import Markup

from skyflow.report.graph_svg import BOXES
from skyflow.report.page.costs import costs_of_run, spent_by_attempt, spent_by_machine, spent_on_data
from skyflow.report.page.data import ReportData
from skyflow.report.page.environment import environment, policy, source
from skyflow.report.page.parts import PAGE, Part, assembled
from skyflow.report.page.replacements import plan_views
from skyflow.report.page.sections import graph_picture, named_path, section_values
from skyflow.report.page.timeline import critical_path
from skyflow.report.page.timeline_rows import Row, axis_of_run, has_estimates, timeline_rows
from skyflow.report.page.view import JobView, JobViews
from skyflow.report.words import Signs

__all__ = ["RunPage", "render_report", "title_of"]

_MOST_COSTS = 1000
_MOST_COSTS_LIVE = 50
_MOST_MOVES = 20
_MOST_OPEN = 50
"""Jobs that failed are open in a report of no more jobs than this."""
_TIMELINE, _JOBS = "timeline-rows", "jobs-rows"
_FIXED = {"top": "top", "parts": "nav"}
"""What is always there, by the id of its element: the name of its template."""
_SECTIONS = (
    "failures", "graph", "timeline", "plans", "summaries", "annotations", "attempts", "costs", "frontier", "jobs", "workflow",
)  # fmt: skip


def render_report(data: ReportData) -> str:
    """Return the report of a run, a page of its own."""
    page = RunPage()
    return page.whole(data, page.parts(data))


def title_of(data: ReportData) -> str:
    """Return what the window is called."""
    run = data.history.overview.run
    return f"{Signs().of(run.status, run.conclusion)} Run {run.number}: {run.title}"


class RunPage:
    """Makes the page of one run, again and again for a run that goes on: what has not changed is not made again.

    Args:
        write_token: what its buttons send, for a page that is served and keeps itself up to date; else empty.
    """

    def __init__(self, *, write_token: str = "") -> None:
        self._write_token = write_token
        self._is_live = bool(write_token)
        self._jobs: dict[str, tuple[JobView, str]] = {}
        self._rows: dict[tuple[Row, tuple[float, ...], bool], str] = {}

    def parts(self, data: ReportData, changed: AbstractSet[str] | None = None) -> list[Part]:
        """Return the page in parts, in their order.

        Args:
            data: the run.
            changed: the keys of the jobs of which anything may have changed since it was last asked for; None for all.
        """
        history = data.history
        spent = spent_by_attempt(history.attempts, data.placed, history.machines, now=data.made_at)
        by_machine = spent_by_machine(history.attempts, data.placed, history.machines, now=data.made_at)
        spent_in_all = [*(one for _, one in by_machine), *spent_on_data(history.transfers, data.placed)]
        self._update_jobs(data, JobViews(data, spent), changed)
        jobs = [view for view, _ in self._jobs.values()]
        path = critical_path(history.jobs, history.attempts, data.needs, began=history.overview.run.started_at)
        axis = axis_of_run(data, grows=self._is_live and history.overview.is_driven)
        picture = graph_picture(data, jobs)
        timeline = timeline_rows(data, axis, {link.key for link in path})
        values = {
            **section_values(data, jobs),
            "live": self._is_live,
            "write_token": self._write_token,
            "can_retry": self._is_live and history.overview.run.conclusion is not None,
            "graph": None if picture is None else Markup(picture.frame),  # noqa: S704 -- it escapes what it writes
            "axis": axis,
            "has_rows": bool(timeline),
            "with_plan": has_estimates(data.placed),
            "path": named_path(path, jobs),
            "plans": plan_views(data.replacements),
            "most_moves": _MOST_MOVES,
            "costs": costs_of_run(data.first_plan, spent_in_all),
            "most_costs": _MOST_COSTS_LIVE if self._is_live else _MOST_COSTS,
        }
        rows = {
            "graph": [] if picture is None else [Part(id_, html, BOXES) for id_, html in picture.boxes.items()],
            "timeline": self._timeline(timeline, axis.pauses, with_plan=has_estimates(data.placed)),
            "jobs": [Part(view.anchor, html, _JOBS) for view, html in self._jobs.values()],
        }
        parts = [Part(id_, _rendered(name, values)) for id_, name in _FIXED.items()]
        for name in _SECTIONS:
            parts.append(Part(name, _rendered(name, values), PAGE))
            parts += rows.get(name, [])
        return parts

    def whole(self, data: ReportData, parts: Iterable[Part], *, version: str = "") -> str:
        """Return the page, made of its parts; `version` is what a live page names to be told of changes since."""
        scripts = [source("report.js")]
        if self._is_live:
            scripts += [source("morph.js"), source("live_run.js")]
        inside = assembled(parts)
        return (
            environment()
            .get_template("run/frame.html")
            .render(
                style=source("report.css"),
                scripts=scripts,
                policy=policy(scripts, live=self._is_live),
                live=self._is_live,
                data=data,
                title=title_of(data),
                before=inside[""],
                sections=inside[PAGE],
                version=version,
            )
        )

    def _update_jobs(self, data: ReportData, views: JobViews, changed: AbstractSet[str] | None) -> None:
        template = environment().get_template("run/job.html")
        number = data.history.overview.run.number
        opens_failed = len(data.history.jobs) <= _MOST_OPEN
        for index, job in enumerate(data.history.jobs):
            if changed is None or job.key in changed or job.key not in self._jobs:
                view = views.view(index, job)
                html = template.render(job=view, live=self._is_live, number=number, opens_failed=opens_failed)
                self._jobs[job.key] = (view, html.strip())

    def _timeline(self, rows: Sequence[Row], pauses: tuple[float, ...], *, with_plan: bool) -> list[Part]:
        template = environment().get_template("run/timeline_row.html")
        before, self._rows = self._rows, {}
        for row in rows:
            key = (row, pauses, with_plan)
            html = before.get(key)
            self._rows[key] = html or template.render(row=row, pauses=pauses, with_plan=with_plan).strip()
        return [Part(row.id, html, _TIMELINE) for (row, _, _), html in self._rows.items()]


def _rendered(name: str, values: dict[str, object]) -> str:
    return environment().get_template(f"run/{name}.html").render(values).strip()
