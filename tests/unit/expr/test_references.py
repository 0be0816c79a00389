import pytest

from skyflow.expr import calls, parse, referenced


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("1", []),
        ("github", [("github",)]),
        ("needs.build.outputs.x", [("needs", "build", "outputs", "x")]),
        ("needs['build'].outputs[0]", [("needs", "build", "outputs", "0")]),
        ("GitHub.event.labels.*.name", [("GitHub", "event", "labels", None, "name")]),
        ("needs[matrix.job].result", [("needs", None, "result"), ("matrix", "job")]),
        ("a[b[c.d]]", [("a", None), ("b", None), ("c", "d")]),
        ("contains(a.b, c) && !d || e == f.g", [("a", "b"), ("c",), ("d",), ("e",), ("f", "g")]),
        ("fromJSON(a.b).c", [("a", "b")]),
        ("(a || b).c", [("a",), ("b",)]),
        ("a[*.b]", [("a", None)]),
        ("", []),
    ],
)
def test_paths(text, paths):
    assert [reference.path for reference in referenced(parse(text))] == paths


def test_spans():
    text = "!needs[ 'build' ].outputs.x"
    (reference,) = referenced(parse(text))
    assert text[reference.start : reference.end] == "needs[ 'build' ].outputs.x"
    assert [text[start:end] for start, end in reference.spans] == ["needs", "'build'", "outputs", "x"]


def test_calls():
    tree = parse("join(toJSON(a), b) || c[Format('x')]")
    assert [call.name for call in calls(tree)] == ["join", "toJSON", "Format"]
    assert list(calls(None)) == []
