"""From what the user gives to the `inputs` context."""

import pytest

from skyflow.app.running.inputs import resolve_inputs
from skyflow.diagnostics import Span
from skyflow.errors import UsageError
from skyflow.model.workflow import DispatchInput, InputType

HERE = Span(1, 1, 1, 1)


def spec(name: str, type_: str = "string", **keys: object) -> DispatchInput:
    return DispatchInput(name=name, span=HERE, type=InputType(type_), **keys)


STAGE = spec("stage", "choice", options=("test", "production"))


@pytest.mark.parametrize(
    ("declared", "given", "value", "text"),
    [
        (spec("a"), "x", "x", "x"),
        (spec("a"), None, "", ""),
        (spec("a", default="d"), None, "d", "d"),
        (spec("a", default="d"), "", "", ""),
        (spec("a", default=1.5), None, "1.5", "1.5"),
        (spec("a", "boolean"), "true", True, "true"),
        (spec("a", "boolean"), "True", True, "true"),
        (spec("a", "boolean"), "false", False, "false"),
        (spec("a", "boolean"), None, False, "false"),
        (spec("a", "boolean", default=True), None, True, "true"),
        (spec("a", "number"), "3", 3, "3"),
        (spec("a", "number"), "3.10", 3.1, "3.10"),
        (spec("a", "number"), "0x10", 16, "0x10"),
        (spec("a", "number"), None, 0, ""),
        (spec("a", "number", default=2.0), None, 2, "2"),
        (spec("a", "environment"), "prod", "prod", "prod"),
        (spec("a", "choice", options=("x", "y")), "y", "y", "y"),
        (spec("a", "choice", options=("x", "y")), None, "", ""),
        (spec("a", required=True, default="d"), None, "d", "d"),
    ],
)
def test_values_have_the_kind_of_their_type(declared, given, value, text) -> None:
    resolved = resolve_inputs([declared], {} if given is None else {"A": given})
    assert resolved.values == {"a": value}
    assert type(resolved.values["a"]) is type(value)
    assert resolved.texts == {"a": text}


@pytest.mark.parametrize(
    ("declared", "given", "message"),
    [
        (spec("a", "boolean"), "yes", "input 'a' is true or false, not 'yes'"),
        (spec("a", "number"), "x", "input 'a' is a number, not 'x'"),
        (spec("a", "number"), "Infinity", "input 'a' is a number, not 'Infinity'"),
        (STAGE, "Test", "input 'stage' is one of test or production, not 'Test'; did you mean 'test'?"),
        (STAGE, "x", "input 'stage' is one of test or production, not 'x'"),
    ],
)
def test_what_does_not_fit_is_refused(declared, given, message) -> None:
    with pytest.raises(UsageError) as caught:
        resolve_inputs([declared], {declared.name: given})
    assert caught.value.message == message


def test_everything_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(UsageError) as caught:
        resolve_inputs([spec("a", required=True), spec("b", "number"), spec("c", required=True)], {"b": "x", "c": ""})
    assert caught.value.message == "input 'b' is a number, not 'x'; inputs 'a' and 'c' must be given"
    assert caught.value.hint == "--input a=..."


def test_unknown_inputs_get_a_suggestion() -> None:
    with pytest.raises(UsageError, match="the workflow has no input 'stge'") as caught:
        resolve_inputs([STAGE], {"stge": "x"})
    assert caught.value.hint == "did you mean 'stage'?"
    with pytest.raises(UsageError) as caught:
        resolve_inputs([], {"x": "y"})
    assert caught.value.hint == "inputs are declared under on.workflow_dispatch.inputs"


def test_required_inputs_are_asked_for_until_the_answer_fits() -> None:
    asked: list[str | None] = []
    answers = iter(["", "wrong", "test"])

    def ask(_: DispatchInput, problem: str | None) -> str:
        asked.append(problem)
        return next(answers)

    required = spec("stage", "choice", options=("test", "production"), required=True)
    resolved = resolve_inputs([required, spec("other")], {}, ask=ask)
    assert resolved.values == {"stage": "test", "other": ""}
    assert asked == [None, "must be given", "is one of test or production, not 'wrong'"]
