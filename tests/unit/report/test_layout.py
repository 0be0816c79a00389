from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skyflow.report.layout import TooLargeError, layered


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[str], list[tuple[str, str]]]:
    """Nodes, and edges that lead from earlier ones to later ones."""
    names = [f"n{number}" for number in range(draw(st.integers(0, 14)))]
    pairs = [(one, two) for index, one in enumerate(names) for two in names[index + 1 :]]
    return names, draw(st.lists(st.sampled_from(pairs), unique=True, max_size=30)) if pairs else []


@given(graphs(), st.booleans())
def test_nothing_overlaps_and_every_segment_leads_to_the_next_column(graph, whole) -> None:
    nodes, edges = graph
    reach = {node: (1.0, float(1 + index % 3)) for index, node in enumerate(nodes)}
    layout = layered(reach, edges, gap=1.0, whole=whole)
    column = {item: index for index, items in enumerate(layout.columns) for item in items}
    assert set(nodes) <= set(column)
    assert all(column[source] + 1 == column[target] for source, target in layout.segments)
    for items in layout.columns:
        for upper, lower in pairwise(items):
            below, above = reach.get(upper, (0, 0))[1], reach.get(lower, (0, 0))[0]
            assert layout.lines[lower] - above - layout.lines[upper] - below >= 1.0 - 1e-6
    assert all(layout.lines[node] - reach[node][0] >= -1e-6 for node in nodes)
    if whole:
        assert all(line == round(line) for line in layout.lines.values())


@given(graphs())
def test_the_segments_connect_what_the_edges_connect(graph) -> None:
    nodes, edges = graph
    layout = layered(dict.fromkeys(nodes, (1.0, 1.0)), edges, gap=1.0)
    following: dict[str, list[str]] = {}
    for source, target in layout.segments:
        following.setdefault(source, []).append(target)

    def reached(item: str) -> set[str]:
        found: set[str] = set()
        for after in following.get(item, ()):
            found |= reached(after) if "\0" in after else {after}
        return found

    assert {(node, target) for node in nodes for target in reached(node)} == set(edges)


@given(graphs())
def test_the_same_graph_always_looks_the_same(graph) -> None:
    nodes, edges = graph
    reach = dict.fromkeys(nodes, (1.0, 1.0))
    assert layered(reach, edges, gap=1.0) == layered(reach, list(edges), gap=1.0)


def test_a_chain_is_a_straight_line() -> None:
    layout = layered(dict.fromkeys("abc", (1.0, 1.0)), [("a", "b"), ("b", "c")], gap=1.0)
    assert layout.columns == (("a",), ("b",), ("c",))
    assert len(set(layout.lines.values())) == 1


def test_many_to_many_goes_through_a_joint() -> None:
    left, right = [f"l{n}" for n in range(20)], [f"r{n}" for n in range(20)]
    edges = [(one, two) for one in left for two in right]
    layout = layered(dict.fromkeys([*left, *right], (1.0, 1.0)), edges, gap=1.0)
    assert len(layout.segments) == 40
    assert [len(column) for column in layout.columns] == [20, 1, 20]


def test_crossings_are_undone() -> None:
    nodes = ["a", "b", "c", "x", "y", "z"]
    layout = layered(dict.fromkeys(nodes, (1.0, 1.0)), [("a", "z"), ("b", "y"), ("c", "x")], gap=1.0)
    places = {item: place for column in layout.columns for place, item in enumerate(column)}
    assert [places[target] for _, target in sorted(layout.segments)] == [places[node] for node in "abc"]


def test_what_is_too_large_is_refused() -> None:
    nodes = [f"n{number}" for number in range(300)]
    edges = [(one, two) for index, one in enumerate(nodes) for two in nodes[index + 1 :]]
    with pytest.raises(TooLargeError):
        layered(dict.fromkeys(nodes, (1.0, 1.0)), edges, gap=1.0)
