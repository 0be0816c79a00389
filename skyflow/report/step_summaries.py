"""Step summaries on a terminal; a module of its own, because few runs have any and rich's Markdown is slow to import."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.markdown import Heading, Markdown
from rich.padding import Padding
from rich.text import Text

from skyflow.report.html_text import html_to_markdown

if TYPE_CHECKING:
    from markdown_it.token import Token

__all__ = ["render_summaries"]

_TAG = re.compile(r"<(/?)([a-z0-9]+)[^>]*?>", re.IGNORECASE)
_INLINE = {"b": "strong", "strong": "strong", "i": "em", "em": "em", "s": "s", "del": "s"}


class _LeftHeading(Heading):
    """Headings at the left margin; in the middle of a wide terminal they look lost."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the heading as bold text."""
        self.text.justify = "left"
        yield self.text


class _Summary(Markdown):
    """A step summary as GitHub's Markdown, rendered for a terminal, with the HTML in it."""

    elements: ClassVar = {**Markdown.elements, "heading_open": _LeftHeading}

    def __init__(self, markup: str) -> None:
        super().__init__(markup)
        self.parsed = list(_without_html(self.parsed))


def _without_html(tokens: Iterable["Token"]) -> Iterator["Token"]:
    """Yield the tokens of a text with those for HTML turned into ones that can be shown."""
    for token in tokens:
        if token.type == "html_block":
            yield from Markdown(html_to_markdown(token.content)).parsed
        elif token.children:
            yield replace(token, children=[_inline(child) for child in token.children])
        else:
            yield token


def _inline(token: "Token") -> "Token":
    """Return a tag within a line as what it stands for; rich leaves out what it does not know."""
    tag = _TAG.fullmatch(token.content) if token.type == "html_inline" else None
    if tag is None:
        return token
    name = tag[2].lower()
    if name == "br":
        return replace(token, type="hardbreak", tag="br", content="")
    if name in _INLINE:
        known = replace(token, tag=_INLINE[name], content="", nesting=-1 if tag[1] else 1)
        return replace(known, type=f"{_INLINE[name]}_{'close' if tag[1] else 'open'}")
    if name == "img":
        return replace(token, type="text", content=html_to_markdown(token.content).strip())
    return token


def render_summaries(summaries: Sequence[tuple[str, str]]) -> Iterator[RenderableType]:
    """Yield step summaries, each with the name of its job."""
    for name, markdown in summaries:
        yield Text(f"Summary of {name}", "bold")
        yield Padding(_Summary(markdown), (0, 0, 1, 2), expand=False)
