"""The navigation of the site: every page, in the order of its folders, under its first heading.

How-to pages are in the groups of the home page, which lists them by what they are for.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

__all__ = ["render"]

_SITE = Path(__file__).parents[1]
_DOCS = _SITE / "docs"
_BEGIN, _END = "nav = [\n", "]\n"
_SECTIONS = {
    "Tutorial": "tutorial",
    "How to": "how-to",
    "Reference": "reference",
    "Explanation": "explanation",
    "Decisions": "decisions",
}
_GROUPED = "how-to"
_GROUP = re.compile(r"^\*\*(?P<title>[^*]+)\*\*\n\n(?P<pages>(?:[-*] .*\n|  .*\n)+)", re.MULTILINE)
_FIRST = ("index.md", "first-workflow.md", "cli.md", "workflow-syntax.md", "architecture.md", "vocabulary.md")


def render() -> str:
    """Return `zensical.toml` with all pages; what it says beside them is kept."""
    before, _, rest = (_SITE / "zensical.toml").read_text(encoding="utf-8").partition(_BEGIN)
    after = rest.partition(f"\n{_END}")[2]
    lines = ['  { "Home" = "index.md" },']
    for title, folder in _SECTIONS.items():
        entries = _groups if folder == _GROUPED else _entries
        lines += [f'  {{ "{title}" = [', *entries(_DOCS / folder, indent="    "), "  ] },"]
    return before + _BEGIN + "\n".join(lines) + f"\n{_END}" + after


def _groups(folder: Path, *, indent: str) -> Iterator[str]:
    """Yield the pages of a folder in the groups, and the order, in which the home page has them."""
    missing = set(folder.glob("*.md"))
    for group in _GROUP.finditer((_DOCS / "index.md").read_text(encoding="utf-8")):
        names = re.findall(rf"\]\({folder.name}/([\w-]+\.md)\)", group["pages"])
        pages = [folder / name for name in names]
        yield f'{indent}{{ "{group["title"]}" = ['
        yield from _pages(pages, indent=f"{indent}  ")
        yield f"{indent}] }},"
        missing -= set(pages)
    if missing:
        raise RuntimeError(f"index.md lists no {', '.join(sorted(page.name for page in missing))} in a group")


def _entries(folder: Path, *, indent: str) -> Iterator[str]:
    """Yield the pages of a folder; one with a folder of its own name is the first of a section."""
    yield from _pages(
        sorted(folder.glob("*.md"), key=lambda page: (_rank(page), page.name if _is_numbered(page) else _title(page))),
        indent=indent,
    )


def _pages(pages: Sequence[Path], *, indent: str) -> Iterator[str]:
    for page in pages:
        path = page.relative_to(_DOCS).as_posix()
        below = page.with_suffix("")
        if below.is_dir():
            yield f'{indent}{{ "{_title(page)}" = ['
            yield f'{indent}  {{ "Overview" = "{path}" }},'
            yield from _entries(below, indent=f"{indent}  ")
            yield f"{indent}] }},"
        else:
            yield f'{indent}{{ "{_title(page)}" = "{path}" }},'


def _rank(page: Path) -> int:
    return _FIRST.index(page.name) if page.name in _FIRST else len(_FIRST)


def _is_numbered(page: Path) -> bool:
    return page.name[0].isdigit()


def _title(page: Path) -> str:
    text = page.read_text(encoding="utf-8")
    heading = next(line for line in text.splitlines() if line.startswith("# "))
    return heading.removeprefix("# ").replace("`", "").replace('"', "'")
