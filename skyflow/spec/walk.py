"""Compares the tree of a file with its grammar, and parses every expression on the way.

What is accepted, and where each mistake is reported, is as in GitHub's service: unknown and duplicate keys at the key,
wrong values and expressions at the value, missing keys where the map starts. The value of an unknown key is not looked
at. Alternatives of a map are told apart by the keys it has, one after the other.
"""

from dataclasses import dataclass, field

from skyflow._util.text import did_you_mean, sentence_list
from skyflow.errors import ExpressionError
from skyflow.expr import Template, is_insert, parse_template
from skyflow.spec.availability import Availability, union
from skyflow.spec.findings import Findings
from skyflow.spec.grammar.shapes import ANY, MapShape, Shape, TextShape
from skyflow.spec.hints import expression_hint, missing_hint, wrong_value_hint
from skyflow.spec.nodes import Entry, MappingNode, Node, Path, ScalarNode, SequenceNode, describe
from skyflow.spec.places import place
from skyflow.spec.positions import span_inside

__all__ = ["Templates", "walk"]

Templates = dict[int, Template]
"""The scalars that hold expressions, parsed, by the identity of their node."""


def walk(root: Node, grammar: Shape, source: str, findings: Findings) -> Templates:
    """Record everything in the tree that is not as the grammar says; return the parsed expressions."""
    walker = _Walker(source, findings)
    walker.value(root, grammar, grammar.where, ())
    return walker.templates


@dataclass(slots=True)
class _Walker:
    source: str
    findings: Findings
    templates: Templates = field(default_factory=dict)

    def value(self, node: Node, shape: Shape, around: Availability, path: Path) -> None:
        """Compare one value, and what is below it."""
        where = union(around, shape.where)
        match node:
            case ScalarNode():
                self._scalar(node, shape, where)
            case SequenceNode():
                self._sequence(node, shape, where, path)
            case MappingNode():
                self._mapping(node, shape, where, path)

    # ---------------------------------------------------------------------------------------- scalars and lists

    def _scalar(self, node: ScalarNode, shape: Shape, where: Availability) -> None:
        value = node.value
        if isinstance(value, str) and "${{" in value:
            template = self._template(node, value, where)
            if template is None:
                return
            if not template.is_literal:
                if not where.allows_expressions:
                    inside = span_inside(node, self.source, value.index("${{"), len(value))
                    self.findings.error(
                        "expression-not-allowed", node.span, "an expression is not allowed here", within=inside
                    )
                return
            value = template.text({})
            node = ScalarNode(node.span, value, value, node.style, node.start, node.end)
        if not _fits(node, shape):
            found = describe(node)
            known = shape.text.constants if shape.text else ()
            if known and isinstance(value, str):
                found = f"'{value}'"
            message = f"expected {shape.expected}, found {found}"
            hint = wrong_value_hint(node, known, shape.expected)
            self.findings.error("schema-wrong-value", node.span, message, hint=hint)

    def _template(self, node: ScalarNode, text: str, where: Availability) -> Template | None:
        try:
            template = parse_template(text, names=where.contexts, functions=where.functions)
        except ExpressionError as error:
            inside = span_inside(node, self.source, error.start, error.end)
            hint = expression_hint(error.message, where)
            self.findings.error("expression", node.span, error.message, hint=hint, within=inside)
            return None
        self.templates[id(node)] = template
        return template

    def _sequence(self, node: SequenceNode, shape: Shape, where: Availability, path: Path) -> None:
        item = ANY if shape.accepts_any else shape.items
        if item is None:
            self._unexpected(node, shape)
            return
        for index, each in enumerate(node.items):
            self.value(each, item, where, (*path, index))

    def _unexpected(self, node: Node, shape: Shape) -> None:
        self.findings.error("schema-wrong-value", node.span, f"expected {shape.expected}, found {describe(node)}")

    # ----------------------------------------------------------------------------------------------------- maps

    def _mapping(self, node: MappingNode, shape: Shape, where: Availability, path: Path) -> None:
        maps = list(_ANY_MAP if shape.accepts_any else shape.maps)
        if not maps:
            self._unexpected(node, shape)
            return
        first = maps[0]
        seen: dict[str, ScalarNode] = {}
        computed = False
        for entry in node.written:
            if "${{" in entry.name:
                key = self._computed_key(
                    entry, where, may_be_computed=where.allows_expressions and not first.plain_keys
                )
                if key is None:
                    computed = True
                    well_known = bool(first.keys) or first.other is None
                    inner = ANY if well_known else first.other or ANY
                    if where.allows_expressions:
                        self.value(entry.value, inner, where, (*path, entry.name))
                    continue
            else:
                key = entry.name
            original = seen.get(key.lower())
            if original is not None:
                self._duplicate(entry.key, original)
                continue
            seen[key.lower()] = entry.key
            known = _match(maps, key)
            if known is None and first.other is not None:
                self._loose_key(entry.key, key, shape)
                known = first.other
            if known is None:
                self._unknown(entry.key, key, maps, path)
            else:
                self.value(entry.value, known, where, (*path, key))
        self._complete(node, maps, {name.key for name in seen.values()}, path, computed=computed)

    def _computed_key(self, entry: Entry, where: Availability, *, may_be_computed: bool) -> str | None:
        """Return the key if it is plain text after all, and None for an expression, right or wrong."""
        if is_insert(entry.name):
            if not may_be_computed:
                self.findings.error("expression-not-allowed", entry.key.span, "an expression is not allowed here")
            return None
        template = self._template(entry.key, entry.name, where)
        if template is None:
            return entry.name  # as on GitHub, which goes on with the text as it is
        if template.is_literal:
            return template.text({})
        if not may_be_computed:
            self.findings.error("expression-not-allowed", entry.key.span, "an expression is not allowed here")
        return None

    def _loose_key(self, node: ScalarNode, key: str, shape: Shape) -> None:
        if not key and not shape.accepts_any:
            self.findings.error("schema-wrong-value", node.span, "expected a name as the key, found empty text")

    def _duplicate(self, key: ScalarNode, first: ScalarNode) -> None:
        spelling = "" if key.key == first.key else f" as '{first.key}' (case does not matter)"
        self.findings.error(
            "yaml-duplicate-key",
            key.span,
            f"'{key.key}' is already defined{spelling}",
            hint=f"the first one is at line {first.span.line}, column {first.span.column}",
        )

    def _unknown(self, node: ScalarNode, key: str, maps: list[MapShape], path: Path) -> None:
        known = list(dict.fromkeys(name for shape in maps for name in shape.keys))
        hint = did_you_mean(key, known, otherwise=f"known keys: {', '.join(known)}")
        if key == "<<":
            hint = "YAML 1.2 has no merge keys; repeat the keys"
        self.findings.error("schema-unknown-key", node.span, f"unknown key '{key}' {place(path)}", hint=hint)

    def _complete(
        self, node: MappingNode, maps: list[MapShape], present: set[str], path: Path, *, computed: bool
    ) -> None:
        if len(maps) > 1:
            telling = sentence_list(_telling(maps), conjunction="or")
            message = f"missing one of the keys {telling} {place(path)}"
            self.findings.error("schema-missing-key", node.span, message)
            return
        if computed:
            return
        for name, key in maps[0].keys.items():
            if key.required and name not in present and not present & set(key.unless):
                message = f"missing key '{name}' {place(path)}"
                self.findings.error("schema-missing-key", node.span, message, hint=missing_hint(name))


_ANY_MAP = (MapShape({}, ANY),)


def _fits(node: ScalarNode, shape: Shape) -> bool:
    """Tell whether a scalar without expressions is right."""
    value = node.value
    kinds = (
        shape.accepts_any
        or (shape.null and value is None)
        or (shape.flag and isinstance(value, bool))
        or (shape.number and isinstance(value, float))
    )
    if kinds or shape.text is None:
        return kinds
    if shape.strict and not isinstance(value, str):
        return False
    return _fits_text(node.key, shape.text)


def _fits_text(text: str, shape: TextShape) -> bool:
    if shape.constants:
        return text in shape.constants
    return bool(text) or not shape.non_empty


def _match(maps: list[MapShape], key: str) -> Shape | None:
    """Return the shape of a known key; alternatives that do not have the key are out of question from then on."""
    having = [shape for shape in maps if key in shape.keys]
    if not having:
        return None
    maps[:] = having
    return having[0].keys[key].shape


def _telling(maps: list[MapShape]) -> list[str]:
    """Return the keys that would tell the alternatives apart."""
    required = (name for shape in maps for name, key in shape.keys.items() if key.required)
    return [f"'{name}'" for name in dict.fromkeys(required)]
