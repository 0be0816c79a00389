"""Pictures of graphs; those of a terminal are golden files: `UPDATE_GOLDEN=1` writes them anew, to be looked at."""

import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from skyflow.model.graph import Graph, GraphEdge, GraphJob, GraphNode, Standing, needed_edges
from skyflow.report.graph_languages import to_dot, to_mermaid
from skyflow.report.graph_svg import to_svg
from skyflow.report.graph_text import render_graph
from skyflow.report.words import Signs, ascii_signs

GOLDEN = Path(__file__).parent / "data" / "graphs"
UNICODE = Signs()
BEGAN = datetime(2026, 1, 2, tzinfo=UTC)


def node(name: str, *standings: Standing | None, seconds: int = 5) -> GraphNode:
    jobs = tuple(
        GraphJob(
            key=f"{name}.{number}",
            name=name,
            standing=standing,
            started_at=BEGAN if standing in {Standing.SUCCESS, Standing.FAILURE, Standing.RUNNING} else None,
            completed_at=BEGAN + timedelta(seconds=seconds)
            if standing in {Standing.SUCCESS, Standing.FAILURE}
            else None,
        )
        for number, standing in enumerate(standings or (None,))
    )
    return GraphNode(id=name, name=name, jobs=jobs)


def graph(edges: str, *nodes: GraphNode) -> Graph:
    """Return a graph whose edges are written `a>b a>c:40`, the number being gigabytes."""
    pairs = [re.fullmatch(r"(\w+)>(\w+)(?::(\d+))?", text) for text in edges.split()]
    assert all(pairs)
    drawn = [GraphEdge(source=pair[1], target=pair[2], gigabytes=float(pair[3] or 0)) for pair in pairs]
    named = {end for edge in drawn for end in (edge.source, edge.target)} - {one.id for one in nodes}
    return Graph(title="example", nodes=(*nodes, *map(node, sorted(named))), edges=tuple(drawn))


EXAMPLES = {
    "chain": graph("a>b b>c"),
    "diamond": graph("a>b a>c b>d c>d"),
    "many_to_many": graph("a>x a>y b>x b>y c>x c>y"),
    "long_way": graph("a>b b>c c>d a>e e>d a>d:3"),
    "arrives_where_another_leaves": graph("a>d a>e b>c b>d"),
    "standings": graph(
        "build>test test>ship",
        node("build", Standing.SUCCESS),
        node("test", Standing.SUCCESS, Standing.FAILURE, Standing.RUNNING),
        node("ship", Standing.WAITING),
    ),
    "alone": graph("", node("a"), node("b")),
    "nothing": graph(""),
}


def drawn(picture: Graph, *, width: int = 100, signs: Signs = UNICODE) -> str:
    return "".join(f"{line.plain}\n" for line in render_graph(picture, width=width, signs=signs, with_places=False))


@pytest.mark.parametrize("name", EXAMPLES)
def test_terminal_picture(name: str) -> None:
    shown = drawn(EXAMPLES[name])
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(shown)
    assert shown == path.read_text()


@pytest.mark.parametrize("width", [20, 40, 60, 100, 200])
@pytest.mark.parametrize("name", EXAMPLES)
def test_boxes_are_never_wider_than_the_terminal(name: str, width: int) -> None:
    lines = drawn(EXAMPLES[name], width=width).splitlines()
    assert not any("╭" in line and len(line) > width for line in lines)


def test_where_boxes_do_not_fit_a_list_says_the_same() -> None:
    shown = drawn(EXAMPLES["diamond"], width=20)
    assert "╭" not in shown
    assert "d  after b, c" in shown


def test_plain_terminals_get_plain_characters() -> None:
    assert drawn(EXAMPLES["standings"], signs=ascii_signs).isascii()


def test_long_names_keep_both_ends() -> None:
    shown = drawn(graph("", node("x" * 40 + "end")))
    assert re.search(r"│ x+…x+end │", shown)


@pytest.mark.parametrize("name", EXAMPLES)
def test_svg_is_well_formed_and_has_every_node_and_edge(name: str) -> None:
    root = ET.fromstring(to_svg(EXAMPLES[name], with_places=False))
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert all(any(one.id in (text or "") for text in texts) for one in EXAMPLES[name].nodes)
    assert root.get("role") == "img"
    assert "example" in root.get("aria-label")


def test_names_cannot_become_markup() -> None:
    evil = graph("", node("<script>\"&'</script>", Standing.SUCCESS))
    svg = to_svg(evil, with_places=False)
    assert "<script" not in svg
    ET.fromstring(svg)
    assert "<" not in to_mermaid(evil, with_places=False).replace("<br>", "")
    assert '\\"' in to_dot(evil, with_places=False)


def test_languages_carry_standings_and_data() -> None:
    mermaid = to_mermaid(EXAMPLES["standings"], with_places=False)
    assert "n0 --> n1" in mermaid
    assert "class n1 failure" in mermaid
    assert "1 failure, 1 running, 1 success" in mermaid
    assert '-->|"3 GB"|' in to_mermaid(EXAMPLES["long_way"], with_places=False)
    assert '"a" -> "d" [label="3 GB"]' in to_dot(EXAMPLES["long_way"], with_places=False)


def test_edges_that_follow_from_others_are_left_out_unless_they_carry_data() -> None:
    edges = graph("a>b b>c a>c").edges
    assert needed_edges("abc", edges) == edges[:2]
    edges = graph("a>b b>c a>c:1").edges
    assert needed_edges("cba", edges) == edges
