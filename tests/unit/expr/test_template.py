import pytest

from skyflow.errors import ExpressionError
from skyflow.expr import BUILTINS, FunctionSpec, Template, from_python, is_insert, parse_template, to_python, unparse
from skyflow.expr.ast import Call, Index, Literal, walk

CONTEXT = {"a": from_python({"b": "x", "n": 1, "list": [1]}), "c": from_python("y")}
NOT_CLOSED = (
    "The expression is not closed. An unescaped ${{ sequence was found, but the closing }} sequence was not found."
)
NOT_INLINE = (
    "The directive 'insert' is not allowed in this context. Directives are not supported for expressions that are "
    "embedded within a string. Directives are only supported when the entire value is an expression."
)


def value(text):
    return to_python(parse_template(text).evaluate(CONTEXT))


class TestPlainText:
    @pytest.mark.parametrize("text", ["", "plain", "{{ a }}", "$ {{ a }}", "}}", "${ { a }}", "it's"])
    def test_is_literal(self, text):
        template = parse_template(text)
        assert template.expr == Literal(text)
        assert template.is_literal
        assert not template.is_mixed
        assert template.evaluate({}) == text
        assert template.source == text


class TestOneExpression:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("${{ 1 }}", 1),
            ("${{1}}", 1),
            ("${{\n\ttrue\n}}", True),
            ("${{ null }}", None),
            ("${{ a.list }}", [1]),
            ("${{ a.missing }}", None),
            ("${{ a.n == 1 && 'yes' }}", "yes"),
            ("${{ format('}}{{') }}", "}{"),
            ("${{ '}}' }}", "}}"),
            ("${{ 'it''s }}' }}", "it's }}"),
            ("${{ '${{' }}", "${{"),
            ("${{ format('{0}}}', c) }}", "y}"),
        ],
    )
    def test_keeps_its_type(self, text, expected):
        template = parse_template(text)
        assert to_python(template.evaluate(CONTEXT)) == expected
        assert not template.is_mixed

    @pytest.mark.parametrize(("text", "literal"), [("${{ 'x' }}", "x"), ("${{ '' }}", ""), ("${{'it''s'}}", "it's")])
    def test_a_quoted_string_folds_to_text(self, text, literal):
        template = parse_template(text)
        assert template.is_literal
        assert template.expr == Literal(literal)

    @pytest.mark.parametrize("text", ["${{ 1 }}", "${{ a }}", "${{ null }}", "x${{ 'y' }}"])
    def test_nothing_else_does(self, text):
        assert not parse_template(text).is_literal


class TestMixedText:
    @pytest.mark.parametrize(
        ("text", "printed", "expected"),
        [
            ("x ${{ a.b }}", "format('x {0}', a.b)", "x x"),
            ("${{ a.b }} x", "format('{0} x', a.b)", "x x"),
            ("${{ a.b }}${{ c }}", "format('{0}{1}', a.b, c)", "xy"),
            ("${{ c }}${{ c }}-${{ a.n }}", "format('{0}{1}-{2}', c, c, a.n)", "yy-1"),
            ("${{ c }}\n", "format('{0}\n', c)", "y\n"),
            (" ${{ c }}", "format(' {0}', c)", " y"),
            ("{x} ${{ c }} }}{{", "format('{{x}} {0} }}}}{{{{', c)", "{x} y }}{{"),
            ("it's ${{ c }}", "format('it''s {0}', c)", "it's y"),
            ("${{ c }}}}", "format('{0}}}}}', c)", "y}}"),
            ("${{ c }}}", "format('{0}}}', c)", "y}"),
            ("$${{ c }}", "format('${0}', c)", "$y"),
            ("${{ 'a' }}${{ 'b' }}", "format('{0}{1}', 'a', 'b')", "ab"),
            ("a ${{ a.list }} ${{ a.missing }} ${{ a.n > 0 }}", None, "a Array  true"),
        ],
    )
    def test_becomes_a_call_of_format(self, text, printed, expected):
        template = parse_template(text)
        if printed is not None:
            assert unparse(template.expr) == printed
        assert template.evaluate(CONTEXT) == expected
        assert template.is_mixed

    def test_quotes_outside_expressions_do_not_count(self):
        assert value("it's ${{ c }} isn't ${{ c }}") == "it's y isn't y"


def test_text_is_what_a_string_place_gets():
    assert parse_template("${{ a.n }}").text(CONTEXT) == "1"
    assert parse_template("${{ a.list }}").text(CONTEXT) == "Array"
    assert parse_template("${{ a.missing }}").text(CONTEXT) == ""


def test_functions_are_passed_on():
    functions = {**BUILTINS, "twice": FunctionSpec("twice", 1, 1, lambda call: call.text(0) * 2)}
    template = parse_template("${{ twice(c) }}!", names=["c"], functions=functions)
    assert template.evaluate(CONTEXT, functions=functions) == "yy!"
    assert template.text(CONTEXT, functions=functions) == "yy!"


def test_more_memory_than_a_bare_expression():
    context = {"a": "x" * 2_000_000}
    assert parse_template("${{ a }}").evaluate(context) == context["a"]
    with pytest.raises(ExpressionError, match="maximum allowed memory"):
        parse_template("${{ a }}").evaluate({"a": "x" * 6_000_000})


class TestSpans:
    def test_are_offsets_into_the_whole_text(self):
        text = "it's ${{ a.b }} and ${{  join(c)\n}}"
        tree = parse_template(text).expr
        assert isinstance(tree, Call)
        assert [text[node.start : node.end] for node in walk(tree)] == [
            text,
            text,
            "a.b",
            "a",
            "b",
            "join(c)",
            "c",
        ]

    def test_alone(self):
        tree = parse_template("${{ a.b }}").expr
        assert isinstance(tree, Index)
        assert (tree.start, tree.end) == (4, 7)


class TestErrors:
    @pytest.mark.parametrize(
        ("text", "message", "span"),
        [
            ("${{", NOT_CLOSED, (0, 3)),
            ("x ${{ a", NOT_CLOSED, (2, 7)),
            ("${{ a }", NOT_CLOSED, (0, 7)),
            ("${{ 'a }}", NOT_CLOSED, (0, 9)),
            ("${{ 'a }} b' ", NOT_CLOSED, (0, 13)),
            ("${{ '}}' }", NOT_CLOSED, (0, 10)),
            ("${{ a }} ${{ b", NOT_CLOSED, (9, 14)),
            ("${{}}", "An expression was expected", (0, 5)),
            ("x${{ \n }}y", "An expression was expected", (1, 9)),
            ("${{ 1 = 2 }}", "Unexpected symbol: '='. Located at position 3 within expression: 1 = 2", (6, 7)),
            ("x ${{  1 =2}}", "Unexpected symbol: '=2'. Located at position 3 within expression: 1 =2", (9, 11)),
            ("${{ c }} ${{ a + }}", "Unexpected symbol: '+'. Located at position 3 within expression: a +", (15, 16)),
            (
                "${{ 1 == }}",
                "Unexpected end of expression: '=='. Located at position 3 within expression: 1 ==",
                (6, 8),
            ),
            ("${{ zzz }}", "Unrecognized named-value: 'zzz'. Located at position 1 within expression: zzz", (4, 7)),
            (
                "${{ ${{ a }} }}",
                "Unexpected symbol: '${{'. Located at position 1 within expression: ${{ a",
                (4, 7),
            ),
            ("${{ insert }}", "Unexpected value '${{ insert }}'", (4, 10)),
            (
                "x ${{ insert }}",
                NOT_INLINE,
                (6, 12),
            ),
            (
                "${{ insert (a b) 'c d' e'f g' }}",
                "Exactly 0 parameter(s) were expected following the directive 'insert'. Actual parameter count: 3",
                (4, 29),
            ),
        ],
    )
    def test_message_and_place(self, text, message, span):
        with pytest.raises(ExpressionError) as caught:
            parse_template(text, names=["a", "c"])
        assert caught.value.message == message
        assert (caught.value.start, caught.value.end) == span

    def test_the_whole_has_the_limits_of_an_expression(self):
        # format('<20,982 letters>{0}', 1) is 21,000 characters.
        fits = "x" * (21_000 - len("format('{0}', 1)"))
        assert isinstance(parse_template(fits + "${{ 1 }}"), Template)
        with pytest.raises(ExpressionError, match=r"^Exceeded max expression length 21000$"):
            parse_template(fits + "x${{ 1 }}")
        assert parse_template("x" * 100_000).is_literal

    def test_the_whole_has_one_level_more(self):
        deep = "!" * 49 + "1"
        assert parse_template("${{ " + deep + " }}").evaluate({}) is False
        with pytest.raises(ExpressionError, match=r"^Exceeded max expression depth 50$"):
            parse_template("x${{ " + deep + " }}")

    def test_at_most_254_expressions(self):
        assert parse_template("${{1}}" * 254).evaluate({}) == "1" * 254
        with pytest.raises(ExpressionError) as caught:
            parse_template("${{1}}" * 255)
        assert caught.value.message.startswith(
            "Too many parameters supplied: '('. Located at position 7 within expression: format('{0}{1}{2}"
        )
        assert (caught.value.start, caught.value.end) == (0, 255 * 6)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${{ insert }}", True),
        ("${{insert}}", True),
        ("${{ INSERT }}", False),
        ("${{ insert x }}", False),
        ("x${{ insert }}", False),
        ("${{ insert }} ", False),
        ("${{ inserts }}", False),
        ("insert", False),
        ("${{ insert", False),
        ("", False),
    ],
)
def test_is_insert(text, expected):
    assert is_insert(text) is expected


def test_a_context_named_insert_something_is_none():
    assert unparse(parse_template("${{ inserted.x }}").expr) == "inserted.x"
    assert unparse(parse_template("${{ insert.x }}").expr) == "insert.x"
