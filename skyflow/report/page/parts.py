"""A page in parts that can be replaced one by one, so that a page that is looked at gets only what has changed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from markupsafe import Markup

__all__ = ["PAGE", "Part", "assembled"]

PAGE = "main"
"""The id of the element that has the sections."""


@dataclass(frozen=True, slots=True)
class Part:
    """An element with an id; empty HTML where there is none now.

    `inside` is the id of the element that it is a child of, empty for one that is always there. An element that has
    parts inside shows where with a remark of its id, `<!--id-->`.
    """

    id: str
    html: str
    inside: str = ""


def assembled(parts: Iterable[Part]) -> Mapping[str, Markup]:
    """Return the HTML of the parts that are always there, by an empty name, and that of the sections, by `PAGE`."""
    inside: dict[str, list[str]] = {}
    for part in parts:
        inside.setdefault(part.inside, []).append(part.html)
    sections = "".join(inside.pop(PAGE, ()))
    fixed = "".join(inside.pop("", ()))
    for id_, rows in inside.items():
        before, _, after = sections.partition(f"<!--{id_}-->")
        sections = before + "".join(rows) + after
    # Parts are made by templates that escape what is foreign, remarks as well.
    return {"": Markup(fixed), PAGE: Markup(sections)}  # noqa: S704
