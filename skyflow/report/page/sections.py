"""The values that the templates of the sections show, as far as they are not those of single jobs."""

from collections.abc import Iterator, Sequence
from functools import lru_cache

from markupsafe import Markup

from skyflow.model.graph import GraphNode
from skyflow.model.placement import Plan
from skyflow.report.annotations import annotations_by_jobs, who_text
from skyflow.report.frontier_svg import frontier_svg
from skyflow.report.graph_svg import Picture, picture_of
from skyflow.report.layout import TooLargeError
from skyflow.report.page.data import ReportData
from skyflow.report.page.environment import took
from skyflow.report.page.markdown_html import markdown_html
from skyflow.report.page.timeline import Link
from skyflow.report.page.view import JobView, tally
from skyflow.report.page.words import estimates_text, tries_text
from skyflow.report.words import Signs, elapsed

__all__ = ["graph_picture", "named_path", "section_values"]

_MOST_SUMMARIES_CHARACTERS = 400_000
_MOST_ANNOTATIONS = 500


def section_values(data: ReportData, jobs: Sequence[JobView]) -> dict[str, object]:
    """Return what sections show of a run as a whole."""
    history = data.history
    run = history.overview.run
    counts = tally(jobs)
    return {
        "data": data,
        "run": run,
        "state": history.overview.state.replace("_", " "),
        "kind": history.overview.state,
        "sign": Signs().of(run.status, run.conclusion),
        "took": took(run),
        "so_far": elapsed(run.started_at, data.made_at) if history.overview.is_driven else "",
        "failed": [job for job in jobs if job.is_failed],
        "tally": counts,
        "to_retry": any(kind in {"failure", "cancelled"} for kind, _, _ in counts),
        "has_jobs": bool(jobs),
        "again": [job for job in jobs if len(job.attempts) > 1],
        "estimates": estimates_text(history.jobs, data.placed),
        "tries": tries_text(history.attempts),
        "frontier": _frontier(data),
        "others": _others(data),
        "annotations": _annotations(data),
        "most_annotations": _MOST_ANNOTATIONS,
        "summaries": list(_summaries(data)),
    }


def graph_picture(data: ReportData, jobs: Sequence[JobView]) -> Picture | None:
    """Return the graph as a part of the page, None where it is too large."""
    anchors = {job.key: job.anchor for job in jobs}
    links = {node.id: f"#{anchor}" for node in data.graph.nodes if (anchor := _anchor(node, anchors))}
    with_places = any(one.offering.price_usd_per_hour for one in data.placed.values())
    try:
        return picture_of(data.graph, with_places=with_places, links=links)
    except TooLargeError:
        return None


def named_path(path: Sequence[Link], jobs: Sequence[JobView]) -> list[tuple[JobView, Link]]:
    """Return the links of a chain of jobs, each with its job."""
    by_key = {job.key: job for job in jobs}
    return [(by_key[link.key], link) for link in path]


def _anchor(node: GraphNode, anchors: dict[str, str]) -> str | None:
    """Return where a box leads: to that one of its jobs which tells most."""
    telling = [job.key for job in node.jobs if job.standing is node.standing]
    return next((anchors[key] for key in telling if key in anchors), None)


def _others(data: ReportData) -> list[Plan]:
    """Return the plans of the frontier that are not like the run's own."""

    def figures(plan: Plan | None) -> tuple[str, ...]:
        return () if plan is None else (f"{plan.cost.total_usd:.6g}", f"{plan.makespan_seconds:.6g}")

    return [plan for plan in data.frontier if figures(plan) != figures(data.plan)]


def _frontier(data: ReportData) -> Markup | None:
    if not data.frontier:
        return None
    return Markup(frontier_svg(data.frontier, chosen=data.plan, is_part=True))  # noqa: S704 -- it escapes


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


def _summaries(data: ReportData) -> Iterator[tuple[str, Markup | None]]:
    """Yield the step summaries as HTML; None for those that there is no room for."""
    room = _MOST_SUMMARIES_CHARACTERS
    for name, text in data.summaries:
        room -= len(text)
        yield name, _summary(text) if room >= 0 else None


@lru_cache(maxsize=256)
def _summary(text: str) -> Markup:
    """Return a summary as HTML; a run that goes on is asked for the same ones again and again."""
    return markdown_html(text)
