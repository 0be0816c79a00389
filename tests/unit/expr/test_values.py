import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skyflow.errors import ExpressionError
from skyflow.expr import Array, Kind, Object, from_python, kind, to_python, to_string, truthy
from skyflow.expr.text import same_text, upper, utf16_length
from skyflow.expr.values import MAX_VALUE_DEPTH, is_primitive, less_than, loosely_equal, parse_number, to_number

PRIMITIVES = st.one_of(st.none(), st.booleans(), st.floats(), st.text())


class Styled(str):
    """As the YAML reader's strings: a subclass with something extra."""

    __slots__ = ("style",)


class Scientific(float):
    pass


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, Kind.NULL),
        (True, Kind.BOOLEAN),
        (1.0, Kind.NUMBER),
        ("", Kind.STRING),
        (Array(), Kind.ARRAY),
        (Object(), Kind.OBJECT),
    ],
)
def test_kinds(value, expected):
    assert kind(value) is expected
    assert is_primitive(value) is (expected not in (Kind.ARRAY, Kind.OBJECT))


class TestObject:
    def test_ignores_case_and_keeps_order(self):
        names = Object({"b": 1.0, "A": 2.0})
        assert names.get("B") == 1.0
        assert names.get("a") == 2.0
        assert "a" in names
        assert list(names) == ["b", "A"]
        assert list(names.items()) == [("b", 1.0), ("A", 2.0)]
        assert list(names.values()) == [1.0, 2.0]

    def test_the_first_spelling_and_the_last_value_stay(self):
        names = Object([("Key", 1.0), ("other", 2.0), ("KEY", 3.0)])
        assert list(names.items()) == [("Key", 3.0), ("other", 2.0)]
        assert len(names) == 2

    def test_case_sensitive(self):
        env = Object({"path": "a", "PATH": "b"}, case_sensitive=True)
        assert env.get("path") == "a"
        assert env.get("PATH") == "b"
        assert env.get("Path") is None
        assert "Path" not in env
        assert len(env) == 2

    def test_a_missing_name_is_null_but_told_apart_by_in(self):
        names = Object({"null": None})
        assert names.get("null") is None
        assert names.get("missing") is None
        assert "null" in names
        assert "missing" not in names


def test_an_array_is_iterable():
    array = Array(iter([1.0, "x"]))
    assert list(array) == [1.0, "x"]
    assert len(array) == 2
    assert not array.filtered


def test_collections_show_what_they_hold():
    assert repr(from_python({"a": [None, 1]})) == "Object({'a': Array([None, 1.0])})"


class TestFromPython:
    def test_wraps_deeply(self):
        value = from_python({"a": [1, (2, "x"), True, None, 0.5], 1: {}})
        assert to_python(value) == {"a": [1, [2, "x"], True, None, 0.5], "1": {}}

    def test_numbers_are_doubles(self):
        assert type(from_python(1)) is float
        assert from_python(2**53 + 1) == 2.0**53
        assert from_python(10**400) == math.inf
        assert from_python(-(10**400)) == -math.inf
        assert from_python(value=True) is True

    def test_wrapped_values_stay_the_same(self):
        array = Array([1.0])
        assert from_python(array) is array
        held = from_python({"a": array})
        assert isinstance(held, Object)
        assert held.get("a") is array

    def test_subclasses_become_plain(self):
        assert type(from_python(Styled("x"))) is str
        assert type(from_python(Scientific(1.5))) is float

    def test_each_wrapping_is_a_new_collection(self):
        assert not loosely_equal(from_python([]), from_python([]))

    def test_depth_limit(self):
        nested: object = []
        for _ in range(MAX_VALUE_DEPTH - 1):
            nested = [nested]
        assert isinstance(from_python(nested), Array)
        with pytest.raises(ExpressionError, match="Maximum object depth exceeded"):
            from_python([nested])
        with pytest.raises(ExpressionError, match="Maximum object depth exceeded"):
            from_python({"a": nested})

    def test_refuses_other_things(self):
        with pytest.raises(TypeError, match="not a value of the expression language: set"):
            from_python({1, 2})


class TestToPython:
    @pytest.mark.parametrize(
        ("value", "expected"),
        [(1.0, 1), (-0.0, 0), (2.0**53 - 1, 2**53 - 1), (2.0**53, 2.0**53), (1.5, 1.5), (math.inf, math.inf)],
    )
    def test_whole_numbers_become_int_where_exact(self, value, expected):
        result = to_python(value)
        assert result == expected
        assert type(result) is type(expected)

    def test_collections(self):
        assert to_python(Array([Object({"a": None}), "x", True])) == [{"a": None}, "x", True]


class TestNumbers:
    @given(st.floats(allow_nan=False))
    def test_reads_what_python_writes(self, number):
        assert parse_number(repr(number).replace("inf", "Infinity")) == number

    @given(st.floats())
    def test_text_is_dotnets_g15(self, number):
        text = to_string(number)
        if math.isnan(number):
            assert text == "NaN"
        elif number == 0:
            assert text == "0"
        else:
            # Reading back loses at most what 15 digits cannot say; past the largest double it overflows.
            again = parse_number(text)
            assert math.isclose(again, number, rel_tol=1e-14, abs_tol=5e-324) or math.isinf(again)
            assert to_string(again) == text or math.isinf(again) or abs(number) < 1e-300

    @given(st.integers(-(10**15) + 1, 10**15 - 1))
    def test_whole_numbers_of_15_digits_are_plain(self, number):
        assert to_string(float(number)) == str(number)

    @given(st.text())
    def test_any_text_is_some_number(self, text):
        assert isinstance(parse_number(text), float)

    @given(st.integers(0, 2**32 - 1))
    def test_hexadecimal_and_octal_are_signed_32_bit(self, bits):
        signed = bits - 2**32 if bits >= 2**31 else bits
        assert parse_number(f"0x{bits:x}") == signed
        assert parse_number(f"0o{bits:o}") == signed

    def test_trailing_nuls_are_taken_as_dotnet_does(self):
        assert parse_number("1\0\0") == 1
        assert math.isnan(parse_number("0x1\0"))

    def test_very_long_numbers(self):
        assert parse_number("9" * 10_000) == math.inf
        assert math.isnan(parse_number("0x" + "f" * 10_000))
        assert parse_number("0x" + "0" * 10_000 + "1") == 1


class TestCoercion:
    @given(PRIMITIVES)
    def test_truthy_is_neither_zero_nor_empty_nor_nan(self, value):
        is_nan = isinstance(value, float) and math.isnan(value)
        assert truthy(value) is not (is_nan or value in (None, False, 0.0, ""))

    @pytest.mark.parametrize("value", [Array(), Object()])
    def test_collections(self, value):
        assert truthy(value)
        assert math.isnan(to_number(value))
        assert to_string(value) == kind(value)

    @pytest.mark.parametrize(("value", "expected"), [(None, 0.0), (False, 0.0), (True, 1.0), (2.5, 2.5), (" 7 ", 7.0)])
    def test_numbers_of_primitives(self, value, expected):
        assert to_number(value) == expected


class TestComparison:
    @given(PRIMITIVES, PRIMITIVES)
    def test_equality_is_symmetric(self, left, right):
        assert loosely_equal(left, right) is loosely_equal(right, left)

    @given(PRIMITIVES, PRIMITIVES)
    def test_at_most_one_of_less_equal_greater(self, left, right):
        assert less_than(left, right) + less_than(right, left) + loosely_equal(left, right) <= 1

    @given(st.text(), st.text())
    def test_text_has_a_total_order(self, left, right):
        assert less_than(left, right) + less_than(right, left) + loosely_equal(left, right) == 1

    @given(st.text(), st.text(), st.text())
    def test_the_order_is_transitive(self, a, b, c):
        if less_than(a, b) and less_than(b, c):
            assert less_than(a, c)

    @given(st.text())
    def test_upper_keeps_the_length_and_settles(self, text):
        assert len(upper(text)) == len(text)
        assert upper(upper(text)) == upper(text)
        assert same_text(text, upper(text))

    def test_lone_surrogates_compare(self):
        assert less_than("é\ud800", "é\ue000")
        assert same_text("\ud800", "\ud800")


@given(st.text())
def test_utf16_length(text):
    assert utf16_length(text) == len(text.encode("utf-16-le", "surrogatepass")) // 2
