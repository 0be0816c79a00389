"""The `action.yml` of a local action."""

from skyflow.diagnostics import has_errors, in_reading_order
from skyflow.errors import WorkflowInvalidError
from skyflow.model.action import Action, ActionInput, ActionOutput, ActionRuns, CompositeRuns, DockerRuns, NodeRuns
from skyflow.spec.availability import ACTION_STEP_IF
from skyflow.spec.findings import FileRefusedError, Findings
from skyflow.spec.grammar.action import ACTION
from skyflow.spec.nodes import Node, ScalarNode
from skyflow.spec.reading import Fields, Reading
from skyflow.spec.source import decode
from skyflow.spec.steps import read_steps
from skyflow.spec.tree import compose
from skyflow.spec.walk import walk

__all__ = ["load"]

_NODE = "node"


def load(path: str, content: bytes | str) -> Action:
    """Return the action in `content`.

    Raises:
        WorkflowInvalidError: the file has errors; it carries all findings.
    """
    findings = Findings(path)
    try:
        text = decode(content, findings)
        root = compose(text, findings)
    except FileRefusedError:
        raise WorkflowInvalidError(in_reading_order(findings.found)) from None
    templates = walk(root, ACTION, text, findings)
    if has_errors(findings.found):
        raise WorkflowInvalidError(in_reading_order(findings.found))
    action = _read(Reading(findings, text, templates), root, path)
    if has_errors(findings.found):
        raise WorkflowInvalidError(in_reading_order(findings.found))
    return action


def _read(reading: Reading, root: Node, path: str) -> Action:
    fields = reading.fields(root)
    inputs = reading.fields(fields.take("inputs")).rest()
    outputs = reading.fields(fields.take("outputs")).rest()
    return Action(
        path=path,
        name=reading.plain_text(fields.take("name")) or "",
        description=reading.plain_text(fields.take("description")) or "",
        inputs=tuple(_input(reading, key, reading.fields(value)) for key, value in inputs),
        outputs=tuple(_output(reading, key, reading.fields(value)) for key, value in outputs),
        runs=_runs(reading, reading.fields(fields.take("runs"))),
    )


def _input(reading: Reading, key: ScalarNode, fields: Fields) -> ActionInput:
    required = reading.plain_text(fields.take("required")) or "false"
    return ActionInput(
        name=key.key,
        span=key.span,
        description=reading.plain_text(fields.take("description")) or "",
        required=required.lower() == "true",
        default=reading.text(fields.take("default")),
        deprecation=reading.plain_text(fields.take("deprecationMessage")),
    )


def _output(reading: Reading, key: ScalarNode, fields: Fields) -> ActionOutput:
    return ActionOutput(
        name=key.key,
        span=key.span,
        description=reading.plain_text(fields.take("description")) or "",
        value=reading.text(fields.take("value")),
    )


def _runs(reading: Reading, fields: Fields) -> ActionRuns:
    using_node = fields.take("using")
    using = (reading.plain_text(using_node) or "").lower()
    if using == "composite":
        return CompositeRuns(steps=read_steps(reading, fields.take("steps"), ACTION_STEP_IF))
    if using == "docker":
        return DockerRuns(
            image=reading.plain_text(fields.take("image")) or "",
            args=reading.list_of_texts(fields.take("args")),
            env=reading.texts(fields.take("env")),
            entrypoint=reading.plain_text(fields.take("entrypoint")),
        )
    if not using.removeprefix(_NODE).isdigit() and using_node is not None:
        message = f"'{using}' is no kind of action"
        hint = "write `using: composite`, `using: node24` or `using: docker`"
        reading.findings.error("action-kind", using_node.span, message, hint=hint)
    return NodeRuns(
        using=using,
        main=reading.plain_text(fields.take("main")) or "",
        has_pre=fields.take("pre") is not None,
        post=reading.plain_text(fields.take("post")),
        post_if=reading.plain_text(fields.take("post-if")),
    )
