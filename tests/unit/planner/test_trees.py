"""Trees among the nodes of a graph: each node once, no edge between two trees, no cycle, and nothing could be added."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from skyflow.planner.bounds.trees import induced_trees


@given(data=st.data(), count=st.integers(1, 12))
def test_trees_are_trees_and_as_large_as_can_be(data, count):
    pairs = [(u, v) for v in range(count) for u in range(v) if data.draw(st.booleans())]
    near = [[] for _ in range(count)]
    for e, (u, v) in enumerate(pairs):
        near[u].append((v, e))
        near[v].append((u, e))
    nodes = [j for j in range(count) if data.draw(st.booleans())]
    trees = induced_trees(nodes, near, Random(data.draw(st.integers(0, 9))))
    tree_of = {j: number for number, tree in enumerate(trees) for j, _ in tree}
    assert len(tree_of) == sum(map(len, trees))
    assert set(tree_of) <= set(nodes)
    used = {e for tree in trees for _, e in tree if e is not None}
    assert used == {e for e, (u, v) in enumerate(pairs) if u in tree_of and v in tree_of}
    for tree in trees:
        seen = set()
        for j, e in tree:
            assert (e is None) == (not seen)
            assert e is None or ({*pairs[e]} - {j}) <= seen
            seen.add(j)
    for j in set(nodes) - set(tree_of):
        beside = [tree_of[k] for k, _ in near[j] if k in tree_of]
        assert len(set(beside)) < len(beside)
