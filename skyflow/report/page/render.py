"""Puts a report together: the values of `view.py` in the template, with its style and its script inside."""

from collections.abc import Mapping

from markupsafe import Markup

from skyflow.model.graph import Graph, GraphNode
from skyflow.model.placement import Placement, Plan
from skyflow.report.annotations import annotations_by_jobs, who_text
from skyflow.report.frontier_svg import frontier_svg
from skyflow.report.graph_svg import to_svg
from skyflow.report.layout import TooLargeError
from skyflow.report.page.costs import costs_of_run, spent_by_attempt, spent_by_machine, spent_on_data
from skyflow.report.page.data import ReportData
from skyflow.report.page.environment import environment, policy, source, took
from skyflow.report.page.markdown_html import markdown_html
from skyflow.report.page.timeline import Axis, Link
from skyflow.report.page.view import JobView, job_views, tally
from skyflow.report.page.words import estimates_text, tries_text
from skyflow.report.words import Signs, elapsed

__all__ = ["render_report"]

_MOST_SUMMARIES_CHARACTERS = 400_000
_MOST_ANNOTATIONS = 500
_MOST_COSTS = 1000


def render_report(data: ReportData, *, placed: Mapping[str, Placement], write_token: str = "") -> str:
    """Return the page of a run.

    Args:
        data: the run.
        placed: the placement of each of its jobs, by key.
        write_token: what its buttons send, for a page that is served and keeps itself up to date; else empty.
    """
    live = bool(write_token)
    history = data.history
    axis = Axis.over((attempt.started_at, attempt.completed_at or data.made_at) for attempt in history.attempts)
    spent = spent_by_attempt(history.attempts, placed, data.machines, now=data.made_at)
    by_machine = spent_by_machine(history.attempts, placed, data.machines, now=data.made_at)
    jobs, path = job_views(data, dict(placed), axis, spent)
    scripts = [source("report.js"), *([source("live.js")] if live else [])]
    return (
        environment()
        .get_template("report.html")
        .render(
            style=source("report.css"),
            scripts=scripts,
            policy=policy(scripts, live=live),
            live=live,
            write_token=write_token,
            data=data,
            run=history.overview.run,
            state=history.overview.state.replace("_", " "),
            kind=history.overview.state,
            sign=Signs().of(history.overview.run.status, history.overview.run.conclusion),
            took=took(history.overview.run),
            so_far=elapsed(history.overview.run.started_at, data.made_at) if history.overview.is_driven else "",
            jobs=jobs,
            failed=[job for job in jobs if job.is_failed],
            tally=tally(jobs),
            again=[job for job in jobs if len(job.attempts) > 1],
            graph=_picture(data.graph, jobs, placed),
            axis=axis,
            path=_path(path, jobs),
            costs=costs_of_run(
                _first_plan(data), (*(one for _, one in by_machine), *spent_on_data(history.transfers, placed))
            ),
            estimates=estimates_text(history.jobs, placed),
            tries=tries_text(history.attempts),
            frontier=_frontier(data),
            others=_others(data),
            annotations=_annotations(data),
            most_annotations=_MOST_ANNOTATIONS,
            most_costs=_MOST_COSTS,
            summaries=_summaries(data),
        )
    )


def _first_plan(data: ReportData) -> Plan | None:
    """Return the plan that a run began with; in one made later, what had ended costs nothing any more."""
    first = data.history.first_plan
    return Plan.from_json(first) if data.history.superseded and isinstance(first, dict) else data.plan


def _others(data: ReportData) -> list[Plan]:
    """Return the plans of the frontier that are not like the run's own."""

    def figures(plan: Plan | None) -> tuple[str, ...]:
        return () if plan is None else (f"{plan.cost.total_usd:.6g}", f"{plan.makespan_seconds:.6g}")

    return [plan for plan in data.frontier if figures(plan) != figures(data.plan)]


def _frontier(data: ReportData) -> Markup | None:
    if not data.frontier:
        return None
    return Markup(frontier_svg(data.frontier, chosen=data.plan, is_part=True))  # noqa: S704 -- it escapes


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
