"""What the planner reads: `plan` of a workflow, and `estimate` and `data` of its jobs."""

import re
from collections.abc import Callable, Iterator

from skyflow.model.objective import Goal, Objective
from skyflow.model.planning import DataPlace, PlanSpec, Quota, Spill, SpillReason
from skyflow.model.resources import LOCAL, Estimate, Work
from skyflow.model.units import parse_duration_seconds, parse_grams, parse_rate, parse_size_gb, parse_usd
from skyflow.spec.nodes import MappingNode, Node, ScalarNode, SequenceNode
from skyflow.spec.quantities import read_list, read_quantity
from skyflow.spec.reading import Reading

__all__ = ["is_place", "read_data", "read_estimate", "read_plan"]

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_HISTORY = "history"
_FUNCTION = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


def is_place(key: str) -> bool:
    """Tell whether a key of `data` is a place outside of the run, `s3://bucket` or `file:data`, rather than a job."""
    return _URI.match(key) is not None


def read_plan(reading: Reading, node: Node | None) -> PlanSpec:
    """Return `plan`."""
    fields = reading.fields(node)
    residency = fields.take("residency")
    places = residency.items if isinstance(residency, SequenceNode) else () if residency is None else (residency,)
    named = [(text, reading.at(place)) for place in places if (text := reading.plain_text(place))]
    objective = fields.take("objective")
    return PlanSpec(
        goal=_read_goal(reading, objective),
        deadline_seconds=_above_zero(reading, fields.take("deadline"), parse_duration_seconds, "deadline"),
        wait_seconds=read_quantity(reading, fields.take("wait"), parse_duration_seconds),
        budget_usd=read_quantity(reading, fields.take("budget"), parse_usd),
        carbon_grams=read_quantity(reading, fields.take("carbon-cap"), parse_grams),
        residency=tuple(text for text, _ in named),
        residency_said_at=tuple(at for _, at in named),
        quotas=tuple(_read_quotas(reading, fields.take("quotas"))),
        max_machines=_whole(reading, fields.take("max-machines")),
        spill=_read_spill(reading, fields.take("spill")),
    )


def _read_spill(reading: Reading, node: Node | None) -> Spill | None:
    if node is None:
        return None
    fields = reading.fields(node)
    after = read_quantity(reading, fields.take("after"), parse_duration_seconds)
    when = tuple(SpillReason(word) for word in read_list(reading, fields.take("when")) if word in tuple(SpillReason))
    default = Spill()
    return Spill(
        after_seconds=after or 0.0,
        when=when or default.when,
        to=read_list(reading, fields.take("to")) or default.to,
    )


def _read_goal(reading: Reading, node: Node | None) -> Goal | None:
    if node is None:
        return None
    if not isinstance(node, MappingNode):
        return Goal.of(Objective(reading.plain_text(node) or Objective.COST))
    fields = reading.fields(node)
    cost = _number(reading, fields.take("cost"), default=1.0)
    carbon = read_quantity(reading, fields.take("carbon"), lambda text: parse_rate(text, per="t"))
    time = read_quantity(reading, fields.take("time"), lambda text: parse_rate(text, per="h"))
    if not (cost or carbon or time):
        reading.findings.error("bad-quantity", node.span, "at least one weight has to be above 0")
        return None
    return Goal.weighted(cost=cost, usd_per_tonne=carbon or 0.0, usd_per_hour=time or 0.0)


def _read_quotas(reading: Reading, node: Node | None) -> Iterator[Quota]:
    for scope, amounts in reading.fields(node).rest():
        for unit, amount in reading.fields(amounts).rest():
            yield Quota(
                scope=scope.key,
                unit=unit.key,
                amount=_number(reading, amount, default=0.0),
                scope_said_at=reading.at(scope),
                unit_said_at=reading.at(unit),
            )


def read_estimate(reading: Reading, node: Node | None) -> Estimate | None:
    """Return `estimate`: a duration, `history`, or a map."""
    if node is None:
        return None
    if not isinstance(node, MappingNode):
        if reading.plain_text(node) == _HISTORY:
            return Estimate(from_history=True)
        seconds = read_quantity(reading, node, parse_duration_seconds)
        return None if seconds is None else Estimate(seconds=seconds)
    fields = reading.fields(node)
    refined: list[tuple[str, float]] = []
    duration_node = fields.take("duration")
    seconds = read_quantity(reading, duration_node, parse_duration_seconds)
    for key, value in reading.fields(fields.take("on")).rest():
        duration = read_quantity(reading, value, parse_duration_seconds)
        if duration is not None:
            refined.append((key.key, duration))
    function, history = fields.take("function"), fields.take("history")
    estimate = Estimate(
        seconds=seconds,
        on=tuple(refined),
        work=_read_work(reading, fields.take("work")),
        function=_read_function(reading, function),
        from_history=isinstance(history, ScalarNode) and history.value is True,
        checkpoint_seconds=_above_zero(reading, fields.take("checkpoint"), parse_duration_seconds, "checkpoint"),
        recovery_seconds=read_quantity(reading, fields.take("recovery"), parse_duration_seconds),
    )
    if duration_node is None and not (estimate.work or estimate.function or estimate.from_history):
        message = "an estimate needs a duration for the machines that it does not name"
        reading.findings.error(
            "bad-quantity", node.span, message, hint="add 'duration', 'work', 'function' or 'history'"
        )
    return estimate


def _read_function(reading: Reading, node: Node | None) -> str | None:
    name = reading.plain_text(node)
    if node is None or name is None:
        return None
    if not _FUNCTION.fullmatch(name):
        message = f"'{name}' does not name a function"
        reading.findings.error(
            "bad-quantity", node.span, message, hint="write module:function, such as estimates:train"
        )
    return name


def _read_work(reading: Reading, node: Node | None) -> Work | None:
    if node is None:
        return None
    fields = reading.fields(node)
    flops, core_hours = fields.take("flops"), fields.take("core-hours")
    work = Work(
        flops=read_quantity(reading, flops, _parse_flops),
        utilization=_share(reading, fields.take("utilization"), default=0.4, lowest=1e-9),
        core_hours=None if core_hours is None else _number(reading, core_hours, default=0.0),
        parallel_fraction=_share(reading, fields.take("parallel-fraction"), default=1.0),
    )
    if (flops is None) == (core_hours is None):
        reading.findings.error("bad-quantity", node.span, "work is given in 'flops' or in 'core-hours', one of them")
    return work


def _parse_flops(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise ValueError(f"'{text}' is not a number of operations; write for example 3e18")
    return number


def read_data(reading: Reading, node: Node | None) -> tuple[tuple[tuple[str, float], ...], tuple[DataPlace, ...]]:
    """Return `data`: decimal gigabytes by the id of the needed job, and data at places outside of the run."""
    sizes: list[tuple[str, float]] = []
    places: list[DataPlace] = []
    for key, value in reading.fields(node).rest():
        fields = reading.fields(value) if isinstance(value, MappingNode) else None
        size = read_quantity(reading, fields.take("size") if fields else value, parse_size_gb)
        if size is None:
            continue
        if not is_place(key.key):
            if fields:
                message = f"'{key.key}' is a job, of which only the size is given"
                reading.findings.error("bad-quantity", value.span, message, hint=f"write {key.key}: 12GB")
            sizes.append((key.key, size))
            continue
        region_node = fields.take("region") if fields else None
        region = reading.plain_text(region_node)
        output = fields.take("output") if fields else None
        if region is None and not key.key.startswith("file:"):
            message = f"where '{key.key}' is cannot be told from its name"
            hint = "write {size: 12GB, region: aws/us-east-1}"
            reading.findings.error("bad-quantity", value.span, message, hint=hint)
        elif region is not None and region != LOCAL and region.count("/") != 1:
            message = f"'{region}' is not a region"
            reading.findings.error(
                "bad-quantity", value.span, message, hint="write provider/region, such as aws/us-east-1"
            )
        is_output = isinstance(output, ScalarNode) and output.value is True
        places.append(
            DataPlace(
                uri=key.key,
                gigabytes=size,
                region=region or LOCAL,
                is_output=is_output,
                said_at=reading.at(region_node or key),
            )
        )
    return tuple(sizes), tuple(places)


def _number(reading: Reading, node: Node | None, *, default: float) -> float:
    if not isinstance(node, ScalarNode) or not isinstance(node.value, (int, float)):
        return default
    if not 0 <= node.value < float("inf"):
        reading.findings.error("bad-quantity", node.span, f"{node.text} is below 0")
    return float(node.value)


def _share(reading: Reading, node: Node | None, *, default: float, lowest: float = 0.0) -> float:
    share = _number(reading, node, default=default)
    if node is not None and not lowest <= share <= 1:
        reading.findings.error(
            "bad-quantity", node.span, f"{share:g} is not a share: it has to be above 0, and at most 1"
        )
    return share


def _whole(reading: Reading, node: Node | None) -> int | None:
    if node is None:
        return None
    number = _number(reading, node, default=0.0)
    if number < 1 or not number.is_integer():
        reading.findings.error("bad-quantity", node.span, "expected a whole number, at least 1")
        return None
    return int(number)


def _above_zero(reading: Reading, node: Node | None, parse: Callable[[str], float], name: str) -> float | None:
    value = read_quantity(reading, node, parse)
    if node is not None and value is not None and value <= 0:
        reading.findings.error("bad-quantity", node.span, f"a {name} of 0 leaves no time")
    return value
