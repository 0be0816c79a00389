import pytest

from skyflow.errors import ExpressionError
from skyflow.expr import BUILTINS, FunctionSpec, from_python, parse_condition, unparse


def status(name, *, result):
    return FunctionSpec(name, 0, None, lambda _call: result)


FUNCTIONS = {
    **BUILTINS,
    "success": status("success", result=True),
    "failure": status("failure", result=False),
    "always": status("always", result=True),
    "cancelled": status("cancelled", result=False),
}


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("", "success()"),
        ("  \n", "success()"),
        ("${{ '' }}", "success()"),
        ("a", "success() && a"),
        ("${{ a }}", "success() && a"),
        ("${{ a == 1 }}", "success() && a == 1"),
        ("a && b", "success() && a && b"),
        ("a || b", "success() && (a || b)"),
        ("!a", "success() && !a"),
        ("true", "success() && true"),
        ("${{ 1 }}", "success() && 1"),
        ("'x'", "success() && 'x'"),
        ("success()", "success()"),
        ("FAILURE()", "FAILURE()"),
        ("${{ Always() }}", "Always()"),
        ("a && !cancelled()", "a && !cancelled()"),
        ("contains(toJSON(failure('job')), 'x')", "contains(toJSON(failure('job')), 'x')"),
        ("a[success()].b", "a[success()].b"),
        ("a.success", "success() && a.success"),
        ("'success()'", "success() && 'success()'"),
        # A quoted string in ${{ }} is text first, and so is read again.
        ("${{ 'failure()' }}", "failure()"),
        ("${{ 'a' }}", "success() && a"),
    ],
)
def test_the_implied_success(text, printed):
    condition = parse_condition(text, functions=FUNCTIONS)
    assert unparse(condition.expr) == printed
    assert not condition.is_mixed
    assert condition.source == text


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("a ${{ b }}", "success() && format('a {0}', b)"),
        ("${{ a }} && ${{ b }}", "success() && format('{0} && {1}', a, b)"),
        ("${{ a }}\n", "success() && format('{0}\n', a)"),
        ("!${{ failure() }}", "format('!{0}', failure())"),
    ],
)
def test_text_around_expressions_is_always_true(text, printed):
    condition = parse_condition(text, functions=FUNCTIONS)
    assert condition.is_mixed
    assert unparse(condition.expr) == printed
    assert condition.holds({}, functions=FUNCTIONS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", True),
        ("a.x", True),
        ("a.missing", False),
        ("a.x == 'Y'", True),
        ("failure()", False),
        ("failure() || a.x", True),
        ("${{ 0 }}", False),
        ("a", True),
    ],
)
def test_holds(text, expected):
    condition = parse_condition(text, names=["a"], functions=FUNCTIONS)
    assert condition.holds({"a": from_python({"x": "y"})}, functions=FUNCTIONS) is expected


def test_the_implied_success_is_looked_up_when_evaluated():
    condition = parse_condition("a")
    never = {**FUNCTIONS, "success": status("success", result=False)}
    assert not condition.holds({"a": True}, functions=never)


class TestSpans:
    def test_plain(self):
        text = "a == b"
        whole = parse_condition(text).expr
        implied, condition = whole.operands
        assert text[condition.start : condition.end] == text
        assert implied.start == implied.end == condition.start

    def test_wrapped(self):
        text = "  ${{ a == b }}".strip()
        condition = parse_condition(text).expr.operands[1]
        assert text[condition.start : condition.end] == "a == b"

    def test_blank(self):
        condition = parse_condition("  ")
        assert (condition.expr.start, condition.expr.end) == (0, 2)

    @pytest.mark.parametrize(
        ("text", "message", "span"),
        [
            ("a = 1", "Unexpected symbol: '='. Located at position 3 within expression: a = 1", (2, 3)),
            (" zzz", "Unrecognized named-value: 'zzz'. Located at position 2 within expression:  zzz", (1, 4)),
            ("${{ zzz }}", "Unrecognized named-value: 'zzz'. Located at position 1 within expression: zzz", (4, 7)),
            ("${{ 'zzz' }}", "Unrecognized named-value: 'zzz'. Located at position 1 within expression: zzz", (5, 8)),
            ("nope()", "Unrecognized function: 'nope'. Located at position 1 within expression: nope()", (0, 4)),
        ],
    )
    def test_of_errors(self, text, message, span):
        with pytest.raises(ExpressionError) as caught:
            parse_condition(text, names=["a"], functions=FUNCTIONS)
        assert caught.value.message == message
        assert (caught.value.start, caught.value.end) == span


def test_the_implied_success_counts_for_the_depth():
    deep = "!" * 49 + "a"
    with pytest.raises(ExpressionError, match=r"^Exceeded max expression depth 50$"):
        parse_condition(deep)
    assert parse_condition("!" * 48 + "a")
