"""The expression language: what there is, and examples that are evaluated while the page is made."""

import json
from typing import Any

from markdown_text import code, page, table

from skyflow.expr import BUILTINS, FunctionSpec, answer
from skyflow.spec import availability

__all__ = ["render"]

_FUNCTIONS = {
    "contains": ("contains(searched, wanted)", "Whether a text holds another one, or an array an equal item."),
    "startswith": ("startsWith(text, beginning)", "Whether a text begins with another one."),
    "endswith": ("endsWith(text, end)", "Whether a text ends with another one."),
    "format": (
        "format(pattern, value, ...)",
        "Puts values in the place of `{0}`, `{1}`, ...; `{{` and `}}` are braces.",
    ),
    "join": (
        "join(array, separator)",
        "The items of an array as one text; without a separator, commas are between them.",
    ),
    "tojson": ("toJSON(value)", "A value as JSON text, indented by two spaces."),
    "fromjson": ("fromJSON(text)", "The value that a JSON text stands for."),
    "case": (
        "case(condition, value, ..., otherwise)",
        (
            "The value behind the first condition that is true, or the last argument. Conditions must be true or false; "
            "only the chosen value is evaluated."
        ),
    ),
}
"""How each built-in function is called and what it does."""

_FUNCTION_EXAMPLES = (
    "contains('Skyflow', 'FLOW')",
    "contains(fromJSON('[\"oak\", \"pine\"]'), 'oak')",
    "startsWith('refs/tags/v1', 'refs/tags/')",
    "endsWith('train.py', '.py')",
    "format('{0} of {1}', 3, 12)",
    "join(fromJSON('[1, 2, 3]'), '-')",
    "toJSON(fromJSON('{\"a\": [1, null]}'))",
    "fromJSON('[1, 2]')[1]",
    "case(1 > 2, 'more', 1 == 2, 'same', 'less')",
)
_OPERATORS = (
    ("`( )`", "grouping"),
    ("`[ ]`, `.`", "an item of an array or a property of an object; null where there is none"),
    ("`.*`", "every item or property; what follows is applied to each"),
    ("`!`", "not"),
    ("`<` `<=` `>` `>=`", "order"),
    ("`==` `!=`", "equality"),
    ("`&&`", "the first operand that counts as false, else the last one"),
    ("`||`", "the first operand that counts as true, else the last one"),
)
_COERCION_EXAMPLES = (
    "'Oak' == 'oak'",
    "1 == '1'",
    "'' == 0",
    "null == 0",
    "true == 1",
    "'abc' == 0",
    "'0x1f' == 31",
    "fromJSON('[]') == fromJSON('[]')",
    "!''",
    "!'false'",
    "'' || 'default'",
    "1 && 'second'",
    "github.missing.deeper",
    "github.jobs.*.name",
)
_CONTEXT: dict[str, Any] = {"github": {"jobs": [{"name": "build"}, {"name": "test"}]}}

_PLACES = (
    ("`env` of the workflow", availability.WORKFLOW_ENV),
    ("`jobs.<id>.if`", availability.JOB_IF),
    ("`jobs.<id>.strategy`", availability.JOB_STRATEGY),
    (
        "`jobs.<id>.name`, `runs-on`, `timeout-minutes`, `continue-on-error`",
        availability.JOB,
    ),
    ("`jobs.<id>.env`", availability.JOB_ENV),
    ("`jobs.<id>.defaults`", availability.JOB_DEFAULTS),
    ("`jobs.<id>.outputs`", availability.JOB_OUTPUTS),
    ("`if` of a step", availability.STEP_IF),
    ("other keys of a step", availability.STEP),
)


def render() -> str:
    """Return the page."""
    parts = [
        (
            "`${{ }}` holds an expression of GitHub's language. Around it there may be text; the value is then turned into "
            "text as well. In `if` the `${{ }}` may be left out. `skyflow expr` evaluates an expression by itself; see "
            "[Evaluate an expression](../how-to/evaluate-an-expression.md). The values on this page are what skyflow "
            "answered when the page was made."
        ),
        "## Values",
        (
            "There are null, `true` and `false`, numbers (64-bit floating point, also `0x1f`, `0o17` and `1.5e3`), texts in "
            "single quotes (`''` is a quote within), arrays and objects. Names of properties, functions and contexts are "
            "found whatever their case."
        ),
        "## Operators",
        "From the strongest to the weakest:",
        table(("operator", "meaning"), _OPERATORS),
        "## What counts as what",
        (
            "- As a condition, `false`, null, `0`, `-0`, `NaN` and the empty text count as false, everything else as true.\n"
            "- Two texts are compared ignoring case.\n"
            "- Two values of different kinds are compared as numbers: null is 0, `true` is 1, the empty text is 0, a text "
            "that is no number is `NaN`, and `NaN` equals nothing.\n"
            "- Two arrays or objects are equal only if they are the same one.\n"
            "- Inside a text, null becomes nothing, a number its shortest form, an array `Array` and an object `Object`."
        ),
        table(("expression", "value"), [_example(text) for text in _COERCION_EXAMPLES]),
        "The context of the last two was " + code(json.dumps(_CONTEXT)) + ".",
        "## Functions",
        "These can be called everywhere:",
        table(("call", "arguments", "meaning"), [_function(name, spec) for name, spec in BUILTINS.items()]),
        table(("expression", "value"), [_example(text) for text in _FUNCTION_EXAMPLES]),
        (
            "In an `if` there are four more: `success()`, `failure()`, `cancelled()` and `always()`. "
            "[Conditions](../explanation/conditions.md) says what they look at. In steps there is `hashFiles()`: a SHA-256 "
            "over the files of the workspace that match its patterns, the same as on GitHub, or nothing if no file does."
        ),
        "## What can be named where",
        (
            "An expression may name these contexts and, beside the functions above, these functions. Anything else is an "
            "error when the file is read, even where it would never be evaluated."
        ),
        table(("key", "contexts", "functions"), [_place(key, where) for key, where in _PLACES]),
    ]
    return page("Expressions", source="`skyflow/expr` and `skyflow/spec/availability.py`", parts=parts)


def _function(name: str, spec: FunctionSpec) -> tuple[str, str, str]:
    call, meaning = _FUNCTIONS[name]
    least, most = spec.min_args, spec.max_args
    count = str(least) if least == most else f"{least} or more" if most is None else f"{least} to {most}"
    return code(call), count + (", an odd number" if spec.odd_args else ""), meaning


def _example(text: str) -> tuple[str, str]:
    result = json.loads(answer(json.dumps({"expr": text, "context": _CONTEXT})))
    if "error" in result:
        raise ValueError(f"{text}: {result['error']}")
    return code(text), code(json.dumps(result["value"]))


def _place(key: str, where: availability.Availability) -> tuple[str, str, str]:
    extra = [spec.name for name, spec in where.functions.items() if name not in BUILTINS]
    contexts = ", ".join(code(name) for name in where.contexts)
    return key, contexts, ", ".join(code(name) for name in sorted(extra))
