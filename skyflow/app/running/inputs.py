"""The inputs of a workflow that is started by hand, from what the user gave to typed values."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from skyflow._util.text import did_you_mean, nearest, sentence_list
from skyflow.errors import UsageError
from skyflow.expr import to_string
from skyflow.expr.values import to_number
from skyflow.model.run import Json
from skyflow.model.workflow import DispatchInput, InputType

__all__ = ["AskInput", "Inputs", "resolve_inputs"]

AskInput = Callable[[DispatchInput, str | None], str]
"""Asks the user for an input; the second argument says what was wrong with the answer before."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the contexts show: `inputs` has the kind of each type, `github.event.inputs` has everything as text."""

    values: Mapping[str, Json] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)


def resolve_inputs(specs: Sequence[DispatchInput], given: Mapping[str, str], *, ask: AskInput | None = None) -> Inputs:
    """Return the inputs of a run: what is given, else the default, else what the user answers, else nothing.

    An input with nothing is the empty text, false, or 0. One that is required must not be empty.

    Args:
        specs: the workflow's `on.workflow_dispatch.inputs`.
        given: texts by name; case does not tell names apart.
        ask: where it is set, the user is asked for required inputs that are missing.

    Raises:
        UsageError: an input is unknown, missing or of another type; the message has all of them.
    """
    known = {spec.name.lower(): spec for spec in specs}
    unknown = [name for name in given if name.lower() not in known]
    if unknown:
        raise _unknown(unknown[0], specs)
    texts = {name.lower(): text for name, text in given.items()}
    values: dict[str, Json] = {}
    shown: dict[str, str] = {}
    missing: list[str] = []
    wrong: list[str] = []
    for spec in specs:
        text = texts.get(spec.name.lower(), _default(spec))
        if not text and spec.required:
            if ask is None:
                missing.append(spec.name)
                continue
            text = _answer(spec, ask)
        problem = _problem(spec, text)
        if problem is not None:
            wrong.append(f"input '{spec.name}' {problem}")
            continue
        shown[spec.name] = _canonical(spec, text)
        values[spec.name] = _typed(spec, text)
    if missing:
        names = sentence_list([f"'{name}'" for name in missing])
        wrong.append(f"{'inputs' if len(missing) > 1 else 'input'} {names} must be given")
    if wrong:
        hint = f"--input {missing[0]}=..." if missing else None
        raise UsageError("; ".join(wrong), hint=hint)
    return Inputs(values, shown)


def _unknown(name: str, specs: Sequence[DispatchInput]) -> UsageError:
    if not specs:
        return UsageError(
            f"the workflow has no input '{name}'", hint="inputs are declared under on.workflow_dispatch.inputs"
        )
    names = [spec.name for spec in specs]
    hint = did_you_mean(name, names, otherwise=f"it has {sentence_list(names)}")
    return UsageError(f"the workflow has no input '{name}'", hint=hint)


def _default(spec: DispatchInput) -> str:
    return "" if spec.default is None else to_string(spec.default)


def _answer(spec: DispatchInput, ask: AskInput) -> str:
    """Ask until the answer fits."""
    problem: str | None = None
    while True:
        text = ask(spec, problem)
        problem = _problem(spec, text) if text else "must be given"
        if problem is None:
            return text


def _problem(spec: DispatchInput, text: str) -> str | None:
    """Return why a text is not a value of an input, as the end of a sentence."""
    if not text:
        return None
    if spec.type is InputType.BOOLEAN and text.lower() not in {"true", "false"}:
        return f"is true or false, not '{text}'"
    if spec.type is InputType.NUMBER and not math.isfinite(to_number(text)):
        return f"is a number, not '{text}'"
    if spec.type is InputType.CHOICE and text not in spec.options:
        suggestion = nearest(text, spec.options)
        hint = f"; did you mean '{suggestion}'?" if suggestion else ""
        return f"is one of {sentence_list(spec.options, conjunction='or')}, not '{text}'{hint}"
    return None


def _typed(spec: DispatchInput, text: str) -> Json:
    match spec.type:
        case InputType.BOOLEAN:
            return text.lower() == "true"
        case InputType.NUMBER:
            number = to_number(text)
            return int(number) if number.is_integer() else number
        case InputType.STRING | InputType.CHOICE | InputType.ENVIRONMENT:
            return text


def _canonical(spec: DispatchInput, text: str) -> str:
    return (text.lower() or "false") if spec.type is InputType.BOOLEAN else text
