"""Suggestions and lists of words."""

import pytest

from skyflow._util.text import did_you_mean, nearest, sentence_list


@pytest.mark.parametrize(
    ("word", "known", "expected"),
    [
        ("stpes", ["steps", "name"], "steps"),
        ("Steps", ["steps", "name"], "steps"),
        ("buildd", ["test", "build"], "build"),
        ("runs_on", ["runs-on", "run"], "runs-on"),
        ("timeout", ["timeout-minutes", "outputs"], None),
        ("x", ["y", "z"], None),
        ("", ["a"], None),
        ("ab", ["ac", "ad"], "ac"),
        ("anything", [], None),
    ],
)
def test_the_nearest_word_is_suggested(word, known, expected):
    assert nearest(word, known) == expected


def test_a_hint_falls_back_to_something_else():
    assert did_you_mean("stpes", ["steps"]) == "did you mean 'steps'?"
    assert did_you_mean("zzz", ["steps"]) is None
    assert did_you_mean("zzz", ["steps"], otherwise="known: steps") == "known: steps"


def test_words_are_listed_as_in_a_sentence():
    assert sentence_list([]) == ""
    assert sentence_list(["a"]) == "a"
    assert sentence_list(["a", "b"]) == "a and b"
    assert sentence_list(["a", "b", "c"], conjunction="or") == "a, b or c"
