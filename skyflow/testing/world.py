"""Simulated machines and what runs on them. They outlive the drivers that start them, as real ones do."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import inf
from random import Random

from skyflow.model.catalog import Offering
from skyflow.model.execution import Pairs, StepRef, StepResult
from skyflow.model.job_keys import planned
from skyflow.model.pace import Pace
from skyflow.model.placement import Placement
from skyflow.model.recovery import Recovery
from skyflow.model.resources import LOCAL, Market
from skyflow.planner.recovery import OUTAGE_SECONDS
from skyflow.testing.spot import SpotTrace
from skyflow.testing.time import VirtualClock

__all__ = ["Machine", "Nature", "Process", "World"]

_KILLED = 137
_ROUNDING_SECONDS = 1e-6
"""What a sum of moments may lack, so that work that ends at a checkpoint counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nature:
    """How a simulated world behaves.

    A job whose machine is taken away waits for the same, or moves, as its plan says. `spread` is how far durations are from
    their estimates (standard deviation of the logarithm). `preemptions_per_hour` counts for spot machines, unless there are
    `traces`: each place gets one of them, and a moment of it from where on it is replayed. `boot_seconds` is what a machine
    takes to start, up to four times as much now and then. `failing` is the share of scripts that fail, `flaky` that of those
    that fail once; `exits` says of a script what it exits with, on each attempt, the last for all later ones, by its
    `JOB/POSITION`. `lost_keepers` is the share of drivers that take what they started along when they die.
    """

    spread: float = 0.2
    preemptions_per_hour: float = 0.05
    traces: tuple[SpotTrace, ...] = ()
    boot_seconds: float = 60.0
    failing: float = 0.0
    flaky: float = 0.0
    exits: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    lost_keepers: float = 0.0
    outruns_estimate: bool = True


@dataclass(slots=True)
class Machine:
    """A machine that was had for an attempt; it costs money until it ends, and is taken away when its life is over.

    All of the work takes `seconds` on it; `share` of that is left to do. Where no trace says so, spot machines that had been lost
    are to be had again from the moment `spot_again` on.
    """

    offering: Offering
    created: float
    ready: float
    life_ends: float
    seconds: float
    share: float = 1.0
    ended: float | None = None
    spot_again: float = 0.0

    @property
    def was_taken_away(self) -> bool:
        """Whether its life was over before its attempt."""
        return self.ended is not None and self.ended >= self.life_ends

    def share_left(self, every: float) -> float:
        """Return how much of the job is left when it was taken away, with a checkpoint every so many seconds, 0 for none."""
        worked = max(self.life_ends - self.ready, 0.0)
        kept = (worked + _ROUNDING_SECONDS) // every * every if every else 0.0
        return max(self.share - kept / self.seconds, 0.0) if self.seconds else self.share

    def cost(self, now: float) -> float:
        """Return what it has cost so far, in US dollars."""
        end = now if self.ended is None else self.ended
        return self.offering.price_usd_per_hour * max(end - self.created, 0.0) / 3600


@dataclass(slots=True)
class Process:
    """A script that was started: when it ends, and how."""

    ends: float
    result: StepResult
    is_stopped: bool = False


@dataclass(slots=True)
class World:
    """Everything that goes on outside of the driver, and a record of all that ever did.

    `containers` are the attempts that have some, `remembered` the outputs of jobs that are known from earlier runs, by key.
    """

    clock: VirtualClock
    placements: Mapping[str, Placement]
    nature: Nature
    seed: str
    machines: dict[tuple[str, int], Machine] = field(default_factory=dict)
    processes: dict[StepRef, Process] = field(default_factory=dict)
    starts: list[StepRef] = field(default_factory=list)
    replayed: dict[tuple[object, ...], int] = field(default_factory=dict)
    containers: set[tuple[str, int]] = field(default_factory=set)
    remembered: dict[str, Pairs] = field(default_factory=dict)
    preemptions: int = 0

    def chance(self, *what: object) -> Random:
        """Return the source of chance for one thing, the same in every world of a seed."""
        return Random(f"{self.seed}/{'/'.join(map(str, what))}")

    def placement(self, job_key: str) -> Placement | None:
        """Return where a job was planned."""
        return planned(self.placements, job_key)

    def machine(self, job_key: str, attempt: int) -> Machine | None:
        """Return the machine of an attempt, which is had when it is first asked for; asked again it is the same."""
        placed = self.placement(job_key)
        if placed is None:
            return None
        if (job_key, attempt) not in self.machines:
            before = self.machines.get((job_key, attempt - 1))
            chance = self.chance("machine", job_key, attempt)
            pace = placed.recovery.kept_pace if placed.recovery is not None else None
            self.machines[job_key, attempt] = (
                self._paced(job_key, attempt, placed, pace, chance)
                if pace is not None
                else self._replaced(placed, before, placed.recovery, chance)
                if before is not None and before.was_taken_away and placed.recovery is not None
                else self._had(placed, chance)
            )
        return self.machines[job_key, attempt]

    def _had(self, placed: Placement, chance: Random) -> Machine:
        wait = self._wait(placed.offering)
        return self._started_after(wait, placed.offering, _work_seconds(placed), placed, chance)

    def _replaced(self, placed: Placement, lost: Machine, recovery: Recovery, chance: Random) -> Machine:
        """Return the machine that follows one that was taken away: the same after a while, or another one elsewhere.

        Where neither is there when the wait is over, it is the one that is there first.
        """
        here = lost.offering, lost.seconds
        there = here if recovery.elsewhere is None else (recovery.elsewhere, recovery.elsewhere_seconds)
        if lost.offering != placed.offering:
            there = placed.offering, _work_seconds(placed)
        waited, (offering, seconds) = self._outage(lost.offering, chance), here
        if recovery.elsewhere is not None and waited > recovery.wait_seconds:
            moved = recovery.wait_seconds + self._wait(there[0], after=recovery.wait_seconds)
            if moved <= waited:
                waited, (offering, seconds) = moved, there
        machine = self._started_after(waited, offering, seconds, placed, chance)
        machine.share = lost.share_left(recovery.checkpoint_seconds)
        return machine

    def _paced(self, job_key: str, attempt: int, placed: Placement, pace: Pace, chance: Random) -> Machine:
        """Return the next machine of a job that recovers by its deadline, as it decides in a run."""
        earlier = [self.machines[job_key, number] for number in range(1, attempt)]
        now, before = self.clock.seconds, earlier[-1] if earlier else None
        left = pace.left_after(one.ended - one.ready for one in earlier if one.ended is not None)
        if self.nature.traces or before is None:
            waited = self._wait(pace.spot)
        elif before.offering.market is Market.SPOT:
            waited = self._outage(pace.spot, chance)
        else:
            waited = max(before.spot_again - now, 0.0)
        patience = pace.patience(now, left)
        if patience is not None and waited <= patience:
            machine = self._started_after(waited, pace.spot, pace.work_seconds, placed, chance)
        else:
            machine = self._started_after(patience or 0.0, pace.on_demand, pace.work_seconds, placed, chance)
            machine.life_ends = machine.ready + pace.stint(machine.ready, left)
        machine.spot_again = now + waited
        if before is not None and before.was_taken_away:
            machine.share = before.share_left(pace.checkpoint_seconds)
        return machine

    def _outage(self, offering: Offering, chance: Random) -> float:
        """Return how long it takes until there is such a machine again where one was taken away."""
        return self._wait(offering) if self.nature.traces else chance.expovariate(1 / OUTAGE_SECONDS)

    def _wait(self, offering: Offering, *, after: float = 0.0) -> float:
        """Return how long it takes, from so many seconds on, until all machines are there."""
        return max((wait for wait, _ in self._replayed(offering, after)), default=0.0)

    def _life(self, offering: Offering, chance: Random, *, after: float) -> float:
        """Return how long it takes, from so many seconds on, until one of the machines is taken away."""
        rate = self.nature.preemptions_per_hour * offering.spot_nodes
        if self.nature.traces or not rate:
            return min((life for _, life in self._replayed(offering, after)), default=inf)
        return chance.expovariate(rate / 3600)

    def _replayed(self, offering: Offering, after: float) -> Iterator[tuple[float, float]]:
        """Yield what a place's trace says of a moment, for each machine that can be taken away: the wait, the life."""
        traces = self.nature.traces
        for node in range(offering.spot_nodes if traces else 0):
            place = (offering.provider, offering.region, offering.zone, offering.instance_type, node)
            number = self.replayed.setdefault(place, len(self.replayed))
            trace = traces[(self.chance("first trace").randrange(len(traces)) + number) % len(traces)]
            begin = self.chance("trace", *place).random() * trace.length
            yield trace.wait_and_life(begin + self.clock.seconds + after)

    def _started_after(
        self, wait: float, offering: Offering, seconds: float, placed: Placement, chance: Random
    ) -> Machine:
        created, life = self.clock.seconds + wait, self._life(offering, chance, after=wait)
        if offering.provider == LOCAL:
            return Machine(offering, created, created, inf, seconds)
        boot = self.nature.boot_seconds * (4.0 if chance.random() < 0.05 else chance.uniform(0.7, 1.3))
        transfers = sum(transfer.seconds for transfer in placed.inputs)
        return Machine(offering, created, created + boot + transfers, created + life, seconds)

    def process(self, step: StepRef, steps: int) -> Process:
        """Return the process of a step, which is started if there is none."""
        found = self.processes.get(step)
        if found is None:
            self.starts.append(step)
            found = self.processes[step] = self._started(step, steps)
        return found

    def _started(self, step: StepRef, steps: int) -> Process:
        machine = self.machine(step.job_key, step.attempt)
        chance = self.chance("step", step.job_key, step.position)
        begins = max(self.clock.seconds, machine.ready if machine else 0.0)
        seconds = machine.seconds * machine.share / max(steps, 1) if machine else 1.0
        factor = chance.lognormvariate(0.0, self.nature.spread) if self.nature.spread else 1.0
        ends = begins + seconds * (factor if self.nature.outruns_estimate else min(factor, 1.0))
        exit_code = self._exit_code(step, chance)
        outputs: Pairs = () if exit_code else (("value", f"{step.job_key}-{step.position}"),)
        result = StepResult(exit_code=exit_code, outputs=outputs)
        if machine is not None and machine.life_ends < ends:
            ends, result = max(machine.life_ends, self.clock.seconds), StepResult(exit_code=None, preempted=True)
            machine.ended = ends
            self.preemptions += machine.offering.market is Market.SPOT  # else its job has left it by itself
        return Process(ends, result)

    def _exit_code(self, step: StepRef, chance: Random) -> int:
        codes = self.nature.exits.get(f"{step.job_key}/{step.place}")
        if codes is not None:
            return codes[min(step.attempt, len(codes)) - 1]
        draw = chance.random()
        return int(draw < self.nature.failing or (draw < self.nature.failing + self.nature.flaky and step.attempt == 1))

    def end(self, job_key: str, attempt: int) -> None:
        """Give a machine back, with all that runs on it."""
        machine = self.machines.get((job_key, attempt))
        if machine is not None and machine.ended is None:
            machine.ended = max(self.clock.seconds, machine.created)
        self.containers.discard((job_key, attempt))
        for step, process in self.processes.items():
            if (step.job_key, step.attempt) == (job_key, attempt) and process.ends > self.clock.seconds:
                process.ends, process.result = self.clock.seconds, StepResult(exit_code=_KILLED, stopped=True)

    def cost(self) -> float:
        """Return what all machines have cost so far, in US dollars."""
        return sum(machine.cost(self.clock.seconds) for machine in self.machines.values())

    def running_machines(self) -> list[tuple[str, int]]:
        """Return the attempts whose machines still cost money."""
        return [which for which, machine in self.machines.items() if machine.ended is None]


def _work_seconds(placed: Placement) -> float:
    """Return what the work takes: starts and interruptions are what the world adds."""
    return placed.duration_seconds if placed.work_seconds is None else placed.work_seconds
