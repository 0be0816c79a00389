"""YAML 1.2 core, not 1.1."""

import math

import pytest

from skyflow.spec.nodes import ScalarStyle
from skyflow.spec.scalars import resolve_plain, resolve_tagged


@pytest.mark.parametrize("text", ["", "~", "null", "Null", "NULL"])
def test_null(text):
    assert resolve_plain(text) is None


@pytest.mark.parametrize(("text", "value"), [("true", True), ("True", True), ("TRUE", True), ("false", False)])
def test_booleans(text, value):
    assert resolve_plain(text) is value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("010", 10),
        ("-7", -7),
        ("+7", 7),
        ("0x1F", 31),
        ("0o17", 15),
        ("3.10", 3.1),
        (".5", 0.5),
        ("5.", 5),
        ("1e3", 1000),
        ("-.inf", -math.inf),
        ("+.INF", math.inf),
        ("9" * 5000, math.inf),
        ("0x" + "f" * 5000, math.inf),
    ],
)
def test_numbers_are_doubles(text, value):
    assert resolve_plain(text) == value
    assert isinstance(resolve_plain(text), float)


def test_not_a_number():
    assert math.isnan(resolve_plain(".nan"))


@pytest.mark.parametrize(
    "text",
    [
        "yes",
        "no",
        "on",
        "off",
        "y",
        "1:30",
        "2026-01-01",
        "1_000",
        "0b11",
        "0X1F",
        "-0x1",
        "tRUE",
        "inf",
        "1e",
        "+",
        ".",
    ],
)
def test_everything_else_is_text(text):
    assert resolve_plain(text) == text


@pytest.mark.parametrize(
    ("text", "tag", "value"),
    [("5", "str", "5"), ("5", "int", 5.0), ("5", "float", 5.0), ("true", "bool", True), ("~", "null", None)],
)
def test_tags_of_the_core_schema(text, tag, value):
    assert resolve_tagged(text, f"tag:yaml.org,2002:{tag}", ScalarStyle.PLAIN) == value


@pytest.mark.parametrize(("text", "tag"), [("x", "int"), ("5.5", "int"), ("5", "bool"), ("5", "null"), ("x", "binary")])
def test_a_tag_that_does_not_fit_is_refused(text, tag):
    with pytest.raises(ValueError, match=tag):
        resolve_tagged(text, f"tag:yaml.org,2002:{tag}", ScalarStyle.PLAIN)


def test_only_a_plain_scalar_takes_a_tag_other_than_str():
    assert resolve_tagged("5", "tag:yaml.org,2002:str", ScalarStyle.SINGLE_QUOTED) == "5"
    with pytest.raises(ValueError, match="int"):
        resolve_tagged("5", "tag:yaml.org,2002:int", ScalarStyle.SINGLE_QUOTED)
