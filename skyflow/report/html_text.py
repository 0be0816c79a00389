"""HTML in step summaries, as Markdown: what GitHub's own toolkit writes summaries with is HTML from end to end.

Tags that mean nothing on a terminal go, and their text stays.
"""

import re
from html.parser import HTMLParser

__all__ = ["html_to_markdown"]

_HEADINGS = {f"h{level}": "#" * level for level in range(1, 7)}
_BLOCKS = frozenset((*_HEADINGS, "p", "div", "details", "summary", "table", "ul", "ol", "pre", "blockquote", "section"))
_MARKS = {"b": "**", "strong": "**", "summary": "**", "i": "*", "em": "*", "del": "~~", "s": "~~"}
_UNSEEN = frozenset(("script", "style", "title", "head"))
_BLANKS = re.compile(r"\s+")
_SPECIAL = "\\`*_[]<>|#~"


def html_to_markdown(html: str) -> str:
    """Return a piece of HTML as Markdown."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.markdown()


class _Reader(HTMLParser):
    """Writes Markdown while it reads HTML; what is open is told by what a closing tag has to add."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._parts: list[str] = []
        self._lists: list[int | None] = []  # for each open list the number of its last item; None has no numbers
        self._rows: list[list[str]] = []
        self._links: list[str] = []
        self._unseen = 0
        self._is_code = False
        self._is_inline_code = False

    def markdown(self) -> str:
        """Return what was read so far."""
        return "".join(self._parts).strip("\n") + "\n"

    def parse_marked_section(self, i: int, report: int = 1) -> int:  # noqa: ARG002 -- the parser's own
        """Take `<![...` for a comment, as browsers do; older Pythons have an assertion fail on it."""
        return self.parse_bogus_comment(i)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin what the tag stands for."""
        given = {name: value or "" for name, value in attrs}
        if tag in _UNSEEN:
            self._unseen += 1
        elif tag == "br":
            self._put(" " if self._rows else "\\\n")
        elif tag == "hr":
            self._put("\n\n---\n\n")
        elif tag == "img":
            self._put(_escaped(given.get("alt", "")))
        elif tag == "a":
            self._links.append(given.get("href", ""))
            self._put("[")
        elif tag == "code" and not self._is_code:
            self._is_inline_code = True
            self._put("`")
        else:
            self._begin_block(tag, given)
            self._put(_MARKS.get(tag, ""))

    def _begin_block(self, tag: str, given: dict[str, str]) -> None:
        if tag in {"ul", "ol"}:
            self._put("\n" if self._lists else "\n\n")
            self._lists.append(0 if tag == "ol" else None)
        elif tag == "li":
            self._begin_item()
        elif tag == "tr":
            self._rows.append([])
        elif tag in {"td", "th"} and self._rows:
            self._rows[-1].append("")
        elif tag == "pre":
            self._is_code = True
            self._put(f"\n\n```{given.get('lang', '')}\n")
        elif tag in _BLOCKS:
            self._put(f"\n\n{_HEADINGS[tag]} " if tag in _HEADINGS else "\n\n")

    def _begin_item(self) -> None:
        number = self._lists[-1] if self._lists else None
        if number is not None:
            self._lists[-1] = number = number + 1
        mark = "- " if number is None else f"{number}. "
        self._put("\n" + "   " * (len(self._lists) - 1) + mark)

    def handle_endtag(self, tag: str) -> None:
        """End what the tag stands for."""
        if tag in _UNSEEN:
            self._unseen = max(0, self._unseen - 1)
        elif tag == "a" and self._links:
            self._put(f"]({self._links.pop()})")
        elif tag == "code" and self._is_inline_code:
            self._is_inline_code = False
            self._put("`")
        elif tag == "pre" and self._is_code:
            self._is_code = False
            self._put("\n```\n\n")
        elif tag == "table":
            self._end_table()
        else:
            self._put(_MARKS.get(tag, ""))
            if tag in {"ul", "ol"} and self._lists:
                self._lists.pop()
            if tag in _BLOCKS:
                self._put("\n\n")

    def _end_table(self) -> None:
        rows = [row for row in self._rows if row]
        self._rows = []
        width = max((len(row) for row in rows), default=0)
        lines = ["| " + " | ".join([*row, *[""] * (width - len(row))]) + " |" for row in rows]
        if lines:
            lines.insert(1, "|" + "---|" * width)
        self._put("\n\n" + "\n".join(lines) + "\n\n")

    def handle_data(self, data: str) -> None:
        """Take text; outside of code its blanks count for one, as in a browser."""
        if self._unseen:
            return
        if self._is_code:
            self._put(data)
        else:
            text = _BLANKS.sub(" ", data)
            self._put(text.replace("`", "'") if self._is_inline_code else _escaped(text))

    def _put(self, text: str) -> None:
        if not text:
            return
        if self._rows and self._rows[-1]:
            self._rows[-1][-1] += " ".join(text.split("\n"))
        else:
            self._parts.append(text)


def _escaped(text: str) -> str:
    return "".join(f"\\{letter}" if letter in _SPECIAL else letter for letter in text)
