"""What a grammar is made of: the shapes a value may have, as data.

A `Shape` says which kinds of value are right at a place; `walk` compares a tree with it, and `json_schema` writes it
down for editors. Shapes follow GitHub's own schema in how they combine: what a key allows in expressions is added to
what the keys around it allow, and where expressions are allowed one may stand in place of any value.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from skyflow.spec.availability import NOTHING, Availability

__all__ = [
    "ANY",
    "Key",
    "MapShape",
    "Shape",
    "TextShape",
    "flag",
    "items",
    "number",
    "one_of",
    "quantity",
    "table",
    "text",
]


@dataclass(frozen=True, slots=True)
class TextShape:
    """A text: any, one that is not empty, or one of `constants`. Numbers, booleans and null count as text."""

    constants: tuple[str, ...] = ()
    non_empty: bool = False


@dataclass(frozen=True, slots=True)
class Key:
    """A known key of a map; `unless` are the keys that make up for it where it is missing."""

    shape: "Shape"
    required: bool = False
    unless: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MapShape:
    """A map: `keys` that are known, and `other`, the shape of the values of any further key.

    `name` is what it is called in the JSON Schema, where it is worth a name. With `plain_keys` no key may be an
    expression, although the values may.
    """

    keys: Mapping[str, Key] = field(default_factory=dict)
    other: "Shape | None" = None
    name: str = ""
    plain_keys: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """The kinds of value that are right at a place.

    `expected` completes the sentence "expected ...". `maps` are alternatives, told apart by their keys. `accepts_any` leaves the kind open; with
    `strict`, nothing but a text counts as text.
    """

    expected: str
    description: str = ""
    text: TextShape | None = None
    null: bool = False
    flag: bool = False
    number: bool = False
    items: "Shape | None" = None
    maps: tuple[MapShape, ...] = ()
    where: Availability = NOTHING
    accepts_any: bool = False
    strict: bool = False

    def at(self, where: Availability, description: str = "") -> "Shape":
        """Return the shape with expressions as `where` allows them."""
        return replace(self, where=where, description=description or self.description)

    def about(self, description: str) -> "Shape":
        """Return the shape with another description."""
        return replace(self, description=description)


ANY = Shape("a value", accepts_any=True)
"""Any value at all."""


def text(expected: str = "text", *constants: str, non_empty: bool = False) -> Shape:
    """Return the shape of a text without expressions."""
    return Shape(expected, text=TextShape(constants, non_empty))


def flag(where: Availability = NOTHING) -> Shape:
    """Return the shape of true and false."""
    return Shape("true, false or an expression" if where.contexts else "true or false", flag=True, where=where)


def number(where: Availability = NOTHING) -> Shape:
    """Return the shape of a number."""
    return Shape("a number or an expression" if where.contexts else "a number", number=True, where=where)


def quantity(expected: str) -> Shape:
    """Return the shape of a text or number that `model.units` reads; null, true and false are none."""
    return Shape(expected, text=TextShape(non_empty=True), number=True, strict=True)


def items(expected: str, item: Shape) -> Shape:
    """Return the shape of a list."""
    return Shape(expected, items=item)


def table(
    expected: str,
    keys: Mapping[str, Key | Shape] | None = None,
    *,
    other: Shape | None = None,
    where: Availability = NOTHING,
    name: str = "",
    plain_keys: bool = False,
) -> Shape:
    """Return the shape of a map; keys given as bare shapes may be missing."""
    known = {key: value if isinstance(value, Key) else Key(value) for key, value in (keys or {}).items()}
    return Shape(expected, maps=(MapShape(MappingProxyType(known), other, name, plain_keys),), where=where)


def one_of(expected: str, *shapes: Shape, where: Availability = NOTHING) -> Shape:
    """Return the shape of a value that may have any of `shapes`; at most one of them is a text, and one a list."""
    return Shape(
        expected,
        text=next((shape.text for shape in shapes if shape.text), None),
        null=any(shape.null for shape in shapes),
        flag=any(shape.flag for shape in shapes),
        number=any(shape.number for shape in shapes),
        items=next((shape.items for shape in shapes if shape.items), None),
        maps=tuple(mapping for shape in shapes for mapping in shape.maps),
        where=where,
        strict=any(shape.strict for shape in shapes),
    )
