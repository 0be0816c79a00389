"""Reads docstrings and signatures from the source text, so that pages do not depend on the Python that makes them."""

import ast
import inspect
import textwrap
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

__all__ = ["attribute_docs", "class_source", "docstring_under", "function_signature", "method_signature", "top_level"]


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def attribute_docs(module: ModuleType) -> dict[str, str]:
    """Return the names assigned in a module that have a docstring below them, with that docstring."""
    return dict(docstring_under(_tree(Path(inspect.getfile(module))).body))


def docstring_under(body: list[ast.stmt]) -> Iterator[tuple[str, str]]:
    """Yield every assigned name with the docstring below it; without one, an empty text."""
    for statement, after in zip(body, [*body[1:], ast.Pass()], strict=True):
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            name = statement.targets[0].id
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            name = statement.target.id
        else:
            continue
        is_doc = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
        yield name, inspect.cleandoc(str(after.value.value)) if is_doc else ""  # type: ignore[attr-defined]


def top_level(name: str, path: Path) -> ast.ClassDef | ast.FunctionDef:
    """Return the class or function of this name in a file.

    Raises:
        LookupError: there is none.
    """
    for statement in _tree(path).body:
        if isinstance(statement, ast.ClassDef | ast.FunctionDef) and statement.name == name:
            return statement
    raise LookupError(f"{path} defines no {name}")


def class_source(kind: type) -> ast.ClassDef:
    """Return the source tree of a class.

    Raises:
        LookupError: its module does not define it at the top level.
        TypeError: it is no class.
    """
    found = top_level(kind.__name__, Path(inspect.getfile(kind)))
    if not isinstance(found, ast.ClassDef):
        raise TypeError(f"{kind.__name__} is no class")
    return found


def function_signature(function: ast.FunctionDef, path: Path) -> str:
    """Return the signature as it is written, without `def` and the colon."""
    lines = path.read_text(encoding="utf-8").splitlines()[function.lineno - 1 : function.body[0].lineno - 1]
    return textwrap.dedent("\n".join(lines)).removeprefix("def ").removesuffix(":")


def method_signature(function: ast.FunctionDef) -> str:
    """Return the signature of a method on one line, as it is called."""
    arguments = ", ".join(part for part in ast.unparse(function.args).split(", ") if part not in {"self", "cls"})
    return f"{function.name}({arguments})"
