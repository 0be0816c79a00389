"""The pieces of Markdown that the generated pages are made of."""

from collections.abc import Iterable, Sequence

__all__ = ["code", "fence", "page", "sentence", "table"]


def page(title: str, *, source: str, parts: Iterable[str]) -> str:
    """Return a whole page: a note for who edits it, the title, and the parts with a blank line between them."""
    note = f"<!-- Generated from {source} by `python site/gen/build.py`; do not edit. -->"
    return "\n\n".join([note, f"# {title}", *(part.strip("\n") for part in parts if part.strip())]) + "\n"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; cells are single lines, and a bar in one of them is escaped."""
    lines = [" | ".join(header), " | ".join("---" for _ in header)]
    lines += [" | ".join(_cell(cell) for cell in row) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)


def code(text: str) -> str:
    """Return text as inline code, whatever backticks it holds."""
    fence_ = "`"
    while fence_ in text:
        fence_ += "`"
    padding = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence_}{padding}{text}{padding}{fence_}"


def fence(text: str, language: str = "text") -> str:
    """Return a fenced block."""
    return f"```{language}\n{text.rstrip()}\n```"


def sentence(docstring: str | None) -> str:
    """Return a docstring's first paragraph as one line."""
    first, _, _ = (docstring or "").strip().partition("\n\n")
    return " ".join(first.split())


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split("\n"))
