"""What is left of a file whose form is wrong, so that more can be said of it than that: its jobs, and how they need each other."""

from skyflow.diagnostics import Span
from skyflow.spec.nodes import Entry, MappingNode, Node, ScalarNode, ScalarStyle, SequenceNode, find

__all__ = ["skeleton"]


def skeleton(root: Node) -> Node | None:
    """Return the file with nothing but its jobs, each of which only needs others and does nothing; None without jobs.

    Every node keeps its place in the file, and what is made up has the place of the job it is made up for.
    """
    jobs = find(root, ("jobs",))
    if not isinstance(jobs, MappingNode) or not jobs.entries:
        return None
    bare = [Entry(entry.name, entry.key, _bare_job(entry)) for entry in jobs.entries.values()]
    return _map(root.span, Entry("jobs", _text("jobs", jobs.span), _map(jobs.span, *bare)))


def _bare_job(job: Entry) -> Node:
    span = job.key.span
    script = _map(span, Entry("run", _text("run", span), _text("true", span)))
    parts = [
        Entry("runs-on", _text("runs-on", span), _text("local", span)),
        Entry("steps", _text("steps", span), SequenceNode(span, (script,))),
    ]
    needs = job.value.entries.get("needs") if isinstance(job.value, MappingNode) else None
    if needs is not None and _is_list_of_texts(needs.value):
        parts.append(needs)
    return _map(span, *parts)


def _is_list_of_texts(node: Node) -> bool:
    items = node.items if isinstance(node, SequenceNode) else (node,)
    return all(isinstance(item, ScalarNode) and isinstance(item.value, str) for item in items)


def _map(span: Span, *entries: Entry) -> MappingNode:
    return MappingNode(span, {entry.name: entry for entry in entries}, entries)


def _text(text: str, span: Span) -> ScalarNode:
    return ScalarNode(span, text, text, ScalarStyle.PLAIN, 0, 0)
