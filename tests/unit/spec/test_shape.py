"""The schema refuses nothing that the grammar accepts, and misses little; and nothing makes the loader fall over.

Workflows are taken apart and put together with other values in the wrong places.
"""

import json
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from skyflow._util.data_files import data_file
from skyflow.errors import WorkflowInvalidError
from skyflow.spec import load_workflow, render_diagnostic, source_lines
from skyflow.spec.findings import Findings
from skyflow.spec.grammar.workflow import WORKFLOW
from skyflow.spec.nodes import to_plain
from skyflow.spec.tree import compose
from skyflow.spec.walk import walk

DATA = Path(__file__).parent / "data"
TEXTS = [path.read_text("utf-8") for path in sorted(DATA.glob("*/*.yml"))]
SCHEMA = json.loads(data_file("schemas", "workflow.schema.json").read_text("utf-8"))


def _load(text):
    """Load, and show every finding; nothing but these two ways out is right."""
    try:
        found = load_workflow("f.yml", text=text).findings
    except WorkflowInvalidError as error:
        found = error.diagnostics
        assert found
    lines = source_lines(text if isinstance(text, str) else text.decode("utf-8", "replace"))
    for finding in found:
        assert 1 <= finding.span.line <= finding.span.end_line
        assert render_diagnostic(finding, lines)


def test_the_schema_is_a_schema():
    Draft202012Validator.check_schema(SCHEMA)


def _definitions(schema):
    yield schema
    for key in ("properties", "$defs"):
        for inner in schema.get(key, {}).values():
            yield from _definitions(inner)
    for key in ("additionalProperties", "items"):
        if isinstance(schema.get(key), dict):
            yield from _definitions(schema[key])
    for inner in schema.get("anyOf", ()):
        yield from _definitions(inner)


def test_every_key_is_described():
    for definition in _definitions(SCHEMA):
        for name, inner in definition.get("properties", {}).items():
            target = SCHEMA["$defs"][inner["$ref"].removeprefix("#/$defs/")] if "$ref" in inner else {}
            assert (inner | target).get("description"), name


VALIDATOR = Draft202012Validator(SCHEMA)
FORM = {"schema-unknown-key", "schema-missing-key", "schema-wrong-value"}
"""The findings that are about the form; what else the walk finds, the schema cannot know."""


def _verdicts(text):
    """Return whether the schema accepts a text, and what the grammar finds in it."""
    findings = Findings("f.yml")
    root = compose(text, findings)
    walk(root, WORKFLOW, text, findings)
    return VALIDATOR.is_valid(to_plain(root)), {finding.code for finding in findings.found}


def _assert_agreement(text):
    accepted, codes = _verdicts(text)
    assert accepted or codes
    if codes and codes <= FORM and "${{" not in text:
        assert not accepted


@pytest.mark.parametrize("path", sorted((DATA / "ok").glob("*.yml")), ids=lambda path: path.stem)
def test_schema_and_grammar_accept_the_same_right_files(path):
    assert _verdicts(path.read_text("utf-8")) == (True, set())


@pytest.mark.parametrize("name", ["wrong_type", "unknown_key", "missing_key", "misspelt_jobs"])
def test_schema_and_grammar_refuse_the_same_wrong_files(name):
    accepted, codes = _verdicts((DATA / "err" / f"{name}.yml").read_text("utf-8"))
    assert not accepted
    assert codes & FORM


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 300),
    st.floats(allow_nan=False, allow_infinity=False, width=16),
    st.sampled_from(
        ["", "x", "8+", "16GiB", "10m", "A100:2", "local", "sky", "aws", "${{ github.ref }}", "${{ x", "cost"]
    ),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn", "Co"]), max_size=5),
)
KEYS = sorted(
    {key for definition in _definitions(SCHEMA) for key in definition.get("properties", {})}
    | {"<<", "a", "${{ insert }}"}
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3),
    max_leaves=6,
)
WORKFLOWS = [
    to_plain(compose((DATA / "ok" / name).read_text("utf-8"), Findings(""))) for name in ("github.yml", "sky.yml")
]


def _places(value):
    """Yield every list or map in a tree, with each of its keys."""
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from _places(value[key])


@settings(max_examples=150)
@given(data=st.data())
def test_any_value_in_any_place(data):
    workflow = json.loads(json.dumps(data.draw(st.sampled_from(WORKFLOWS))))
    for _ in range(data.draw(st.integers(1, 4))):
        places = list(_places(workflow))
        if not places:
            break
        owner, key = data.draw(st.sampled_from(places))
        match data.draw(st.sampled_from(["replace", "add", "remove"])):
            case "replace":
                owner[key] = data.draw(VALUES)
            case "add" if isinstance(owner, dict):
                owner[data.draw(st.sampled_from(KEYS))] = data.draw(VALUES)
            case "remove":
                del owner[key]
    text = json.dumps(workflow)
    _load(text)
    _assert_agreement(text)


@given(VALUES)
def test_any_tree(value):
    _load(json.dumps(value))
    _assert_agreement(json.dumps(value))


@given(st.binary(max_size=200))
def test_any_bytes(content):
    _load(content)


@given(st.text(max_size=200))
def test_any_text(content):
    _load(content)


@given(st.text(st.sampled_from("ab:-?[]{},&*!|>'\"%@` \n\t#~0.${}<"), max_size=60))
def test_any_yaml_punctuation(content):
    _load(content)


@settings(max_examples=300)
@given(text=st.sampled_from(TEXTS), seed=st.integers(0, 2**32))
def test_any_slip_of_the_pen(text, seed):
    dice = random.Random(seed)
    for _ in range(dice.randint(1, 3)):
        start = dice.randrange(len(text) + 1)
        end = min(len(text), start + dice.choice([0, 1, 1, 3, 20]))
        other = dice.randrange(len(text) + 1)
        text = (
            text[:start]
            + dice.choice(["", " ", "\n", "\t", "'", '"', ":", "-", "{", text[other : other + 12]])
            + text[end:]
        )
    _load(text)
