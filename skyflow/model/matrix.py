"""How `strategy.matrix` becomes jobs: the product of its vectors, less `exclude`, plus `include`.

1. Vectors are combined in file order; the first varies slowest.
2. A combination goes out if one `exclude` entry matches it: every leaf of the entry equals, as `==` does, the value at the
   same place of the combination.
3. An `include` entry is split into the keys that are vectors (its filter) and the others (extras). The extras go into
   every combination whose vector values match the filter; later entries overwrite earlier extras, never vector values.
4. An entry that matched nothing becomes a combination of its own, after the others.
"""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

from skyflow.errors import ExpressionError
from skyflow.expr import Array, Object, Value, to_string
from skyflow.expr.values import loosely_equal

__all__ = ["MAX_COMBINATIONS", "Combination", "MatrixError", "combination_name", "expand_matrix"]

MAX_COMBINATIONS = 256
"""How many jobs one matrix may become; GitHub's limit."""
_MAX_PRODUCT = 65_536  # before `exclude`; a guard against minutes of counting
_MAX_NAME = 100


class MatrixError(ExpressionError):
    """A matrix does not make sense; `path` leads from the matrix to the culprit, for example `("include", 0)`."""

    def __init__(self, message: str, path: tuple[str | int, ...] = ()) -> None:
        super().__init__(message)
        self.path = path


@dataclass(frozen=True, slots=True)
class Combination:
    """One job of a matrix.

    `values` is its `matrix` context. `labels` tell it from its siblings: the vector values, as text.
    """

    values: Object
    labels: tuple[str, ...]


@dataclass(slots=True)
class _Include:
    """One `include` entry, and whether any combination took it."""

    filter: Object
    extras: Object
    matched: bool = False


def expand_matrix(matrix: Value) -> tuple[Combination, ...]:
    """Return the combinations of an evaluated `strategy.matrix`, in the order GitHub runs them.

    Raises:
        MatrixError: it is not a matrix, or gives no job, or more than `MAX_COMBINATIONS`.
    """
    if not isinstance(matrix, Object):
        raise MatrixError("a matrix must be a map from names to lists of values")
    for name, value in matrix.items():
        _check_numbers(name, value)
    vectors = Object((name, value) for name, value in matrix.items() if name not in {"include", "exclude"})
    lists = {name: _vector(name, value) for name, value in vectors.items()}
    excludes = _exclude_entries(matrix, vectors)
    includes = _include_entries(matrix, vectors)
    if not lists and not includes:
        raise MatrixError("a matrix needs at least one list of values, or 'include' with at least one entry")
    combinations: list[Combination] = []
    for candidate in itertools.chain(_product(lists, excludes, includes), _left_over(includes)):
        if len(combinations) == MAX_COMBINATIONS:
            raise MatrixError(f"the matrix makes more than {MAX_COMBINATIONS} jobs")
        combinations.append(candidate)
    if not combinations:
        raise MatrixError("'exclude' leaves no combination of the matrix", ("exclude",))
    return tuple(combinations)


def combination_name(name: str, combination: Combination) -> str:
    """Return `name (value, value)`, cut to 100 characters as on GitHub."""
    full = f"{name} ({', '.join(combination.labels)})" if combination.labels else name
    return full if len(full) <= _MAX_NAME else f"{full[: _MAX_NAME - 3]}..."


def _check_numbers(name: str, value: Value) -> None:
    """Refuse numbers that JSON has no words for: what is stored and shown of a job is JSON."""
    if isinstance(value, Array | Object):
        for item in value if isinstance(value, Array) else value.values():
            _check_numbers(name, item)
    elif isinstance(value, float) and not math.isfinite(value):
        raise MatrixError(
            f"'{name}' in the matrix holds {to_string(value)}, which is no number that can be kept", (name,)
        )


def _vector(name: str, value: Value) -> tuple[Value, ...]:
    if not isinstance(value, Array):
        raise MatrixError(f"'{name}' in the matrix must be a list of values", (name,))
    if not value.items:
        raise MatrixError(f"'{name}' in the matrix is an empty list", (name,))
    return value.items


def _entries(matrix: Object, key: str) -> Iterator[tuple[int, Object]]:
    """Yield the entries of `include` or `exclude` with their indexes."""
    if key not in tuple(matrix):
        return
    entries = matrix.get(key)
    if not isinstance(entries, Array):
        raise MatrixError(f"'{key}' in the matrix must be a list of maps", (key,))
    for index, entry in enumerate(entries.items):
        if not isinstance(entry, Object):
            raise MatrixError(f"each entry of '{key}' must be a map", (key, index))
        if not len(entry):
            raise MatrixError(f"this entry of '{key}' is empty", (key, index))
        yield index, entry


def _exclude_entries(matrix: Object, vectors: Object) -> list[Object]:
    excludes: list[Object] = []
    for index, entry in _entries(matrix, "exclude"):
        for name in entry:
            if name not in vectors:
                raise MatrixError(
                    f"'exclude' names '{name}', which is no list of this matrix", ("exclude", index, name)
                )
        excludes.append(entry)
    return excludes


def _include_entries(matrix: Object, vectors: Object) -> list[_Include]:
    return [
        _Include(
            filter=Object((name, value) for name, value in entry.items() if name in vectors),
            extras=Object((name, value) for name, value in entry.items() if name not in vectors),
        )
        for _, entry in _entries(matrix, "include")
    ]


def _product(
    lists: dict[str, tuple[Value, ...]], excludes: list[Object], includes: list[_Include]
) -> Iterator[Combination]:
    if not lists:
        return
    if math.prod(len(values) for values in lists.values()) > _MAX_PRODUCT:
        raise MatrixError(f"the matrix makes more than {MAX_COMBINATIONS} jobs")
    for values in itertools.product(*lists.values()):
        base = Object(zip(lists, values, strict=True))
        if any(_matches(entry, base) for entry in excludes):
            continue
        extras: list[tuple[str, Value]] = []
        for include in includes:
            if _matches(include.filter, base):
                include.matched = True
                extras.extend(include.extras.items())
        yield Combination(values=Object([*base.items(), *extras]), labels=_labels(base))


def _left_over(includes: list[_Include]) -> Iterator[Combination]:
    """Yield the entries that no combination took; called once the product is through."""
    for include in includes:
        if not include.matched:
            own = Object([*include.filter.items(), *include.extras.items()])
            yield Combination(values=own, labels=_labels(own))


def _matches(wanted: Value, actual: Value) -> bool:
    """Tell whether every leaf of `wanted` equals the value at the same place of `actual`."""
    if isinstance(wanted, Object):
        inner = actual if isinstance(actual, Object) else Object()
        return all(_matches(value, inner.get(name)) for name, value in wanted.items())
    if isinstance(wanted, Array):
        items = actual.items if isinstance(actual, Array) else ()
        padded = itertools.chain(items, itertools.repeat(None))
        return all(_matches(value, item) for value, item in zip(wanted.items, padded, strict=False))
    return loosely_equal(actual, wanted)


def _labels(value: Value) -> tuple[str, ...]:
    """Return the leaves of a value as text, without the empty ones."""
    if isinstance(value, Object | Array):
        children = value.values() if isinstance(value, Object) else value.items
        return tuple(label for child in children for label in _labels(child))
    text = to_string(value)
    return (text,) if text else ()
