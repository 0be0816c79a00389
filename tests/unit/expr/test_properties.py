"""Properties of the language as a whole, over random trees and random text."""

import contextlib
import string

from hypothesis import given
from hypothesis import strategies as st

from skyflow.errors import ExpressionError
from skyflow.expr import (
    calls,
    evaluate,
    from_python,
    parse,
    parse_condition,
    parse_template,
    referenced,
    to_python,
    unparse,
)
from skyflow.expr.ast import Binary, Call, Context, Index, Literal, Logical, Not, Wildcard, depth, walk
from skyflow.expr.parser import MAX_DEPTH
from skyflow.expr.template import STATUS_FUNCTIONS

NAMES = st.one_of(
    st.sampled_from(["github", "needs", "matrix", "True", "NULL"]),
    st.from_regex(r"[A-Za-z_][A-Za-z0-9_-]{0,5}", fullmatch=True),
).filter(lambda name: name not in ("null", "true", "false", "NaN", "Infinity"))
LITERALS = st.builds(Literal, st.one_of(st.none(), st.booleans(), st.floats(allow_nan=False), st.text(max_size=8)))
LEAVES = st.one_of(LITERALS, st.builds(Context, NAMES))


def indexed(target, key):
    # A constant takes no index.
    return Index(Context("a") if isinstance(target, Literal) else target, key)


def chained(op, operands):
    flat = []
    for operand in operands:
        flat.extend(operand.operands if isinstance(operand, Logical) and operand.op == op else [operand])
    return Logical(op, tuple(flat))


def larger(exprs):
    some = st.lists(exprs, min_size=2, max_size=4)
    return st.one_of(
        st.builds(indexed, exprs, st.one_of(exprs, st.just(Wildcard()))),
        st.builds(lambda first, second: Call("join", (first, second)), exprs, exprs),
        st.builds(lambda args: Call("format", tuple(args)), st.lists(exprs, min_size=1, max_size=4)),
        st.builds(lambda arg: Call("toJSON", (arg,)), exprs),
        st.builds(lambda arg: Call("fromJSON", (arg,)), exprs),
        st.builds(lambda *args: Call("contains", args), exprs, exprs),
        st.builds(lambda *args: Call("case", args), exprs, exprs, exprs),
        st.builds(Not, exprs),
        st.builds(Binary, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), exprs, exprs),
        st.builds(chained, st.sampled_from(["&&", "||"]), some),
    )


TREES = st.recursive(LEAVES, larger, max_leaves=25).filter(lambda tree: depth(tree) <= MAX_DEPTH)
TOKENS = st.sampled_from(
    [
        "(",
        ")",
        "[",
        "]",
        ".",
        ",",
        "*",
        "!",
        "==",
        "!=",
        "<",
        "<=",
        "&&",
        "||",
        "=",
        "&",
        "'",
        "''",
        "'a'",
        "1",
        ".5",
        "-",
        "0x1",
        "null",
        "true",
        "NaN",
        "a",
        "b-c",
        "join",
        "join(",
        "format(",
        "case(",
        "é",
        "😀",
        "${{",
        "}}",
        "{0}",
        "insert",
        "success()",
    ]
)
SOUP = st.one_of(
    st.text(),
    st.text(alphabet=string.printable),
    st.lists(TOKENS, max_size=25).map(" ".join),
    st.lists(TOKENS, max_size=25).map("".join),
)
CONTEXT = {
    name: from_python(value)
    for name, value in {
        "github": {"ref": "main", "event": {"labels": [{"name": "bug"}, {"name": "x"}, 3]}},
        "needs": {"a": {"result": "success", "outputs": {}}},
        "matrix": [1, "two", None, [True], {"x": [0.5]}],
        "a": "text",
    }.items()
}


@given(TREES)
def test_printing_and_parsing_are_inverse(tree):
    text = unparse(tree)
    again = parse(text)
    assert again == tree
    assert unparse(again) == text
    assert parse(unparse(tree, grouped=True)) == tree


@given(TREES)
def test_spans_nest(tree):
    again = parse(unparse(tree))
    for node in walk(again):
        assert 0 <= node.start <= node.end
        for reference in referenced(node):
            assert node.start <= reference.start <= reference.end <= node.end


@given(TREES)
def test_any_tree_has_a_value_or_is_refused(tree):
    with contextlib.suppress(ExpressionError):
        value = evaluate(tree, CONTEXT)
        to_python(value)


def attempt(parse_it, text):
    """Return what a parser makes of a text: its result or its refusal."""
    try:
        return parse_it(text), None
    except ExpressionError as error:
        return None, error


@given(SOUP)
def test_any_text_parses_or_is_refused(text):
    tree, error = attempt(parse, text)
    if error is not None and error.start is not None:
        assert f": '{text[error.start : error.end]}'. Located at position " in error.message
        assert error.message.endswith(f" within expression: {text}")
    elif tree is not None:
        assert parse(unparse(tree)) == tree
        with contextlib.suppress(ExpressionError):
            evaluate(tree, CONTEXT)


@given(SOUP, SOUP, SOUP)
def test_any_template_parses_or_is_refused(before, inside, after):
    text = f"{before}${{{{{inside}}}}}{after}"
    template, error = attempt(parse_template, text)
    if error is not None:
        assert error.start is None or 0 <= error.start <= error.end <= len(text)
        return
    for node in walk(template.expr):
        assert 0 <= node.start <= node.end <= len(text)
    with contextlib.suppress(ExpressionError):
        value = template.evaluate(CONTEXT)
        assert isinstance(value, str) or not (template.is_mixed or template.is_literal)


@given(SOUP, SOUP)
def test_any_condition_parses_or_is_refused(plain, inside):
    for text in (plain, f"${{{{{inside}}}}}"):
        condition, error = attempt(parse_condition, text)
        if error is not None:
            assert error.start is None or 0 <= error.start <= error.end <= len(text)
        else:
            assert any(call.name.lower() in STATUS_FUNCTIONS for call in calls(condition.expr))


@given(st.text().filter(lambda text: "${{" not in text))
def test_text_without_expressions_is_itself(text):
    assert parse_template(text).evaluate({}) == text


@given(st.text(), st.text().filter(lambda text: "${{" not in text and not text.endswith(("$", "${"))))
def test_text_around_an_expression_is_kept(value, text):
    assert parse_template(f"{text}${{{{ a }}}}").evaluate({"a": value}) == text + value
