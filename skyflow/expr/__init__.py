"""GitHub Actions' expression language: `${{ }}`, complete and exact, without I/O.

Text becomes a tree (`parse`, `parse_template`, `parse_condition`), a tree becomes a value (`evaluate`). Where
GitHub's services differ among themselves, the C# ones decide: results, messages and positions are theirs.
"""

from skyflow.expr.ast import Call, Expr
from skyflow.expr.batch import answer
from skyflow.expr.evaluate import evaluate
from skyflow.expr.functions import BUILTINS, FunctionSpec, Invocation
from skyflow.expr.parser import parse
from skyflow.expr.printer import unparse
from skyflow.expr.references import Reference, calls, referenced
from skyflow.expr.template import Condition, Template, is_insert, parse_condition, parse_template
from skyflow.expr.values import Array, Kind, Object, Value, from_python, kind, to_python, to_string, truthy

__all__ = [
    "BUILTINS",
    "Array",
    "Call",
    "Condition",
    "Expr",
    "FunctionSpec",
    "Invocation",
    "Kind",
    "Object",
    "Reference",
    "Template",
    "Value",
    "answer",
    "calls",
    "evaluate",
    "from_python",
    "is_insert",
    "kind",
    "parse",
    "parse_condition",
    "parse_template",
    "referenced",
    "to_python",
    "to_string",
    "truthy",
    "unparse",
]
