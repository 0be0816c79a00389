"""Runs steps on another machine, where they go on when the link breaks or this process dies."""

import os
import shutil
from collections.abc import Awaitable, Callable, Collection, Iterable
from contextlib import AsyncExitStack, closing, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

import anyio
from anyio.abc import TaskGroup

from skyflow._util.glob_pattern import PatternError
from skyflow._util.masking import Masks
from skyflow.model.annotation import AnnotationLevel
from skyflow.model.execution import ActionRequest, StepRef, StepRequest, StepResult
from skyflow.model.layout import RunFolder
from skyflow.ports.clock import Clock
from skyflow.ports.transport import LinkLostError, TransportError
from skyflow.runners.answers import result_of
from skyflow.runners.files import CommandFiles
from skyflow.runners.host_link import HostLink
from skyflow.runners.host_session import StepEnd
from skyflow.runners.javascript import action_variables
from skyflow.runners.matchers import Matchers
from skyflow.runners.obey import AttemptMemory, StepCommands
from skyflow.runners.onhost.steps import ANSWERS
from skyflow.runners.output import LogWriter
from skyflow.runners.process import KillLadder
from skyflow.runners.project_files import ProjectFilesError
from skyflow.runners.recovery import EarlierAttempt, note_begun, note_result, read_attempt
from skyflow.runners.remote_paths import PathPairs
from skyflow.runners.remote_workspace import RemoteWorkspaces
from skyflow.runners.shells import Shell, ShellError, shell_choices
from skyflow.runners.step_log import StepLog

__all__ = ["Judge", "RemoteRunner", "Verdict"]

_FORCED_SECONDS = 5.0
"""How long a step that is killed by force may still be waited for: the machine may be out of reach."""


@dataclass(slots=True)
class _Running:
    """A step under way: `scope` gives up waiting for it; `is_on_machine` says that it may run there."""

    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    is_on_machine: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the end of a step means beyond its exit code: the machine was taken away or lost, or it failed for a reason."""

    is_preempted: bool = False
    lost: str = ""
    failure: str = ""


Judge = Callable[[StepRef, StepEnd], Awaitable[Verdict]]


async def _at_face_value(step: StepRef, end: StepEnd) -> Verdict:
    del step, end
    return Verdict()


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
        judge: Judge = _at_face_value,
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
            tasks: what stops steps, for a runner that is not entered itself (see `node`).
            judge: tells what else is known of a step's end.
        """
        self._of_node = partial(
            RemoteRunner,
            link,
            run=run,
            tools=tools,
            workspace=workspace,
            clock=clock,
            masks=masks,
            ladder=ladder,
            judge=judge,
        )
        self._nodes: dict[int, RemoteRunner] = {}
        self._link = link
        self._run = run
        self._folder = folder
        self._workspace = workspace
        self.workspaces = RemoteWorkspaces(link, run=run, folder=folder, tools=tools, project=workspace)
        self._clock = clock
        self._masks = Masks(masks)
        self._ladder = ladder
        self._judge = judge
        self._stack = AsyncExitStack()
        if tasks is not None:
            self._tasks = tasks
        self._memories: dict[tuple[str, int], AttemptMemory] = {}
        self._earlier: dict[tuple[str, int], EarlierAttempt] = {}
        self._recalled: set[tuple[str, int]] = set()
        self._running: dict[StepRef, _Running] = {}
        self._stopping: set[StepRef] = set()
        self._stopped_early: set[StepRef] = set()

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
            self._nodes[number] = self._of_node(folder=self._folder.of_node(number), tasks=self._tasks)
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
        self._tasks = await self._stack.enter_async_context(anyio.create_task_group())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        """End what is left of the run on the machine, if it can be reached, and close the link."""
        if self.workspaces.marker.exists():
            with anyio.move_on_after(_FORCED_SECONDS, shield=True), suppress(TransportError):
                await self._end_run()
        self._tasks.cancel_scope.cancel()
        return await self._stack.__aexit__(kind, error, trace)

    def knows(self, job_key: str, attempt: int) -> bool:
        """Tell whether an earlier driver wrote down anything about an attempt here."""
        return read_attempt(self._folder.temp(job_key, attempt)) is not None

    def recall(self, job_key: str, attempt: int) -> None:
        """Take in what an earlier driver wrote down about an attempt here: it goes on where it is."""
        earlier = read_attempt(self._folder.temp(job_key, attempt))
        if earlier is not None:
            self._earlier[job_key, attempt] = earlier
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
        earlier = self._earlier.get((step.job_key, step.attempt))
        return earlier is not None and step.place in earlier.open

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
        note_begun(self._temp(step), step, self._folder.log(step), is_repeatable=True)
        commands = StepCommands(self._memory(step), workspace=self._workspace, env={})
        running = self._running[step] = _Running()
        result = StepResult(exit_code=None, stopped=True)
        with closing(StepLog(self._folder.log(step), self._clock)) as log:
            writer = LogWriter(log, commands, output)
            try:
                with running.scope:
                    result = await work(lambda text: writer.feed(text.encode(errors="surrogateescape")))
            except LinkLostError as error:
                return StepResult(exit_code=None, lost=f"{self._link.name} is lost: {error}")
            except (TransportError, PatternError, OSError) as error:
                writer.add(commands.issue(AnnotationLevel.ERROR, str(error)))
                result = StepResult(exit_code=1)
            finally:
                del self._running[step]
                writer.finish()
        result = replace(result, masks=commands.memory.masks.values, annotations=commands.masked_annotations())
        note_result(self._folder.temp(step.job_key, step.attempt), step, result)
        return result

    def stop_step(self, step: StepRef, *, force: bool) -> None:
        """Begin to stop a running step."""
        running = self._running.get(step)
        if running is None:  # it has ended, or it was only just asked for and is about to start
            self._stopped_early.add(step)
            return
        first = step not in self._stopping
        self._stopping.add(step)
        if not running.is_on_machine:
            running.scope.cancel()
        elif force:
            self._tasks.start_soon(self._kill, step, running)
        elif first:
            self._tasks.start_soon(self._descend, step, running)

    def stop_all(self) -> None:
        """Begin to stop every running step."""
        for step in list(self._running):
            self.stop_step(step, force=False)

    async def release(self, job_key: str, attempt: int) -> None:
        """End what the attempt left in the background and remove its files from the machine."""
        self._memories.pop((job_key, attempt), None)
        self._earlier.pop((job_key, attempt), None)
        self._recalled.discard((job_key, attempt))
        self._stopped_early = {
            step for step in self._stopped_early if (step.job_key, step.attempt) != (job_key, attempt)
        }
        shutil.rmtree(self._folder.temp(job_key, attempt), ignore_errors=True)
        if self.workspaces.forget(job_key, attempt):
            with suppress(TransportError):  # the supervisor deletes what is left, in time
                await self._link.ask(
                    "release",
                    tag=self._tag(job_key, attempt),
                    folder=self.workspaces.place(job_key, attempt),
                    patience=self._ladder.terminate_seconds,
                )

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
        files = CommandFiles(self._temp(step), step.place)
        self._begin(step)
        running = self._running[step] = _Running()
        commands = StepCommands(self._memory(step), workspace=self._workspace, env=dict(request.env))
        result = StepResult(exit_code=None, stopped=True)  # unless it comes to an end: then the scope was cancelled
        try:
            with closing(StepLog(self._folder.log(step), self._clock)) as log, running.scope:
                writer = LogWriter(log, commands, output)
                writer.add(request.notice)
                paths = await self.workspaces.paths(step.job_key, step.attempt, lambda line: writer.feed(line.encode()))
                running.is_on_machine = True
                await self._start(step, request, shells, paths=paths, files=files)
                end = await self._link.follow(self._key(step), 0, lambda data, _: writer.feed(data))
                writer.finish()
                is_ours = step in self._stopping and end.exit_code is not None
                verdict = Verdict() if is_ours else await self._judge(step, end)
                result = self._result(step, end, verdict, files, commands, writer)
        except LinkLostError as error:
            result = StepResult(exit_code=None, lost=f"{self._link.name} is lost: {error}")
        except (TransportError, ProjectFilesError, OSError) as error:
            result = StepResult(exit_code=None, not_started=str(error))
        finally:
            del self._running[step]
            self._stopping.discard(step)
        if result.lost is None:
            note_result(self._folder.temp(step.job_key, step.attempt), step, result)
            if running.is_on_machine:
                with suppress(TransportError):  # what is left goes with the attempt
                    await self._link.ask("finish", step=self._key(step))
        return result

    def _begin(self, step: StepRef) -> None:
        """Write down that a step begins; the log of one that was begun before is written anew from what it prints."""
        log = self._folder.log(step)
        earlier = self._earlier.get((step.job_key, step.attempt))
        if earlier is not None and step.place in earlier.open:
            if log.exists():
                os.truncate(log, earlier.open.pop(step.place))
            return
        note_begun(self._temp(step), step, log)

    def _known_result(self, step: StepRef) -> StepResult | None:
        """Return how a step ended without being run by us: it was stopped before, or an earlier driver saw it end."""
        if step in self._stopped_early:
            return StepResult(exit_code=None, stopped=True)
        earlier = self._earlier.get((step.job_key, step.attempt))
        results = earlier.results.get(step.place) if earlier is not None else None
        if not results:
            return None
        result = results.pop(0)
        self._memory(step).masks.add(*result.masks)
        return result

    async def _start(
        self, step: StepRef, request: StepRequest, shells: tuple[Shell, ...], *, paths: PathPairs, files: CommandFiles
    ) -> None:
        there = paths.to_there
        script = f"{shells[0].before}{there(request.script)}{shells[0].after}\n"
        work = Path(there(str(self._workspace)))
        await self._link.ask(
            "start",
            script.encode(errors="surrogateescape"),
            step=self._key(step),
            shells=[[there(word) for word in shell.words] for shell in shells],
            suffix=shells[0].suffix,
            cwd=str(work / there(request.working_directory or "")),
            env={name: there(value) for name, value in request.env},
            path=[there(entry) for entry in request.path],
            files=files.names(),
            tag=self._step_tag(step),
        )

    def _result(  # noqa: PLR0917 -- what is known of the step, and where to say what
        self,
        step: StepRef,
        end: StepEnd,
        verdict: Verdict,
        files: CommandFiles,
        commands: StepCommands,
        writer: LogWriter,
    ) -> StepResult:
        if end.problem:
            return StepResult(exit_code=None, not_started=end.problem)
        if verdict.is_preempted:
            return StepResult(exit_code=None, preempted=True)
        if verdict.lost:
            return StepResult(exit_code=None, lost=verdict.lost)
        if verdict.failure:
            writer.add(commands.issue(AnnotationLevel.ERROR, verdict.failure))
        elif end.exit_code is None:
            return StepResult(exit_code=None, lost=f"{self._link.name} was restarted, or the step killed from outside")
        if end.is_disk_full:
            text = f"the disk of {self._link.name} is full: what this step printed and wrote may be incomplete"
            writer.add(commands.issue(AnnotationLevel.ERROR, text))
        for name, content in zip(ANSWERS, end.answers, strict=True):
            files.fill(name, content)
        return result_of(
            1 if end.exit_code is None else end.exit_code,
            is_stopped=step in self._stopping,
            files=files,
            commands=commands,
            summary=self._folder.summary(step),
            say=writer.add,
        )

    # ------------------------------------------------------------------------------------------------- stopping

    async def _descend(self, step: StepRef, running: _Running) -> None:
        """Step down the kill ladder for as long as the step runs."""
        for name, patience in (
            ("INT", self._ladder.interrupt_seconds),
            ("TERM", self._ladder.terminate_seconds),
        ):
            await self._signal(step, name)
            await anyio.sleep(patience)
            if self._running.get(step) is not running:
                return
        await self._kill(step, running)

    async def _kill(self, step: StepRef, running: _Running) -> None:
        """Kill a step with all it has started; stop waiting for it if the machine does not answer."""
        with anyio.move_on_after(_FORCED_SECONDS):
            await self._signal(step, "KILL", tag=self._step_tag(step))
            while self._running.get(step) is running:  # noqa: ASYNC110 -- what comes first, its end or the time
                await anyio.sleep(0.02)
        running.scope.cancel()

    async def _signal(self, step: StepRef, name: str, *, tag: str = "") -> None:
        with suppress(TransportError):
            await self._link.ask("signal", step=self._key(step), signal=name, tag=tag)

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
        fresh = AttemptMemory(self._masks.copy(), Matchers(self._workspace))
        return self._memories.setdefault((step.job_key, step.attempt), fresh)

    def _key(self, step: StepRef) -> str:
        return f"{self.workspaces.place(step.job_key, step.attempt)}/steps/{step.place}"

    def _step_tag(self, step: StepRef) -> str:
        return f"{self._tag(step.job_key, step.attempt)}{step.place}/"

    def _tag(self, job_key: str, attempt: int) -> str:
        return f"{self.workspaces.place(job_key, attempt)}/"
