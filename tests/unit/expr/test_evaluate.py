import pytest

from skyflow.errors import ExpressionError
from skyflow.expr import BUILTINS, Array, FunctionSpec, Object, evaluate, from_python, parse, to_python


def run(text, context=None, functions=BUILTINS, **options):
    wrapped = {name: from_python(value) for name, value in (context or {}).items()}
    return evaluate(parse(text, functions=functions), wrapped, functions=functions, **options)


def recorder():
    """Return functions under which `see(x)` notes x and yields it, and the notes."""
    seen = []

    def see(call):
        value = call.value(0)
        seen.append(to_python(value))
        return value

    return {**BUILTINS, "see": FunctionSpec("see", 1, 1, see)}, seen


def test_blank_is_null():
    assert evaluate(None, {}) is None


def test_contexts_are_found_ignoring_case_and_missing_ones_are_null():
    assert run("GitHub", {"github": 1}) == 1
    assert run("a", {"A": 1, "a": 2}) == 2
    assert run("nothing", {"github": 1}) is None


def test_the_env_context_may_be_case_sensitive():
    env = Object({"A": "upper", "a": "lower"}, case_sensitive=True)
    assert evaluate(parse("env.a"), {"env": env}) == "lower"
    assert evaluate(parse("env.A"), {"env": env}) == "upper"
    assert evaluate(parse("env.*"), {"env": env}).items == ("upper", "lower")
    assert evaluate(parse("env.B"), {"env": env}) is None


def test_a_collection_stays_the_same_one():
    foo = Array([Object()])
    assert evaluate(parse("foo"), {"foo": foo}) is foo
    assert evaluate(parse("foo[0]"), {"foo": foo}) is foo.items[0]
    assert evaluate(parse("case(true, foo, 1)"), {"foo": foo}) is foo
    assert evaluate(parse("false || foo"), {"foo": foo}) is foo


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("see(1) == see(2)", [1, 2]),
        ("see(2) > see(1)", [2, 1]),
        ("see(0) && see(1)", [0]),
        ("see(1) && see(0) && see(2)", [1, 0]),
        ("see(1) || see(2)", [1]),
        ("see(0) || see('') || see(3)", [0, "", 3]),
        ("a[see(0)]", [0]),
        ("missing[see(0)]", []),
        ("a.*[see(0)]", [0]),
        ("see(a)[see(0)]", [[[1], [2]], 0]),
        ("contains(see('a'), see('b'))", ["a", "b"]),
        ("contains(fromJSON('[]'), see(1))", []),
        ("contains(fromJSON('[1,2,3]'), see(2))", [2]),
        ("contains(fromJSON('{}'), see(1))", []),
        ("startsWith(a, see(1))", []),
        ("endsWith(a, see(1))", []),
        ("join(see('x'), see(','))", ["x"]),
        ("join(fromJSON('[1]'), see(','))", []),
        ("join(fromJSON('[1,2,3]'), see(','))", [","]),
        ("format('{1}{0}{1}', see(1), see(2), see(3))", [2, 1]),
        ("case(see(false), see(1), see(true), see(2), see(3))", [False, True, 2]),
        ("case(see(false), see(1), see(2))", [False, 2]),
        ("!see(1)", [1]),
    ],
)
def test_what_is_evaluated_in_which_order(text, order):
    functions, seen = recorder()
    run(text, {"a": [[1], [2]]}, functions)
    assert seen == order


def test_a_bad_format_string_comes_before_its_arguments():
    functions, seen = recorder()
    with pytest.raises(ExpressionError, match="more arguments"):
        run("format('{0}{1}', see(1))", {}, functions)
    assert seen == []


class TestSuppliedFunctions:
    def test_gets_context_and_arguments(self):
        def both(call):
            assert len(call) == 2
            assert call.call.name == "BOTH"
            return f"{call.text(0)}{call.text(1)}{call.context['who']}"

        functions = {"both": FunctionSpec("both", 2, 2, both)}
        assert run("BOTH(1, null)", {"who": "me"}, functions) == "1me"

    def test_exceptions_pass_through(self):
        class NeedsValueError(Exception):
            pass

        def ask(_call):
            raise NeedsValueError

        functions = {**BUILTINS, "hashfiles": FunctionSpec("hashFiles", 1, 255, ask)}
        with pytest.raises(NeedsValueError):
            run("format('{0}', false || hashFiles('**'))", {}, functions)

    def test_errors_point_at_the_call(self):
        def refuse(call):
            raise call.error("no")

        with pytest.raises(ExpressionError, match=r"^no$") as caught:
            run("1 == refuse('x')", {}, {"refuse": FunctionSpec("refuse", 0, 9, refuse)})
        assert (caught.value.start, caught.value.end) == (5, 16)

    def test_missing_at_evaluation(self):
        tree = parse("1 && extra()", functions={"extra": FunctionSpec("extra", 0, 0, lambda _call: None)})
        with pytest.raises(ExpressionError, match=r"^Unrecognized function: 'extra'$") as caught:
            evaluate(tree, {})
        assert caught.value.start == 5


@pytest.mark.parametrize("text", ["fromJSON('')", "format('{')", "format('{0:x}', 1)", "case(1, 2, 3)"])
def test_errors_of_built_in_functions_point_at_the_call(text):
    with pytest.raises(ExpressionError) as caught:
        run(f"1 && {text}")
    assert (caught.value.start, caught.value.end) == (5, 5 + len(text))


class TestMemory:
    MESSAGE = "The maximum allowed memory size was exceeded while evaluating the following expression: "

    def check(self, text, shown, context, **options):
        with pytest.raises(ExpressionError) as caught:
            run(text, context, **options)
        assert caught.value.message == self.MESSAGE + shown
        assert caught.value.start is None

    def test_a_string_counts_26_and_2_for_each_unit(self):
        limit = 26 + 2 * 10
        assert run("'0123456789'", max_memory=limit) == "0123456789"
        assert run("'01234567é9'", max_memory=limit)
        self.check("'0123456789'", "'0123456789'", {}, max_memory=limit - 1)
        self.check("'01234567😀9'", "'01234567😀9'", {}, max_memory=limit)

    def test_everything_else_counts_24(self):
        assert run("null", max_memory=24) is None
        self.check("null", "null", {}, max_memory=23)

    def test_a_value_of_a_context_counts_its_box(self):
        assert run("a", {"a": 1}, max_memory=48) == 1
        self.check("a", "a", {"a": 1}, max_memory=47)
        assert run("a", {"a": None}, max_memory=24) is None
        assert run("a", {"a": []}, max_memory=24) is not None

    def test_what_led_to_a_computed_primitive_is_forgotten(self):
        # Two literals of 24 below, then only the result.
        assert run("1 == 1", max_memory=48) is True
        self.check("1 == 1", "(1 == 1)", {}, max_memory=47)
        assert run("(1 == 1) == (1 == 1)", max_memory=72) is True
        self.check("(1 == 1) == (1 == 1)", "((1 == 1) == (1 == 1))", {}, max_memory=71)

    def test_what_led_to_a_value_of_a_document_is_kept(self):
        # The literal of 26 + 2 * 3, the box of 24 and the string of 26 + 2.
        assert run("fromJSON('\"a\"')", max_memory=32 + 24 + 28) == "a"
        self.check("fromJSON('\"a\"')", "fromJSON('\"a\"')", {}, max_memory=32 + 24 + 27)

    def test_a_filtered_array_counts_8_for_each_item(self):
        context = {"a": {"x": [1], "y": [2]}}
        # The context 24, the wildcard's text 28, the array 24 and 8 for each of the two.
        assert to_python(run("a.*", context, max_memory=24 + 28 + 40)) == [[1], [2]]
        self.check("a.*", "a.*", context, max_memory=24 + 28 + 39)
        # The second wildcard's text settles what led to the first array, which counts 40 itself.
        many = {"a": [[0] * 10]}
        assert to_python(run("a.*.*", many, max_memory=32 + 28 + 80)) == [0] * 10
        self.check("a.*.*", "a.*.*", many, max_memory=32 + 28 + 79)
        self.check("a.*", "a.*", {"a": [0] * 200_000})

    def test_a_function_is_named_itself(self):
        context = {"a": {"b": "x" * 200_000}, "c": ["x" * 1000] * 600}
        repeated = "format('{0}{0}{0}', a.b)"
        self.check(f"!(1 && {repeated} == 'x')", repeated, context)
        self.check("true && join(c)", "join(c)", context)
        self.check("true && toJSON(c)", "toJSON(c)", context)

    def test_one_mebibyte_by_default(self):
        most = (2**20 - 26 - 24) // 2
        assert run("a", {"a": "x" * most})
        self.check("a", "a", {"a": "x" * (most + 1)})
        assert run("a != a", {"a": "x" * 250_000}) is False
        self.check("a != a", "(a != a)", {"a": "x" * 270_000})

    def test_doubling_stops(self):
        text = "format('{0}{0}', " * 30 + "'0123456789'" + ")" * 30
        with pytest.raises(ExpressionError, match="maximum allowed memory"):
            run(text)
