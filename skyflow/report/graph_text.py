"""A graph for a terminal: boxes from left to right where they fit, else a list that says what each waits for."""

from collections.abc import Iterator
from dataclasses import dataclass

from rich.text import Text

from skyflow.model.graph import Graph, GraphNode, Standing
from skyflow.report.channels import Channel, routed
from skyflow.report.graph_words import STANDING_COLOURS, edge_text, node_lines, node_title, shortened, standing_sign
from skyflow.report.layout import Layout, TooLargeError, layered
from skyflow.report.strokes import Canvas
from skyflow.report.words import Signs, ascii_signs

__all__ = ["render_graph"]

_NAME_LENGTHS = (32, 24, 16)
"""How much of a name is shown; the first that lets the whole fit."""
_FRAME = 4
_MOST_NEEDS = 4
_LINE_STYLE = "bright_black"


def render_graph(graph: Graph, *, width: int, signs: Signs, with_places: bool) -> Iterator[Text]:
    """Yield the lines of a picture that is at most `width` columns wide."""
    yield Text(graph.title, "bold")
    if not graph.nodes:
        yield Text("no jobs", _LINE_STYLE)
        return
    boxes: list[Text] | None = None
    for length in _NAME_LENGTHS:
        boxes = _boxes(graph, width=width, length=length, signs=signs, with_places=with_places)
        if boxes is not None:
            break
    yield from boxes or _listed(graph, signs, with_places=with_places)


@dataclass(frozen=True, slots=True)
class _Box:
    """What one box shows, line by line, and its colour."""

    lines: tuple[str, ...]
    standing: Standing | None

    @property
    def width(self) -> int:
        return max(map(len, self.lines)) + _FRAME


def _boxes(graph: Graph, *, width: int, length: int, signs: Signs, with_places: bool) -> list[Text] | None:
    """Return the picture, None if it is too wide."""
    boxes = {node.id: _box(graph, node, length, signs, with_places=with_places) for node in graph.nodes}
    height = max(len(box.lines) for box in boxes.values())
    try:
        layout = layered(
            dict.fromkeys(boxes, (1.0, float(height))),
            [(edge.source, edge.target) for edge in graph.edges],
            gap=1.0,
            whole=True,
        )
    except TooLargeError:
        return None
    widths = [max((boxes[item].width for item in column if item in boxes), default=0) for column in layout.columns]
    channels = [_channel(layout, index) for index in range(len(layout.columns) - 1)]
    if sum(widths) + sum(channel.width for channel in channels) > width:
        return None
    canvas = Canvas(is_ascii=signs is ascii_signs)
    left = 0
    for index, column in enumerate(layout.columns):
        for item in column:
            row = round(layout.lines[item])
            if item in boxes:
                _draw_box(canvas, boxes[item], row=row, left=left, width=widths[index], height=height)
            else:
                canvas.across(row, left, left + widths[index], owner=item, style=_LINE_STYLE)
        left += widths[index]
        if index < len(channels):
            channels[index].draw(canvas, left=left, style=_LINE_STYLE)
            left += channels[index].width
    return canvas.lines()


def _box(graph: Graph, node: GraphNode, length: int, signs: Signs, *, with_places: bool) -> _Box:
    title = f"{standing_sign(node.standing, signs)} {shortened(node_title(node), length)}".strip()
    details = [shortened(line, length + 2) for line in node_lines(node, with_places=with_places)]
    data = [text for edge in graph.edges if edge.target == node.id and (text := edge_text(edge))]
    if data:
        details.append(shortened(f"in: {' + '.join(data)}", length + 2))
    return _Box((title, *details), node.standing)


def _draw_box(canvas: Canvas, box: _Box, *, row: int, left: int, width: int, height: int) -> None:
    colour = STANDING_COLOURS[box.standing]
    canvas.frame(top=row - 1, left=left, bottom=row + height, right=left + width - 1, style=colour)
    for index, line in enumerate(box.lines):
        style = "bold" if index == 0 else _LINE_STYLE
        canvas.write(row + index, left + 2, line, style)
    if box.standing is not None:
        canvas.write(row, left + 2, box.lines[0][0], colour)


def _channel(layout: Layout, index: int) -> Channel:
    """Return how the space between two columns is crossed."""
    own = set(layout.columns[index])
    ends: dict[str, dict[int, bool]] = {}
    for source, target in layout.segments:
        if source in own:
            ends.setdefault(source, {})[round(layout.lines[target])] = "\0" not in target
    return routed((round(layout.lines[source]), targets) for source, targets in ends.items())


def _listed(graph: Graph, signs: Signs, *, with_places: bool) -> Iterator[Text]:
    names = {node.id: node_title(node) for node in graph.nodes}
    for node in graph.nodes:
        colour = STANDING_COLOURS[node.standing]
        text = Text.assemble((f"{standing_sign(node.standing, signs) or '-'} ", colour), (names[node.id], "bold"))
        if lines := node_lines(node, with_places=with_places):
            text.append(f"  {', '.join(lines)}", _LINE_STYLE)
        before = [f"{names[edge.source]} {edge_text(edge)}".strip() for edge in graph.edges if edge.target == node.id]
        if before:
            more = f" and {len(before) - _MOST_NEEDS} more" if len(before) > _MOST_NEEDS else ""
            text.append(f"  after {', '.join(before[:_MOST_NEEDS])}{more}", _LINE_STYLE)
        yield text
