"""A graph as SVG: a picture of its own with light and dark colours, or a part of the report, whose colours it takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

from skyflow.model.graph import Graph, GraphNode
from skyflow.report.graph_words import edge_text, node_lines, node_title, shortened, standing_sign
from skyflow.report.layout import Layout, layered
from skyflow.report.words import Signs

__all__ = ["to_svg"]

_NAME_LENGTH = 34
_LETTER = 8.0
_SMALL_LETTER = 6.8
_TITLE_HEIGHT = 24.0
_LINE_HEIGHT = 16.0
_PADDING = 12.0
_COLUMN_GAP = 56.0
_ROW_GAP = 16.0
_MARGIN = 12.0
_STYLE = """
.sf-graph{--card:#fff;--line:#8c959f;--text:#1f2328;--soft:#59636e;--success:#1a7f37;--failure:#cf222e;--warn:#9a6700;--busy:#0969da;--idle:#8c959f;font-family:system-ui,sans-serif}
@media (prefers-color-scheme:dark){.sf-graph{--card:#161b22;--line:#656d76;--text:#f0f6fc;--soft:#9198a1;--success:#3fb950;--failure:#f85149;--warn:#d29922;--busy:#4493f8;--idle:#656d76}}
"""
_SHAPES = """
.sf-graph .card{fill:var(--card);stroke:var(--line)}.sf-graph .edge{fill:none;stroke:var(--line);stroke-width:1.5}
.sf-graph .head{fill:var(--line)}.sf-graph text{fill:var(--soft);font-size:12px;pointer-events:none}.sf-graph .name{fill:var(--text);font-size:13px;font-weight:600}
.sf-graph .data{font-size:11px;paint-order:stroke;stroke:var(--card);stroke-width:4px}
.sf-graph .strip{fill:var(--idle)}.sf-graph .success .strip{fill:var(--success)}.sf-graph .failure .strip{fill:var(--failure)}
.sf-graph :is(.cancelled,.interrupted,.allowed) .strip{fill:var(--warn)}.sf-graph :is(.running,.queued) .strip{fill:var(--busy)}
.sf-graph :is(.waiting,.skipped) .card{stroke-dasharray:4 3}
.sf-graph a:focus-visible .card,.sf-graph a:hover .card{stroke:var(--busy);stroke-width:2.5}
""".replace("\n", "")


@dataclass(frozen=True, slots=True)
class _Card:
    """One box: its lines, and its height."""

    node: GraphNode
    title: str
    details: tuple[str, ...]

    @property
    def width(self) -> float:
        longest = max((len(line) for line in self.details), default=0)
        return max(len(self.title) * _LETTER, longest * _SMALL_LETTER) + 2 * _PADDING + 8

    @property
    def height(self) -> float:
        return _TITLE_HEIGHT + _LINE_HEIGHT * len(self.details) + _PADDING


def to_svg(graph: Graph, *, with_places: bool, links: Mapping[str, str] | None = None) -> str:
    """Return the picture.

    Args:
        graph: what to draw.
        with_places: whether boxes say where their jobs run, for how long and how much.
        links: makes it a part of an HTML page: for each node, what in the page it leads to.

    Raises:
        TooLargeError: it has too many lines.
    """
    signs = Signs()
    cards = {
        node.id: _Card(
            node,
            shortened(f"{standing_sign(node.standing, signs)} {node_title(node)}".strip(), _NAME_LENGTH),
            tuple(shortened(line, _NAME_LENGTH + 6) for line in node_lines(node, with_places=with_places)),
        )
        for node in graph.nodes
    }
    half = max((card.height for card in cards.values()), default=0.0) / 2
    layout = layered(
        dict.fromkeys(cards, (half, half)),
        [(edge.source, edge.target) for edge in graph.edges],
        gap=_ROW_GAP,
        passing=4,
    )
    spans = _spans(layout, cards)
    column_of = {item: index for index, items in enumerate(layout.columns) for item in items}
    parts = [
        _edge(layout, spans[column_of[s]][1], spans[column_of[t]][0], (s, t), is_card=t in cards)
        for s, t in layout.segments
    ]
    for item, column in ((item, index) for index, items in enumerate(layout.columns) for item in items):
        if item in cards:
            parts.append(_card(cards[item], spans[column], layout.lines[item] + _MARGIN, half, (links or {}).get(item)))
        else:
            left, right = spans[column]
            y = layout.lines[item] + _MARGIN
            parts.append(f'<path class="edge" d="M{left:.1f} {y:.1f}H{right:.1f}"/>')
    parts += _labels(graph, layout, spans)
    width = spans[-1][1] + _MARGIN if spans else 2 * _MARGIN
    height = max((line + half for line in layout.lines.values()), default=0.0) + 2 * _MARGIN
    role = 'role="group"' if links is not None else 'role="img"'
    style = _SHAPES if links is not None else _STYLE + _SHAPES
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="sf-graph" {role} aria-label="{escape(_described(graph))}" '
        f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}">'
        f"<style>{style}</style>{''.join(parts)}</svg>\n"
    )


def _described(graph: Graph) -> str:
    return f"{graph.title}: a graph of {len(graph.nodes)} nodes and {len(graph.edges)} edges"


def _spans(layout: Layout, cards: Mapping[str, _Card]) -> list[tuple[float, float]]:
    """Return where each column begins and ends."""
    spans = []
    left = _MARGIN
    for column in layout.columns:
        width = max((cards[item].width for item in column if item in cards), default=0.0)
        spans.append((left, left + width))
        left += width + _COLUMN_GAP
    return spans


def _edge(layout: Layout, begin: float, end: float, segment: tuple[str, str], *, is_card: bool) -> str:
    source, target = segment
    from_y, to_y = layout.lines[source] + _MARGIN, layout.lines[target] + _MARGIN
    tip = end - 7 if is_card else end
    middle = (begin + tip) / 2
    path = (
        f'<path class="edge" d="M{begin:.1f} {from_y:.1f}C{middle:.1f} {from_y:.1f} {middle:.1f} {to_y:.1f} '
        f'{tip:.1f} {to_y:.1f}"/>'
    )
    head = f'<path class="head" d="M{tip:.1f} {to_y - 4:.1f}l7 4l-7 4z"/>' if is_card else ""
    return path + head


def _card(card: _Card, span: tuple[float, float], line: float, half: float, link: str | None) -> str:
    left, right = span
    top = line - half
    standing = card.node.standing
    name = "plain" if standing is None else standing.name.lower()
    lines = [f'<text class="name" x="{left + _PADDING + 4:.1f}" y="{top + 22:.1f}">{escape(card.title)}</text>']
    lines += [
        f'<text x="{left + _PADDING + 4:.1f}" y="{top + 22 + _LINE_HEIGHT * number:.1f}">{escape(detail)}</text>'
        for number, detail in enumerate(card.details, start=1)
    ]
    jobs = "\n".join(f"{job.name}{f': {job.standing}' if job.standing else ''}" for job in card.node.jobs[:20])
    body = (
        f'<rect class="card" x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" height="{2 * half:.1f}" rx="8">'
        f"<title>{escape(jobs)}</title></rect>"
        f'<path class="strip" d="M{left + 5:.1f} {top:.1f}v{2 * half:.1f}a5 5 0 0 1-5-5v-{2 * half - 10:.1f}a5 5 0 0 1 5-5z"/>'
        f"{''.join(lines)}"
    )
    if link is None:
        return f'<g class="{name}">{body}</g>'
    return f'<a class="{name}" href="{escape(link)}">{body}</a>'


def _labels(graph: Graph, layout: Layout, spans: list[tuple[float, float]]) -> list[str]:
    """Return how much data edges carry, each just before the box that it leads to."""
    column = {item: index for index, items in enumerate(layout.columns) for item in items}
    amounts: dict[str, list[str]] = {}
    for edge in graph.edges:
        if text := edge_text(edge):
            amounts.setdefault(edge.target, []).append(text)
    return [
        f'<text class="data" text-anchor="end" x="{spans[column[target]][0] - 4:.1f}" '
        f'y="{layout.lines[target] + _MARGIN - 8:.1f}">{escape(" + ".join(texts))}</text>'
        for target, texts in amounts.items()
    ]
