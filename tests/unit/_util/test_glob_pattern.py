"""One pattern against paths; the expectations are those of GitHub's glob package on Linux."""

from pathlib import Path

import pytest

from skyflow._util.glob_pattern import (
    Kind,
    PatternError,
    name_matches,
    parse_pattern,
    partly_matches,
    pattern_matches,
    with_descendants,
)

WORKSPACE, HOME = Path("/ws"), Path("/home/ann")


def parse(text: str):
    return parse_pattern(text, workspace=WORKSPACE, home=HOME)


@pytest.mark.parametrize(
    ("pattern", "matching", "other"),
    [
        ("*.txt", ["/ws/a.txt", "/ws/.txt", "/ws/.a.txt"], ["/ws/a.txtx", "/ws/b/a.txt", "/a.txt"]),
        ("a*b*c", ["/ws/abc", "/ws/a--b--c"], ["/ws/acb", "/ws/abcd"]),
        ("?", ["/ws/a"], ["/ws/ab", "/ws"]),
        ("**", ["/ws", "/ws/a", "/ws/a/.b/c"], ["/", "/wsx"]),
        ("**/x", ["/ws/x", "/ws/a/x", "/ws/a/b/x"], ["/ws/ax", "/x"]),
        ("a/**/x", ["/ws/a/x", "/ws/a/b/c/x"], ["/ws/ax", "/ws/b/x"]),
        ("a**b", ["/ws/ab", "/ws/axxb"], ["/ws/a/b"]),
        ("[abc]x", ["/ws/ax"], ["/ws/dx", "/ws/x", "/ws/[abc]x"]),
        ("[a-c-]x", ["/ws/bx", "/ws/-x"], ["/ws/dx"]),
        ("[+--]x", ["/ws/+x", "/ws/,x", "/ws/-x"], ["/ws/ax"]),
        ("[!a-c]x", ["/ws/dx"], ["/ws/bx", "/ws/x"]),
        ("[^a-c]x", ["/ws/dx"], ["/ws/bx"]),
        ("[]a]*", ["/ws/]x", "/ws/ax"], ["/ws/bx"]),
        ("[z-a]x", ["/ws/[z-a]x"], ["/ws/bx"]),
        ("b[r", ["/ws/b[r"], ["/ws/br"]),
        ("b[]r", ["/ws/b[]r"], ["/ws/br"]),
        ("b[[&]r", ["/ws/b[r", "/ws/b&r"], ["/ws/br"]),
        ("b[*]r", ["/ws/b*r"], ["/ws/bar"]),
        (r"b\*r", ["/ws/b*r"], ["/ws/bar"]),
        (r"b[\]]*", ["/ws/b]r"], ["/ws/bar"]),
        ("{a,b}", ["/ws/{a,b}"], ["/ws/a"]),
        ("+(a)", ["/ws/+(a)"], ["/ws/a"]),
        ("A", ["/ws/A"], ["/ws/a"]),
        ("/etc/*", ["/etc/passwd"], ["/ws/etc/passwd"]),
        ("~/.cache/*", ["/home/ann/.cache/x"], ["/ws/~/.cache/x"]),
        ("~", ["/home/ann"], ["/home/ann/x"]),
        ("~foo", ["/ws/~foo"], ["/home/annfoo"]),
        (".", ["/ws"], ["/ws/a"]),
        ("./a//b", ["/ws/a/b"], []),
        ("  a  ", ["/ws/a"], []),
        ("!!a", ["/ws/a"], []),
        ("/**", ["/", "/a"], []),
    ],
)
def test_matching(pattern: str, matching: list[str], other: list[str]) -> None:
    parsed = parse(pattern)
    assert {path: pattern_matches([parsed], Path(path)) for path in matching} == dict.fromkeys(matching, Kind.BOTH)
    assert {path: pattern_matches([parsed], Path(path)) for path in other} == dict.fromkeys(other, Kind.NOTHING)


def test_names_with_wildcards_in_the_workspace_are_literal() -> None:
    pattern = parse_pattern("a*", workspace=Path("/w/[x]*"), home=HOME)
    assert pattern.search_path == Path("/w/[x]*")
    assert pattern_matches([pattern], Path("/w/[x]*/ab")) == Kind.BOTH
    assert pattern_matches([pattern], Path("/w/xy/ab")) == Kind.NOTHING


def test_a_trailing_slash_means_folders() -> None:
    assert pattern_matches([parse("a/")], Path("/ws/a")) == Kind.FOLDER
    assert pattern_matches([parse("**/")], Path("/ws/a/b")) == Kind.FOLDER
    assert pattern_matches(with_descendants(parse("a/")), Path("/ws/a/b")) == Kind.BOTH


def test_the_last_pattern_decides() -> None:
    patterns = [parse("*"), parse("!a*"), parse("ab")]
    assert pattern_matches(patterns, Path("/ws/x")) == Kind.BOTH
    assert pattern_matches(patterns, Path("/ws/ac")) == Kind.NOTHING
    assert pattern_matches(patterns, Path("/ws/ab")) == Kind.BOTH


@pytest.mark.parametrize(
    ("pattern", "search_path"),
    [
        ("a/b/*/c", "/ws/a/b"),
        ("a/b[a]r/b*", "/ws/a/bar"),
        ("a/b[aA]r/b*", "/ws/a"),
        ("/x/y", "/x/y"),
        ("*", "/ws"),
    ],
)
def test_the_search_begins_before_the_first_wildcard(pattern: str, search_path: str) -> None:
    assert parse(pattern).search_path == Path(search_path)


def test_a_folder_is_entered_if_something_below_may_match() -> None:
    patterns = [parse("a/*/c"), parse("!a/x/c")]
    assert [partly_matches(patterns, Path(path)) for path in ("/", "/ws/a", "/ws/a/b", "/ws/b", "/ws/a/b/d")] == [
        True,
        True,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize("pattern", ["", "!", " ! ! ", "a/./b", "a/../b", "../a", "/./a", r"a/\../b", "[" * 4_097])
def test_patterns_that_cannot_be_used(pattern: str) -> None:
    with pytest.raises(PatternError):
        parse(pattern)


def test_many_globstars_are_quick() -> None:
    pattern = parse("/".join(["**/a"] * 30) + "/b")
    assert pattern_matches([pattern], Path("/ws/" + "a/" * 200)) == Kind.NOTHING


@pytest.mark.parametrize(
    ("pattern", "matching", "other"),
    [
        ("build-*", ["build-", "build-x"], ["xbuild-x"]),
        ("*", ["a"], [".a"]),
        (".*", [".a"], ["a"]),
        ("!a*", ["b", ".b"], ["ab"]),
        ("{a,b}-x", ["a-x", "b-x"], ["c-x", "{a,b}-x"]),
        ("{a,b{1,2}}-{x,y}", ["a-y", "b1-x", "b2-y"], ["b-x"]),
        ("{a}", ["{a}"], ["a"]),
        ("{a,b", ["{a,b"], ["a"]),
        ("[ab]?", ["a1"], ["c1"]),
        ("", [], ["a"]),
    ],
)
def test_names(pattern: str, matching: list[str], other: list[str]) -> None:
    assert [name for name in matching if not name_matches(pattern, name)] == []
    assert [name for name in other if name_matches(pattern, name)] == []
