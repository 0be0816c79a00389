"""Problem matchers: what they find in what compilers print, and what is wrong with their files."""

import json
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skyflow.runners.output.matcher_files import MatcherFileError, read_matchers
from skyflow.runners.output.matchers import Matchers
from skyflow.runners.output.regexps import RegexpError, RegexpTimeoutError, TimeLimit, compile_regexp

COMPACT = {
    "owner": "compact",
    "pattern": [
        {
            "regexp": r"^(.+):\sline\s(\d+),\scol\s(\d+),\s(Error|Warning|Info)\s-\s(.+)\s\((.+)\)$",
            "file": 1, "line": 2, "column": 3, "severity": 4, "message": 5, "code": 6,
        }
    ],
}  # fmt: skip
STYLISH = {
    "owner": "stylish",
    "pattern": [
        {"regexp": r"^([^\s].*)$", "file": 1},
        {
            "regexp": r"^\s+(\d+):(\d+)\s+(error|warning|info)\s+(.*)\s\s+(.*)$",
            "line": 1, "column": 2, "severity": 3, "message": 4, "code": 5, "loop": True,
        },
    ],
}  # fmt: skip
THREE = {
    "owner": "three",
    "severity": "Warning",
    "pattern": [
        {"regexp": "^A (.*)$", "message": 1},
        {"regexp": "^B$"},
        {"regexp": r"^C (\S+) in (\S+)$", "file": 1, "fromPath": 2},
    ],
}


@pytest.fixture
def found(tmp_path: Path):
    def find(config: object, *lines: str) -> list[str]:
        path = tmp_path / "matcher.json"
        path.write_text(config if isinstance(config, str) else json.dumps({"problemMatcher": config}))
        (tmp_path / "src").mkdir(exist_ok=True)
        for name in ("a.js", "src/b.js"):
            (tmp_path / name).touch()
        matchers = Matchers(tmp_path)
        for matcher in read_matchers(path):
            matchers.add(matcher)
        with matchers.watched():
            return [str(found[1]) for line in lines if (found := matchers.annotate(line))]

    return find


def test_a_line_gives_all_there_is(found) -> None:
    line = "a.js: line 50, col 11, Error - 'myVar' is never used. (no-unused-vars)"
    assert found([COMPACT], line) == ["a.js:50:11: error: 'myVar' is never used. (no-unused-vars)"]
    assert found([COMPACT], line.replace("Error", "Info")) == [], "not a level of GitHub's"
    assert found([COMPACT], line + " more") == []


def test_a_pattern_that_loops_keeps_what_came_before(found) -> None:
    lines = ["a.js", "  1:0   error  First                 strict", "  5:10  warning  Second  rule", "✖ 2 problems",
             "  7:1  error  Third  rule"]  # fmt: skip
    assert found([STYLISH], *lines[:3]) == [
        "a.js:1:0: error: First                (strict)",
        "a.js:5:10: warning: Second (rule)",
    ]
    assert found([STYLISH], *lines)[-1] == "error: Third (rule)", "its file is not in the workspace"


def test_several_lines_make_one_match(found) -> None:
    assert found([THREE], "A bad", "B", "C b.js in src/x.proj") == ["src/b.js: warning: bad"]
    assert found([THREE], "A bad", "A worse", "B", "C a.js in .") == ["a.js: warning: worse"]
    assert found([THREE], "A bad", "x", "B", "C a.js in .") == []
    assert found([THREE], "A bad", "B", "x", "C a.js in .") == []


def test_a_match_resets_other_matchers(found) -> None:
    assert found([THREE, COMPACT], "A bad", "B", "a.js: line 1, col 1, Error - x (y)", "C a.js in .") == [
        "a.js:1:1: error: x (y)"
    ]


@pytest.mark.parametrize("name", ["none.js", "../a.js", "/etc/passwd", "a\0b", "x" * 5000, ".", "src"])
def test_a_file_that_is_not_in_the_workspace_is_left_out(found, name: str) -> None:
    assert found([COMPACT], f"{name}: line 1, col 2, Error - m (c)") == ["error: m (c)"]


def test_messages_and_numbers_that_are_none(found) -> None:
    config = {"owner": "x", "pattern": [{"regexp": "^(.*)!(.*)$", "message": 1, "line": 2, "file": 1}]}
    assert found([config], "a.js!x", " !3", "a.js!999999999999") == ["a.js: error: a.js", "a.js: error: a.js"]


def test_comments_trailing_commas_and_numbers_in_quotes(found) -> None:
    text = """\ufeff{ // a comment
      "problemMatcher": [ /* another
      one */ {"owner": "x//y", "pattern": [{"regexp": "^(//.*), ]$", "message": "1",}, ],}, ] }"""
    assert found(text, "//x, ]") == ["error: //x"]


@pytest.mark.parametrize(
    ("config", "why"),
    [
        ("[]", 'no list "problemMatcher"'),
        ("{}", 'no list "problemMatcher"'),
        ("[" * 100_000, "is not JSON"),
        ([1], "a matcher is not an object"),
        ([{"pattern": []}], "has no owner"),
        ([{"owner": "x"}], "'x' has no list of patterns"),
        ([{"owner": "x", "severity": "bad", "pattern": [1]}], "the severity of 'x'"),
        ([{"owner": "x", "pattern": [{}]}], "a pattern of 'x' has no regexp"),
        ([{"owner": "x", "pattern": [{"regexp": "("}]}], "cannot be used: missing )"),
        ([{"owner": "x", "pattern": [{"regexp": "(a)", "message": 2}]}], "'message' of 'x' is not the number of a group"),
        ([{"owner": "x", "pattern": [{"regexp": "(a)", "message": True}]}], "'message' of 'x' is not the number"),
        ([{"owner": "x", "pattern": [{"regexp": "(a)", "file": 1}]}], "takes the message"),
        ([{"owner": "x", "pattern": [{"regexp": "a", "message": 0, "loop": True}]}], "may loop"),
        ([{"owner": "x", "pattern": [{"regexp": "a", "message": 0}] * 2}], "takes 'message' from two patterns"),
        ([{"owner": "x", "pattern": [{"regexp": "a", "message": 0}, {"regexp": "a", "loop": True}]}], "does not take the"),
        ([COMPACT, {**COMPACT, "owner": "Compact"}], "two matchers of the owner 'compact'"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_file(found, config: object, why: str) -> None:
    with pytest.raises(MatcherFileError, match=r"matcher\.json") as raised:
        found(config)
    assert why in str(raised.value)


@pytest.mark.parametrize(
    ("source", "text", "groups"),
    [
        (r"^(?<file>.+):(\d+)$", "a:1", ("a", "1")),
        (r"(?<a>x)\k<a>", "xx", ("x",)),
        (r"^\e\[(\d+)m\cI", "\x1b[31m\t", ("31",)),
        (r"[[a&&b||c~~d--]+", "[a&b|c~d-", ()),
        (r"a{,2}", "a{,2}", ()),
        (r"x\z", "x", ()),
        (r"x\Z", "x", ()),
        (r"a\/b[\]\d]", "a/b]", ()),
        (r"(?<=a)b(?<!c)(?:d)(?=e)", "abde", ()),
        (r"(a)?b", "b", (None,)),
        ("[a-c]-[\\w-]", "b--", ()),
    ],
)
def test_regular_expressions_of_javascript(source: str, text: str, groups: tuple) -> None:
    match = compile_regexp(source).search(text)
    assert match is not None
    assert match.groups() == groups


def test_classes_are_ascii() -> None:
    assert not compile_regexp(r"^[\w\d]|\s$").search("é\u00a0")


@pytest.mark.parametrize("source", [r"\p{L}", "(?<=a+)b", "[]", "[^]a]", "a**", "(?<1>a)", "\\", "a{99999999999}"])
def test_what_python_has_no_equal_for_is_reported(source: str) -> None:
    with pytest.raises(RegexpError, match="the regular expression"):
        compile_regexp(source)


@given(st.text(alphabet=st.sampled_from([*"()[]{}\\^$.*+?|<>=!:,-&~ab01ckpezZ#"]), max_size=12))
def test_any_text_compiles_or_is_reported(source: str) -> None:
    try:
        compile_regexp(source)
    except RegexpError:
        return


def test_a_pattern_that_takes_too_long_is_removed(found) -> None:
    slow = {"owner": "slow", "pattern": [{"regexp": "^(a|aa)+$", "message": 1}]}
    began = time.monotonic()
    assert found([COMPACT, slow], "a" * 200 + "b", "aaa", "a.js: line 1, col 1, Error - x (y)") == [
        "warning: the problem matcher 'slow' took longer than 1 s for one line and was removed",
        "a.js:1:1: error: x (y)",
    ]
    assert time.monotonic() - began < 20


def test_very_long_lines_are_not_looked_at(found) -> None:
    assert found([{"owner": "x", "pattern": [{"regexp": "a", "message": 0}]}], "a" * 20_000) == []


def work(seconds: float) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def test_the_time_limit_holds_between_start_and_stop() -> None:
    with TimeLimit(0.05) as limit:
        limit.start()
        with pytest.raises(RegexpTimeoutError):
            work(5)
        limit.start()
        limit.stop()
        work(0.1)
        limit.start()
    work(0.1)
    limit.start()
    work(0.1)


def test_there_is_no_time_limit_in_other_threads() -> None:
    reached: list[bool] = []

    def elsewhere() -> None:
        with TimeLimit(0.02) as limit:
            limit.start()
            work(0.1)
            reached.append(True)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert reached == [True]


@pytest.mark.parametrize("piece", ['\\"', "/* ", "//", '"a'])
def test_a_file_of_what_has_no_end_is_refused_at_once(tmp_path, piece):
    file = tmp_path / "matcher.json"
    file.write_text('"' * piece.startswith("\\") + piece * 300_000)
    begun = time.process_time()
    with pytest.raises(MatcherFileError):
        read_matchers(file)
    assert time.process_time() - begun < 10  # it took hours
