"""`strategy.matrix`, rule by rule."""

import math

import pytest

from skyflow.expr import from_python, to_python
from skyflow.model.matrix import MAX_COMBINATIONS, Combination, MatrixError, combination_name, expand_matrix


def _expand(matrix):
    return [to_python(combination.values) for combination in expand_matrix(from_python(matrix))]


def _names(matrix):
    return [combination_name("job", combination) for combination in expand_matrix(from_python(matrix))]


def _error(matrix):
    with pytest.raises(MatrixError) as caught:
        expand_matrix(from_python(matrix))
    return caught.value


def test_the_first_vector_varies_slowest():
    assert _expand({"os": ["a", "b"], "n": [1, 2]}) == [
        {"os": "a", "n": 1},
        {"os": "a", "n": 2},
        {"os": "b", "n": 1},
        {"os": "b", "n": 2},
    ]


def test_the_documented_example():
    matrix = {
        "fruit": ["apple", "pear"],
        "animal": ["cat", "dog"],
        "include": [
            {"color": "green"},
            {"color": "pink", "animal": "cat"},
            {"fruit": "apple", "shape": "circle"},
            {"fruit": "banana"},
            {"fruit": "banana", "animal": "cat"},
        ],
    }
    assert _expand(matrix) == [
        {"fruit": "apple", "animal": "cat", "color": "pink", "shape": "circle"},
        {"fruit": "apple", "animal": "dog", "color": "green", "shape": "circle"},
        {"fruit": "pear", "animal": "cat", "color": "pink"},
        {"fruit": "pear", "animal": "dog", "color": "green"},
        {"fruit": "banana"},
        {"fruit": "banana", "animal": "cat"},
    ]


def test_exclude_needs_only_some_of_the_values():
    assert _expand({"os": ["a", "b"], "n": [1, 2], "exclude": [{"os": "a"}]}) == [
        {"os": "b", "n": 1},
        {"os": "b", "n": 2},
    ]


@pytest.mark.parametrize(
    ("value", "excluded"),
    [("Linux", "linux"), (10, "10"), ("7", 7), (True, 1), (None, 0), ("", None), ("0x10", 16)],
)
def test_values_are_compared_as_expressions_compare(value, excluded):
    assert _expand({"v": [value, "other"], "exclude": [{"v": excluded}]}) == [{"v": "other"}]


def test_filters_look_into_nested_values():
    nested = {"v": [{"os": "a", "n": [1, 2]}, {"os": "a", "n": [1, 3]}]}
    assert _expand(nested | {"exclude": [{"v": {"n": [1, 3]}}]}) == [{"v": {"os": "a", "n": [1, 2]}}]
    assert _expand(nested | {"exclude": [{"v": {"os": "A"}}], "include": [{"x": 1}]}) == [{"x": 1}]
    assert len(_expand(nested | {"exclude": [{"v": {"n": [1, 2, 4]}}]})) == 2
    assert len(_expand(nested | {"exclude": [{"v": "a"}]})) == 2


def test_exclude_comes_before_include():
    matrix = {"os": ["a", "b"], "exclude": [{"os": "b"}], "include": [{"os": "b", "x": 1}]}
    assert _expand(matrix) == [{"os": "a"}, {"os": "b", "x": 1}]


def test_an_extra_never_changes_a_vector_value_but_an_earlier_extra():
    matrix = {"os": ["a"], "include": [{"x": 1}, {"OS": "a", "X": 2}, {"os": "b", "x": 3}]}
    assert _expand(matrix) == [{"os": "a", "x": 2}, {"os": "b", "x": 3}]


def test_an_extra_does_not_make_a_later_entry_match():
    assert _expand({"os": ["a"], "include": [{"x": 1}, {"x": 1, "os": "b"}]}) == [
        {"os": "a", "x": 1},
        {"os": "b", "x": 1},
    ]


def test_include_alone():
    assert _expand({"include": [{"a": 1}, {"b": 2}]}) == [{"a": 1}, {"b": 2}]


def test_names_have_the_vector_values_only():
    matrix = {"os": ["linux"], "n": [1.5], "flag": [True, ""], "include": [{"extra": "x"}, {"os": "mac", "tag": "v"}]}
    assert _names(matrix) == ["job (linux, 1.5, true)", "job (linux, 1.5)", "job (mac, v)"]
    assert _names({"v": [{"os": "a", "list": [1, None, 2]}]}) == ["job (a, 1, 2)"]
    assert _names({"v": [None]}) == ["job"]


def test_a_long_name_is_cut():
    (name,) = _names({"v": ["x" * 200]})
    assert len(name) == 100
    assert name.endswith("x...")


def test_a_combination_has_values_and_labels():
    (combination,) = expand_matrix(from_python({"v": ["a"], "include": [{"x": 1}]}))
    assert isinstance(combination, Combination)
    assert combination.labels == ("a",)


@pytest.mark.parametrize(
    ("matrix", "message", "path"),
    [
        ("text", "must be a map", ()),
        ({}, "at least one list", ()),
        ({"include": []}, "at least one list", ()),
        ({"exclude": [{"a": 1}]}, "which is no list", ("exclude", 0, "a")),
        ({"v": []}, "'v' in the matrix is an empty list", ("v",)),
        ({"v": "x"}, "'v' in the matrix must be a list", ("v",)),
        ({"v": [1], "include": 5}, "must be a list of maps", ("include",)),
        ({"v": [1], "include": ["x"]}, "must be a map", ("include", 0)),
        ({"v": [1], "include": [{"v": 1}, {}]}, "is empty", ("include", 1)),
        ({"v": [1], "exclude": [{}]}, "is empty", ("exclude", 0)),
        ({"v": [1], "exclude": [{"v": 2}, {"w": 1}]}, "which is no list", ("exclude", 1, "w")),
        ({"v": [1], "exclude": [{"v": 1}]}, "leaves no combination", ("exclude",)),
        ({"v": list(range(17)), "w": list(range(17))}, "more than 256", ()),
        ({name: list(range(99)) for name in "abcdefgh"}, "more than 256", ()),
        ({"v": [1], "include": [{"v": n} for n in range(2, 258)]}, "more than 256", ()),
    ],
)
def test_errors_say_where(matrix, message, path):
    error = _error(matrix)
    assert message in error.message
    assert error.path == path


def test_256_jobs_are_allowed():
    assert len(_expand({"v": list(range(16)), "w": list(range(16))})) == MAX_COMBINATIONS
    assert len(_expand({"v": list(range(300)), "exclude": [{"v": n} for n in range(44)]})) == MAX_COMBINATIONS


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_numbers_that_json_has_no_words_for_cannot_be_kept(number):
    for matrix in ({"n": [1, number]}, {"n": [1], "include": [{"n": 1, "extra": {"deep": [number]}}]}):
        error = _error(matrix)
        assert "which is no number that can be kept" in error.message
