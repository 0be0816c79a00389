"""How nodes become values of the model, whatever the key: texts, flags, numbers, maps.

`walk` has seen to it that every node has the right shape and that its expressions parse, so the readers need not look.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from skyflow.diagnostics import Span
from skyflow.errors import ExpressionError
from skyflow.expr import Template, is_insert, parse_condition
from skyflow.expr.ast import Literal
from skyflow.model.workflow import INSERT, Authored, AuthoredList, AuthoredMap, AuthoredTree, EnvSpec
from skyflow.spec.availability import Availability
from skyflow.spec.findings import Findings
from skyflow.spec.hints import expression_hint
from skyflow.spec.nodes import MappingNode, Node, ScalarNode, SequenceNode
from skyflow.spec.positions import span_inside
from skyflow.spec.walk import Templates

__all__ = ["Fields", "Reading"]


@dataclass(slots=True)
class Reading:
    """The state of reading one file; `scalars` finds the node that a value of the model was read from, by its place."""

    findings: Findings
    source: str
    templates: Templates
    scalars: dict[Span, ScalarNode] = field(default_factory=dict)

    def fields(self, node: Node | None) -> "Fields":
        """Return the entries of a map, to be taken one by one; none where there is none."""
        return Fields(node if isinstance(node, MappingNode) else None)

    def at(self, node: Node) -> str:
        """Return where a node is written, `FILE:LINE:COLUMN`, for messages of those who no longer have the file."""
        return f"{self.findings.path}:{node.span.line}:{node.span.column}"

    def is_expression(self, node: Node | None) -> bool:
        """Tell whether a scalar holds an expression, so that its value is known only later."""
        return (
            isinstance(node, ScalarNode) and not self.scalar(node).template.is_literal and isinstance(node.value, str)
        )

    def plain_text(self, node: Node | None) -> str | None:
        """Return the text of a scalar that takes no expressions."""
        authored = self.text(node)
        return None if authored is None else authored.template.text({})

    def text(self, node: Node | None) -> Authored | None:
        """Return a text; numbers, booleans and null are taken as text too, as on GitHub."""
        if not isinstance(node, ScalarNode):
            return None
        if isinstance(node.value, str):
            return self.scalar(node)
        self.scalars[node.span] = node
        return Authored(Template(node.key, Literal(node.key, 0, len(node.key))), node.span)

    def flag(self, node: Node | None) -> Authored | None:
        """Return true, false, or an expression; and so a number, or whatever the shape of the key allows."""
        return self.scalar(node) if isinstance(node, ScalarNode) else None

    number = flag

    def condition(self, node: Node | None, where: Availability, *, default_span: Span) -> Authored:
        """Return an `if`, `success() &&` included; a missing one is `success()`."""
        if not isinstance(node, ScalarNode):
            return Authored(_condition("", where), default_span)
        self.scalars[node.span] = node
        text = node.key
        try:
            return Authored(_condition(text, where), node.span)
        except ExpressionError as error:
            inside = span_inside(node, self.source, error.start, error.end)
            hint = expression_hint(error.message, where)
            self.findings.error("expression", node.span, error.message, hint=hint, within=inside)
            return Authored(_condition("", where), node.span)

    def texts(self, node: Node | None) -> EnvSpec:
        """Return a map from names to texts, such as `env` and `outputs`; an expression is an entry to insert."""
        if isinstance(node, ScalarNode):
            return ((INSERT, self.scalar(node)),)
        found = []
        for key, value in self.fields(node).rest():
            authored = self.text(value)
            if authored is not None:
                found.append((self.key(key), authored))
        return tuple(found)

    def list_of_texts(self, node: Node | None) -> tuple[Authored, ...]:
        """Return the texts of a list, or the one that stands in its place."""
        nodes = node.items if isinstance(node, SequenceNode) else () if node is None else (node,)
        return tuple(authored for item in nodes if (authored := self.text(item)) is not None)

    def tree(self, node: Node) -> AuthoredTree:
        """Return scalars, lists and maps of any shape, such as `matrix` and `runs-on`."""
        match node:
            case ScalarNode():
                return self.scalar(node)
            case SequenceNode():
                return AuthoredList(tuple(self.tree(item) for item in node.items), node.span)
            case MappingNode():
                entries = ((self.key(entry.key), self.tree(entry.value)) for entry in node.entries.values())
                return AuthoredMap(tuple(entries), node.span)

    def key(self, node: ScalarNode) -> str:
        """Return the key of an entry; one that merges a map in is `INSERT` however it is spelt."""
        if "${{" not in node.key:
            return node.key
        if is_insert(node.key):
            return INSERT
        template = self.templates.get(id(node))
        return template.text({}) if template is not None and template.is_literal else node.key

    def scalar(self, node: ScalarNode) -> Authored:
        """Return a scalar with its expressions parsed; numbers, booleans and null keep their kind."""
        self.scalars[node.span] = node
        template = self.templates.get(id(node))
        if template is None:
            text = node.value if isinstance(node.value, str) else node.text
            template = Template(text, Literal(node.value, 0, len(text)))
        return Authored(template, node.span)


class Fields:
    """The entries of one map, taken by key; `rest` are those nobody asked for."""

    def __init__(self, node: MappingNode | None) -> None:
        self._node = node
        self._left = dict(node.entries) if node else {}

    @property
    def node(self) -> MappingNode | None:
        """The map itself; None if there is none."""
        return self._node

    def key(self, key: str) -> ScalarNode | None:
        """Return the key as a node, or None if the map does not have it or it has been taken."""
        entry = self._left.get(key)
        return entry.key if entry else None

    def take(self, key: str) -> Node | None:
        """Return the value of a key, and strike the key off."""
        entry = self._left.pop(key, None)
        return entry.value if entry else None

    def rest(self) -> Iterator[tuple[ScalarNode, Node]]:
        """Yield all entries that are left: those of a map whose keys are the author's own."""
        left, self._left = self._left, {}
        return ((entry.key, entry.value) for entry in left.values())


def _condition(text: str, where: Availability) -> Template:
    condition = parse_condition(text, names=where.contexts, functions=where.functions)
    return Template(condition.source, condition.expr, condition.is_mixed)
