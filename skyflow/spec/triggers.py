"""What starts a workflow, and with which inputs: `on`."""

from dataclasses import dataclass

from skyflow.expr import to_string
from skyflow.model.workflow import CallInput, CallInterface, CallOutput, CallSecret, DispatchInput, InputType
from skyflow.spec.nodes import MappingNode, Node, ScalarNode, SequenceNode, describe
from skyflow.spec.reading import Fields, Reading

__all__ = ["Triggers", "read_triggers"]


@dataclass(frozen=True, slots=True)
class Triggers:
    """The events by name, and what is known about those that skyflow looks at."""

    names: tuple[str, ...] = ()
    dispatch: tuple[DispatchInput, ...] = ()
    call: CallInterface | None = None
    schedules: tuple[str, ...] = ()


def read_triggers(reading: Reading, node: Node | None) -> Triggers:
    """Return what `on` says."""
    if isinstance(node, MappingNode):
        fields = reading.fields(node)
        return Triggers(
            names=tuple(node.entries),
            dispatch=_read_dispatch(reading, fields),
            call=_read_call(reading, fields),
            schedules=_read_schedules(reading, fields.take("schedule")),
        )
    items = node.items if isinstance(node, SequenceNode) else () if node is None else (node,)
    names = tuple(name for item in items if (name := reading.plain_text(item)))
    return Triggers(names, call=CallInterface() if "workflow_call" in names else None)


def _read_schedules(reading: Reading, node: Node | None) -> tuple[str, ...]:
    items = node.items if isinstance(node, SequenceNode) else ()
    crons = (item.get("cron") for item in items if isinstance(item, MappingNode))
    return tuple(text for cron in crons if (text := reading.plain_text(cron)))


def _read_dispatch(reading: Reading, fields: Fields) -> tuple[DispatchInput, ...]:
    """Return the inputs of `workflow_dispatch`; GitHub wants maps, and nothing more."""
    event = _map_or_nothing(reading, fields.take("workflow_dispatch"))
    inputs = _map_or_nothing(reading, event.get("inputs") if event else None)
    found: list[DispatchInput] = []
    for entry in inputs.entries.values() if inputs else ():
        spec = _map_or_nothing(reading, entry.value)
        found.append(_dispatch_input(reading, entry.key, reading.fields(spec)))
    return tuple(found)


def _map_or_nothing(reading: Reading, node: Node | None) -> MappingNode | None:
    if isinstance(node, MappingNode):
        return node
    if node is not None and not (isinstance(node, ScalarNode) and node.value is None):
        message = f"expected a map or nothing, found {describe(node)}"
        reading.findings.error("schema-wrong-value", node.span, message)
    return None


def _dispatch_input(reading: Reading, key: ScalarNode, fields: Fields) -> DispatchInput:
    kind = reading.plain_text(fields.take("type")) or InputType.STRING
    default, required = fields.take("default"), fields.take("required")
    value = default.value if isinstance(default, ScalarNode) else None
    options = fields.take("options")
    return DispatchInput(
        name=key.key,
        span=key.span,
        type=InputType(kind) if kind in set(InputType) else InputType.STRING,
        description=reading.plain_text(fields.take("description")) or "",
        required=isinstance(required, ScalarNode) and required.value is True,
        default=to_string(value) if isinstance(value, float) and kind != InputType.NUMBER else value,
        options=tuple(item.key for item in options.items if isinstance(item, ScalarNode))
        if isinstance(options, SequenceNode)
        else (),
    )


def _read_call(reading: Reading, fields: Fields) -> CallInterface | None:
    if fields.key("workflow_call") is None:
        return None
    call = reading.fields(fields.take("workflow_call"))
    inputs = reading.fields(call.take("inputs")).rest()
    secrets = reading.fields(call.take("secrets")).rest()
    outputs = reading.fields(call.take("outputs")).rest()
    return CallInterface(
        inputs=tuple(_call_input(reading, key, reading.fields(value)) for key, value in inputs),
        secrets=tuple(_call_secret(reading, key, reading.fields(value)) for key, value in secrets),
        outputs=tuple(_call_output(reading, key, reading.fields(value)) for key, value in outputs),
    )


def _call_input(reading: Reading, key: ScalarNode, fields: Fields) -> CallInput:
    return CallInput(
        name=key.key,
        span=key.span,
        type=InputType(reading.plain_text(fields.take("type")) or ""),
        description=reading.plain_text(fields.take("description")) or "",
        required=_is_true(fields.take("required")),
        default=reading.flag(fields.take("default")),
    )


def _call_secret(reading: Reading, key: ScalarNode, fields: Fields) -> CallSecret:
    return CallSecret(
        name=key.key,
        span=key.span,
        description=reading.plain_text(fields.take("description")) or "",
        required=_is_true(fields.take("required")),
    )


def _call_output(reading: Reading, key: ScalarNode, fields: Fields) -> CallOutput:
    value = reading.text(fields.take("value"))
    if value is None:
        raise AssertionError(key)
    return CallOutput(
        name=key.key, span=key.span, value=value, description=reading.plain_text(fields.take("description")) or ""
    )


def _is_true(node: Node | None) -> bool:
    return isinstance(node, ScalarNode) and node.value is True
