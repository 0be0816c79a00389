import pytest

from skyflow.errors import ExpressionError
from skyflow.expr import BUILTINS, FunctionSpec, parse
from skyflow.expr.ast import Binary, Call, Context, Index, Literal, Logical, Not, Wildcard, children, depth, walk
from skyflow.expr.parser import MAX_DEPTH, MAX_LENGTH

A, B, C, D = (Context(name) for name in "abcd")


def shown(text):
    """Return each node's class with the piece of text its span covers."""
    return [(type(node).__name__, text[node.start : node.end]) for node in walk(parse(text))]


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("null", Literal(None)),
        ("'it''s'", Literal("it's")),
        ("-1.5", Literal(-1.5)),
        ("a", A),
        ("a.b", Index(A, Literal("b"))),
        ("a['b']", Index(A, Literal("b"))),
        ("a.*", Index(A, Wildcard())),
        ("a[*]", Index(A, Wildcard())),
        ("a[0].b", Index(Index(A, Literal(0.0)), Literal("b"))),
        ("a[b.c]", Index(A, Index(B, Literal("c")))),
        ("a[* == 1]", Index(A, Binary("==", Wildcard(), Literal(1.0)))),
        ("a[*.b[0]]", Index(A, Index(Index(Wildcard(), Literal("b")), Literal(0.0)))),
        ("!a.b", Not(Index(A, Literal("b")))),
        ("!a == b", Binary("==", Not(A), B)),
        ("a == !b", Binary("==", A, Not(B))),
        ("a < !b == c", Binary("==", Binary("<", A, Not(B)), C)),
        ("a == !b < c", Binary("==", A, Binary("<", Not(B), C))),
        ("a < b < c", Binary("<", Binary("<", A, B), C)),
        ("a < (b < c)", Binary("<", A, Binary("<", B, C))),
        ("a == b != c", Binary("!=", Binary("==", A, B), C)),
        ("a && b && c", Logical("&&", (A, B, C))),
        ("a && (b && c)", Logical("&&", (A, B, C))),
        ("(a && b) && c", Logical("&&", (A, B, C))),
        ("(a && b) && (c && d)", Logical("&&", (A, B, C, D))),
        ("a || b && c || d", Logical("||", (A, Logical("&&", (B, C)), D))),
        ("a && b || c && d", Logical("||", (Logical("&&", (A, B)), Logical("&&", (C, D))))),
        ("a && (b || c) && d", Logical("&&", (A, Logical("||", (B, C)), D))),
        ("a || b == c && d", Logical("||", (A, Logical("&&", (Binary("==", B, C), D))))),
        ("a >= b || c <= d", Logical("||", (Binary(">=", A, B), Binary("<=", C, D)))),
        ("Join(a, b && c)", Call("Join", (A, Logical("&&", (B, C))))),
        ("join(join(a), join(b, c)).d", Index(Call("join", (Call("join", (A,)), Call("join", (B, C)))), Literal("d"))),
        ("((a))", A),
    ],
)
def test_trees(text, tree):
    assert parse(text) == tree


def test_blank_is_no_tree():
    assert parse("") is None
    assert parse(" \n ") is None


def test_literals_keep_their_kind():
    assert parse("true").value is True
    assert type(parse("1").value) is float


class TestSpans:
    def test_of_every_node(self):
        assert shown(" join( a.b , 'c' ) != !d[ 0 ].* ") == [
            ("Binary", "join( a.b , 'c' ) != !d[ 0 ].*"),
            ("Call", "join( a.b , 'c' )"),
            ("Index", "a.b"),
            ("Context", "a"),
            ("Literal", "b"),
            ("Literal", "'c'"),
            ("Not", "!d[ 0 ].*"),
            ("Index", "d[ 0 ].*"),
            ("Index", "d[ 0 ]"),
            ("Context", "d"),
            ("Literal", "0"),
            ("Wildcard", "*"),
        ]

    def test_of_operands_in_parentheses(self):
        assert shown("((a) || b) && (c == (d))") == [
            ("Logical", "((a) || b) && (c == (d))"),
            ("Logical", "(a) || b"),
            ("Context", "a"),
            ("Context", "b"),
            ("Binary", "c == (d)"),
            ("Context", "c"),
            ("Context", "d"),
        ]
        assert shown("(a).b")[0] == ("Index", "(a).b")

    def test_with_an_offset(self):
        node = parse("a .b", offset=10)
        assert (node.start, node.end) == (10, 14)
        assert (node.key.start, node.key.end) == (13, 14)

    def test_of_an_error(self):
        with pytest.raises(ExpressionError) as caught:
            parse("'😀' == oops(1)", offset=100)
        assert caught.value.message == (
            "Unrecognized function: 'oops'. Located at position 9 within expression: '😀' == oops(1)"
        )
        assert (caught.value.start, caught.value.end) == (107, 111)

    def test_limits_have_none(self):
        with pytest.raises(ExpressionError) as caught:
            parse("!" * MAX_DEPTH + "1")
        assert (caught.value.start, caught.value.end) == (None, None)


class TestNames:
    def test_any_without_a_list(self):
        assert parse("whatever") == Context("whatever")

    @pytest.mark.parametrize("names", [["github"], ("GitHub",), {"GITHUB": 1}, frozenset({"github"})])
    def test_ignore_case(self, names):
        assert parse("gitHub.ref", names=names) == Index(Context("gitHub"), Literal("ref"))

    def test_unknown(self):
        with pytest.raises(ExpressionError, match="Unrecognized named-value: 'secrets'"):
            parse("github.ref == secrets.a", names=["github"])

    def test_extra_functions(self):
        functions = {**BUILTINS, "success": FunctionSpec("success", 0, None, lambda _call: True)}
        assert parse("Success('a', 'b')", functions=functions) == Call("Success", (Literal("a"), Literal("b")))
        with pytest.raises(ExpressionError, match="Unrecognized function: 'failure'"):
            parse("success() || failure()", functions=functions)


class TestLimits:
    def test_length(self):
        assert parse("'" + "x" * (MAX_LENGTH - 2) + "'") is not None
        assert parse(" " * MAX_LENGTH) is None
        with pytest.raises(ExpressionError, match=r"^Exceeded max expression length 21000$"):
            parse(" " * (MAX_LENGTH + 1))

    def test_length_is_in_utf16_units(self):
        assert parse("'" + "😀" * 10_499 + "'") is not None
        assert parse("'" + "é" * 20_998 + "'") is not None
        with pytest.raises(ExpressionError, match="length 21000"):
            parse("'" + "😀" * 10_500 + "'")

    @pytest.mark.parametrize(
        "template",
        [
            lambda n: "!" * n + "1",
            lambda n: "a" + ".b" * n,
            lambda n: "a" + "[0]" * n,
            lambda n: "a" + ".*" * n,
            lambda n: "1" + " == 1" * n,
            lambda n: "join(" * n + "1" + ")" * n,
            lambda n: "a[" * n + "1" + "]" * n,
            lambda n: "(1 < " * n + "1" + ")" * n,
            lambda n: "1" + " && (0 || 1" * (n // 2) + ")" * (n // 2) + (" == 1" if n % 2 else ""),
        ],
        ids=["not", "property", "index", "wildcard", "equal", "argument", "key", "right operand", "alternating chains"],
    )
    def test_depth(self, template):
        assert depth(parse(template(MAX_DEPTH - 1))) == MAX_DEPTH
        with pytest.raises(ExpressionError, match=r"^Exceeded max expression depth 50$"):
            parse(template(MAX_DEPTH + 1))

    def test_groups_add_no_depth(self):
        assert parse("(" * 10_000 + "a" + ")" * 10_000) == A

    def test_a_flat_chain_adds_one(self):
        tree = parse("||".join("a" * 5_000))
        assert depth(tree) == 2
        assert len(tree.operands) == 5_000

    def test_the_depth_is_looked_at_last(self):
        with pytest.raises(ExpressionError, match="Unexpected end"):
            parse("!" * 20_000 + "(1")

    @pytest.mark.parametrize(
        "text", ["!" * 20_999 + "1", "a" + ".b" * 10_499, "a" + "[0]" * 6_999, "a[" * 10_000 + "0" + "]" * 1]
    )
    def test_hopeless_depth_is_still_an_expression_error(self, text):
        with pytest.raises(ExpressionError):
            parse(text)

    @pytest.mark.parametrize(("count", "message"), [(255, None), (256, "Too many parameters supplied: '('")])
    def test_format_takes_255_arguments(self, count, message):
        text = "format(" + ",".join(["''"] * count) + ")"
        if message is None:
            assert len(parse(text).args) == count
        else:
            with pytest.raises(ExpressionError) as caught:
                parse(text)
            assert caught.value.message == f"{message}. Located at position 7 within expression: {text}"

    def test_case_counts_before_it_asks_for_odd(self):
        with pytest.raises(ExpressionError, match="Too many parameters"):
            parse("case(" + "true," * 255 + "1)")


def test_children_are_in_reading_order():
    tree = parse("a[b] == c && !d || join(a, b)")
    assert [node.name for node in walk(tree) if isinstance(node, Context)] == list("abcdab")
    assert children(A) == ()
