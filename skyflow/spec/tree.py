"""From text to a tree of nodes with their places, through the scanner and parser of ruamel.yaml.

Only its events are used: what plain scalars mean, which tags exist, what a duplicate key is and how far aliases may
multiply is decided here, as GitHub decides it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NoReturn

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, StringMark
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    Event,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from skyflow.diagnostics import Span
from skyflow.spec.findings import FileRefusedError, Findings
from skyflow.spec.nodes import Entry, MappingNode, Node, ScalarNode, ScalarStyle, ScalarValue, SequenceNode
from skyflow.spec.scalars import resolve_plain, resolve_tagged
from skyflow.spec.source import position_at
from skyflow.spec.yaml_errors import explain
from skyflow.spec.yaml_scanner import GithubScanner, QuickParser

__all__ = ["MAX_DEPTH", "MAX_NODES", "compose"]

MAX_DEPTH = 50
"""How deep maps and lists may nest; GitHub's limit."""
MAX_NODES = 50_000
"""How much a file may hold once its aliases are written out; GitHub's limit, where lists and maps count twice."""


def compose(text: str, findings: Findings) -> Node:
    """Return the one document in `text`.

    Raises:
        FileRefusedError: the text is not YAML, is empty, or goes beyond a limit.
    """
    reader = YAML(typ="safe", pure=True)
    reader.Scanner, reader.Parser = GithubScanner, QuickParser
    try:
        return _Composer(reader.parse(text), text, findings).document()
    except MarkedYAMLError as error:
        explanation = explain(error, text)
        findings.error("yaml-syntax", explanation.span, explanation.message, hint=explanation.hint)
        raise FileRefusedError from error


@dataclass(frozen=True, slots=True)
class _Anchored:
    """A node with an anchor; `nodes` and `height` are what each alias adds to the tree."""

    node: Node
    nodes: int
    height: int


class _Composer:
    """Builds nodes from events; one method for each kind of node."""

    def __init__(self, events: Iterator[Event], text: str, findings: Findings) -> None:
        self._events = events
        self._text = text
        self._findings = findings
        self._anchors: dict[str, _Anchored | None] = {}
        self._nodes = 0
        self._deepest = 0
        self._end: StringMark | None = None  # where the last thing that is written out ends

    def document(self) -> Node:
        """Return the root node."""
        next(self._events)  # the start of the stream
        if isinstance(next(self._events), StreamEndEvent):
            self._refuse_empty()
        root = self._node(next(self._events), depth=1)
        next(self._events)  # the end of the document
        after = next(self._events)
        if not isinstance(after, StreamEndEvent):
            self._refuse(
                "yaml-documents",
                _span(after),
                "a second YAML document starts here, but a workflow file holds only one",
                hint="give each workflow a file of its own",
            )
        if isinstance(root, ScalarNode) and root.start == root.end:  # nothing but `---`
            self._refuse_empty()
        return root

    def _refuse_empty(self) -> NoReturn:
        self._refuse("file-empty", Span(1, 1, 1, 1), "the file is empty", hint="a workflow has at least `jobs:`")

    def _node(self, event: Event, *, depth: int) -> Node:
        if isinstance(event, AliasEvent):
            return self._alias(event, depth)
        if isinstance(event, CollectionStartEvent):
            self._reach(depth, event)
        self._count(2 if isinstance(event, CollectionStartEvent) else 1, event)
        if isinstance(event, NodeEvent) and event.anchor is not None:
            return self._anchored(event, depth)
        return self._content(event, depth)

    def _content(self, event: Event, depth: int) -> Node:
        if isinstance(event, ScalarEvent):
            return self._scalar(event)
        if isinstance(event, SequenceStartEvent):
            return self._sequence(event, depth)
        if isinstance(event, MappingStartEvent):
            return self._mapping(event, depth)
        raise AssertionError(event)

    def _anchored(self, event: NodeEvent, depth: int) -> Node:
        self._anchors[event.anchor] = None  # an alias within the node it names finds this
        own = 2 if isinstance(event, CollectionStartEvent) else 1
        nodes_before, deepest_before = self._nodes - own, self._deepest
        self._deepest = depth - 1
        if isinstance(event, CollectionStartEvent):
            self._deepest = depth
        node = self._content(event, depth)
        added = self._nodes - nodes_before
        self._anchors[event.anchor] = _Anchored(node=node, nodes=added, height=self._deepest - depth)
        self._deepest = max(self._deepest, deepest_before)
        return node

    def _alias(self, event: AliasEvent, depth: int) -> Node:
        name: str = event.anchor
        self._end = event.end_mark
        if name not in self._anchors:
            self._findings.error(
                "yaml-alias", _span(event), f"there is no anchor '&{name}' before this alias", hint=_IF_STAR_IS_MEANT
            )
            return _null(event)
        anchored = self._anchors[name]
        if anchored is None:
            self._findings.error("yaml-alias", _span(event), f"the alias '*{name}' is inside the value it stands for")
            return _null(event)
        self._count(anchored.nodes, event)
        self._reach(depth + anchored.height, event)
        return anchored.node

    def _scalar(self, event: ScalarEvent) -> ScalarNode:
        style = ScalarStyle(event.style or "")
        text: str = event.value
        tag = event.tag
        value: ScalarValue = text
        if event.end_mark.index > event.start_mark.index:
            self._end = event.end_mark
        if tag is not None:
            try:
                value = resolve_tagged(text, tag, style)
            except ValueError:
                self._bad_tag(event, tag)
                value = None
        elif style is ScalarStyle.PLAIN:
            value = resolve_plain(text)
        return ScalarNode(_span(event), value, text, style, event.start_mark.index, event.end_mark.index)

    def _sequence(self, event: SequenceStartEvent, depth: int) -> SequenceNode:
        self._check_collection_tag(event)
        items: list[Node] = []
        while not isinstance(following := next(self._events), CollectionEndEvent):
            items.append(self._node(following, depth=depth + 1))
        return SequenceNode(self._cover(event, following), tuple(items))

    def _mapping(self, event: MappingStartEvent, depth: int) -> MappingNode:
        self._check_collection_tag(event)
        entries: dict[str, Entry] = {}
        written: list[Entry] = []
        seen: set[str] = set()
        while not isinstance(following := next(self._events), CollectionEndEvent):
            key = self._node(following, depth=depth + 1)
            value = self._node(next(self._events), depth=depth + 1)
            if not isinstance(key, ScalarNode):
                hint = "an expression is written ${{ }}" if isinstance(key, MappingNode) else None
                self._findings.error("yaml-key", key.span, "a key must be text, not a list or a map", hint=hint)
                continue
            if isinstance(value, ScalarNode) and value.start == value.end:
                value = replace(value, span=self._before_next(key) if event.flow_style else self._after_colon(key))
            name = key.key
            entry = Entry(name, key, value)
            written.append(entry)
            if name.lower() not in seen:
                seen.add(name.lower())
                entries[name] = entry
        return MappingNode(self._cover(event, following), entries, tuple(written))

    def _after_colon(self, key: ScalarNode) -> Span:
        """Return where a value would stand that is not there; the parser puts it on the next line."""
        colon = self._text.find(":", key.end)
        gap = colon - key.end
        same_line = gap >= 0 and not self._text[key.end : colon].strip(" \t")
        column = key.span.end_column + (gap + 1 if same_line else 0)
        return Span(key.span.end_line, column, key.span.end_line, column)

    def _before_next(self, key: ScalarNode) -> Span:
        """Return where GitHub's parser puts a value that is not there within braces: at the comma or the brace."""
        between = _TO_NEXT.match(self._text, key.end)
        gap = between[0] if between else ""
        lines, column = position_at(gap, len(gap))
        line = key.span.end_line + lines - 1
        column += key.span.end_column - 1 if lines == 1 else 0
        return Span(line, column, line, column)

    def _cover(self, start: CollectionStartEvent, end: Event) -> Span:
        """Return the place of a list or map; a block ends with its last value, not where the parser notices it."""
        from_mark: StringMark = start.start_mark
        if start.flow_style:
            self._end = end.end_mark
        elif self._end is None or self._end.index <= from_mark.index:  # nothing but a '-'
            return Span(from_mark.line + 1, from_mark.column + 1, from_mark.line + 1, from_mark.column + 2)
        return _between(from_mark, self._end)

    def _check_collection_tag(self, event: CollectionStartEvent) -> None:
        """Warn of a tag on a list or map: GitHub takes any, and ignores it."""
        fitting = f"{_CORE}{'seq' if isinstance(event, SequenceStartEvent) else 'map'}"
        if event.tag is not None and event.tag != fitting:
            message = f"'{_shown(event.tag)}' is a YAML tag that has no meaning here, and is ignored"
            self._findings.warning("yaml-tag", _span(event), message, hint=_IF_EXCLAMATION_IS_MEANT)

    def _bad_tag(self, event: Event, tag: str) -> None:
        shown = _shown(tag)
        if shown in {"!!str", "!!bool", "!!int", "!!float", "!!null"}:
            self._findings.error("yaml-tag", _span(event), f"this value does not fit its tag '{shown}'")
        else:
            message = f"'{shown}' is a YAML tag that has no meaning here"
            self._findings.error("yaml-tag", _span(event), message, hint=_IF_EXCLAMATION_IS_MEANT)

    def _count(self, nodes: int, event: Event) -> None:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            message = f"the file has more than {MAX_NODES:,} values once its aliases are written out"
            self._refuse("yaml-too-many-nodes", _span(event), message)

    def _reach(self, depth: int, event: Event) -> None:
        self._deepest = max(self._deepest, depth)
        if depth > MAX_DEPTH:
            message = f"lists and maps are nested more than {MAX_DEPTH} deep here"
            self._refuse("yaml-too-deep", _span(event), message)

    def _refuse(self, code: str, span: Span, message: str, *, hint: str | None = None) -> NoReturn:
        self._findings.error(code, span, message, hint=hint)
        raise FileRefusedError


_CORE = "tag:yaml.org,2002:"
# The colon of a key in braces, if there is one, and the blanks, line breaks and comments up to the next token.
_TO_NEXT = re.compile(r"\s*:?(?:\s+#[^\r\n]*|\s)*")
_IF_EXCLAMATION_IS_MEANT = "text that starts with '!' must be in quotes, or in ${{ }} if it is an expression"
_IF_STAR_IS_MEANT = "a value that starts with '*' must be in quotes"


def _shown(tag: str) -> str:
    return tag.replace(_CORE, "!!", 1)


def _span(event: Event) -> Span:
    return _between(event.start_mark, event.end_mark)


def _between(start: StringMark, end: StringMark) -> Span:
    return Span(start.line + 1, start.column + 1, end.line + 1, end.column + 1)


def _null(event: Event) -> ScalarNode:
    return ScalarNode(_span(event), None, "", ScalarStyle.PLAIN, event.start_mark.index, event.end_mark.index)
