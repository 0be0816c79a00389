"""The names of the fields of dataclasses, looked up once for each class: `dataclasses.fields` does it every time."""

from dataclasses import fields, is_dataclass

__all__ = ["field_names"]

_KNOWN: dict[type, tuple[str, ...]] = {}


def field_names(value: object) -> tuple[str, ...]:
    """Return the names of the fields of a dataclass instance in order; none for any other value."""
    kind = type(value)
    if kind not in _KNOWN:
        _KNOWN[kind] = tuple(field.name for field in fields(kind)) if is_dataclass(kind) else ()
    return _KNOWN[kind]
