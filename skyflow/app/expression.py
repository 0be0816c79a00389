"""Evaluates one expression for a person."""

import json
import sys
from pathlib import Path

from skyflow._util.foreign_json import read_json, whole_characters
from skyflow.errors import UsageError
from skyflow.expr import Object, Value, evaluate, from_python, parse, parse_template, to_python

__all__ = ["evaluate_text"]


def evaluate_text(text: str, *, context_path: str | None) -> str:
    """Return the value of an expression, or of a text with `${{ }}`, as JSON.

    Args:
        text: the expression.
        context_path: a JSON file whose top-level keys are the contexts, `-` for standard input, None for none.

    Raises:
        UsageError: the context file is missing or is not a JSON object.
        ExpressionError: the expression does not parse or evaluate.
    """
    contexts = _read_contexts(context_path)
    value: Value
    if "${{" in text:
        value = parse_template(text, names=contexts.keys()).evaluate(contexts)
    else:
        tree = parse(text, names=contexts.keys())
        value = None if tree is None else evaluate(tree, contexts)
    return json.dumps(to_python(value), indent=2, ensure_ascii=False)


def _read_contexts(path: str | None) -> dict[str, Value]:
    if path is None:
        return {}
    try:
        text = sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
        found = from_python(read_json(whole_characters(text)))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"{path} is not JSON: {error}") from error
    if not isinstance(found, Object):
        raise UsageError(f"{path} must hold a JSON object whose keys are the contexts")
    return dict(found.items())
