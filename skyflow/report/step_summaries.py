"""Step summaries on a terminal; a module of its own, because few runs have any and rich's Markdown is slow to import."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.markdown import Heading, Markdown
from rich.padding import Padding
from rich.text import Text

__all__ = ["render_summaries"]


class _LeftHeading(Heading):
    """Headings at the left margin; in the middle of a wide terminal they look lost."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the heading as bold text."""
        self.text.justify = "left"
        yield self.text


class _Summary(Markdown):
    """A step summary as GitHub's Markdown, rendered for a terminal."""

    elements: ClassVar = {**Markdown.elements, "heading_open": _LeftHeading}


def render_summaries(summaries: Sequence[tuple[str, str]]) -> Iterator[RenderableType]:
    """Yield step summaries, each with the name of its job."""
    for name, markdown in summaries:
        yield Text(f"Summary of {name}", "bold")
        yield Padding(_Summary(markdown), (0, 0, 1, 2), expand=False)
