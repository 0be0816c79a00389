"""Runs steps as processes of this machine."""

import shutil
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, closing, suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

import anyio
from anyio.abc import TaskGroup

from skyflow._util.masking import Masks
from skyflow.model.annotation import LineTag
from skyflow.model.containers import ContainersRequest, StartedContainers
from skyflow.model.execution import LOG_LIMIT_BYTES, ActionRequest, StepRef, StepRequest, StepResult
from skyflow.model.layout import RunFolder
from skyflow.ports.actions import ContainerMissingError
from skyflow.ports.clock import Clock
from skyflow.runners.containers.engine import ContainerError
from skyflow.runners.containers.jobs import HOME_FOLDER, JobContainers
from skyflow.runners.containers.log import ContainerLog
from skyflow.runners.hashing import hash_files
from skyflow.runners.javascript import NodeError, action_variables, find_node, find_node_inside
from skyflow.runners.local.spool import SpoolReader
from skyflow.runners.local.stops import LocalStops
from skyflow.runners.local.surroundings import Surroundings
from skyflow.runners.local.trees import StepTrees
from skyflow.runners.output.answers import result_of
from skyflow.runners.output.files import CommandFiles
from skyflow.runners.output.lines import LogWriter
from skyflow.runners.output.matchers import Matchers
from skyflow.runners.output.obey import AttemptMemory, StepCommands
from skyflow.runners.output.step_log import StepLog
from skyflow.runners.processes.kept import KeeperClient
from skyflow.runners.processes.process import TAG_VARIABLE, KillLadder, ProcessTree, kill_tagged
from skyflow.runners.processes.recovery import Inheritance, Journal, note_begun, note_result, watch
from skyflow.runners.shells import ShellError, find_shell, shell_inside

__all__ = ["LocalRunner"]

_SET_UP = 0
"""The position of the step that starts containers."""


class LocalRunner:
    """The runner of this machine, as an asynchronous context that owns the processes it starts.

    A process that a step leaves in the background lives on until its job ends, as on GitHub.
    """

    def __init__(
        self,
        *,
        run_tag: str,
        folder: RunFolder,
        workspace: Path,
        environment: Mapping[str, str],
        clock: Clock,
        masks: Iterable[str] = (),
        containers: JobContainers | None = None,
        ladder: KillLadder = KillLadder(),
        log_limit_bytes: int = LOG_LIMIT_BYTES,
    ) -> None:
        """Prepare a runner; nothing happens yet.

        Args:
            run_tag: names the run; every process carries it.
            folder: where logs, summaries and temporary files go.
            workspace: where steps start.
            environment: what every step inherits.
            clock: the time, for the index of logs.
            masks: texts to hide from the first line on, in every attempt.
            containers: what starts the containers of jobs; None if no job of the run has any.
            ladder: how patient stopping a step is.
            log_limit_bytes: how much of what a step prints is kept.
        """
        self._run_tag = run_tag
        self._folder = folder
        self._workspace = workspace
        self._environment = dict(environment)
        self._clock = clock
        self._ladder = ladder
        self._containers = containers
        self._surroundings = Surroundings(workspace=workspace, inherited=self._environment, containers=containers)
        self._trees = StepTrees(
            self._surroundings,
            folder=folder,
            run_tag=f"{environment.get(TAG_VARIABLE, '')}{run_tag}",
            log_limit_bytes=log_limit_bytes,
        )
        self._stack = AsyncExitStack()
        self._tasks: TaskGroup
        self._keeper: KeeperClient
        self._stops = LocalStops(ladder)
        self._lingering: dict[tuple[str, int], list[ProcessTree]] = {}
        self._masks = Masks(masks)
        self._log_limit_bytes = log_limit_bytes
        self._memories: dict[tuple[str, int], AttemptMemory] = {}
        self._inherited = Inheritance(folder)

    async def __aenter__(self) -> Self:
        """Open the task group that background work belongs to."""
        self._tasks = await self._stack.enter_async_context(anyio.create_task_group())
        self._stops.tasks = self._tasks
        self._keeper = KeeperClient(self._folder.journal, self._tasks)
        with suppress(OSError):  # the first step would say so; meanwhile it starts up beside us
            self._keeper.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        """End whatever is left, daemons that have left their job included."""
        with anyio.CancelScope(shield=True):
            await self._stops.kill_all()
            kill_tagged(f"{self._run_tag}/")
            if self._containers is not None and self._containers.has_any:
                with suppress(ContainerError):  # they carry labels, so that `skyflow resume` finds what is left
                    await self._containers.remove_all()
        self._keeper.close()
        self._tasks.cancel_scope.cancel()
        return await self._stack.__aexit__(kind, error, trace)

    async def recover(self, attempts: Collection[tuple[str, int]]) -> frozenset[tuple[str, int]]:
        """Find out which attempts can go on where they are, and end all else that an earlier driver left."""
        kept = self._inherited.take(attempts)
        if self._containers is not None:
            kept = await self._recover_containers(self._containers, kept)
        spared = [self._trees.tag(key, number) for key, number in kept]
        kill_tagged(f"{self._run_tag}/", spared=spared)
        return kept

    async def _recover_containers(
        self, containers: JobContainers, attempts: Collection[tuple[str, int]]
    ) -> frozenset[tuple[str, int]]:
        """Return the attempts that have all they need, and remove the containers of all others."""
        standing: frozenset[tuple[str, int]] = frozenset()
        with suppress(ContainerError):  # there may well be none; what is in the way will say so itself
            standing = await containers.recover({which: self._folder.temp(*which) for which in attempts})
        lost = [
            which for which in attempts if which not in standing and self._inherited.has_done(StepRef(*which, _SET_UP))
        ]
        for which in lost:
            self._inherited.forget(*which)
        return frozenset(attempts) - set(lost)

    @property
    def name(self) -> str:
        """What the machine is called."""
        return "this machine"

    async def run_step(self, step: StepRef, request: StepRequest, output: Callable[[str], None]) -> StepResult:
        """Run one script to its end."""
        if (known := self._known_result(step)) is not None:
            return known
        try:
            container = self._surroundings.container(step)
            cwd = self._surroundings.working_directory(request, container)
            temp = self._temp(step)
            files = CommandFiles(temp, step.place, is_begun=self._inherited.is_alive(step))
            env = self._surroundings.environment(request, files, container)
            if self._inherited.is_alive(step):
                return await self._adopt(step, env=env, files=files, output=output)
            shell = shell_inside(request.shell) if container else find_shell(request.shell, search_path=env.get("PATH"))
            script = temp / f"{step.place}{shell.suffix}"
            script.write_text(f"{shell.before}{request.script}{shell.after}\n", encoding="utf-8")
        except (ShellError, OSError, ContainerMissingError) as error:
            return StepResult(exit_code=None, not_started=str(error))
        if request.notice:
            commands = self._commands(step, env)
            with closing(StepLog(self._folder.log(step), self._clock)) as log:
                LogWriter(log, commands, output).add(request.notice)
        command = shell.command(container.mounts.to_inside(str(script)) if container else str(script))
        return await self._run(step, command, cwd=cwd, env=env, files=files, output=output)

    async def run_action(self, step: StepRef, request: ActionRequest, output: Callable[[str], None]) -> StepResult:
        """Run one phase of a JavaScript action to its end."""
        if (known := self._known_result(step)) is not None:
            return known
        files = CommandFiles(self._temp(step), step.place, is_begun=self._inherited.is_alive(step))
        try:
            container = self._surroundings.container(step)
            request = replace(request, env=(*request.env, *action_variables(request).items()))
            env = self._surroundings.environment(request, files, container)
            if self._inherited.is_alive(step):
                return await self._adopt(step, env=env, files=files, output=output)
            node = await (find_node_inside(container, env) if container else find_node(search_path=env.get("PATH")))
        except (NodeError, ContainerMissingError) as error:
            return StepResult(exit_code=None, not_started=str(error))
        cwd = container.workspace if container else str(self._workspace)
        script = container.mounts.to_inside(request.script) if container else request.script
        return await self._run(step, [node, script], cwd=cwd, env=env, files=files, output=output)

    def seen_outside(self, step: StepRef, request: ActionRequest) -> ActionRequest | None:
        """Return a request whose paths are those of this machine, if its step runs in a container."""
        container = self._surroundings.container(step)
        if container is None:
            return None
        to_outside = container.mounts.to_outside
        home = ("HOME", str(self._folder.temp(step.job_key, step.attempt) / HOME_FOLDER))
        return replace(
            request,
            inputs=tuple((name, "\n".join(map(to_outside, text.split("\n")))) for name, text in request.inputs),
            env=(home, *((name, to_outside(text)) for name, text in request.env)),
        )

    async def set_up(self, step: StepRef, output: Callable[[str], None], *, minutes: float | None = None) -> StepResult:
        """Do nothing: this machine is there."""
        del step, output, minutes
        return StepResult(exit_code=0)

    async def start_containers(
        self, step: StepRef, request: ContainersRequest, output: Callable[[str], None]
    ) -> tuple[StepResult, StartedContainers | None]:
        """Start the containers of an attempt."""
        started: StartedContainers | None = None

        if self._containers is not None and self._inherited.has_done(step):
            started = self._containers.recovered(step)

        async def work(writer: LogWriter) -> StepResult:
            nonlocal started
            if self._containers is None:
                return StepResult(exit_code=None, not_started="there is no container engine on this machine")
            masks = self._memory(step).masks
            for container in (request.container, *request.services):
                if container is not None and container.password:
                    masks.add(container.password)
            log = ContainerLog(writer)
            try:
                started = await self._containers.start(step, request, temp=self._temp(step), log=log)
            except ContainerError as error:
                return StepResult(exit_code=None, not_started=str(error))
            return StepResult(exit_code=0)

        return await self._work(step, work, output, is_repeatable=False), started

    async def stop_containers(self, step: StepRef, output: Callable[[str], None]) -> StepResult:
        """Stop the containers of an attempt and remove them."""

        async def work(writer: LogWriter) -> StepResult:
            if self._containers is not None:
                try:
                    await self._containers.stop(step, ContainerLog(writer))
                except ContainerError as error:  # what the job has done stays done; `release` tries once more
                    writer.add(f"{LineTag.WARNING}{error}")
            return StepResult(exit_code=0)

        return await self._work(step, work, output)

    async def run_here(
        self,
        step: StepRef,
        work: Callable[[Callable[[str], None]], Awaitable[StepResult]],
        output: Callable[[str], None],
    ) -> StepResult:
        """Do the work of a built-in action in this process, as a step that can be stopped."""

        async def write(writer: LogWriter) -> StepResult:
            return await work(lambda text: writer.feed(text.encode(errors="surrogateescape")))

        return await self._work(step, write, output)

    async def _work(
        self,
        step: StepRef,
        work: Callable[[LogWriter], Awaitable[StepResult]],
        output: Callable[[str], None],
        *,
        is_repeatable: bool = True,
    ) -> StepResult:
        if (known := self._known_result(step)) is not None:
            return known
        self._inherited.repeat(step)
        note_begun(self._temp(step), step, self._folder.log(step), is_repeatable=is_repeatable)
        commands = StepCommands(self._memory(step), workspace=self._workspace, env=self._environment)
        result = StepResult(exit_code=None, stopped=True)
        with closing(StepLog(self._folder.log(step), self._clock)) as log:
            writer = LogWriter(log, commands, output)
            try:
                with self._stops.work(step):
                    result = await work(writer)
            finally:
                writer.finish()
        result = replace(result, masks=commands.memory.masks.values, annotations=commands.masked_annotations())
        note_result(self._folder.temp(step.job_key, step.attempt), step, result)
        return result

    async def _run(
        self,
        step: StepRef,
        command: Sequence[str],
        *,
        cwd: str,
        env: Mapping[str, str],
        files: CommandFiles,
        output: Callable[[str], None],
    ) -> StepResult:
        """Run a command as a step to its end; `cwd` and the paths in the others are those of its container, if any."""
        temp = self._temp(step)
        note_begun(temp, step, self._folder.log(step))
        try:
            tree = self._trees.start(self._keeper, step, command, cwd=cwd, env=env)
        except (OSError, ValueError) as error:  # a ValueError: a variable with a zero byte in it
            result = StepResult(exit_code=None, not_started=str(error))
            note_result(temp, step, result)
            return result
        return await self._see_through(step, tree, env=env, files=files, output=output)

    async def _adopt(
        self, step: StepRef, *, env: Mapping[str, str], files: CommandFiles, output: Callable[[str], None]
    ) -> StepResult:
        """See a step through that an earlier driver has begun; its log is written anew from what it has printed."""
        tree = self._trees.adopted(step, self._inherited.adopt(step))
        self._tasks.start_soon(watch, tree.kept, str(step), Journal(self._folder.journal), tree.spool)
        return await self._see_through(step, tree, env=env, files=files, output=output)

    async def _see_through(
        self,
        step: StepRef,
        tree: ProcessTree,
        *,
        env: Mapping[str, str],
        files: CommandFiles,
        output: Callable[[str], None],
    ) -> StepResult:
        commands = self._commands(step, env)
        with self._stops.run(step, tree):
            exit_code = await self._follow(step, tree, commands, output)

        def say(text: str) -> None:
            with closing(StepLog(self._folder.log(step), self._clock)) as log:
                LogWriter(log, commands, output).add(text)

        result = result_of(
            exit_code,
            is_stopped=self._stops.ended(step),
            written=files,
            commands=commands,
            summary=self._folder.summary(step),
            say=say,
        )
        files.forget_summary()
        note_result(self._folder.temp(step.job_key, step.attempt), step, result)
        if tree.kept.is_closed:  # what it printed is in the log, masked; nobody needs it as it was
            tree.spool.unlink(missing_ok=True)
        return result

    def _known_result(self, step: StepRef) -> StepResult | None:
        """Return how a step ended without being run by us: it was stopped before, or an earlier driver saw it end."""
        if self._stops.is_before_start(step) and not self._inherited.is_alive(step):
            return StepResult(exit_code=None, stopped=True)
        result = self._inherited.result(step)
        if result is not None:
            self._memory(step).masks.add(*result.masks)
        return result

    def _commands(self, step: StepRef, env: Mapping[str, str]) -> StepCommands:
        return StepCommands(
            self._memory(step),
            workspace=self._workspace,
            env=env,
            to_outside=lambda text: self._surroundings.to_outside(step, text),
        )

    def stop_step(self, step: StepRef, *, force: bool) -> None:
        """Begin to stop a running step."""
        self._stops.stop(step, force=force)

    async def release(self, job_key: str, attempt: int) -> None:
        """End what the attempt left in the background and remove its temporary files."""
        for tree in self._lingering.pop((job_key, attempt), ()):
            await tree.terminate_rest(self._ladder.terminate_seconds)
            kill_tagged(tree.tag)
        if self._inherited.forget(job_key, attempt):  # the attempt was given up although it could have gone on
            kill_tagged(self._trees.tag(job_key, attempt))
        if self._containers is not None:
            with suppress(ContainerError):  # the labels stay; there is nobody left to tell
                await self._containers.remove(job_key, attempt)
        self._memories.pop((job_key, attempt), None)
        self._stops.forget(job_key, attempt)
        temp = self._folder.temp(job_key, attempt)
        shutil.rmtree(temp, ignore_errors=True)
        with suppress(OSError):  # another attempt has files there
            temp.parent.rmdir()

    async def hash_files(self, job_key: str, attempt: int, patterns: tuple[str, ...]) -> str:
        """Hash files of the workspace, which all attempts share."""
        del job_key, attempt
        return await hash_files(self._workspace, patterns)

    def _temp(self, step: StepRef) -> Path:
        """Return the folder for the files of a step, which is there afterwards."""
        temp = self._folder.temp(step.job_key, step.attempt)
        temp.mkdir(parents=True, exist_ok=True)
        return temp

    def _memory(self, step: StepRef) -> AttemptMemory:
        matchers = Matchers(self._workspace, lambda text: self._surroundings.to_outside(step, text))
        fresh = AttemptMemory(self._masks.copy(), matchers, self._log_limit_bytes)
        return self._memories.setdefault((step.job_key, step.attempt), fresh)

    async def _follow(
        self, step: StepRef, tree: ProcessTree, commands: StepCommands, output: Callable[[str], None]
    ) -> int:
        """Read until the command has ended; what it leaves in the background is read on meanwhile."""
        log = StepLog(self._folder.log(step), self._clock)
        reader = SpoolReader(tree.spool, tree.kept, log, LogWriter(log, commands, output))
        try:
            exit_code = await reader.until_end()
            if self._stops.is_under_way(step):
                await tree.terminate_rest(self._ladder.terminate_seconds)
                kill_tagged(tree.tag)
            elif tree.has_members():
                self._lingering.setdefault((step.job_key, step.attempt), []).append(tree)
        except BaseException:
            reader.close()
            raise
        if tree.kept.is_closed:
            await reader.until_closed()
        else:
            self._tasks.start_soon(self._read_on, reader, tree)
        return exit_code

    async def _read_on(self, reader: SpoolReader, tree: ProcessTree) -> None:
        """Read what is printed after the command has ended, which is answered for by then."""
        await reader.until_closed()
        tree.spool.unlink(missing_ok=True)
