"""Files and functions stay small enough to be read, and no two modules need each other.

Lines of code are all but blank ones and comments, docstrings among them. `lint-imports` sees to the layers.
"""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from statistics import median, quantiles

import pytest

ROOT = Path(__file__).parents[2]
PARTS = ("skyflow", "tests", "site/gen", "catalogs", "release", ".ci")
MODULE, FUNCTION, PUBLIC_NAMES = 400, 60, 25


@pytest.fixture(scope="module")
def trees() -> dict[Path, ast.Module]:
    files = [file for part in PARTS for file in sorted((ROOT / part).rglob("*.py"))]
    return {file.relative_to(ROOT): ast.parse(file.read_bytes()) for file in files}


def lines_of_code(file: Path) -> int:
    lines = (line.strip() for line in (ROOT / file).read_text().splitlines())
    return sum(1 for line in lines if line and not line.startswith("#"))


def functions(trees: dict[Path, ast.Module]) -> Iterator[tuple[str, int]]:
    for file, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
                yield f"{file}:{node.lineno} {node.name}", node.end_lineno - node.lineno + 1


def imported(tree: ast.Module) -> Iterator[str]:
    """Yield the modules that one imports anywhere, in functions and for types too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def module_name(file: Path) -> str:
    parts = file.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_a_module_is_short(trees: dict[Path, ast.Module]) -> None:
    lengths = {file: lines_of_code(file) for file in trees}
    assert {file: length for file, length in lengths.items() if length > MODULE} == {}
    of_package = [length for file, length in lengths.items() if file.parts[0] == "skyflow"]
    assert median(of_package) <= 90
    assert quantiles(of_package, n=10)[-1] <= 250


def test_a_function_is_short(trees: dict[Path, ast.Module]) -> None:
    lengths = dict(functions(trees))
    assert {name: length for name, length in lengths.items() if length > FUNCTION} == {}
    assert quantiles(lengths.values(), n=20)[-1] <= 40


def test_no_modules_import_each_other_in_a_circle(trees: dict[Path, ast.Module]) -> None:
    """`lint-imports` looks at siblings only; this, at what a package and the modules in it import of each other, too."""
    modules = {module_name(file): tree for file, tree in trees.items() if file.parts[0] == "skyflow"}
    del modules["skyflow"]  # it names what users import, and imports none of it by itself
    graph = {name: {each for each in imported(tree) if each in modules} - {name} for name, tree in modules.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"a circle of imports: {' -> '.join(reversed(error.args[1]))}")


def test_what_a_user_imports_is_little() -> None:
    import skyflow

    assert len(skyflow.__all__) <= PUBLIC_NAMES
