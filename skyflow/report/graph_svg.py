"""A graph as SVG: a picture of its own with light and dark colours, or a part of the report, whose colours it takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from html import escape

from skyflow.model.graph import Graph, GraphNode
from skyflow.report.graph_words import edge_text, node_lines, node_title, shortened, standing_sign
from skyflow.report.layout import Layout, layered
from skyflow.report.words import Signs

__all__ = ["BOXES", "Picture", "picture_of", "to_svg"]

BOXES = "graph-rows"
"""The id of the element that has the boxes."""

_NAME_LENGTH = 34
_LETTER = 8.0
_SMALL_LETTER = 6.8
_TITLE_HEIGHT = 24.0
_LINE_HEIGHT = 16.0
_PADDING = 12.0
_COLUMN_GAP = 56.0
_ROW_GAP = 16.0
_MARGIN = 12.0
_PROGRESS_LENGTH = 26
"""Room for how a job stands, so that boxes of a run that goes on keep their width."""
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
        if self.node.standing is not None:
            longest = max(longest, _PROGRESS_LENGTH)
        return max(len(self.title) * _LETTER, longest * _SMALL_LETTER) + 2 * _PADDING + 8

    @property
    def height(self) -> float:
        return _TITLE_HEIGHT + _LINE_HEIGHT * len(self.details) + _PADDING


@dataclass(frozen=True, slots=True)
class Picture:
    """A graph as a part of an HTML page: everything but the boxes, and these by the ids of their elements.

    Boxes belong where the frame has `<!--graph-rows-->`.
    """

    frame: str
    boxes: Mapping[str, str]


def to_svg(graph: Graph, *, with_places: bool) -> str:
    """Return the picture.

    Args:
        graph: what to draw.
        with_places: whether boxes say where their jobs run, for how long and how much.

    Raises:
        TooLargeError: it has too many lines.
    """
    cards = _cards(graph, with_places=with_places)
    places = _Places(graph, cards)
    boxes = "".join(_card(card, places, f'<g class="{_class(card)}">', "</g>") for card in cards.values())
    return _framed(graph, places, boxes, role="img", style=_STYLE + _SHAPES) + "\n"


def picture_of(graph: Graph, *, with_places: bool, links: Mapping[str, str]) -> Picture:
    """Return the picture as a part of an HTML page, whose colours it takes; `links` says for nodes what they lead to.

    Raises:
        TooLargeError: it has too many lines.
    """
    cards = _cards(graph, with_places=with_places)
    places = _Places(graph, cards)
    boxes = {}
    for index, (node, card) in enumerate(cards.items()):
        tag, where = ("a", f' href="{escape(links[node])}"') if node in links else ("g", "")
        boxes[f"node-{index}"] = _card(
            card, places, f'<{tag} id="node-{index}" class="{_class(card)}"{where}>', f"</{tag}>"
        )
    group = f'<g id="{BOXES}" data-rows=""><!--{BOXES}--></g>'
    return Picture(_framed(graph, places, group, role="group", style=_SHAPES), boxes)


def _cards(graph: Graph, *, with_places: bool) -> dict[str, _Card]:
    signs = Signs()
    return {
        node.id: _Card(
            node,
            shortened(f"{standing_sign(node.standing, signs)} {node_title(node)}".strip(), _NAME_LENGTH),
            tuple(shortened(line, _NAME_LENGTH + 6) for line in node_lines(node, with_places=with_places)),
        )
        for node in graph.nodes
    }


def _class(card: _Card) -> str:
    return "plain" if card.node.standing is None else card.node.standing.name.lower()


class _Places:
    """Where everything goes: the layout, the left and right end of each column, half the height of a box."""

    def __init__(self, graph: Graph, cards: Mapping[str, _Card]) -> None:
        self.half = max((card.height for card in cards.values()), default=0.0) / 2
        self.layout = _layout(tuple(cards), tuple((edge.source, edge.target) for edge in graph.edges), self.half)
        self.spans = _spans(self.layout, cards)
        self.column = {item: index for index, items in enumerate(self.layout.columns) for item in items}
        self.is_card = frozenset(cards)

    def line(self, item: str) -> float:
        """Return the height of the middle of an item."""
        return self.layout.lines[item] + _MARGIN

    def span(self, item: str) -> tuple[float, float]:
        """Return where an item begins and ends."""
        return self.spans[self.column[item]]


@lru_cache(maxsize=4)
def _layout(nodes: tuple[str, ...], edges: tuple[tuple[str, str], ...], half: float) -> Layout:
    """Return the layout; a run that is looked at again and again has the same one."""
    return layered(dict.fromkeys(nodes, (half, half)), edges, gap=_ROW_GAP, passing=4)


def _framed(graph: Graph, places: _Places, boxes: str, *, role: str, style: str) -> str:
    layout = places.layout
    parts = [_edge(places, source, target) for source, target in layout.segments]
    for item in places.column:
        if item not in places.is_card:
            left, right = places.span(item)
            parts.append(f'<path class="edge" d="M{left:.1f} {places.line(item):.1f}H{right:.1f}"/>')
    width = places.spans[-1][1] + _MARGIN if places.spans else 2 * _MARGIN
    height = max((line + places.half for line in layout.lines.values()), default=0.0) + 2 * _MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="sf-graph" role="{role}" aria-label="{escape(_described(graph))}" '
        f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}">'
        f"<style>{style}</style>{''.join(parts)}{boxes}{''.join(_labels(graph, places))}</svg>"
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


def _edge(places: _Places, source: str, target: str) -> str:
    is_card = target in places.is_card
    begin, end = places.span(source)[1], places.span(target)[0]
    from_y, to_y = places.line(source), places.line(target)
    tip = end - 7 if is_card else end
    middle = (begin + tip) / 2
    path = (
        f'<path class="edge" d="M{begin:.1f} {from_y:.1f}C{middle:.1f} {from_y:.1f} {middle:.1f} {to_y:.1f} '
        f'{tip:.1f} {to_y:.1f}"/>'
    )
    head = f'<path class="head" d="M{tip:.1f} {to_y - 4:.1f}l7 4l-7 4z"/>' if is_card else ""
    return path + head


def _card(card: _Card, places: _Places, opening: str, closing: str) -> str:
    left, right = places.span(card.node.id)
    half = places.half
    top = places.line(card.node.id) - half
    lines = [f'<text class="name" x="{left + _PADDING + 4:.1f}" y="{top + 22:.1f}">{escape(card.title)}</text>']
    lines += [
        f'<text x="{left + _PADDING + 4:.1f}" y="{top + 22 + _LINE_HEIGHT * number:.1f}">{escape(detail)}</text>'
        for number, detail in enumerate(card.details, start=1)
    ]
    jobs = "\n".join(f"{job.name}{f': {job.standing}' if job.standing else ''}" for job in card.node.jobs[:20])
    return (
        f'{opening}<rect class="card" x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" height="{2 * half:.1f}" rx="8">'
        f"<title>{escape(jobs)}</title></rect>"
        f'<path class="strip" d="M{left + 5:.1f} {top:.1f}v{2 * half:.1f}a5 5 0 0 1-5-5v-{2 * half - 10:.1f}a5 5 0 0 1 5-5z"/>'
        f"{''.join(lines)}{closing}"
    )


def _labels(graph: Graph, places: _Places) -> list[str]:
    """Return how much data edges carry, each just before the box that it leads to."""
    amounts: dict[str, list[str]] = {}
    for edge in graph.edges:
        if text := edge_text(edge):
            amounts.setdefault(edge.target, []).append(text)
    return [
        f'<text class="data" text-anchor="end" x="{places.span(target)[0] - 4:.1f}" '
        f'y="{places.line(target) - 8:.1f}">{escape(" + ".join(texts))}</text>'
        for target, texts in amounts.items()
    ]
