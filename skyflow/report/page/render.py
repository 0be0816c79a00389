"""Puts a report together: the values of `view.py` in the template, with its style and its script inside."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from skyflow.model.graph import Graph, GraphNode
from skyflow.model.placement import Placement
from skyflow.model.run import RunOverview, RunRecord
from skyflow.model.units import format_duration, format_usd
from skyflow.report.annotations import annotations_by_jobs, who_text
from skyflow.report.graph_svg import to_svg
from skyflow.report.layout import TooLargeError
from skyflow.report.page.costs import costs_by_place
from skyflow.report.page.data import ReportData
from skyflow.report.page.markdown_html import markdown_html
from skyflow.report.page.timeline import Axis, Link
from skyflow.report.page.view import JobView, job_views, tally
from skyflow.report.words import Signs, elapsed

__all__ = ["render_report", "render_runs_page"]

_TEMPLATES = Path(__file__).parent / "templates"
_MOST_SUMMARIES_CHARACTERS = 400_000
_MOST_ANNOTATIONS = 500


def render_report(data: ReportData, *, placed: Mapping[str, Placement], live: bool = False) -> str:
    """Return the page of a run.

    Args:
        data: the run.
        placed: the placement of each of its jobs, by key.
        live: whether the page is served, and keeps itself up to date.
    """
    history = data.history
    axis = Axis.over((attempt.started_at, attempt.completed_at or data.made_at) for attempt in history.attempts)
    jobs, path = job_views(data, dict(placed), axis)
    scripts = [_source("report.js"), *([_source("live.js")] if live else [])]
    return (
        _environment()
        .get_template("report.html")
        .render(
            style=_source("report.css"),
            scripts=scripts,
            policy=_policy(scripts, live=live),
            live=live,
            data=data,
            run=history.overview.run,
            state=history.overview.state.replace("_", " "),
            kind=history.overview.state,
            sign=Signs().of(history.overview.run.status, history.overview.run.conclusion),
            took=_took(history.overview.run),
            so_far=elapsed(history.overview.run.started_at, data.made_at) if history.overview.is_driven else "",
            jobs=jobs,
            failed=[job for job in jobs if job.is_failed],
            tally=tally(jobs),
            again=[job for job in jobs if len(job.attempts) > 1],
            graph=_picture(data.graph, jobs, placed),
            axis=axis,
            path=_path(path, jobs),
            costs=costs_by_place(data.plan, history, placed),
            annotations=_annotations(data),
            most_annotations=_MOST_ANNOTATIONS,
            summaries=_summaries(data),
        )
    )


def render_runs_page(runs: Sequence[RunOverview], *, root: str) -> str:
    """Return the page that lists runs, which is served and keeps itself up to date; `root` is the folder of the project."""
    script = _source("live.js")
    page = _environment().get_template("runs.html")
    return page.render(
        style=_source("report.css"), script=script, policy=_policy([script], live=True), runs=runs, root=root
    )


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    filters = {"duration": format_duration, "usd": format_usd, "moment": _moment, "took": _took}
    environment.filters.update(filters)
    return environment


def _source(name: str) -> Markup:
    """Return a style or a script of ours."""
    return Markup((_TEMPLATES / name).read_text(encoding="utf-8"))  # noqa: S704 -- not foreign


def _policy(scripts: Sequence[Markup], *, live: bool) -> str:
    """Return the content security policy that allows nothing but these scripts, and to a live page its own server."""
    digests = [b64encode(sha256(script.encode()).digest()).decode() for script in scripts]
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    own = "; connect-src 'self'" if live else ""
    return f"default-src 'none'; style-src 'unsafe-inline'; script-src {allowed}; img-src data:{own}"


def _took(run: RunRecord) -> str:
    return elapsed(run.started_at, run.completed_at)


def _picture(graph: Graph, jobs: tuple[JobView, ...], placed: Mapping[str, Placement]) -> Markup | None:
    """Return the graph as a part of the page, None where it is too large."""
    anchors = {job.key: job.anchor for job in jobs}
    links = {node.id: f"#{anchor}" for node in graph.nodes if (anchor := _anchor(node, anchors))}
    with_places = any(one.offering.price_usd_per_hour for one in placed.values())
    try:
        return Markup(to_svg(graph, with_places=with_places, links=links))  # noqa: S704 -- it escapes what it writes
    except TooLargeError:
        return None


def _anchor(node: GraphNode, anchors: dict[str, str]) -> str | None:
    """Return where a box leads: to that one of its jobs which tells most."""
    telling = [job.key for job in node.jobs if job.standing is node.standing]
    return next((anchors[key] for key in telling if key in anchors), None)


def _path(path: tuple[Link, ...], jobs: tuple[JobView, ...]) -> list[tuple[JobView, Link]]:
    by_key = {job.key: job for job in jobs}
    return [(by_key[link.key], link) for link in path]


def _annotations(data: ReportData) -> list[tuple[str, str, str, str]]:
    """Return who, the level, where and what, of every remark."""
    found = []
    for names, annotations in annotations_by_jobs(data.history.jobs, data.history.last_annotations):
        for one in annotations:
            numbers = "" if one.line is None else f":{one.line}" + ("" if one.column is None else f":{one.column}")
            title = f"{one.title}: " if one.title else ""
            code = f" ({one.code})" if one.code else ""
            place = f"{one.file or ''}{numbers if one.file else ''}"
            found.append((who_text(names), one.level.value, place, f"{title}{one.message}{code}"))
    return found


def _summaries(data: ReportData) -> list[tuple[str, Markup | None]]:
    """Return the step summaries as HTML; None for those that there is no room for."""
    room = _MOST_SUMMARIES_CHARACTERS
    shown: list[tuple[str, Markup | None]] = []
    for name, text in data.summaries:
        room -= len(text)
        shown.append((name, markdown_html(text) if room >= 0 else None))
    return shown


def _moment(at: datetime | None) -> Markup:
    """Return a time as HTML, in the time zone of whoever makes the report."""
    if at is None:
        return Markup("")
    local = at.astimezone()
    return Markup('<time datetime="{}">{}</time>').format(at.isoformat(), f"{local:%Y-%m-%d %H:%M:%S %Z}")
