import math

import pytest

from skyflow.expr import parse, unparse
from skyflow.expr.ast import Literal


@pytest.mark.parametrize(
    ("text", "minimal", "grouped"),
    [
        ("a", "a", "a"),
        ("'it''s'", "'it''s'", "'it''s'"),
        ("NULL", "NULL", "NULL"),
        ("true  ==false", "true == false", "(true == false)"),
        ("a['b']", "a.b", "a.b"),
        ("a['b c'][0][*]", "a['b c'][0].*", "a['b c'][0].*"),
        ("a[b['c']]", "a[b.c]", "a[b.c]"),
        ("a[* == 1]", "a[* == 1]", "a[(* == 1)]"),
        ("(a || b) && !(c == d)", "(a || b) && !(c == d)", "((a || b) && !(c == d))"),
        ("(a && b) || c", "a && b || c", "((a && b) || c)"),
        ("a && (b && c)", "a && b && c", "(a && b && c)"),
        ("(a == b) == c", "a == b == c", "((a == b) == c)"),
        ("a == (b == c)", "a == (b == c)", "(a == (b == c))"),
        ("(a < b) == c", "a < b == c", "((a < b) == c)"),
        ("a < (b == c)", "a < (b == c)", "(a < (b == c))"),
        ("(!a).b", "(!a).b", "(!a).b"),
        ("!(a.b)", "!a.b", "!a.b"),
        ("!!a", "!!a", "!!a"),
        ("(a || b).c", "(a || b).c", "(a || b).c"),
        ("Join( a,(b) )", "Join(a, b)", "Join(a, b)"),
        ("0xff", "255", "255"),
        ("1e22", "1e+22", "1e+22"),
        ("-.5", "-0.5", "-0.5"),
        ("-0", "-0", "-0"),
        ("NaN", "NaN", "NaN"),
        ("+Infinity", "Infinity", "Infinity"),
        ("-Infinity", "-Infinity", "-Infinity"),
    ],
)
def test_text(text, minimal, grouped):
    tree = parse(text)
    assert unparse(tree) == minimal
    assert unparse(tree, grouped=True) == grouped
    assert parse(minimal) == tree
    assert parse(unparse(tree).replace("(* == 1)", "* == 1")) == tree


def test_negative_zero_stays_one():
    assert math.copysign(1, parse(unparse(Literal(-0.0))).value) == -1
