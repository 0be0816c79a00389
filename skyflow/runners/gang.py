"""Runs the steps of one job on several machines at once: all begin together, and none goes on without the others."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace

import anyio

from skyflow.model.execution import ActionRequest, Pairs, StepRef, StepRequest, StepResult
from skyflow.model.layout import RunFolder
from skyflow.ports.clock import Clock
from skyflow.runners.one_error import one_error
from skyflow.runners.output.ranks import mark
from skyflow.runners.output.step_log import StepLog
from skyflow.runners.remote.data import HostWorkspace
from skyflow.runners.remote.files import RemoteFiles
from skyflow.runners.remote.paths import PathPairs
from skyflow.runners.remote.runner import RemoteRunner

__all__ = ["GangRunner"]

_Output = Callable[[str], None]


class GangRunner:
    """What `RemoteRunner` is for one machine. The first machine, of rank 0, speaks for all: outputs, variables, files.

    The log of a step has the lines of all machines in the order in which they came, with the rank in front; each machine
    has a log of its own besides.
    """

    def __init__(
        self, members: Sequence[RemoteRunner], addresses: Sequence[str], *, folder: RunFolder, clock: Clock
    ) -> None:
        """Prepare; nothing happens yet.

        Args:
            members: what runs steps on each machine (`RemoteRunner.node`), by rank.
            addresses: where the machines reach one another.
            folder: where the logs of all go.
            clock: the time, for the index of logs.
        """
        self._members = members
        self._addresses = addresses
        self._folder = folder
        self._clock = clock
        self._lost: set[int] = set()
        self._ended: dict[StepRef, dict[int, StepResult]] = {}
        self.workspaces = _Workspaces(members)

    @property
    def name(self) -> str:
        """What the machines are called."""
        return ", ".join(member.name for member in self._members)

    @property
    def lost(self) -> frozenset[int]:
        """The ranks of the machines that were lost."""
        return frozenset(self._lost)

    async def run_step(self, step: StepRef, request: StepRequest, output: _Output) -> StepResult:
        """Run one script on every machine, to its end on all."""
        return await self._on_all(
            step,
            lambda rank, tell: self._members[rank].run_step(
                step, replace(request, env=(*request.env, *self._variables(rank))), tell
            ),
            output,
        )

    async def run_action(self, step: StepRef, request: ActionRequest, output: _Output) -> StepResult:
        """Run one phase of a JavaScript action on every machine."""
        return await self._on_all(
            step,
            lambda rank, tell: self._members[rank].run_action(
                step, replace(request, env=(*request.env, *self._variables(rank))), tell
            ),
            output,
        )

    async def run_here(
        self, step: StepRef, work: Callable[[_Output], Awaitable[StepResult]], output: _Output
    ) -> StepResult:
        """Do the work of a built-in action once, for the first machine."""
        with closing(StepLog(self._folder.log(step), self._clock)) as log:
            merged = _Merged(log, output)
            self._begin_log_again(step, merged)
            return await self._members[0].run_here(step, work, merged.of())

    def stop_step(self, step: StepRef, *, force: bool) -> None:
        """Begin to stop a step on every machine on which it has not ended."""
        ended = self._ended.get(step, {})
        for rank, member in enumerate(self._members):
            if rank not in ended:
                member.stop_step(step, force=force)

    def stop_all(self) -> None:
        """Begin to stop every running step on every machine."""
        for member in self._members:
            member.stop_all()

    async def check(self, seconds: float) -> None:
        """Make sure that every machine answers.

        Raises:
            LinkLostError: one does not, or not in time.
            TransportError: one must not or cannot be used.
        """
        with one_error():
            async with anyio.create_task_group() as tasks:
                for member in self._members:
                    tasks.start_soon(member.check, seconds)

    async def release(self, job_key: str, attempt: int) -> None:
        """End what an attempt left running on every machine that is not lost."""
        async with anyio.create_task_group() as tasks:
            for rank, member in enumerate(self._members):
                if rank not in self._lost:
                    tasks.start_soon(member.release, job_key, attempt)

    async def hash_files(self, job_key: str, attempt: int, patterns: tuple[str, ...]) -> str:
        """Hash files of the workspace on the first machine."""
        return await self._members[0].hash_files(job_key, attempt, patterns)

    def _variables(self, rank: int) -> Pairs:
        return (
            ("SKYFLOW_NODE_RANK", str(rank)),
            ("SKYFLOW_NUM_NODES", str(len(self._members))),
            ("SKYFLOW_NODE_IPS", "\n".join(self._addresses)),
        )

    async def _on_all(
        self, step: StepRef, work: Callable[[int, _Output], Awaitable[StepResult]], output: _Output
    ) -> StepResult:
        """Do something on every machine at once; the first that fails ends it on the others."""
        ranks = range(len(self._members))
        results = self._ended[step] = {}
        failed: list[int] = []
        with ExitStack() as stack:
            log = stack.enter_context(closing(StepLog(self._folder.log(step), self._clock)))
            merged = _Merged(log, output)
            self._begin_log_again(step, merged)

            async def run(rank: int) -> None:
                result = results[rank] = await work(rank, merged.of(rank))
                if result.lost is not None:
                    self._lost.add(rank)
                if _is_success(result) or failed:
                    return
                failed.append(rank)
                self.stop_step(step, force=result.lost is not None)

            async with anyio.create_task_group() as tasks:
                for rank in ranks:
                    tasks.start_soon(run, rank)
            if failed and not results[failed[0]].stopped:
                merged.of()(
                    f"failed on node {failed[0]} ({self._members[failed[0]].name}), and was ended on the others\n"
                )
        del self._ended[step]
        return self._together(step, [results[rank] for rank in ranks], failed[0] if failed else 0)

    def _begin_log_again(self, step: StepRef, merged: "_Merged") -> None:
        """Begin the common log anew where an earlier driver wrote some of it: what is followed is heard from the start."""
        followed = [member.is_to_be_followed(step) for member in self._members]
        if not any(followed):
            return
        self._folder.log(step).unlink(missing_ok=True)
        for rank, is_followed in enumerate(followed):
            log = self._folder.of_node(rank).log(step)
            if not is_followed and log.exists():
                for line in log.read_text(encoding="utf-8", errors="surrogateescape").splitlines(keepends=True):
                    merged.log_only(rank, line)

    def _together(self, step: StepRef, results: Sequence[StepResult], speaker: int) -> StepResult:
        """Return one result: that of the machine that failed first, else of the first; all hide what one of them hides."""
        masks = sorted({mask for result in results for mask in result.masks}, key=lambda mask: (-len(mask), mask))
        for member in self._members:
            member.hide(step, masks)
        annotations = tuple(annotation for result in results for annotation in result.annotations)
        return replace(results[speaker], masks=tuple(masks), annotations=annotations)


class _Merged:
    """The log of all machines: takes lines of each."""

    def __init__(self, log: StepLog, output: _Output) -> None:
        self._log = log
        self._output = output

    def of(self, rank: int | None = None) -> _Output:
        """Return what takes the lines of one machine, or those that are of none."""

        def take(text: str) -> None:
            marked = "".join(f"{mark(rank)}{line}" for line in text.splitlines(keepends=True))
            self._log.write(marked.encode(errors="surrogateescape"))
            self._output(marked)

        return take

    def log_only(self, rank: int, line: str) -> None:
        """Put a line of one machine into the log that was shown before."""
        self._log.write(f"{mark(rank)}{line}".encode(errors="surrogateescape"))


class _Workspaces:
    """The workspaces of an attempt on all machines."""

    def __init__(self, members: Sequence[RemoteRunner]) -> None:
        self._members = members

    async def paths(self, job_key: str, attempt: int, tell: _Output = lambda _: None) -> PathPairs:
        """Make the workspaces, and return where that of the first machine is."""
        with one_error():
            async with anyio.create_task_group() as tasks:
                for member in self._members:
                    tasks.start_soon(member.workspaces.paths, job_key, attempt, tell)
        return await self._members[0].workspaces.paths(job_key, attempt)

    async def files(self, job_key: str, attempt: int) -> RemoteFiles:
        """Return what tells which files the workspace on the first machine has."""
        return await self._members[0].workspaces.files(job_key, attempt)

    async def keep(self, job_key: str, attempt: int, owner: str, names: Sequence[str]) -> None:
        """Keep files of the first machine there."""
        await self._members[0].workspaces.keep(job_key, attempt, owner, names)

    async def destinations(self, job_key: str, attempt: int) -> Sequence[HostWorkspace]:
        """Return the workspaces on every machine."""
        await self.paths(job_key, attempt)
        return [each for member in self._members for each in await member.workspaces.destinations(job_key, attempt)]


def _is_success(result: StepResult) -> bool:
    return result.exit_code == 0 and result.file_error is None and result.lost is None
