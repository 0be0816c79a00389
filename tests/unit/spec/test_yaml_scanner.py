"""Tabs and the lines of quoted text as GitHub takes them, and otherwise the scanner of ruamel.yaml."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.scanner import Scanner

from skyflow.spec.findings import FileRefusedError, Findings
from skyflow.spec.nodes import to_plain
from skyflow.spec.tree import compose
from skyflow.spec.yaml_scanner import GithubScanner

DATA = Path(__file__).parent / "data"


def read(text):
    return to_plain(compose(text, Findings("f.yml")))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: x\t# remark\nb: y\t\n", {"a": "x", "b": "y"}),
        ("a:\tx\n", {"a": "x"}),
        ("a:\t# remark\n  - x\n", {"a": ["x"]}),
        ("a: one\ttwo\t three\n", {"a": "one\ttwo\t three"}),
        ("a: one\t\n  \ttwo\n", {"a": "one two"}),
        ("a: one\n\n  two\n", {"a": "one\ntwo"}),
        ("a: 'x'\t\nb: \"y\"\t# z\n", {"a": "x", "b": "y"}),
        ("a: {b:\tc,\td: [1,\t2]\t}\t\n", {"a": {"b": "c", "d": [1.0, 2.0]}}),
        ("a: |\t\n  x\nb: >-\t# z\n  y\nc: |2-\t\n    z\n", {"a": "x\n", "b": "y", "c": "  z"}),
        ("a: |\n  x\ty\n  \tz\n", {"a": "x\ty\n\tz\n"}),
        ("a: one\n---\t\n", None),
    ],
)
def test_tabs_that_are_allowed(text, value):
    if value is None:
        with pytest.raises(FileRefusedError):
            read(text)
    else:
        assert read(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{a:, b: x}", {"a": None, "b": "x"}),
        ("a: {b:,c:, d:\n,e: 'x',}", {"a": {"b": None, "c": None, "d": None, "e": "x"}}),
        ("{c: [d:, {e:,f}]}", {"c": ["d:", {"e": None, "f": None}]}),
        ("{a: http://x,b:c:, d:}", {"a": "http://x", "b:c": None, "d:": None}),
        ("{a: b:, c: d}", None),
    ],
)
def test_a_colon_and_a_comma_in_braces_end_a_key_without_a_value(text, value):
    if value is None:
        with pytest.raises(FileRefusedError):
            read(text)
    else:
        assert read(text) == value


@pytest.mark.parametrize("text", ["a:\n\tb: c\n", "\ta: b\n", "a:\n  -\tb: c\n", "a:\n  - b\n\t- c\n"])
def test_tabs_that_indent_are_refused(text):
    findings = Findings("f.yml")
    with pytest.raises(FileRefusedError):
        compose(text, findings)
    assert [finding.code for finding in findings.found] == ["yaml-syntax"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('a:\n  b: "c\n   d"\n', None),
        ('a:\n  b: "c\n\n   d"\n', None),
        ("a:\n  b: 'c\n d'\n", None),
        ('{"a": "b\n c"}\n', None),
        ('{"a": "b\nc"}\n', None),
        ('a:\n  b: "c\n  d"\n', (3, 3)),
        ('a:\n  b: "c\n\n d\ne"\n', (4, 2)),
        ('a:\n  b: "c\n  "\n', (3, 3)),
        ('a:\n  b: "c\\\n d"\n', (3, 2)),
        ('a: "b\nc"\n', (2, 1)),
        ('a:\n  - {b: "c\n  d"}\n', (3, 3)),
        ('a: "b\nc: d\n', (1, 4)),
    ],
)
def test_lines_in_double_quotes_are_indented(text, place):
    findings = Findings("f.yml")
    if place is None:
        compose(text, findings)
        assert not findings.found
        return
    with pytest.raises(FileRefusedError):
        compose(text, findings)
    [finding] = findings.found
    assert (finding.span.line, finding.span.column) == place


@pytest.mark.parametrize(("text", "column"), [('a: "b"#c\n', 7), ("a: [b]#c\n", 7), ("a: [b,#c\n  d]\n", 7)])
def test_a_comment_has_a_blank_in_front_of_it(text, column):
    findings = Findings("f.yml")
    with pytest.raises(FileRefusedError):
        compose(text, findings)
    [finding] = findings.found
    assert (finding.span.line, finding.span.column) == (1, column)
    assert finding.message == "a comment must have a blank in front of it"


@pytest.mark.parametrize("text", ["a: 'b'#c\n", "a: {b: c}#d\n", 'a: "b" #c\n', "a: [b, #c\n  d]\n", "#a\nb: c\n"])
def test_comments_that_github_takes(text):
    findings = Findings("f.yml")
    compose(text, findings)
    assert not findings.found


def _marks(event):
    return str(event.start_mark), str(event.end_mark)


def _events(text, scanner):
    reader = YAML(typ="safe", pure=True)
    reader.Scanner = scanner
    found = []
    try:
        found.extend(
            (type(event), *(getattr(event, name, None) for name in ("value", "style", "tag", "anchor")), *_marks(event))
            for event in reader.parse(text)
        )
    except MarkedYAMLError as error:
        found.append(str(error))
    return found


@settings(max_examples=300)
@given(st.text(st.sampled_from("ab:-?[]{},&*!|>'%@ \n\r#~02.${}+"), max_size=50))
def test_without_tabs_nothing_is_different(text):
    text = text.replace("#", " #")
    assert _events(text, GithubScanner) == _events(text, Scanner)


@pytest.mark.parametrize("path", sorted(DATA.glob("*/*.yml")), ids=lambda path: path.stem)
def test_whole_files_without_tabs_are_read_the_same(path):
    text = path.read_text("utf-8").replace("\t", " ")
    assert _events(text, GithubScanner) == _events(text, Scanner)
