"""From the tree of a file to a `Workflow`, key by key; `walk` has found nothing wrong with its shape."""

from collections.abc import Mapping
from dataclasses import dataclass

from skyflow.diagnostics import Span
from skyflow.model.workflow import JobSpec, Workflow
from skyflow.spec.findings import Findings
from skyflow.spec.jobs import read_concurrency, read_defaults, read_job
from skyflow.spec.nodes import Node, ScalarNode
from skyflow.spec.planning import read_plan
from skyflow.spec.reading import Reading
from skyflow.spec.triggers import read_triggers
from skyflow.spec.walk import Templates

__all__ = ["Parsed", "parse_workflow"]


@dataclass(frozen=True, slots=True)
class Parsed:
    """A workflow, together with what the checks want to know about the file.

    `scalars` finds the node a value was read from, by its place.
    """

    workflow: Workflow
    root: Node
    scalars: Mapping[Span, ScalarNode]


def parse_workflow(root: Node, source: str, templates: Templates, findings: Findings) -> Parsed:
    """Return what the file says; findings are added to `findings`."""
    reading = Reading(findings, source, templates)
    fields = reading.fields(root)
    triggers = read_triggers(reading, fields.take("on"))
    workflow = Workflow(
        path=findings.path,
        source=source,
        name=reading.plain_text(fields.take("name")) or None,
        run_name=reading.text(fields.take("run-name")),
        triggers=triggers.names,
        dispatch=triggers.dispatch,
        call=triggers.call,
        schedules=triggers.schedules,
        env=reading.texts(fields.take("env")),
        defaults=read_defaults(reading, fields.take("defaults")),
        concurrency=read_concurrency(reading, fields.take("concurrency")),
        plan=read_plan(reading, fields.take("plan")),
        jobs=_read_jobs(reading, fields.take("jobs")),
    )
    return Parsed(workflow, root, reading.scalars)


def _read_jobs(reading: Reading, node: Node | None) -> tuple[JobSpec, ...]:
    return tuple(read_job(reading, key, value) for key, value in reading.fields(node).rest())
