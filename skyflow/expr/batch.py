"""A line in, a line out: what `skyflow expr --batch` does, without the reading and writing.

In: `{"expr": "github.ref == 'main'", "context": {"github": {"ref": "main"}}}`. The text goes without `${{ }}`; a blank
one is null. The top-level names of `context` are all the contexts there are, so another one is the error
"Unrecognized named-value"; a missing or null `context` has none. Only the built-in functions exist.

Out: `{"value": ...}` or `{"error": "..."}`, ASCII only. Whole numbers that a double holds exactly come without a
point, and a negative zero as `0`. JSON has no NaN and no infinities, so those come as the strings "NaN", "Infinity"
and "-Infinity"; they are also taken bare in the input, where Python's own writer puts them.
"""

import json
import math
from typing import Final

from skyflow._util.foreign_json import nesting
from skyflow.errors import ExpressionError
from skyflow.expr.evaluate import evaluate
from skyflow.expr.parser import parse
from skyflow.expr.values import MAX_VALUE_DEPTH, Array, Object, Value, from_python, to_python, to_string

__all__ = ["answer"]

# The line and its context are two levels more than the values in it.
_MAX_LINE_DEPTH: Final = MAX_VALUE_DEPTH + 2


def answer(line: str) -> str:
    """Evaluate one line of input and return the line of output, without a line break; never raises."""
    try:
        return json.dumps({"value": _carried(_evaluate(line))})
    except ExpressionError as error:
        return json.dumps({"error": error.message})


def _evaluate(line: str) -> Value:
    if nesting(line) > _MAX_LINE_DEPTH:
        raise ExpressionError(f"Invalid input: nested more than {_MAX_LINE_DEPTH} levels deep")
    try:
        request: object = json.loads(line, parse_int=float)
    except ValueError as error:
        raise ExpressionError(f"Invalid input: {error}") from error
    if not isinstance(request, dict):
        raise ExpressionError("Invalid input: expected an object")
    expr: object = request.get("expr")
    if not isinstance(expr, str):
        raise ExpressionError("Invalid input: 'expr' must be a string")
    context: object = request.get("context")
    if context is None:
        context = {}
    if not isinstance(context, dict):
        raise ExpressionError("Invalid input: 'context' must be an object")
    values = {str(name): from_python(value) for name, value in context.items()}
    return evaluate(parse(expr, names=values), values)


def _carried(value: Value) -> object:
    """Return the value as data that JSON can carry."""
    if isinstance(value, float) and not math.isfinite(value):
        return to_string(value)
    if isinstance(value, Array):
        return [_carried(item) for item in value.items]
    if isinstance(value, Object):
        return {name: _carried(item) for name, item in value.items()}
    return to_python(value)
