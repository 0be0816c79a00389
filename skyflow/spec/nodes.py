"""The tree a workflow file is read into: scalars, lists and maps, each with its place in the file.

Nodes keep what the author wrote (the text of a number, the style of a string) beside what it means, and know nothing
of workflows. An alias shares the node of its anchor, so a tree may hold one node in several places.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from skyflow.diagnostics import Span
from skyflow.expr import to_string

__all__ = [
    "Entry",
    "MappingNode",
    "Node",
    "Path",
    "PlainValue",
    "ScalarNode",
    "ScalarStyle",
    "ScalarValue",
    "SequenceNode",
    "describe",
    "find",
    "to_plain",
]

ScalarValue = None | bool | float | str
PlainValue = ScalarValue | list["PlainValue"] | dict[str, "PlainValue"]
Path = tuple[str | int, ...]
"""Where a node is in the tree: keys of maps and indexes of lists, from the root down."""


class ScalarStyle(StrEnum):
    """How a scalar is written; the value is its YAML indicator."""

    PLAIN = ""
    SINGLE_QUOTED = "'"
    DOUBLE_QUOTED = '"'
    LITERAL = "|"
    FOLDED = ">"


@dataclass(frozen=True, slots=True)
class ScalarNode:
    """A text, number, boolean or null.

    `value` is what YAML 1.2 makes of it; `text` is the content without quotes and indentation, so the number `3.10`
    keeps its last digit there. `start` and `end` are offsets into the source, quotes and block header included.
    """

    span: Span
    value: ScalarValue
    text: str
    style: ScalarStyle
    start: int
    end: int

    @property
    def key(self) -> str:
        """Return the scalar as the key of a map: always text."""
        return to_string(self.value)


@dataclass(frozen=True, slots=True)
class SequenceNode:
    """A list."""

    span: Span
    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One `key: value` of a map; `name` is the key as text."""

    name: str
    key: ScalarNode
    value: "Node"


@dataclass(frozen=True, slots=True)
class MappingNode:
    """A map: `entries` by name, in file order, and `written`, which has the repeated ones as well.

    Names of `entries` are unique ignoring case; of repeated ones the first counts.
    """

    span: Span
    entries: Mapping[str, Entry]
    written: tuple[Entry, ...]

    def __iter__(self) -> Iterator[tuple[str, "Node"]]:
        """Yield each key, as text, with its value."""
        return ((name, entry.value) for name, entry in self.entries.items())

    def get(self, name: str) -> "Node | None":
        """Return the value of exactly this key."""
        entry = self.entries.get(name)
        return entry.value if entry else None


Node = ScalarNode | SequenceNode | MappingNode


def to_plain(node: Node) -> PlainValue:
    """Return the tree as plain lists, dicts and scalars, without places."""
    match node:
        case ScalarNode():
            return node.value
        case SequenceNode():
            return [to_plain(item) for item in node.items]
        case MappingNode():
            return {key: to_plain(value) for key, value in node}


def find(root: Node, path: Path) -> Node | None:
    """Return the node at `path`, or None where the tree has none."""
    node: Node | None = root
    for step in path:
        if isinstance(node, MappingNode) and isinstance(step, str):
            node = node.get(step)
        elif isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.items):
            node = node.items[step]
        else:
            return None
    return node


def describe(node: Node) -> str:
    """Return what a node is, for the end of a sentence: `text`, `the number 5`, `a list`."""
    match node:
        case SequenceNode():
            return "a list" if node.items else "an empty list"
        case MappingNode():
            return "a map" if node.entries else "an empty map"
        case ScalarNode(value=None):
            return "nothing"
        case ScalarNode(value=bool()):
            return node.text
        case ScalarNode(value=float()):
            return f"the number {node.text}"
        case ScalarNode():
            return "text" if node.text else "empty text"
