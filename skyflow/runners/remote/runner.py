"""Runs steps on another machine, where they go on when the link breaks or this process dies."""

import shutil
from collections.abc import Awaitable, Callable, Collection, Iterable
from contextlib import AsyncExitStack, closing, suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

import anyio
from anyio.abc import TaskGroup

from skyflow._util.glob_pattern import PatternError
from skyflow._util.masking import Masks
from skyflow.model.annotation import AnnotationLevel
from skyflow.model.execution import LOG_LIMIT_BYTES, ActionRequest, StepRef, StepRequest, StepResult
from skyflow.model.layout import RunFolder
from skyflow.ports.clock import Clock
from skyflow.ports.transport import LinkLostError, TransportError
from skyflow.runners.javascript import action_variables
from skyflow.runners.output.lines import LogWriter
from skyflow.runners.output.matchers import Matchers
from skyflow.runners.output.obey import AttemptMemory, StepCommands
from skyflow.runners.output.ranks import RankedWriter
from skyflow.runners.output.step_log import StepLog
from skyflow.runners.processes.process import KillLadder
from skyflow.runners.processes.recovery import Inheritance, note_begun, note_result, read_attempt
from skyflow.runners.remote.link import HostLink
from skyflow.runners.remote.project_files import ProjectFilesError
from skyflow.runners.remote.step import RemoteStep
from skyflow.runners.remote.stops import FORCED_SECONDS, RemoteStops
from skyflow.runners.remote.verdict import Judge, Verdict, at_face_value
from skyflow.runners.remote.workspace import RemoteWorkspaces
from skyflow.runners.shells import Shell, ShellError, shell_choices

__all__ = ["RemoteRunner"]


class RemoteRunner:
    """The runner of one machine, as an asynchronous context that owns the link to it.

    Each attempt has a workspace of its own there, a fresh copy of the project.
    """

    def __init__(
        self,
        link: HostLink,
        *,
        run: str,
        folder: RunFolder,
        tools: Path,
        workspace: Path,
        clock: Clock,
        masks: Iterable[str] = (),
        ladder: KillLadder = KillLadder(),
        log_limit_bytes: int = LOG_LIMIT_BYTES,
        judge: Judge = at_face_value,
        has_ranks: Callable[[str], bool] = lambda _: False,
        tasks: TaskGroup | None = None,
    ) -> None:
        """Prepare a runner; nothing happens yet.

        Args:
            link: reaches the machine.
            run: names the run.
            folder: where logs and summaries go.
            tools: the folder that RUNNER_TOOL_CACHE names here.
            workspace: the project.
            clock: the time, for the index of logs.
            masks: texts to hide from the first line on, in every attempt.
            ladder: how patient stopping a step is.
            log_limit_bytes: how much of what a step prints is kept.
            tasks: what stops steps, for a runner that is not entered itself (see `node`).
            judge: tells what else is known of a step's end.
            has_ranks: tells of a job, by its key, whether what its steps print comes with ranks (see `RankedWriter`).
        """
        self._nodes: dict[int, RemoteRunner] = {}
        self._link = link
        self._run = run
        self._folder = folder
        self._tools = tools
        self._workspace = workspace
        self.workspaces = RemoteWorkspaces(link, run=run, folder=folder, tools=tools, project=workspace)
        self._clock = clock
        self._given_masks = tuple(masks)
        self._masks = Masks(self._given_masks)
        self._log_limit_bytes = log_limit_bytes
        self._ladder = ladder
        self._judge = judge
        self._has_ranks = has_ranks
        self._stops = RemoteStops(link, ladder, key=self._key, tag=self._step_tag)
        if tasks is not None:
            self._stops.tasks = tasks
        self._stack = AsyncExitStack()
        self._memories: dict[tuple[str, int], AttemptMemory] = {}
        self._inherited = Inheritance(folder)
        self._recalled: set[tuple[str, int]] = set()

    @property
    def name(self) -> str:
        """What the machine is called."""
        return self._link.name

    async def address(self) -> str:
        """Return the address at which the machine was reached, as it sees that itself.

        Raises:
            TransportError: it cannot be used.
        """
        return await self._link.address()

    def node(self, number: int) -> "RemoteRunner":
        """Return what runs steps here as one of several machines: over the same link, with logs of its own."""
        if number not in self._nodes:
            self._nodes[number] = RemoteRunner(
                self._link,
                run=self._run,
                folder=self._folder.of_node(number),
                tools=self._tools,
                workspace=self._workspace,
                clock=self._clock,
                masks=self._given_masks,
                ladder=self._ladder,
                log_limit_bytes=self._log_limit_bytes,
                judge=self._judge,
                has_ranks=self._has_ranks,
                tasks=self._stops.tasks,
            )
        return self._nodes[number]

    async def check(self, seconds: float) -> None:
        """Make sure that the machine answers.

        Raises:
            LinkLostError: it does not, or not in time.
            TransportError: it must not or cannot be used.
        """
        try:
            with anyio.fail_after(seconds):
                await self._link.folder()
        except TimeoutError as error:
            raise LinkLostError(f"{self.name} did not answer within {seconds:g} seconds") from error

    async def __aenter__(self) -> Self:
        """Open the task group that stops steps."""
        await self._stack.enter_async_context(self._link)
        self._stops.tasks = await self._stack.enter_async_context(anyio.create_task_group())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        """End what is left of the run on the machine, if it can be reached, and close the link."""
        if self.workspaces.marker.exists():
            with anyio.move_on_after(FORCED_SECONDS, shield=True), suppress(TransportError):
                await self._end_run()
        self._stops.tasks.cancel_scope.cancel()
        return await self._stack.__aexit__(kind, error, trace)

    def knows(self, job_key: str, attempt: int) -> bool:
        """Tell whether an earlier driver wrote down anything about an attempt here."""
        return read_attempt(self._folder.temp(job_key, attempt)) is not None

    def recall(self, job_key: str, attempt: int) -> None:
        """Take in what an earlier driver wrote down about an attempt here: it goes on where it is."""
        self._inherited.recall(job_key, attempt)
        self.workspaces.expect(job_key, attempt)
        self._recalled.add((job_key, attempt))

    @property
    def recalled(self) -> Collection[tuple[str, int]]:
        """The attempts that go on where they are."""
        return self._recalled

    async def sweep(self) -> None:
        """End all that is left of the run on the machine but the attempts that were recalled."""
        kept = {which for runner in (self, *self._nodes.values()) for which in runner.recalled}
        with suppress(TransportError):  # it cannot be reached, and will say so when a job needs it
            await self._link.ask(
                "sweep", run=self._run, kept=[self.workspaces.place(key, number) for key, number in sorted(kept)]
            )

    async def recover(self, attempts: Collection[tuple[str, int]]) -> frozenset[tuple[str, int]]:
        """Find out which attempts can go on where they are, and end all else that is left of the run on the machine."""
        if not self.workspaces.marker.exists():
            return frozenset()
        kept = frozenset(which for which in attempts if self.knows(*which))
        for which in kept:
            self.recall(*which)
        await self.sweep()
        return kept

    def is_to_be_followed(self, step: StepRef) -> bool:
        """Tell whether an earlier driver began a step that has not ended as far as we know: its log is written anew."""
        return self._inherited.is_open(step)

    def hide(self, step: StepRef, masks: Iterable[str]) -> None:
        """Hide texts in what the attempt of a step prints from now on."""
        self._memory(step).masks.add(*masks)

    async def run_step(self, step: StepRef, request: StepRequest, output: Callable[[str], None]) -> StepResult:
        """Run one script to its end."""
        if (known := self._known_result(step)) is not None:
            return known
        try:
            shells = shell_choices(request.shell)
        except ShellError as error:
            return StepResult(exit_code=None, not_started=str(error))
        return await self._run_to_end(step, request, shells, output)

    async def run_action(self, step: StepRef, request: ActionRequest, output: Callable[[str], None]) -> StepResult:
        """Run one phase of a JavaScript action to its end."""
        if (known := self._known_result(step)) is not None:
            return known
        env = (*request.env, *action_variables(request).items())
        asked = StepRequest(script="", env=env, path=request.path)
        node = Shell(words=("node", request.script), suffix="")
        return await self._run_to_end(step, asked, (node,), output)

    async def run_here(
        self,
        step: StepRef,
        work: Callable[[Callable[[str], None]], Awaitable[StepResult]],
        output: Callable[[str], None],
    ) -> StepResult:
        """Do the work of a built-in action in this process, as a step that can be stopped."""
        if (known := self._known_result(step)) is not None:
            return known
        self._inherited.repeat(step)
        note_begun(self._temp(step), step, self._folder.log(step), is_repeatable=True)
        commands = StepCommands(self._memory(step), workspace=self._workspace, env={})
        underway = self._stops.begin(step)
        result = StepResult(exit_code=None, stopped=True)
        with closing(StepLog(self._folder.log(step), self._clock)) as log:
            writer = LogWriter(log, commands, output)
            try:
                with underway.scope:
                    result = await work(lambda text: writer.feed(text.encode(errors="surrogateescape")))
            except LinkLostError as error:
                return StepResult(exit_code=None, lost=f"{self._link.name} is lost: {error}")
            except (TransportError, PatternError, OSError) as error:
                writer.add(commands.issue(AnnotationLevel.ERROR, str(error)))
                result = StepResult(exit_code=1)
            finally:
                self._stops.end(step)
                writer.finish()
        result = replace(result, masks=commands.memory.masks.values, annotations=commands.masked_annotations())
        note_result(self._folder.temp(step.job_key, step.attempt), step, result)
        return result

    def stop_step(self, step: StepRef, *, force: bool) -> None:
        """Begin to stop a running step."""
        self._stops.stop(step, force=force)

    def stop_all(self) -> None:
        """Begin to stop every running step."""
        self._stops.stop_all()

    async def release(self, job_key: str, attempt: int) -> None:
        """End what the attempt left in the background and remove its files from the machine."""
        self._memories.pop((job_key, attempt), None)
        self._inherited.forget(job_key, attempt)
        self._recalled.discard((job_key, attempt))
        self._stops.forget(job_key, attempt)
        shutil.rmtree(self._folder.temp(job_key, attempt), ignore_errors=True)
        if self.workspaces.forget(job_key, attempt):
            with suppress(TransportError):  # the supervisor deletes what is left, in time
                await self._link.ask(
                    "release",
                    tag=self._tag(job_key, attempt),
                    folder=self.workspaces.place(job_key, attempt),
                    patience=self._ladder.terminate_seconds,
                )

    def leave(self) -> None:
        """Leave on the machine what is there, when this runner goes."""
        self.workspaces.marker.unlink(missing_ok=True)

    async def hash_files(self, job_key: str, attempt: int, patterns: tuple[str, ...]) -> str:
        """Hash files of the attempt's workspace on the machine."""
        return await self.workspaces.hash_files(job_key, attempt, patterns)

    # ------------------------------------------------------------------------------------------------- one step

    async def _run_to_end(
        self,
        step: StepRef,
        request: StepRequest,
        shells: tuple[Shell, ...],
        output: Callable[[str], None],
    ) -> StepResult:
        """Run a script on the machine; one that is there already, started by an earlier driver, is followed."""
        self._begin(step)
        underway = self._stops.begin(step)
        commands = StepCommands(self._memory(step), workspace=self._workspace, env=dict(request.env))
        result = StepResult(exit_code=None, stopped=True)  # unless it comes to an end: then the scope was cancelled
        try:
            with closing(StepLog(self._folder.log(step), self._clock)) as log, underway.scope:
                writer = LogWriter(log, commands, output)
                writer.add(request.notice)
                there = RemoteStep(
                    machine=self._link.name,
                    request=request,
                    shells=shells,
                    workspace=self._workspace,
                    summary=self._folder.summary(step),
                    commands=commands,
                    writer=writer,
                )
                paths = await self.workspaces.paths(step.job_key, step.attempt, lambda line: writer.feed(line.encode()))
                underway.is_on_machine = True
                script, fields = there.question(paths)
                await self._link.ask("start", script, step=self._key(step), tag=self._step_tag(step), **fields)
                printed = RankedWriter(log, commands, output) if self._has_ranks(step.job_key) else writer
                end = await self._link.follow(self._key(step), 0, lambda data, _: printed.feed(data))
                printed.finish()
                is_ours = self._stops.is_stopping(step) and end.exit_code is not None
                verdict = Verdict() if is_ours else await self._judge(step, end)
                result = there.result(end, verdict, is_stopped=self._stops.is_stopping(step))
        except LinkLostError as error:
            result = StepResult(exit_code=None, lost=f"{self._link.name} is lost: {error}")
        except (TransportError, ProjectFilesError, OSError) as error:
            result = StepResult(exit_code=None, not_started=str(error))
        finally:
            self._stops.end(step)
        if result.lost is None:
            note_result(self._folder.temp(step.job_key, step.attempt), step, result)
            if underway.is_on_machine:
                with suppress(TransportError):  # what is left goes with the attempt
                    await self._link.ask("finish", step=self._key(step))
        return result

    def _begin(self, step: StepRef) -> None:
        """Write down that a step begins; the log of one that was begun before is written anew from what it prints."""
        if self._inherited.is_open(step):
            self._inherited.repeat(step)
        else:
            note_begun(self._temp(step), step, self._folder.log(step))

    def _known_result(self, step: StepRef) -> StepResult | None:
        """Return how a step ended without being run by us: it was stopped before, or an earlier driver saw it end."""
        if self._stops.came_first(step):
            return StepResult(exit_code=None, stopped=True)
        result = self._inherited.result(step)
        if result is not None:
            self._memory(step).masks.add(*result.masks)
        return result

    async def _end_run(self) -> None:
        await self._link.ask("release", tag=f"{self._run}/", folder=self._run, patience=0)
        self.workspaces.marker.unlink(missing_ok=True)

    # --------------------------------------------------------------------------------------------------- names

    def _temp(self, step: StepRef) -> Path:
        """Return the folder here for the files of a step, which is there afterwards."""
        temp = self._folder.temp(step.job_key, step.attempt)
        temp.mkdir(parents=True, exist_ok=True)
        return temp

    def _memory(self, step: StepRef) -> AttemptMemory:
        fresh = AttemptMemory(self._masks.copy(), Matchers(self._workspace), self._log_limit_bytes)
        return self._memories.setdefault((step.job_key, step.attempt), fresh)

    def _key(self, step: StepRef) -> str:
        return f"{self.workspaces.place(step.job_key, step.attempt)}/steps/{step.place}"

    def _step_tag(self, step: StepRef) -> str:
        return f"{self._tag(step.job_key, step.attempt)}{step.place}/"

    def _tag(self, job_key: str, attempt: int) -> str:
        return f"{self.workspaces.place(job_key, attempt)}/"
