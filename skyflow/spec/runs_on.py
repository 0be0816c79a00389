"""Where a job may run: what `runs-on` means to the planner."""

from skyflow.model.resources import LOCAL, OWN
from skyflow.model.workflow import AuthoredTree
from skyflow.spec.nodes import MappingNode, Node, ScalarNode, SequenceNode
from skyflow.spec.reading import Reading

__all__ = ["ANYWHERE", "CLOUDS", "labels_of", "misplaced_label", "read_runs_on"]

ANYWHERE = "sky"
"""The label that lets skyflow choose among all providers."""
CLOUDS = ("aws", "gcp", "azure")
"""The labels that are clouds."""
_ELSEWHERE = frozenset({*CLOUDS, OWN, ANYWHERE})
_PROVIDERS = _ELSEWHERE | {LOCAL}
_SELF_HOSTED = "self-hosted"


def read_runs_on(reading: Reading, node: Node | None) -> tuple[AuthoredTree | None, frozenset[str] | None]:
    """Return `runs-on` as written, and the providers it allows; None allows all of them.

    A job without it has `resources`, so it runs anywhere. Labels with expressions are known only when the job is about
    to start, which is too late for the planner: such a job runs on this machine.
    """
    if node is None:
        return None, None
    tree = reading.tree(node)
    names = frozenset(label.key.lower() for label in labels_of(node))
    if names and names <= _PROVIDERS:
        return tree, None if ANYWHERE in names else names
    return tree, frozenset({LOCAL})


def misplaced_label(node: Node) -> ScalarNode | None:
    """Return a label that is a cloud, beside labels of this machine; a self-hosted runner may be labelled `aws`."""
    labels = labels_of(node)
    names = frozenset(label.key.lower() for label in labels)
    if names <= _PROVIDERS or _SELF_HOSTED in names:
        return None
    return next((label for label in labels if label.key.lower() in _ELSEWHERE), None)


def labels_of(node: Node) -> tuple[ScalarNode, ...]:
    """Return the labels of a `runs-on` in any of its forms."""
    if isinstance(node, MappingNode):
        labels = node.get("labels")
        if labels is None:
            group = node.get("group")
            return (group,) if isinstance(group, ScalarNode) else ()
        return labels_of(labels)
    if isinstance(node, SequenceNode):
        return tuple(item for item in node.items if isinstance(item, ScalarNode))
    return (node,)
