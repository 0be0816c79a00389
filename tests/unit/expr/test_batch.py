import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skyflow.expr import answer


def ask(expr, context=None, **rest):
    return json.loads(answer(json.dumps({"expr": expr, "context": context, **rest})))


def test_lines_are_json_of_one_line_and_ascii():
    line = answer('{"expr": "a", "context": {"a": "é\\n😀"}}')
    assert line == '{"value": "\\u00e9\\n\\ud83d\\ude00"}'
    assert line.isascii()


@pytest.mark.parametrize(
    "line", ['{"expr": "1"}', '{"expr": "1", "context": null}', ' {"expr":"1","context":{},"x":1} \n']
)
def test_the_context_may_be_left_out(line):
    assert answer(line) == '{"value": 1}'


@pytest.mark.parametrize("expr", ["", "   ", "\n"])
def test_blank_is_null(expr):
    assert ask(expr) == {"value": None}


def test_the_names_of_the_context_are_all_there_are():
    assert ask("a.b", {"A": {"B": 1}}) == {"value": 1}
    assert ask("b", {"a": 1})["error"].startswith("Unrecognized named-value: 'b'. Located at position 1")
    assert ask("a")["error"].startswith("Unrecognized named-value: 'a'")


@pytest.mark.parametrize(
    ("number", "written"),
    [
        ("1.0", "1"),
        ("-0.0", "0"),
        ("-3", "-3"),
        ("0.1", "0.1"),
        ("9007199254740991", "9007199254740991"),
        ("9007199254740992", "9007199254740992.0"),
        ("9007199254740993", "9007199254740992.0"),
        ("123456789012345678901234567890", "1.2345678901234568e+29"),
        ("1e22", "1e+22"),
        ("1e400", '"Infinity"'),
        ("-1e400", '"-Infinity"'),
        ("9" * 5000, '"Infinity"'),
        ("NaN", '"NaN"'),
        ("Infinity", '"Infinity"'),
    ],
)
def test_numbers(number, written):
    assert answer(f'{{"expr": "a", "context": {{"a": {number}}}}}') == f'{{"value": {written}}}'
    assert answer(f'{{"expr": "a", "context": {{"a": [{{"b": {number}}}]}}}}') == f'{{"value": [{{"b": {written}}}]}}'


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "Invalid input: Expecting value"),
        ("nonsense", "Invalid input: Expecting value"),
        ("[]", "Invalid input: expected an object"),
        ("null", "Invalid input: expected an object"),
        ("{}", "Invalid input: 'expr' must be a string"),
        ('{"expr": 1}', "Invalid input: 'expr' must be a string"),
        ('{"expr": "1", "context": []}', "Invalid input: 'context' must be an object"),
        ('{"expr": "1", "context": 5}', "Invalid input: 'context' must be an object"),
        ('{"expr": "1"} {}', "Invalid input: Extra data"),
        ("[" * 100_000, "Invalid input: nested more than 102 levels deep"),
        ('{"expr": "a", "context": {"a": ' + "[" * 200 + "]" * 200 + "}}", "Invalid input: nested more than 102"),
    ],
)
def test_malformed_lines(line, message):
    assert json.loads(answer(line))["error"].startswith(message)


def test_context_depth():
    def nested(count):
        return answer('{"expr": "a == a", "context": {"a": ' + "[" * count + "]" * count + "}}")

    assert nested(100) == '{"value": true}'
    assert "nested more than 102" in nested(101)


def test_only_the_built_in_functions_exist():
    for name in ("success", "failure", "always", "cancelled", "hashFiles"):
        assert ask(f"{name}('a')")["error"].startswith(f"Unrecognized function: '{name}'")


@given(st.text())
def test_never_raises_whatever_the_line(line):
    assert len(json.loads(answer(line))) == 1


@given(st.text(), st.dictionaries(st.text(), st.one_of(st.none(), st.floats(), st.text(), st.lists(st.integers()))))
def test_never_raises_whatever_the_expression(expr, context):
    assert set(ask(expr, context)) in ({"value"}, {"error"})
