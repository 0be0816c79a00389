"""Steps: `jobs.<id>.steps`, and those of composite actions."""

import re
from typing import TypedDict

from skyflow.diagnostics import Span
from skyflow.model.workflow import (
    Authored,
    CancelStep,
    EnvSpec,
    Need,
    ParallelStep,
    RunStep,
    Step,
    UsesStep,
    WaitStep,
)
from skyflow.spec.availability import STEP_IF, Availability
from skyflow.spec.nodes import Node, ScalarNode, SequenceNode
from skyflow.spec.reading import Fields, Reading
from skyflow.spec.retries import read_retry

__all__ = ["read_steps"]

_NOT_IN_KEYS = re.compile(r"[^A-Za-z0-9_-]")


def read_steps(reading: Reading, node: Node | None, where: Availability = STEP_IF) -> tuple[Step, ...]:
    """Return the steps of a job; `where` says what their conditions may name."""
    if not isinstance(node, SequenceNode):
        return ()
    reader = _Steps(reading, where)
    return tuple(reader.step(item) for item in node.items)


class _Common(TypedDict):
    """The keys that every kind of step has."""

    key: str
    id: str | None
    id_span: Span | None
    span: Span
    condition: Authored
    name: Authored | None
    env: EnvSpec
    continue_on_error: Authored | None
    timeout_minutes: Authored | None


class _Steps:
    """Reads the steps of one job, and gives each a key that is unique in it, as on GitHub."""

    def __init__(self, reading: Reading, where: Availability) -> None:
        self._reading = reading
        self._where = where
        self._taken: dict[str, int] = {}

    def step(self, node: Node) -> Step:
        """Return one step of any kind."""
        reading, fields = self._reading, self._reading.fields(node)
        wait, cancel, parallel = fields.take("wait"), fields.take("cancel"), fields.take("parallel")
        if wait is not None:
            targets = tuple(Need(each.template.text({}), each.span) for each in reading.list_of_texts(wait))
            return WaitStep(targets=targets, **self._common(fields, node, "wait"))
        if fields.take("wait-all") is not None:
            return WaitStep(targets=None, **self._common(fields, node, "wait-all"))
        if isinstance(cancel, ScalarNode):
            target = Need(reading.plain_text(cancel) or "", cancel.span)
            return CancelStep(target=target, **self._common(fields, node, "cancel"))
        if isinstance(parallel, SequenceNode):
            common = self._common(fields, node, "parallel")
            return ParallelStep(steps=tuple(self._run_or_uses(item) for item in parallel.items), **common)
        return self._run_or_uses(node)

    def _run_or_uses(self, node: Node) -> RunStep | UsesStep:
        reading, fields = self._reading, self._reading.fields(node)
        background = reading.flag(fields.take("background"))
        uses_node = fields.take("uses")
        if isinstance(uses_node, ScalarNode):
            uses = reading.plain_text(uses_node) or ""
            return UsesStep(
                uses=uses,
                uses_span=uses_node.span,
                inputs=reading.texts(fields.take("with")),
                background=background,
                **self._common(fields, node, _action_name(uses)),
            )
        run = reading.text(fields.take("run"))
        if run is None:
            raise AssertionError(node.span)
        return RunStep(
            run=run,
            shell=reading.text(fields.take("shell")),
            working_directory=reading.text(fields.take("working-directory")),
            retry=read_retry(reading, fields.take("retry")),
            background=background,
            **self._common(fields, node, "run"),
        )

    def _common(self, fields: Fields, node: Node, kind: str) -> _Common:
        reading = self._reading
        id_node = fields.take("id")
        step_id = reading.plain_text(id_node)
        return {
            "key": self._unique(step_id or f"__{kind}"),
            "id": step_id,
            "id_span": None if id_node is None else id_node.span,
            "span": node.span,
            "condition": reading.condition(fields.take("if"), self._where, default_span=node.span),
            "name": reading.text(fields.take("name")),
            "env": reading.texts(fields.take("env")),
            "continue_on_error": reading.flag(fields.take("continue-on-error")),
            "timeout_minutes": reading.number(fields.take("timeout-minutes")),
        }

    def _unique(self, wanted: str) -> str:
        """Return the wanted key, with a number behind it if it is taken."""
        count = self._taken[wanted.lower()] = self._taken.get(wanted.lower(), 0) + 1
        return wanted if count == 1 else f"{wanted}_{count}"


def _action_name(uses: str) -> str:
    """Return what a step without an id is called after: its action, `self` for a local one."""
    if uses.startswith("docker://"):
        return _NOT_IN_KEYS.sub("_", uses.removeprefix("docker://"))
    if uses.startswith(("./", ".\\", "$/")):
        return "self"
    owner_and_name = [part for part in re.split(r"[/\\]", uses.partition("@")[0]) if part][:2]
    return _NOT_IN_KEYS.sub("_", "_".join(owner_and_name)) or "run"
