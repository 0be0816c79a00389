"""The allocation of one attempt in a Slurm cluster: where it stands, what its end means, and what is noted of it."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import anyio

from skyflow.model.layout import RunFolder
from skyflow.model.slurm import SlurmJob
from skyflow.ports.transport import TransportError
from skyflow.runners.places import Attempt
from skyflow.runners.remote.note import note_queued, noted_queued
from skyflow.runners.remote.session import StepEnd
from skyflow.runners.remote.verdict import Verdict
from skyflow.runners.slurm.commands import Listed, Phase, phase_of

__all__ = ["Allocation", "noted"]


@dataclass(slots=True, eq=False)
class Allocation:
    """That of one attempt, from the moment it is asked for.

    `job` is its number in Slurm, `12` or `12_3`. `news` is set and made anew whenever something is.
    """

    which: Attempt
    place: str
    need: SlurmJob
    tell: Callable[[str], None]
    name: str = ""
    index: int | None = None
    job: str = ""
    node: str = ""
    is_held: bool = False
    """Its agent has said that it is there."""
    is_told_to_end: bool = False
    is_taken: bool = False
    is_over: bool = False
    """Its agent has left, or is dead."""
    is_given_up: bool = False
    """Nobody waits for it any more."""
    problem: TransportError | None = None
    seen: Listed | None = None
    missed: int = 0
    hopeless: int = 0
    told: str = ""
    news: anyio.Event = field(default_factory=anyio.Event)

    def has_news(self) -> None:
        """Wake whoever waits."""
        self.news.set()
        self.news = anyio.Event()

    @property
    def phase(self) -> Phase:
        """Where it was when the queue was last looked at."""
        if self.is_taken:
            return Phase.TAKEN
        return Phase.WAITING if self.seen is None else phase_of(self.seen.state)

    async def held(self) -> None:
        """Wait until it is there.

        Raises:
            TransportError: it will never be.
        """
        while not self.is_held:
            news = self.news
            if self.problem is not None:
                raise self.problem
            await news.wait()

    def found_in(self, listed: Sequence[Listed]) -> Listed | None:
        """Return how the queue shows it."""
        job = self.job.partition("_")[0]
        return next(
            (each for each in listed if each.name == self.name and each.index == self.index and job in {"", each.job}),
            None,
        )

    def meaning(self, end: StepEnd, cluster: str) -> Verdict:
        """Say what it means for a step that its end has come together with this end of the allocation."""
        state = "" if self.seen is None else self.seen.state
        what = f"Slurm job {self.job} on {cluster}"
        if self.phase in {Phase.TAKEN, Phase.WAITING}:
            return Verdict(is_preempted=True)
        if self.phase is Phase.FAILED:
            return Verdict(failure=f"{what} was ended: {state}{_cure(state, self.need)}")
        if end.exit_code is None:
            return Verdict(lost=f"{what} is gone{f': {state}' if state else ''}")
        return Verdict()

    def note(self, folder: RunFolder) -> None:
        """Write down what a later driver has to know of it."""
        note_queued(folder.host(*self.which), name=self.name, index=self.index, job=self.job, node=self.node)


def noted(folder: RunFolder, fresh: Allocation) -> Allocation | None:
    """Fill in what an earlier driver has noted; None if that is nothing."""
    note = noted_queued(folder.host(*fresh.which))
    if note is None:
        return None
    fresh.name, fresh.index, fresh.job, fresh.node = note["name"], note["index"], note["job"], note["node"]
    return fresh


def _cure(state: str, need: SlurmJob) -> str:
    where = f" ({need.said_at})" if need.said_at else ""
    if state.startswith("TIMEOUT") and need.minutes is not None:
        return f" after its {need.minutes} minutes; raise timeout-minutes{where}"
    if state.startswith("OUT_OF_MEMORY"):
        asked = "" if need.memory_mib is None else f" of {math.ceil(need.memory_mib / 1024)} GiB"
        return f": more than its memory{asked}; raise resources.memory{where}"
    return ""
