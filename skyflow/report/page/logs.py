"""Logs as HTML: groups fold, remarks stand out, colours stay."""

from markupsafe import Markup

from skyflow.model.annotation import LineTag
from skyflow.report.lines import last_lines
from skyflow.report.page.ansi import ansi_to_html
from skyflow.report.page.data import LogExcerpt
from skyflow.report.words import Signs

__all__ = ["last_lines_html", "line_html", "log_html"]

_LAST_LINES = 12

_CLASSES = {
    LineTag.ERROR: "error",
    LineTag.WARNING: "warning",
    LineTag.NOTICE: "notice",
    LineTag.DEBUG: "debug",
}


def log_html(log: LogExcerpt, *, command: str) -> Markup:
    """Return the log of a step; `command` prints all of it, where a part was left out."""
    shown = _lines_html(log.head)
    if log.left_out_bytes:
        size = f"{log.left_out_bytes / 1000:,.0f} kB"
        shown += f'<span class="left-out">... {size} left out; `{ansi_to_html(command)}` prints all\n</span>'
        shown += _lines_html(log.tail)
    return Markup(shown)  # noqa: S704 -- every line of it went through `ansi_to_html`, which escapes


def last_lines_html(log: LogExcerpt) -> Markup:
    """Return the end of a log, where the cause of a failure tends to be."""
    lines = last_lines(log.tail or log.head, _LAST_LINES, Signs())
    return Markup(ansi_to_html("\n".join(lines)))  # noqa: S704 -- escaped there


def line_html(line: str) -> str:
    """Return one line as HTML; what it is tagged as shows by its class."""
    tag = next((tag for tag in LineTag if line.startswith(tag)), None)
    shown = ansi_to_html(line.removeprefix(tag or ""))
    return shown if tag is None else f'<span class="{_CLASSES.get(tag, "b")}">{shown}</span>'


def _lines_html(text: str) -> str:
    if "##[" not in text:
        return ansi_to_html(text)
    parts: list[str] = []
    in_group = False
    for line in text.splitlines():
        if line.startswith((LineTag.GROUP, LineTag.END_GROUP)):
            parts.append("</span></details>" if in_group else "")
            in_group = line.startswith(LineTag.GROUP)
            title = ansi_to_html(line.removeprefix(LineTag.GROUP))
            parts.append(f"<details><summary>{title}</summary><span>" if in_group else "")
        else:
            parts.append(f"{line_html(line)}\n")
    return "".join((*parts, "</span></details>" if in_group else ""))
