"""How long a job takes on an offering: what the workflow says, what earlier runs took, or a documented guess.

The first of these that has an answer counts:

1. an entry of `estimate.on`: of the instance type, else its family, else the accelerator, else the provider;
2. the function that `estimate.function` names;
3. the work that `estimate.work` states: `flops / (utilization * peak)`, with the peak of all accelerators of the machine,
   or of its CPUs if it has none; or `core-hours * ((1 - p) + p / vcpus)` with the parallel fraction p (Amdahl 1967);
4. with `estimate: history`, the median of earlier successful runs of the job on this kind of machine, else on any, without
   the start of the machine;
5. `estimate.duration`;
6. one minute, and the plan says that it is assumed. But where work is stated, and nobody knows how fast a machine does it,
   the job takes for ever there.

To this comes the start of the machine, from asking for it until it lets us in: the mean of what skyflow has seen of this
offering, else a figure for each cloud that is our own estimate. It is billed like the work.

A spot machine may be taken away. Between interruptions, which come at rate r per second, a job works in stretches of the
checkpoint interval c, without checkpoints of its whole duration t; after an interruption it needs the recovery time R and
repeats the stretch. Its expected duration is then `(t / c) * (1 / r + R) * (exp(r * c) - 1)` (Daly 2006, "A higher order
estimate of the optimum checkpoint interval for restart dumps", equation 20 without the cost of writing).
"""

import math
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field

from skyflow.model.catalog import Offering
from skyflow.model.footprint import Footprint
from skyflow.model.resources import Estimate, Market, Work
from skyflow.planner.jobs import PlanningJob
from skyflow.planner.problem import Table

__all__ = [
    "DEFAULT_ESTIMATE_SECONDS",
    "DEFAULT_RECOVERY_SECONDS",
    "Knowledge",
    "Past",
    "Timing",
    "expected_timing",
    "interruption_rate",
    "timing_of",
    "type_of",
    "with_losses",
    "work_seconds",
]

DEFAULT_ESTIMATE_SECONDS = 60.0
"""How long a job without an estimate is assumed to take, on every machine."""

DEFAULT_RECOVERY_SECONDS = 120.0
"""From losing a spot machine to working on the next one, unless the workflow says otherwise."""

_CPU_FLOPS = 32e9
"""Single precision, of one vCPU: 8 lanes times 2 for a fused multiply-add, at 2 GHz."""
_MOST_INTERRUPTIONS = 50.0
"""Interruptions of one stretch beyond which its expected duration is of no use to anybody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How long a job is expected to take, the start of its machine and interruptions included, and how much of that is work.

    `startup_seconds` are those of the start. `source` says for people where the figure comes from and how sure it is; `is_assumed` that nobody gave one.
    """

    seconds: float
    busy_seconds: float
    source: str
    is_assumed: bool
    startup_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """Earlier successful runs of a job: how many, the median of their durations, and the middle half of these.

    `is_of_this_kind` tells whether they were on this kind of machine.
    """

    runs: int
    median_seconds: float
    low_seconds: float
    high_seconds: float
    is_of_this_kind: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """What is known beyond the workflow.

    `past` gives earlier runs of a job on an offering; `functions` the estimators that workflows name, called with an
    offering; `peaks` the floating-point operations per second of one accelerator by its name; `footprint` what the power
    of a machine emits, None where that is not known; `grams_per_gb` those of transfers, by pair of
    places; `interruptions` how often a spot machine is taken away, per hour; `startup` the seconds from asking for a machine
    until a job can begin on it; `curve` the number of the grid that a machine draws its power from, -1 where its hours are not known.
    """

    past: Callable[[str, Offering], Past | None] = lambda _job, _offering: None
    functions: Mapping[str, Callable[[Offering], float]] = field(default_factory=dict)
    peaks: Mapping[str, float] = field(default_factory=dict)
    footprint: Callable[[Offering], Footprint | None] = lambda _offering: None
    grams_per_gb: Table | None = None
    interruptions: Callable[[Offering], float] = lambda _offering: 0.0
    startup: Callable[[Offering], float] = lambda _offering: 0.0
    curve: Callable[[Offering], int] = lambda _offering: -1
    is_by_job: bool = False


def timing_of(job: PlanningJob, offering: Offering, knowledge: Knowledge) -> Timing:
    """Return how long a job takes on an offering; one that is pinned, what is left of it."""
    if job.pinned_seconds is not None:
        return Timing(seconds=job.pinned_seconds, busy_seconds=job.pinned_seconds, source="", is_assumed=False)
    return expected_timing(job.key, job.estimate, offering, knowledge)


def expected_timing(job: str, estimate: Estimate | None, offering: Offering, knowledge: Knowledge) -> Timing:
    """Return how long a job takes on an offering."""
    seconds, source, is_assumed = work_seconds(job, estimate, offering, knowledge)
    expected = with_losses(seconds, estimate, rate=interruption_rate(offering, knowledge))
    startup = knowledge.startup(offering)
    return Timing(
        seconds=startup + expected,
        busy_seconds=seconds,
        source=source,
        is_assumed=is_assumed,
        startup_seconds=startup,
    )


def interruption_rate(offering: Offering, knowledge: Knowledge) -> float:
    """Return how often a machine is taken away, per second."""
    return knowledge.interruptions(offering) / 3600 if offering.market is Market.SPOT else 0.0


def with_losses(seconds: float, estimate: Estimate | None, *, rate: float) -> float:
    """Return how long the work of a job is expected to take where its machine is taken away at a rate per second."""
    recovery = None if estimate is None else estimate.recovery_seconds
    return with_interruptions(
        seconds,
        rate=rate,
        stretch=None if estimate is None else estimate.checkpoint_seconds,
        recovery=DEFAULT_RECOVERY_SECONDS if recovery is None else recovery,
    )


def with_interruptions(seconds: float, *, rate: float, stretch: float | None, recovery: float) -> float:
    """Return the expected duration of work that is interrupted at a rate per second and repeated by stretches."""
    if rate <= 0 or seconds <= 0:
        return seconds
    stretch = seconds if not stretch else min(stretch, seconds)
    if rate * stretch > _MOST_INTERRUPTIONS:
        return math.inf
    return seconds / stretch * (1 / rate + recovery) * math.expm1(rate * stretch)


def work_seconds(
    job: str, estimate: Estimate | None, offering: Offering, knowledge: Knowledge
) -> tuple[float, str, bool]:
    """Return how long the work of a job takes, where that figure comes from, and whether nobody gave one.

    Without a function in its estimate, that depends on the `type_of` the machine alone.
    """
    if estimate is None:
        return DEFAULT_ESTIMATE_SECONDS, "assumed", True
    for way in (_from_table, _from_function, _from_work, _from_past):
        found = way(job, estimate, offering, knowledge)
        if found is not None:
            return (*found, False)
    if estimate.seconds is not None:
        return estimate.seconds, "given", False
    if estimate.work is not None:
        return math.inf, "of unknown speed", False
    return DEFAULT_ESTIMATE_SECONDS, "assumed", True


def type_of(offering: Offering) -> Hashable:
    """Return what tells machines apart on which a job takes another time."""
    return offering.provider, offering.instance_type, offering.vcpus, offering.accelerators


_Found = tuple[float, str] | None


def _from_table(_job: str, estimate: Estimate, offering: Offering, _knowledge: Knowledge) -> _Found:
    if not estimate.on:
        return None
    refined = {key.lower(): seconds for key, seconds in estimate.on}
    accelerator = offering.accelerators.name if offering.accelerators else ""
    for key in (offering.instance_type, offering.family, accelerator, offering.provider):
        if key and key.lower() in refined:
            return refined[key.lower()], f"given for {key}"
    return None


def _from_function(_job: str, estimate: Estimate, offering: Offering, knowledge: Knowledge) -> _Found:
    if not estimate.function:
        return None
    return knowledge.functions[estimate.function](offering), estimate.function


def _from_work(_job: str, estimate: Estimate, offering: Offering, knowledge: Knowledge) -> _Found:
    seconds = None if estimate.work is None else _modelled(estimate.work, offering, knowledge)
    return None if seconds is None else (seconds, "from the work")


def _from_past(job: str, estimate: Estimate, offering: Offering, knowledge: Knowledge) -> _Found:
    past = knowledge.past(job, offering) if estimate.from_history else None
    return None if past is None else (past.median_seconds, _described(past))


def _modelled(work: Work, offering: Offering, knowledge: Knowledge) -> float | None:
    if work.core_hours is not None:
        serial = 1.0 - work.parallel_fraction
        return work.core_hours * 3600 * (serial + work.parallel_fraction / offering.vcpus)
    if work.flops is None:
        return None
    if offering.accelerators is None:
        return work.flops / (work.utilization * _CPU_FLOPS * offering.vcpus)
    peak = knowledge.peaks.get(offering.accelerators.name)
    return None if peak is None else work.flops / (work.utilization * peak * offering.accelerators.count)


def _described(past: Past) -> str:
    where = "" if past.is_of_this_kind else " on other machines"
    if past.runs == 1:
        return f"as in 1 run{where}"
    spread = (past.high_seconds - past.low_seconds) / 2 / past.median_seconds if past.median_seconds else 0.0
    return f"median of {past.runs} runs{where}, ±{spread:.0%}"
