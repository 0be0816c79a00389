"""A graph in the languages of other tools: Mermaid, which code hosts draw, and DOT, which Graphviz reads."""

from collections.abc import Sequence

from skyflow.model.graph import Graph, GraphNode, Standing
from skyflow.report.graph_words import edge_text, node_lines, node_title

__all__ = ["to_dot", "to_mermaid"]

_FILLS = {
    Standing.FAILURE: ("#ffebe9", "#cf222e"),
    Standing.CANCELLED: ("#fff8c5", "#9a6700"),
    Standing.RUNNING: ("#ddf4ff", "#0969da"),
    Standing.INTERRUPTED: ("#fff8c5", "#9a6700"),
    Standing.QUEUED: ("#ddf4ff", "#0969da"),
    Standing.ALLOWED: ("#fff8c5", "#9a6700"),
    Standing.WAITING: ("#f6f8fa", "#656d76"),
    Standing.SUCCESS: ("#dafbe1", "#1a7f37"),
    Standing.SKIPPED: ("#f6f8fa", "#656d76"),
}
"""Background and border; the text is dark, so that it can be read on every one of them."""


def to_mermaid(graph: Graph, *, with_places: bool) -> str:
    """Return a flowchart; names are in it as text only, so that nothing in them is taken for syntax."""
    ids = {node.id: f"n{number}" for number, node in enumerate(graph.nodes)}
    lines = ["---", f"title: {_yaml(graph.title)}", "---", "flowchart LR"]
    for node in graph.nodes:
        text = "<br>".join(_mermaid(line) for line in _lines(node, with_places=with_places))
        lines.append(f'  {ids[node.id]}["{text}"]')
    for edge in graph.edges:
        label = f'|"{_mermaid(edge_text(edge))}"|' if edge.gigabytes else ""
        lines.append(f"  {ids[edge.source]} -->{label} {ids[edge.target]}")
    for standing, (fill, stroke) in _FILLS.items():
        members = [ids[node.id] for node in graph.nodes if node.standing is standing]
        if members:
            name = standing.name.lower()
            lines.append(f"  classDef {name} fill:{fill},stroke:{stroke},color:#1f2328")
            lines.append(f"  class {','.join(members)} {name}")
    return "\n".join(lines) + "\n"


def to_dot(graph: Graph, *, with_places: bool) -> str:
    """Return a digraph for Graphviz."""
    lines = [
        f"digraph {_dot(graph.title)} {{",
        "  rankdir=LR",
        '  node [shape=box style="rounded,filled" fillcolor=white fontname="sans-serif"]',
        '  edge [color="#656d76" fontname="sans-serif" fontsize=10]',
    ]
    for node in graph.nodes:
        fill, stroke = _FILLS[node.standing] if node.standing is not None else ("#ffffff", "#656d76")
        label = _dot("\n".join(_lines(node, with_places=with_places)))
        lines.append(f'  {_dot(node.id)} [label={label} fillcolor="{fill}" color="{stroke}"]')
    for edge in graph.edges:
        label = f" [label={_dot(edge_text(edge))}]" if edge.gigabytes else ""
        lines.append(f"  {_dot(edge.source)} -> {_dot(edge.target)}{label}")
    return "\n".join([*lines, "}"]) + "\n"


def _lines(node: GraphNode, *, with_places: bool) -> Sequence[str]:
    return (node_title(node), *node_lines(node, with_places=with_places))


def _mermaid(text: str) -> str:
    """Return text in which every character that could mean something is written by its number."""
    return "".join(
        character if character.isalnum() or character in " .,-_$:~()+/" else f"#{ord(character)};"
        for character in " ".join(text.split())
    )


def _yaml(text: str) -> str:
    escaped = " ".join(text.split()).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _dot(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\r", "").replace("\n", "\\n")
    return f'"{escaped}"'
