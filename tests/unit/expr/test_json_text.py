import contextlib
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skyflow._util.foreign_json import nesting
from skyflow.expr import Array, Object, from_python, to_python
from skyflow.expr.ast import Literal
from skyflow.expr.json_text import decode, encode
from skyflow.expr.memory import Counter
from skyflow.expr.values import MAX_VALUE_DEPTH

DATA = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-999, 999), st.text()),
    lambda items: st.one_of(st.lists(items), st.dictionaries(st.text(), items)),
    max_leaves=20,
)


def written(value):
    return encode(value, Counter(Literal(None), 1 << 30))


@given(DATA)
def test_what_is_written_is_json_and_reads_back(data):
    value = from_python(data)
    text = written(value)
    assert json.loads(text) == to_python(value)
    assert written(decode(text)) == text


@given(DATA)
def test_layout_is_two_blanks_and_order_as_given(data):
    value = from_python(data)
    plain = json.dumps(to_python(value), indent=2, ensure_ascii=False)
    escaped = written(value).replace("\\u0085", "\x85").replace("\\u2028", "\u2028").replace("\\u2029", "\u2029")
    assert escaped == plain


@given(st.text())
def test_any_text_is_read_or_refused_with_a_value_error(text):
    with contextlib.suppress(ValueError):
        assert to_python(decode(text)) == to_python(from_python(json.loads(text)))


class TestDepth:
    @pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
    def test_limit(self, opening, closing):
        inner = "" if opening == "[" else "1"
        assert decode(opening * MAX_VALUE_DEPTH + inner + closing * MAX_VALUE_DEPTH)
        for count in (MAX_VALUE_DEPTH + 1, 100_000):
            with pytest.raises(ValueError, match="maximum configured depth of 100"):
                decode(opening * count + inner + closing * count)
            with pytest.raises(ValueError, match="maximum configured depth of 100"):
                decode(opening * count)

    def test_brackets_side_by_side_or_in_strings_do_not_nest(self):
        assert nesting("[" + "[],{}," * 200 + "1]") == 2
        assert nesting('["' + "[" * 500 + '\\"' + "{" * 500 + '"]') == 1
        assert nesting("[]") == 0


class TestDecode:
    def test_numbers_are_doubles(self):
        value = decode("[1, -0, 1e400, " + "9" * 5_000 + ", 9007199254740993]")
        assert isinstance(value, Array)
        assert value.items[0] == 1.0
        assert math.copysign(1, value.items[1]) == -1
        assert value.items[2:] == (math.inf, math.inf, 2.0**53)

    def test_names_are_merged_ignoring_case_on_every_level(self):
        value = decode('[{"A": {"b": 1, "B": 2}, "a": {"C": 1, "c": [{"x": 1, "X": 2}]}}]')
        assert to_python(value) == [{"A": {"C": [{"x": 2}]}}]

    def test_a_name_that_is_repeated_exactly_keeps_its_place(self):
        assert to_python(decode('{"a": 1, "A": 2, "a": 3}')) == {"a": 2}

    def test_each_reading_is_a_new_collection(self):
        assert decode("[]") is not decode("[]")
        assert isinstance(decode("{}"), Object)

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            (r'"\ud83d\ude00"', "😀"),
            (r'"\ud83d"', "�"),
            (r'"\ude00\ud83d"', "��"),
            (r'"\ud83dx\ude00"', "�x�"),
            (r'"\ud83d\ud83d\ude00"', "�😀"),
            (r'"\\ud83d"', r"\ud83d"),
            (r'"\\\ud83d"', "\\�"),
            (r'"\u00e9"', "é"),
        ],
    )
    def test_halves_of_characters_are_replaced(self, text, expected):
        assert decode(text) == expected
        assert to_python(decode(f"{{{text}: [{text}]}}")) == {expected: [expected]}
