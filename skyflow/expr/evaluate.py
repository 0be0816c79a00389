"""Trees to values."""

from collections.abc import Mapping
from typing import Final, final

from skyflow.errors import ExpressionError
from skyflow.expr.ast import Binary, Call, Comparison, Context, Expr, Index, Literal, Logical, Not, Wildcard
from skyflow.expr.functions import BUILTINS, FunctionSpec, Invocation
from skyflow.expr.memory import DEFAULT_MAX_MEMORY, OBJECT_SIZE, POINTER_SIZE, Counter, Ledger, size_of
from skyflow.expr.values import (
    Array,
    Object,
    Value,
    is_primitive,
    less_than,
    loosely_equal,
    to_number,
    to_string,
    truthy,
)

__all__ = ["evaluate"]

_INT32_MAX: Final = 2**31 - 1


def evaluate(
    expr: Expr | None,
    context: Mapping[str, Value],
    *,
    functions: Mapping[str, FunctionSpec] = BUILTINS,
    max_memory: int = DEFAULT_MAX_MEMORY,
) -> Value:
    """Evaluate a parsed expression; None, the blank one, is null.

    Args:
        expr: The tree.
        context: The named contexts. A name is looked up as spelled, then ignoring case; one that is not there is null.
        functions: What may be called, by lower-case name.
        max_memory: How much the evaluation may hold, in GitHub's way of counting.

    Raises:
        ExpressionError: If a function refuses its arguments, or memory runs out. Nothing else, except for what a
            function that the caller supplied raises itself.
    """
    if expr is None:
        return None
    return _Evaluation(expr, context, functions, max_memory).value(expr, 0)


@final
class _Evaluation:
    """One evaluation: where names are looked up and what memory is in use."""

    __slots__ = ("_context", "_functions", "_ledger", "_max_memory")

    def __init__(
        self, root: Expr, context: Mapping[str, Value], functions: Mapping[str, FunctionSpec], max_memory: int
    ) -> None:
        self._context = context
        self._functions = functions
        self._max_memory = max_memory
        self._ledger = Ledger(root, max_memory)

    def value(self, node: Expr, level: int) -> Value:  # noqa: PLR0911 - one per kind of node
        """Evaluate a node that is `level` levels below the root."""
        match node:
            case Literal():
                return self._computed(node.value, level)
            case Context():
                return self._found(self._look_up(node.name), level)
            case Index():
                return self._index(node, level)
            case Call():
                return self._call(node, level)
            case Binary():
                left, right = self.value(node.left, level + 1), self.value(node.right, level + 1)
                return self._computed(_compare(node.op, left, right), level)
            case Logical():
                return self._computed(self._decide(node, level), level)
            case Not():
                return self._computed(not truthy(self.value(node.operand, level + 1)), level)
            case Wildcard():
                # Where it is no wildcard, as in `a[* == 'x']`, it is the text.
                return self._computed("*", level)

    def _computed(self, result: Value, level: int) -> Value:
        """Book a result that was computed."""
        self._ledger.charge(level, size_of(result), settle=is_primitive(result))
        return result

    def _found(self, result: Value, level: int) -> Value:
        """Book a result that is part of a context or document: GitHub counts a box around each primitive."""
        if result is None:
            return self._computed(result, level)
        boxed = OBJECT_SIZE if is_primitive(result) else 0
        self._ledger.charge(level, boxed + size_of(result), settle=False)
        return result

    def _look_up(self, name: str) -> Value:
        if name in self._context:
            return self._context[name]
        lowered = name.lower()
        return next((value for other, value in self._context.items() if other.lower() == lowered), None)

    def _decide(self, node: Logical, level: int) -> Value:
        """Return the operand that decides, evaluating none behind it."""
        stop_at = node.op == "||"
        result: Value = None
        for operand in node.operands:
            result = self.value(operand, level + 1)
            if truthy(result) is stop_at:
                break
        return result

    def _call(self, node: Call, level: int) -> Value:
        spec = self._functions.get(node.name.lower())
        if spec is None:
            raise ExpressionError(f"Unrecognized function: '{node.name}'", start=node.start, end=node.end)
        invocation = Invocation(
            node,
            context=self._context,
            evaluate=lambda argument: self.value(argument, level + 1),
            max_memory=self._max_memory,
        )
        result = spec.run(invocation)
        return self._found(result, level) if spec.from_data else self._computed(result, level)

    # ------------------------------------------------------------------------------------------------- indexing

    def _index(self, node: Index, level: int) -> Value:
        target = self.value(node.target, level + 1)
        wildcard = isinstance(node.key, Wildcard)
        if not isinstance(target, Array | Object):
            # The key is not even evaluated.
            return (
                self._filtered([], Counter(node, self._max_memory), level) if wildcard else self._computed(None, level)
            )
        key = self.value(node.key, level + 1)
        if isinstance(target, Array) and target.filtered:
            return self._index_each(node, target, key, level)
        if wildcard:
            counter = Counter(node, self._max_memory)
            counter.add(OBJECT_SIZE)
            return self._filtered(_items(target), counter, level)
        found = _pick(target, key)
        return self._found(found[0] if found else None, level)

    def _index_each(self, node: Index, target: Array, key: Value, level: int) -> Value:
        """Index a filtered array, which means each item of it; what has no such key leaves no trace."""
        wildcard = isinstance(node.key, Wildcard)
        results: list[Value] = []
        for item in target.items:
            if isinstance(item, Array | Object):
                results.extend(_items(item) if wildcard else _pick(item, key))
        return self._filtered(results, Counter(node, self._max_memory), level)

    def _filtered(self, items: "list[Value] | tuple[Value, ...]", counter: Counter, level: int) -> Array:
        counter.add(POINTER_SIZE * len(items))
        self._ledger.charge(level, counter.total, settle=False)
        return Array(items, filtered=True)


def _items(collection: Array | Object) -> tuple[Value, ...]:
    return collection.items if isinstance(collection, Array) else tuple(collection.values())


def _pick(collection: Array | Object, key: Value) -> tuple[Value, ...]:
    """Return the one value under a key, or nothing: a key that holds null is not a missing one."""
    if isinstance(collection, Object):
        if not is_primitive(key):
            return ()
        name = to_string(key)
        return (collection.get(name),) if name in collection else ()
    number = to_number(key)
    if not 0 <= number < _INT32_MAX + 1 or number >= len(collection):
        return ()
    return (collection.items[int(number)],)


def _compare(op: Comparison, left: Value, right: Value) -> bool:
    match op:
        case "==":
            return loosely_equal(left, right)
        case "!=":
            return not loosely_equal(left, right)
        case "<":
            return less_than(left, right)
        case ">":
            return less_than(right, left)
        case "<=":
            return loosely_equal(left, right) or less_than(left, right)
        case ">=":
            return loosely_equal(left, right) or less_than(right, left)
