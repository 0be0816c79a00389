"""The exit codes and the errors that lead to them."""

from markdown_text import code, page, sentence, table
from source_code import attribute_docs

from skyflow import errors

__all__ = ["render"]

_PREFIX = "EXIT_"


def render() -> str:
    """Return the page."""
    docs = attribute_docs(errors)
    names = [name for name in docs if name.startswith(_PREFIX)]
    parts = [
        "`skyflow` ends with one of these numbers. Scripts can rely on them; the constants are in `skyflow.errors`.",
        table(
            ("code", "constant", "meaning", "errors that lead to it"),
            [
                (str(getattr(errors, name)), code(name), docs[name], _errors_with(getattr(errors, name)))
                for name in names
            ],
        ),
        (
            "`skyflow validate` uses 0, 2 and 3. `skyflow run` and `skyflow resume` use 1 when the run has completed in "
            "another conclusion than success: a job that fails is a result, not an error."
        ),
        "## Errors",
        (
            "In Python everything that skyflow raises on purpose is a `SkyflowError`. Its `message` is a sentence for the "
            "user, its `hint` says what to do where that is known, and its `exit_code` is the number above."
        ),
        table(
            ("error", "is a", "exit code", "meaning"),
            [
                (code(kind.__name__), code(kind.__mro__[1].__name__), str(kind.exit_code), sentence(kind.__doc__))
                for kind in _tree(errors.SkyflowError)
            ],
        ),
    ]
    return page("Exit codes", source="`skyflow/errors.py`", parts=parts)


def _tree(kind: type[errors.SkyflowError]) -> list[type[errors.SkyflowError]]:
    children = [child for child in kind.__subclasses__() if child.__module__ == errors.__name__]
    return [kind, *(below for child in children for below in _tree(child))]


def _errors_with(number: int) -> str:
    """Name the topmost errors with an exit code."""
    found = [
        kind for kind in _tree(errors.SkyflowError) if kind.exit_code == number and kind is not errors.SkyflowError
    ]
    topmost = [kind for kind in found if kind.__mro__[1] not in found]
    return ", ".join(code(kind.__name__) for kind in topmost)
