"""The queue of a Slurm cluster as a place where jobs run: each attempt has an allocation of its own.

An allocation is held by an agent (`skyflow.runners.onhost.agent`) that starts the steps, on a folder that the login node
sees as well. So a session there is all that is needed to follow any number of attempts, and what this process does not
live to see, a later one does.
"""

from collections.abc import Callable, Collection
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from math import ceil, isfinite
from types import TracebackType
from typing import Self

import anyio
from anyio.abc import TaskGroup

from skyflow.model.execution import StepRef
from skyflow.model.layout import RunFolder
from skyflow.model.slurm import SlurmJob
from skyflow.ports.transport import LinkLostError, TransportError
from skyflow.runners.places import Attempt
from skyflow.runners.remote.link import HostLink
from skyflow.runners.remote.runner import RemoteRunner
from skyflow.runners.remote.session import StepEnd
from skyflow.runners.remote.verdict import Judge, Verdict
from skyflow.runners.slurm.allocation import Allocation, noted
from skyflow.runners.slurm.client import SlurmClient, SlurmRefusedError
from skyflow.runners.slurm.commands import Listed, Phase, batch_script, job_name

__all__ = ["SlurmPlace"]

_GATHER_SECONDS = 0.05
"""How long to wait for others that could be submitted together, after the last one has come."""
_MOST_IN_ARRAY = 1000
"""Slurm's MaxArraySize is 1001 unless a cluster says otherwise."""
_SHORTEST_LOOK_SECONDS = 0.5
_LONGEST_LOOK_SECONDS = 15.0
"""How often to look at the queue: it only tells why a job waits, or has ended without having said so."""
_MOST_MISSED_LOOKS = 3
"""After so many looks at the queue that did not show it, a job is gone: one look may have come too soon."""
_SETTLE_SECONDS = 90.0
"""How long Slurm may take to say how a job ended that it has told to end: KillWait is 30 s, and GraceTime comes before."""
_KILLED = 128
_HEAR_SECONDS = 1.5
"""How long after a step was killed it may be heard that the whole allocation was."""
_LEAVE_SECONDS = 5.0
_END_SECONDS = 10.0


class SlurmPlace:
    """See `skyflow.runners.places.Place`."""

    def __init__(
        self,
        client: SlurmClient,
        link: HostLink,
        make_runner: Callable[[Judge], RemoteRunner],
        *,
        need_of: Callable[[str], SlurmJob],
        folder: RunFolder,
        run: str,
    ) -> None:
        """Prepare; nothing happens yet.

        Args:
            client: asks the cluster.
            link: reaches its login node.
            make_runner: makes what runs steps by way of that link, from what says more about their ends.
            need_of: what a job needs, by its key.
            folder: where it is written down which allocation an attempt has.
            run: names the run.
        """
        self._client = client
        self._runner = make_runner(self.judge)
        self._link = link
        self._need_of = need_of
        self._folder = folder
        self._run = run
        self._known: dict[Attempt, Allocation] = {}
        self._gathered: list[Allocation] = []
        self._preparing = 0
        self._ending: set[str] = set()
        self._unanswered = 0
        self._answer = anyio.Event()
        self._look = anyio.Event()
        self._is_looking = False
        self._stack = AsyncExitStack()
        self._tasks: TaskGroup

    async def __aenter__(self) -> Self:
        """Open the link and the task group that looks after allocations."""
        await self._stack.enter_async_context(self._runner)
        self._tasks = await self._stack.enter_async_context(anyio.create_task_group())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        """End what is left in the queue, and leave."""
        with anyio.move_on_after(_END_SECONDS, shield=True), suppress(TransportError):
            while self._unanswered:  # what is in the queue already may not have told its number yet
                await self._answer.wait()
            left = {each.job for each in self._known.values() if each.job} | self._ending
            await self._client.cancel(sorted(left))
        self._tasks.cancel_scope.cancel()
        return await self._stack.__aexit__(kind, error, trace)

    async def take(self, which: Attempt, tell: Callable[[str], None], *, minutes: float | None = None) -> RemoteRunner:
        """Have an allocation: bring the project, submit, and wait until the cluster has one free."""
        found = self._known.get(which)
        try:
            if found is None:
                found = await self._asked_for(which, tell, minutes)
            found.tell = tell
            await found.held()
        except BaseException:
            if found is not None:
                found.is_given_up = True
                self._cancel_soon(found)
            raise
        return self._runner

    def taken(self, which: Attempt) -> RemoteRunner | None:
        """Return what runs the steps of an attempt."""
        found = self._known.get(which)
        return self._runner if found is not None and found.is_held else None

    def neighbours(self, which: Attempt) -> None:
        """Return None: nothing goes from one machine to another."""

    def heard(self, which: Attempt, *, is_lost: bool) -> None:
        """Take no note: an allocation is not used again."""

    def is_taken_away(self, which: Attempt) -> bool:  # noqa: ARG002 -- what Slurm takes away is lost
        """Say no: an allocation that ends early is one that was lost."""
        return False

    async def release(self, which: Attempt) -> None:
        """Let the agent end everything and leave; where it does not, Slurm does."""
        found = self._known.pop(which, None)
        if found is None:
            return
        if found.is_held and not found.is_over:
            with anyio.move_on_after(_LEAVE_SECONDS), suppress(TransportError):
                await self._link.ask("leave", folder=found.place, patience=1)
                while not found.is_over:
                    await found.news.wait()
        found.is_given_up = True
        if not found.is_over:
            self._cancel_soon(found)
        await self._runner.release(*which)

    async def recover(self, attempts: Collection[Attempt]) -> frozenset[Attempt]:
        """Go on with the attempts whose allocations are there, also with those that still wait for one."""
        noted = [self._noted(which) for which in attempts]
        known = [each for each in noted if each is not None]
        listed: list[Listed] = []
        if known:
            with suppress(TransportError):  # whether they are there, their agents may say
                listed = await self._client.listed(sorted({each.name for each in known}))
        for each in known:
            each.seen = each.found_in(listed)
            if not each.job and each.seen is not None:
                each.job = each.seen.number
        there = [each for each in known if each.job and each.phase in {Phase.WAITING, Phase.RUNNING, Phase.LEAVING}]
        kept = frozenset(each.which for each in there)
        for which in kept:  # also one of which no step was begun
            self._runner.recall(*which)
        await self._runner.sweep()
        for each in there:
            self._known[each.which] = each
            self._tasks.start_soon(self._listen, each)
        with suppress(TransportError):  # they end by themselves: their folders are gone
            await self._client.cancel([each.job for each in known if each.job and each.which not in kept])
        self._look_soon()
        return kept

    async def judge(self, step: StepRef, end: StepEnd) -> Verdict:
        """Say what the end of a step means: an exit code of 128 or more may be Slurm's doing, and no end at all is."""
        found = self._known.get((step.job_key, step.attempt))
        if found is None or end.problem:
            return Verdict()
        if end.exit_code is not None and not (end.exit_code >= _KILLED and await self._is_ending(found)):
            return Verdict()
        with anyio.move_on_after(_SETTLE_SECONDS):
            while found.phase in {Phase.WAITING, Phase.RUNNING, Phase.LEAVING} and found.missed < _MOST_MISSED_LOOKS:
                self._look_soon()
                await found.news.wait()
        return found.meaning(end, self._client.queue.name)

    async def _is_ending(self, found: Allocation) -> bool:
        """Tell whether Slurm has told an allocation to end: its agent hears that when its steps do."""
        with anyio.move_on_after(_HEAR_SECONDS):
            while not (found.is_told_to_end or found.is_over):
                await found.news.wait()
        return found.is_told_to_end or found.is_over

    # ------------------------------------------------------------------------------------------------ submission

    async def _asked_for(self, which: Attempt, tell: Callable[[str], None], minutes: float | None) -> Allocation:
        need = self._need_of(which[0])
        if minutes is not None and isfinite(minutes):
            need = replace(need, minutes=max(1, ceil(minutes)))
        found = Allocation(which, self._runner.workspaces.place(*which), need, tell)
        self._preparing += 1
        try:
            await self._runner.workspaces.paths(*which, tell)
            await self._link.ask("expect", folder=found.place)
        finally:
            self._preparing -= 1
        self._known[which] = found
        self._gathered.append(found)
        if len(self._gathered) == 1:
            self._tasks.start_soon(self._submit_gathered)
        return found

    async def _submit_gathered(self) -> None:
        """Submit all that has come together: equal ones as arrays, if they are many."""
        count = 0
        while self._preparing or count < len(self._gathered):
            count = len(self._gathered)
            await anyio.sleep(_GATHER_SECONDS)
        gathered, self._gathered = self._gathered, []
        alike: dict[SlurmJob, list[Allocation]] = {}
        for each in sorted(gathered, key=lambda each: (len(each.place), each.place)):  # as the matrix has them
            if not each.is_given_up:
                alike.setdefault(each.need, []).append(each)
        for group in alike.values():
            size = _MOST_IN_ARRAY if len(group) >= self._client.queue.array_from else 1
            for start in range(0, len(group), size):
                self._tasks.start_soon(self._submit_one, group[start : start + size])

    async def _submit_one(self, group: list[Allocation]) -> None:
        self._unanswered += 1
        try:
            await self._submit(group)
        finally:
            self._unanswered -= 1
            self._answer.set()
            self._answer = anyio.Event()

    async def _submit(self, group: list[Allocation]) -> None:
        name = job_name(self._run, [each.place for each in group])
        for index, each in enumerate(group):
            each.name, each.index = name, index if len(group) > 1 else None
            each.note(self._folder)
        try:
            ready = await self._link.ask("expect", folder=group[0].place)
            folder = ready.get("folder", str)
            script = batch_script(
                [each.place for each in group],
                program=ready.get("program", str),
                folder=folder,
                python=self._client.queue.python,
            )
            number = await self._client.submit(
                name, group[0].need, script, count=len(group), folder=folder, notes=f"{folder}/runs/{self._run}"
            )
        except TransportError as error:
            for each in group:
                each.problem = error
                each.has_news()
            return
        for each in group:
            each.job = number if each.index is None else f"{number}_{each.index}"
            each.note(self._folder)
            if each.is_given_up:
                self._cancel_soon(each)
            else:
                self._say(each, f"Slurm job {each.job} is submitted to {self._client.queue.name}")
                self._tasks.start_soon(self._listen, each)
        self._look_soon()

    def _cancel_soon(self, found: Allocation) -> None:
        self._known.pop(found.which, None)
        self._end_soon(found.job)

    def _end_soon(self, job: str) -> None:
        """Let Slurm end a job, now or when this place is left."""
        if job:
            self._ending.add(job)
            self._tasks.start_soon(self._end, job)

    async def _end(self, job: str) -> None:
        with suppress(TransportError):  # its folder goes, and the agent with it
            await self._client.cancel([job])
        self._ending.discard(job)

    # ------------------------------------------------------------------------------------------------ watching

    async def _listen(self, found: Allocation) -> None:
        """Hear what the agent of an allocation says, until it has left."""
        rest = b""

        def take(data: bytes, _: int) -> None:
            nonlocal rest
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                self._heard(found, *line.decode(errors="replace").split("\t"))

        try:
            await self._link.follow(f"{found.place}/agent", 0, take)
        except LinkLostError as error:
            found.problem = error
        except TransportError:
            if not found.is_given_up:  # else its files were removed
                found.problem = TransportError(f"the files of Slurm job {found.job} are gone")
        found.is_over = True
        found.has_news()
        if not found.is_given_up and self._known.get(found.which) is found:
            await self._abandon(found)

    def _heard(self, found: Allocation, what: str, node: str = "", again: str = "0") -> None:
        if what == "term":
            found.is_told_to_end = True
            self._look_soon()
        elif again != "0" and found.is_held:
            found.is_taken = True
        elif not found.is_held:
            found.is_held, found.node = True, node
            found.note(self._folder)
            found.seen = Listed(found.name, found.job.partition("_")[0], found.index, "RUNNING", "None")
            self._say(found, f"Slurm job {found.job} runs on {node}")
        found.has_news()

    async def _abandon(self, found: Allocation) -> None:
        """Let the steps of an allocation that is gone come to an end."""
        found.is_over = True
        with suppress(TransportError):
            await self._link.ask("abandon", folder=found.place)
        found.has_news()

    def _look_soon(self) -> None:
        """Look at the queue before long, and from then on less and less often."""
        self._look.set()
        if not self._is_looking:
            self._is_looking = True
            self._tasks.start_soon(self._keep_looking)

    async def _keep_looking(self) -> None:
        pause = _SHORTEST_LOOK_SECONDS
        while watched := [each for each in self._known.values() if each.job]:
            self._look = anyio.Event()
            await anyio.sleep(_SHORTEST_LOOK_SECONDS)
            held = {each.which for each in watched if each.is_held}  # before the queue is looked at
            with suppress(TransportError):  # the login node or the controller is away: jobs run on meanwhile
                listed = await self._client.listed(sorted({each.name for each in watched}))
                for each in watched:
                    await self._saw(each, each.found_in(listed), was_held=each.which in held)
            with anyio.move_on_after(pause):
                await self._look.wait()
            pause = _SHORTEST_LOOK_SECONDS if self._look.is_set() else min(1.5 * pause, _LONGEST_LOOK_SECONDS)
        self._is_looking = False

    async def _saw(self, found: Allocation, seen: Listed | None, *, was_held: bool) -> None:
        """Take in how a job stands in the queue; one that is not in an answer may be in the next one."""
        if found.is_held and not was_held:
            return  # it has begun since the queue was looked at
        found.missed = 0 if seen is not None else found.missed + 1
        found.seen = seen or found.seen
        found.hopeless = found.hopeless + 1 if seen is not None and seen.is_hopeless else 0
        if found.is_held:
            if found.phase is Phase.WAITING and seen is not None:
                found.is_taken = True
                self._end_soon(found.job)
            gone = found.missed >= _MOST_MISSED_LOOKS or found.phase not in {Phase.RUNNING, Phase.LEAVING}
            if gone and not found.is_over:
                await self._abandon(found)
        elif found.hopeless > 1 and seen is not None:
            where = found.need.said_at
            found.problem = SlurmRefusedError(
                f"Slurm would let job {found.job} wait for ever: {seen.reason}{f' ({where})' if where else ''}"
            )
        elif found.missed >= _MOST_MISSED_LOOKS or found.phase not in {Phase.WAITING, Phase.RUNNING, Phase.LEAVING}:
            found.problem = await self._never_began(found)
        elif seen is not None and found.phase is Phase.WAITING and seen.reason not in {"None", found.told}:
            found.told = seen.reason
            self._say(found, f"Slurm job {found.job} waits: {seen.reason}")
        found.has_news()

    async def _never_began(self, found: Allocation) -> TransportError:
        """Return why a job has ended without its agent: what the batch script printed may tell."""
        ready = await self._link.ask("expect", folder=found.place)
        index = "" if found.index is None else f"-{found.index}"
        said = await self._client.said(f"{ready.get('folder', str)}/runs/{self._run}/{found.name}{index}.out")
        state = "no longer in the queue" if found.seen is None or found.missed else found.seen.state
        if found.phase in {Phase.TAKEN, Phase.LOST}:
            return LinkLostError(f"Slurm job {found.job} was taken away before it began: {state}")
        return TransportError(f"Slurm job {found.job} ended before it began: {state}{f': {said}' if said else ''}")

    @staticmethod
    def _say(found: Allocation, text: str) -> None:
        if not found.is_given_up:
            found.tell(f"{text}\n")

    def _noted(self, which: Attempt) -> Allocation | None:
        place, need = self._runner.workspaces.place(*which), self._need_of(which[0])
        return noted(self._folder, Allocation(which, place, need, lambda _: None))
