"""Jobs: `jobs.<id>`."""

from collections.abc import Iterator
from dataclasses import replace

from skyflow.model.artifacts import artifact_name_problem, parse_inner_path
from skyflow.model.recovery import RecoverySpec, RecoveryStrategy, parse_strategy
from skyflow.model.resources import Estimate
from skyflow.model.units import parse_duration_seconds, parse_size_gb
from skyflow.model.workflow import (
    INSERT,
    ArtifactSpec,
    Authored,
    AuthoredTree,
    CacheSpec,
    CallSpec,
    CheckpointSpec,
    Concurrency,
    Container,
    Defaults,
    JobSpec,
    Need,
    Strategy,
)
from skyflow.spec.availability import JOB_IF
from skyflow.spec.nodes import MappingNode, Node, ScalarNode, SequenceNode
from skyflow.spec.planning import read_data, read_estimate
from skyflow.spec.quantities import read_list, read_quantity
from skyflow.spec.reading import Fields, Reading
from skyflow.spec.requirements import read_requirements
from skyflow.spec.retries import read_retry
from skyflow.spec.runs_on import read_runs_on
from skyflow.spec.steps import read_steps

__all__ = ["read_concurrency", "read_defaults", "read_job", "read_needs"]


def read_job(reading: Reading, key: ScalarNode, node: Node) -> JobSpec:
    """Return one job."""
    fields = reading.fields(node)
    data_gb, data_places = read_data(reading, fields.take("data"))
    checkpoint = _read_checkpoint(reading, fields.take("checkpoint"))
    runs_on, providers = read_runs_on(reading, fields.take("runs-on"))
    return JobSpec(
        id=key.key,
        span=key.span,
        name=reading.text(fields.take("name")),
        needs=read_needs(reading, fields.take("needs")),
        condition=reading.condition(fields.take("if"), JOB_IF, default_span=key.span),
        runs_on=runs_on,
        requirements=read_requirements(reading, fields.take("resources"), providers),
        estimate=_going_on(read_estimate(reading, fields.take("estimate")), checkpoint),
        data_gb=data_gb,
        data_places=data_places,
        cache=_read_cache(reading, fields.take("cache")),
        checkpoint=checkpoint,
        artifacts=tuple(_read_artifacts(reading, fields.take("artifacts"))),
        inputs=read_list(reading, fields.take("inputs")),
        retry=read_retry(reading, fields.take("retry")),
        recovery=_read_recovery(reading, fields.take("recovery")),
        env=reading.texts(fields.take("env")),
        defaults=read_defaults(reading, fields.take("defaults")),
        strategy=_read_strategy(reading, fields.take("strategy")),
        outputs=reading.texts(fields.take("outputs")),
        timeout_minutes=reading.number(fields.take("timeout-minutes")),
        cancel_timeout_minutes=reading.number(fields.take("cancel-timeout-minutes")),
        continue_on_error=reading.flag(fields.take("continue-on-error")),
        concurrency=read_concurrency(reading, fields.take("concurrency")),
        container=_read_container(reading, fields.take("container")),
        services=_read_services(reading, fields.take("services")),
        call=_read_call(reading, fields),
        steps=read_steps(reading, fields.take("steps")),
    )


def _going_on(estimate: Estimate | None, checkpoint: CheckpointSpec | None) -> Estimate | None:
    """Let the planner know how much is repeated after a loss, where the estimate does not say it."""
    if estimate is None or checkpoint is None or estimate.checkpoint_seconds is not None:
        return estimate
    return replace(estimate, checkpoint_seconds=checkpoint.every_seconds)


def _read_checkpoint(reading: Reading, node: Node | None) -> CheckpointSpec | None:
    if node is None:
        return None
    fields = reading.fields(node)
    path = read_quantity(reading, fields.take("path"), parse_inner_path)
    every = read_quantity(reading, fields.take("every"), parse_duration_seconds)
    if path is None:
        return None
    return CheckpointSpec(path) if every is None else CheckpointSpec(path, every)


def _read_recovery(reading: Reading, node: Node | None) -> RecoverySpec:
    if node is None:
        return RecoverySpec()
    if not isinstance(node, MappingNode):
        return RecoverySpec(strategy=read_quantity(reading, node, parse_strategy))
    fields = reading.fields(node)
    strategy = read_quantity(reading, fields.take("strategy"), parse_strategy)
    wait = fields.take("for")
    seconds = read_quantity(reading, wait, parse_duration_seconds)
    if wait is not None and strategy is RecoveryStrategy.DEADLINE:
        message = "with 'strategy: deadline' the deadline says how long to wait"
        reading.findings.error("bad-quantity", wait.span, message, hint="remove 'for'")
    return RecoverySpec(strategy=strategy) if seconds is None else RecoverySpec(strategy=strategy, wait_seconds=seconds)


def _read_artifacts(reading: Reading, node: Node | None) -> Iterator[ArtifactSpec]:
    for key, value in reading.fields(node).rest():
        problem = artifact_name_problem(key.key)
        if problem:
            reading.findings.error("bad-quantity", key.span, problem)
        fields = reading.fields(value)
        said = fields.take("path") if isinstance(value, MappingNode) else value
        path = read_quantity(reading, said, parse_inner_path)
        size = read_quantity(reading, fields.take("size"), parse_size_gb)
        if path is not None:
            yield ArtifactSpec(key.key, path, size)


def _read_cache(reading: Reading, node: Node | None) -> CacheSpec | None:
    if node is None:
        return None
    fields = reading.fields(node)
    return CacheSpec(
        inputs=_texts(reading, fields.take("inputs")),
        env=tuple(name.template.text({}) for name in _texts(reading, fields.take("env"))),
        outputs=_texts(reading, fields.take("outputs")),
    )


def _texts(reading: Reading, node: Node | None) -> tuple[Authored, ...]:
    """Return one text, or a list of them."""
    items = node.items if isinstance(node, SequenceNode) else () if node is None else (node,)
    return tuple(text for item in items if (text := reading.text(item)) is not None)


def read_defaults(reading: Reading, node: Node | None) -> Defaults:
    """Return `defaults` of a job or of the workflow."""
    run = reading.fields(reading.fields(node).take("run"))
    return Defaults(
        shell=reading.text(run.take("shell")), working_directory=reading.text(run.take("working-directory"))
    )


def read_needs(reading: Reading, node: Node | None) -> tuple[Need, ...]:
    """Return one id, or a list of ids."""
    items = node.items if isinstance(node, SequenceNode) else () if node is None else (node,)
    return tuple(Need(text, item.span) for item in items if (text := reading.plain_text(item)) is not None)


def read_concurrency(reading: Reading, node: Node | None) -> Concurrency | None:
    """Return `concurrency` of a job or of the workflow; an expression in its place names the group."""
    fields = reading.fields(node)
    group = reading.text(fields.take("group")) if isinstance(node, MappingNode) else reading.text(node)
    if group is None or node is None:
        return None
    return Concurrency(
        group=group,
        span=node.span,
        cancel_in_progress=reading.flag(fields.take("cancel-in-progress")),
        queue=reading.text(fields.take("queue")),
    )


def _read_call(reading: Reading, fields: Fields) -> CallSpec | None:
    node = fields.take("uses")
    uses = reading.plain_text(node)
    if node is None or uses is None:
        return None
    secrets = fields.take("secrets")
    inherit = isinstance(secrets, ScalarNode)
    inputs = tuple(
        (reading.key(key), reading.scalar(value))
        for key, value in reading.fields(fields.take("with")).rest()
        if isinstance(value, ScalarNode)
    )
    return CallSpec(
        uses=uses,
        span=node.span,
        inputs=inputs,
        secrets=() if inherit else reading.texts(secrets),
        inherit_secrets=inherit,
    )


def _read_services(reading: Reading, node: Node | None) -> tuple[tuple[str, Container], ...]:
    if isinstance(node, ScalarNode):
        return ((INSERT, Container(span=node.span, image=reading.scalar(node))),)
    found = ((key, _read_container(reading, value)) for key, value in reading.fields(node).rest())
    return tuple((reading.key(key), container) for key, container in found if container is not None)


def _read_container(reading: Reading, node: Node | None) -> Container | None:
    if node is None:
        return None
    if isinstance(node, ScalarNode):
        return Container(span=node.span, image=reading.text(node))
    fields = reading.fields(node)
    credentials = reading.fields(fields.take("credentials"))
    return Container(
        span=node.span,
        image=reading.text(fields.take("image")),
        env=reading.texts(fields.take("env")),
        ports=reading.list_of_texts(fields.take("ports")),
        volumes=reading.list_of_texts(fields.take("volumes")),
        options=reading.text(fields.take("options")),
        username=reading.text(credentials.take("username")),
        password=reading.text(credentials.take("password")),
        entrypoint=reading.text(fields.take("entrypoint")),
        command=reading.text(fields.take("command")),
    )


def _read_strategy(reading: Reading, node: Node | None) -> Strategy:
    if isinstance(node, ScalarNode):
        return Strategy(whole=reading.scalar(node))
    fields = reading.fields(node)
    return Strategy(
        matrix=_read_matrix(reading, fields.take("matrix")),
        fail_fast=reading.flag(fields.take("fail-fast")),
        max_parallel=reading.number(fields.take("max-parallel")),
    )


def _read_matrix(reading: Reading, node: Node | None) -> AuthoredTree | None:
    return None if node is None else reading.tree(node)
