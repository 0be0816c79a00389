"""JSON of others is read, or refused with a ValueError: nothing else, and nothing that cannot be written again."""

import contextlib
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skyflow._util.foreign_json import read_json, whole_characters


@pytest.mark.parametrize(
    "text",
    [
        "",
        "NaN",
        "[Infinity]",
        "-Infinity",
        "1e999",
        "[" * 100_000,
        '{"a":' * 100_000,
        "9" * 5_000,
        b"\xff",
        "1 2",
        "{]",
    ],
)
def test_what_is_no_json_is_refused_with_a_value_error(text):
    with pytest.raises(ValueError):  # noqa: PT011 -- each has words of its own
        read_json(text)


@given(st.text() | st.binary())
def test_anything_is_read_or_refused(text):
    with contextlib.suppress(ValueError):
        json.dumps(read_json(text), allow_nan=False)


def test_a_byte_order_mark_is_no_part_of_it():
    assert read_json(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


def test_names_of_files_that_are_no_text_come_through():
    assert read_json(json.dumps(["\udcff"])) == ["\udcff"]


@given(st.text(st.characters(codec=None)))
def test_half_characters_can_be_replaced(text):
    json.dumps(read_json(whole_characters(json.dumps(text))), ensure_ascii=False).encode()
    assert math.isfinite(read_json("1e308"))
