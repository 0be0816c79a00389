"""The library: every public name with its signature and what its docstring says."""

import ast
import enum
import inspect
from collections.abc import Iterator
from pathlib import Path

from markdown_text import code, fence, page, table
from source_code import class_source, docstring_under, function_signature, method_signature, top_level

import skyflow

__all__ = ["render"]


def render() -> str:
    """Return the page."""
    names = sorted(skyflow.__all__, key=str.lower)
    functions = [name for name in names if inspect.isfunction(getattr(skyflow, name))]
    errors = [name for name in names if _is_a(name, Exception)]
    types = [name for name in names if name not in functions and name not in errors]
    _, _, example = inspect.cleandoc(skyflow.__doc__ or "").partition("\n\n")
    parts = [
        (
            "Everything that `import skyflow` offers. The command line is made of the same functions. Importing is cheap: "
            "each name is loaded when it is first used."
        ),
        fence(_dedented_code(example), "python"),
        "## Functions",
        *(part for name in functions for part in _function(name)),
        "## Types",
        *(part for name in types for part in _type(name)),
        "## Errors",
        "All are `skyflow.SkyflowError`; see [Exit codes](exit-codes.md) for the whole tree.",
        table(("error", "meaning"), [(code(name), _first(getattr(skyflow, name))) for name in errors]),
    ]
    return page("Python API", source="`skyflow.__all__`", parts=parts)


def _is_a(name: str, kind: type) -> bool:
    value = getattr(skyflow, name)
    return isinstance(value, type) and issubclass(value, kind)


def _dedented_code(text: str) -> str:
    """Return the indented block of a docstring."""
    lines = text.split("\n")
    return inspect.cleandoc("\n".join(["", *(line for line in lines if not line or line.startswith("    "))])).strip()


def _first(value: object) -> str:
    return " ".join((inspect.getdoc(value) or "").split("\n\n")[0].split())


def _function(name: str) -> Iterator[str]:
    value = getattr(skyflow, name)
    source = top_level(name, Path(inspect.getfile(value)))
    if not isinstance(source, ast.FunctionDef):
        raise TypeError(f"{name} is not a function")
    yield f"### `{name}`"
    yield fence(function_signature(source, Path(inspect.getfile(value))), "python")
    yield from _docstring(inspect.getdoc(value) or "")


def _docstring(text: str) -> Iterator[str]:
    """Yield a Google-style docstring as Markdown; its sections become lists."""
    for block in text.split("\n\n"):
        head, *lines = block.split("\n")
        if head in {"Args:", "Raises:", "Returns:"} and lines:
            yield f"{head.removesuffix(':').replace('Args', 'Arguments')}:"
            yield "\n".join(_items(lines))
        else:
            yield " ".join(block.split())


def _items(lines: list[str]) -> Iterator[str]:
    items: list[str] = []
    indent = len(lines[0]) - len(lines[0].lstrip())
    for line in lines:
        if len(line) - len(line.lstrip()) == indent:
            items.append(line.strip())
        else:
            items[-1] += f" {line.strip()}"
    for item in items:
        name, colon, rest = item.partition(":")
        yield f"- {code(name)}:{rest}" if colon else f"- {item}"


def _type(name: str) -> Iterator[str]:
    kind = getattr(skyflow, name)
    yield f"### `{name}`"
    yield from _docstring(inspect.getdoc(kind) or "")
    body = class_source(kind).body
    if issubclass(kind, enum.Enum):
        docs = dict(docstring_under(body))
        yield table(
            ("member", "value", "meaning"),
            [(code(member.name), code(str(member.value)), " ".join(docs[member.name].split())) for member in kind],
        )
        return
    rows = [(code(field), code(annotation), about) for field, annotation, about in _attributes(body)]
    if rows:
        yield table(("attribute", "type", "meaning"), rows)
    methods = [
        part for part in body if isinstance(part, ast.FunctionDef) and _is_public(part) and not _is_property(part)
    ]
    for method in methods:
        yield f"{code('.' + method_signature(method))}: {_method_doc(method)}"


def _attributes(body: list[ast.stmt]) -> Iterator[tuple[str, str, str]]:
    """Yield the fields and properties of a class."""
    for part in body:
        if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name):
            yield part.target.id, ast.unparse(part.annotation), ""
        elif isinstance(part, ast.FunctionDef) and _is_property(part) and part.returns:
            yield part.name, ast.unparse(part.returns), _method_doc(part)


def _is_public(function: ast.FunctionDef) -> bool:
    return not function.name.startswith("_")


def _is_property(function: ast.FunctionDef) -> bool:
    return any(isinstance(name, ast.Name) and name.id == "property" for name in function.decorator_list)


def _method_doc(function: ast.FunctionDef) -> str:
    return " ".join((ast.get_docstring(function) or "").split("\n\n")[0].split())
