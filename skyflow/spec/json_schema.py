"""Writes a grammar down as JSON Schema, for editors.

The schema refuses nothing that the grammar accepts. It knows less: of an expression only that there is one, and nothing
of what repeated keys or one key forbid another.
"""

from collections.abc import Mapping
from typing import TypeAlias

from skyflow.spec.availability import Availability, union
from skyflow.spec.grammar.shapes import MapShape, Shape, TextShape

__all__ = ["JsonSchema", "to_json_schema"]

JsonSchema: TypeAlias = dict[str, "object"]

_EXPRESSION = r"\$\{\{"
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def to_json_schema(grammar: Shape, *, title: str) -> JsonSchema:
    """Return the schema of a whole file."""
    writer = _Writer()
    root = writer.shape(grammar, grammar.where)
    head: JsonSchema = {
        "$schema": _DIALECT,
        "title": title,
        "$comment": "Made from skyflow/spec/grammar by site/gen/build.py. `x-expected` says in words what a value is.",
    }
    return {**head, **root, "$defs": dict(sorted(writer.definitions.items()))}


class _Writer:
    """Writes shapes; maps with a name become definitions, written once."""

    def __init__(self) -> None:
        self.definitions: dict[str, JsonSchema] = {}

    def shape(self, shape: Shape, around: Availability) -> JsonSchema:
        """Return the schema of one shape."""
        where = union(around, shape.where)
        written: JsonSchema = {"description": shape.description} if shape.description else {}
        if shape.accepts_any:
            return written
        written["x-expected"] = shape.expected
        options = [*_scalars(shape, where)]
        if shape.items is not None:
            options.append({"type": "array", "items": self.shape(shape.items, where)})
        options += [self._map(mapping, where) for mapping in shape.maps]
        return {**written, **options[0]} if len(options) == 1 else {**written, "anyOf": options}

    def _map(self, mapping: MapShape, where: Availability) -> JsonSchema:
        if not mapping.name:
            return self._object(mapping, where)
        if mapping.name not in self.definitions:
            self.definitions[mapping.name] = {}
            self.definitions[mapping.name] = self._object(mapping, where)
        return {"$ref": f"#/$defs/{mapping.name}"}

    def _object(self, mapping: MapShape, where: Availability) -> JsonSchema:
        written: JsonSchema = {"type": "object"}
        if mapping.keys:
            written["properties"] = {name: self.shape(key.shape, where) for name, key in mapping.keys.items()}
        if where.allows_expressions:
            written["patternProperties"] = {_EXPRESSION: {}}
        else:
            written.update(_required(mapping))
        written["additionalProperties"] = False if mapping.other is None else self.shape(mapping.other, where)
        return written


def _required(mapping: MapShape) -> Mapping[str, object]:
    always = [name for name, key in mapping.keys.items() if key.required and not key.unless]
    either = [(name, *key.unless) for name, key in mapping.keys.items() if key.required and key.unless]
    written: JsonSchema = {"required": always} if always else {}
    if either:
        written["allOf"] = [{"anyOf": [{"required": [name]} for name in names]} for names in either]
    return written


def _scalars(shape: Shape, where: Availability) -> list[JsonSchema]:
    """Return the alternatives that are scalars."""
    types = [name for name, has in (("null", shape.null), ("boolean", shape.flag), ("number", shape.number)) if has]
    text = shape.text
    options: list[JsonSchema] = []
    if text is not None and text.constants:
        options.append({"enum": list(text.constants)})
    elif text is not None:
        return [_free_text(text, types, strict=shape.strict)]
    if types:
        options.append({"type": types if len(types) > 1 else types[0]})
    if where.allows_expressions or text is not None:  # a constant may be written as an expression anywhere
        options.append({"type": "string", "pattern": _EXPRESSION})
    return options


def _free_text(text: TextShape, types: list[str], *, strict: bool) -> JsonSchema:
    others = types if strict else ["number", "boolean", *([] if text.non_empty and "null" not in types else ["null"])]
    written: JsonSchema = {"type": ["string", *others] if others else "string"}
    if text.non_empty:
        written["minLength"] = 1
    return written
