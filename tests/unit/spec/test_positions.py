"""A word inside a scalar is found in the file, however the scalar is written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skyflow.spec.findings import Findings
from skyflow.spec.nodes import ScalarNode
from skyflow.spec.positions import span_inside
from skyflow.spec.source import source_lines
from skyflow.spec.tree import compose

WORD = "QQQ"


def _assert_found(source):
    findings = Findings("f.yml")
    root = compose(source, findings)
    assert not findings.found
    node = root.get("k")
    assert isinstance(node, ScalarNode)
    lines = source_lines(source)
    at = node.text.find(WORD)
    assert at >= 0
    while at >= 0:
        span = span_inside(node, source, at, at + len(WORD))
        assert span.line == span.end_line
        assert lines[span.line - 1][span.column - 1 : span.end_column - 1] == WORD
        at = node.text.find(WORD, at + 1)


@pytest.mark.parametrize(
    "source",
    [
        "k: QQQ",
        "# first\nother: x\nk: a QQQ b QQQ\n",
        "k: a\n  QQQ\n\n  b QQQ\n",
        "k: 'it''s QQQ, it''s QQQ'",
        "k: 'it''s\n  folded ''QQQ''\n\n  QQQ'",
        'k: "QQQ \\t\\" QQQ"',
        'k: "a\\x41\\u0042\\U00000043 QQQ \\\n  QQQ\\n\\n QQQ \\x20 QQQ\n\n  QQQ"',
        "k: |\n  a QQQ\n\n    QQQ\n",
        "k: |+2 # comment\n\n    QQQ\n  QQQ\n\n",
        "k: |-\n\n\n  QQQ",
        "k: >\n  a\n  QQQ\n\n  QQQ\n    QQQ\n  QQQ\n",
        "k: >1-\n   QQQ\n QQQ",
        "k: &anchor !!str QQQ",
        "k: !!str 'x QQQ'",
        "k: &a |\n  QQQ\n",
        "a:\r\n  - b\r\nk: |\r\n  first\r\n  QQQ\r\n",
        "k: 日本 QQQ",
        "{k: QQQ}",
        "{k: [QQQ\n]}".replace("[", "").replace("]", ""),
    ],
)
def test_every_style(source):
    _assert_found(source)


PIECES = st.lists(st.sampled_from([WORD, "a", "bc", "日本", "it''s", "${{", "}}"]), min_size=1, max_size=6)


@given(lines=st.lists(PIECES, min_size=1, max_size=5), style=st.sampled_from("|>'p"), indent=st.integers(1, 4))
def test_any_text_of_several_lines(lines, style, indent):
    texts = [" ".join(pieces) for pieces in lines]
    texts[-1] += f" {WORD}"
    margin = " " * indent
    if style in "|>":
        source = f"k: {style}\n" + "".join(f"{margin}{text}\n" for text in texts)
    else:
        quote = "'" if style == "'" else ""
        source = f"k: {quote}x " + f"\n{margin}".join(texts) + quote
    _assert_found(source)


def test_a_place_that_is_not_known_is_the_whole_scalar():
    root = compose("k: abc", Findings("f.yml"))
    assert span_inside(root.get("k"), "k: abc", None, None) == root.get("k").span
    root = compose("k: ''", Findings("f.yml"))
    assert span_inside(root.get("k"), "k: ''", 0, 1) == root.get("k").span


def test_a_place_behind_the_end_is_the_last_character():
    source = "k: abc"
    span = span_inside(compose(source, Findings("f.yml")).get("k"), source, 99, 120)
    assert (span.column, span.end_column) == (6, 7)
