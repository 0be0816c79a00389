"""Markdown of steps as HTML that can do no harm: no scripts, no styles, nothing that is loaded from elsewhere."""

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

__all__ = ["markdown_html"]

_TAGS = {
    "a", "abbr", "b", "blockquote", "br", "caption", "center", "code", "dd", "del", "details", "div", "dl", "dt", "em",
    "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "ins", "kbd", "li", "mark", "ol", "p", "picture", "pre", "q", "s",
    "samp", "small", "span", "strong", "sub", "summary", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "tt",
    "u", "ul", "var",
}  # fmt: skip
_ATTRIBUTES = {
    "a": {"href", "title"},
    "details": {"open"},
    "img": {"src", "alt", "title", "width", "height"},
    "li": {"value"},
    "ol": {"start", "reversed"},
    "td": {"align", "colspan", "rowspan"},
    "th": {"align", "colspan", "rowspan", "scope"},
}
_INLINE_IMAGE = "data:image/"


def markdown_html(text: str) -> Markup:
    """Return GitHub's Markdown as HTML; an image that is not part of the text itself is shown by its description."""
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    clean = nh3.clean(
        parser.render(text),
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=_filtered,
        url_schemes={"http", "https", "mailto", "data"},
        link_rel="noopener noreferrer",
        clean_content_tags={"script", "style"},
    )
    return Markup(clean)  # noqa: S704 -- that is what the sanitiser is for


def _filtered(_tag: str, attribute: str, value: str) -> str | None:
    if attribute == "src":
        return value if value.startswith(_INLINE_IMAGE) else None
    if attribute == "href" and value.lower().lstrip().startswith("data:"):
        return None
    return value
