"""Runs steps as processes of this machine."""

import os
import shutil
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, closing
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

import anyio
from anyio.abc import TaskGroup

from skyflow._util.masking import Masks
from skyflow.model.annotation import AnnotationLevel
from skyflow.model.execution import ActionRequest, StepRef, StepRequest, StepResult
from skyflow.model.layout import RunFolder
from skyflow.ports.clock import Clock
from skyflow.runners.files import CommandFiles, FileAnswers, FileCommandError
from skyflow.runners.hashing import hash_files
from skyflow.runners.javascript import NodeError, action_variables, find_node
from skyflow.runners.kept import KeeperClient, KeptProcess
from skyflow.runners.matchers import Matchers
from skyflow.runners.obey import AttemptMemory, StepCommands
from skyflow.runners.output import LogWriter
from skyflow.runners.process import TAG_VARIABLE, KillLadder, ProcessTree, kill_tagged
from skyflow.runners.recovery import (
    EarlierAttempt,
    Journal,
    Survivor,
    note_begun,
    note_result,
    read_attempt,
    watch,
)
from skyflow.runners.shells import ShellError, find_shell
from skyflow.runners.spool import SpoolReader
from skyflow.runners.step_log import StepLog

__all__ = ["LocalRunner"]


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
        ladder: KillLadder = KillLadder(),
    ) -> None:
        """Prepare a runner; nothing happens yet.

        Args:
            run_tag: names the run; every process carries it.
            folder: where logs, summaries and temporary files go.
            workspace: where steps start.
            environment: what every step inherits.
            clock: the time, for the index of logs.
            masks: texts to hide from the first line on, in every attempt.
            ladder: how patient stopping a step is.
        """
        self._run_tag = run_tag
        self._folder = folder
        self._workspace = workspace
        self._environment = dict(environment)
        self._clock = clock
        self._ladder = ladder
        self._stack = AsyncExitStack()
        self._tasks: TaskGroup
        self._keeper: KeeperClient
        self._running: dict[StepRef, ProcessTree] = {}
        self._scopes: dict[StepRef, anyio.CancelScope] = {}
        self._stopping: dict[StepRef, bool] = {}
        self._stopped_early: set[StepRef] = set()
        self._lingering: dict[tuple[str, int], list[ProcessTree]] = {}
        self._masks = Masks(masks)
        self._memories: dict[tuple[str, int], AttemptMemory] = {}
        self._earlier: dict[tuple[str, int], EarlierAttempt] = {}
        self._survivors: dict[StepRef, Survivor] = {}

    async def __aenter__(self) -> Self:
        """Open the task group that background work belongs to."""
        self._tasks = await self._stack.enter_async_context(anyio.create_task_group())
        self._keeper = KeeperClient(self._folder.journal, self._tasks)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        """End whatever is left, daemons that have left their job included."""
        for tree in self._running.values():
            tree.kill()
        kill_tagged(f"{self._run_tag}/")
        self._keeper.close()
        self._tasks.cancel_scope.cancel()
        return await self._stack.__aexit__(kind, error, trace)

    async def recover(self, attempts: Collection[tuple[str, int]]) -> frozenset[tuple[str, int]]:
        """Find out which attempts can go on where they are, and kill all else that an earlier driver left running."""
        known = Journal(self._folder.journal).read()
        for key, number in attempts:
            earlier = read_attempt(self._folder.temp(key, number))
            if earlier is None:
                continue
            survivors = {place: known.get(f"{key}#{number}/{place}") for place in earlier.open}
            alive = {
                place: found for place, found in survivors.items() if found is not None and found.is_looked_after()
            }
            if len(alive) < len(earlier.open):  # its keeper is dead as well, or it was done in the driver itself
                continue
            self._earlier[key, number] = earlier
            self._survivors |= {_step(key, number, place): found for place, found in alive.items()}
        spared = [self._tag(key, number) for key, number in self._earlier]
        kill_tagged(f"{self._run_tag}/", spared=spared)
        return frozenset(self._earlier)

    async def run_step(self, step: StepRef, request: StepRequest, output: Callable[[str], None]) -> StepResult:
        """Run one script to its end."""
        if (known := self._known_result(step)) is not None:
            return known
        cwd = self._workspace / (request.working_directory or "")
        if not cwd.is_dir():
            return StepResult(exit_code=None, not_started=f"the working directory '{cwd}' does not exist")
        temp = self._temp(step)
        files = CommandFiles(temp, step.place, is_begun=step in self._survivors)
        env = self._step_environment(request, files)
        if step in self._survivors:
            return await self._adopt(step, env=env, files=files, output=output)
        try:
            shell = find_shell(request.shell, search_path=env.get("PATH"))
            script = temp / f"{step.place}{shell.suffix}"
            script.write_text(f"{shell.before}{request.script}{shell.after}\n", encoding="utf-8")
        except (ShellError, OSError) as error:
            return StepResult(exit_code=None, not_started=str(error))
        if request.notice:
            commands = StepCommands(self._memory(step), workspace=self._workspace, env=env)
            with closing(StepLog(self._folder.log(step), self._clock)) as log:
                LogWriter(log, commands, output).add(request.notice)
        return await self._run(step, shell.command(str(script)), cwd=cwd, env=env, files=files, output=output)

    async def run_action(self, step: StepRef, request: ActionRequest, output: Callable[[str], None]) -> StepResult:
        """Run one phase of a JavaScript action to its end."""
        if (known := self._known_result(step)) is not None:
            return known
        files = CommandFiles(self._temp(step), step.place, is_begun=step in self._survivors)
        env = {**self._step_environment(request, files), **action_variables(request)}
        if step in self._survivors:
            return await self._adopt(step, env=env, files=files, output=output)
        try:
            node = await find_node(search_path=env.get("PATH"))
        except NodeError as error:
            return StepResult(exit_code=None, not_started=str(error))
        return await self._run(step, [node, request.script], cwd=self._workspace, env=env, files=files, output=output)

    async def run_here(
        self,
        step: StepRef,
        work: Callable[[Callable[[str], None]], Awaitable[StepResult]],
        output: Callable[[str], None],
    ) -> StepResult:
        """Do the work of a built-in action in this process, as a step that can be stopped."""
        if (known := self._known_result(step)) is not None:
            return known
        note_begun(self._temp(step), step, self._folder.log(step))
        commands = StepCommands(self._memory(step), workspace=self._workspace, env=self._environment)
        result = StepResult(exit_code=None, stopped=True)
        scope = self._scopes[step] = anyio.CancelScope()
        with closing(StepLog(self._folder.log(step), self._clock)) as log:
            writer = LogWriter(log, commands, output)
            try:
                with scope:
                    result = await work(lambda text: writer.feed(text.encode(errors="surrogateescape")))
            finally:
                del self._scopes[step]
                writer.finish()
        result = replace(result, masks=commands.memory.masks.values, annotations=commands.masked_annotations())
        note_result(self._folder.temp(step.job_key, step.attempt), step, result)
        return result

    async def _run(
        self,
        step: StepRef,
        command: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        files: CommandFiles,
        output: Callable[[str], None],
    ) -> StepResult:
        """Run a command as a step to its end."""
        tag = self._tag(step.job_key, step.attempt)
        temp = self._temp(step)
        note_begun(temp, step, self._folder.log(step))
        try:
            tree = ProcessTree(
                command,
                cwd=cwd,
                env=env,
                tag=tag,
                keeper=self._keeper,
                name=str(step),
                spool=temp / f"{step.place}.out",
            )
        except (OSError, ValueError) as error:  # a ValueError: a variable with a zero byte in it
            result = StepResult(exit_code=None, not_started=str(error))
            note_result(temp, step, result)
            return result
        return await self._see_through(step, tree, env=env, files=files, output=output)

    async def _adopt(
        self, step: StepRef, *, env: Mapping[str, str], files: CommandFiles, output: Callable[[str], None]
    ) -> StepResult:
        """See a step through that an earlier driver has begun; its log is written anew from what it has printed."""
        survivor = self._survivors.pop(step)
        spool = self._temp(step) / f"{step.place}.out"
        log = self._folder.log(step)
        if log.exists():
            os.truncate(log, self._earlier[step.job_key, step.attempt].open[step.place])
        kept = KeptProcess(survivor.pid)
        self._tasks.start_soon(watch, kept, str(step), Journal(self._folder.journal), spool)
        tree = ProcessTree.adopted(kept, tag=self._tag(step.job_key, step.attempt), spool=spool)
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
        self._running[step] = tree
        commands = StepCommands(self._memory(step), workspace=self._workspace, env=env)
        try:
            exit_code = await self._follow(step, tree, commands, output)
        finally:
            del self._running[step]
        result = self._result(step, exit_code, files, commands, output)
        note_result(self._folder.temp(step.job_key, step.attempt), step, result)
        return result

    def _known_result(self, step: StepRef) -> StepResult | None:
        """Return how a step ended without being run by us: it was stopped before, or an earlier driver saw it end."""
        if step in self._stopped_early:
            if self._survivors.pop(step, None) is not None:
                kill_tagged(self._tag(step.job_key, step.attempt))
            return StepResult(exit_code=None, stopped=True)
        earlier = self._earlier.get((step.job_key, step.attempt))
        results = earlier.results.get(step.place) if earlier is not None else None
        if not results:
            return None
        result = results.pop(0)
        self._memory(step).masks.add(*result.masks)
        return result

    def _tag(self, job_key: str, attempt: int) -> str:
        return f"{self._environment.get(TAG_VARIABLE, '')}{self._run_tag}/{job_key}/{attempt}/"

    def stop_step(self, step: StepRef, *, force: bool) -> None:
        """Begin to stop a running step."""
        if step in self._scopes:
            self._scopes[step].cancel()
            return
        tree = self._running.get(step)
        if tree is None:  # it has ended, or it was only just asked for and is about to start
            self._stopped_early.add(step)
            return
        if force:
            self._stopping[step] = True
            tree.kill()
        elif step not in self._stopping:
            self._stopping[step] = False
            self._tasks.start_soon(self._descend, step, tree)

    async def release(self, job_key: str, attempt: int) -> None:
        """End what the attempt left in the background and remove its temporary files."""
        for tree in self._lingering.pop((job_key, attempt), ()):
            await tree.terminate_rest(self._ladder.terminate_seconds)
            kill_tagged(tree.tag)
        left = [step for step in self._survivors if (step.job_key, step.attempt) == (job_key, attempt)]
        for step in left:  # the attempt was given up although it could have gone on
            del self._survivors[step]
            kill_tagged(self._tag(job_key, attempt))
        self._earlier.pop((job_key, attempt), None)
        self._memories.pop((job_key, attempt), None)
        self._stopped_early = {
            step for step in self._stopped_early if (step.job_key, step.attempt) != (job_key, attempt)
        }
        shutil.rmtree(self._folder.temp(job_key, attempt), ignore_errors=True)

    async def hash_files(self, job_key: str, attempt: int, patterns: tuple[str, ...]) -> str:
        """Hash files of the workspace, which all attempts share."""
        del job_key, attempt
        return await hash_files(self._workspace, patterns)

    def _temp(self, step: StepRef) -> Path:
        """Return the folder for the files of a step, which is there afterwards."""
        temp = self._folder.temp(step.job_key, step.attempt)
        temp.mkdir(parents=True, exist_ok=True)
        return temp

    def _step_environment(self, request: StepRequest | ActionRequest, files: CommandFiles) -> dict[str, str]:
        env = {**self._environment, **dict(request.env), **dict(files.variables())}
        if request.path:
            env["PATH"] = os.pathsep.join((*request.path, env.get("PATH", os.defpath)))
        return env

    def _memory(self, step: StepRef) -> AttemptMemory:
        fresh = AttemptMemory(self._masks.copy(), Matchers(self._workspace))
        return self._memories.setdefault((step.job_key, step.attempt), fresh)

    async def _follow(
        self, step: StepRef, tree: ProcessTree, commands: StepCommands, output: Callable[[str], None]
    ) -> int:
        """Read until the command has ended; what it leaves in the background is read on meanwhile."""
        log = StepLog(self._folder.log(step), self._clock)
        reader = SpoolReader(tree.spool, tree.kept, log, LogWriter(log, commands, output))
        try:
            exit_code = await reader.until_end()
            if step in self._stopping:
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
            self._tasks.start_soon(reader.until_closed)
        return exit_code

    async def _descend(self, step: StepRef, tree: ProcessTree) -> None:
        """Step down the kill ladder for as long as the step runs."""
        tree.interrupt()
        await anyio.sleep(self._ladder.interrupt_seconds)
        if self._running.get(step) is not tree:
            return
        tree.terminate()
        await anyio.sleep(self._ladder.terminate_seconds)
        if self._running.get(step) is tree:
            tree.kill()

    def _result(
        self,
        step: StepRef,
        exit_code: int,
        files: CommandFiles,
        commands: StepCommands,
        output: Callable[[str], None],
    ) -> StepResult:
        written, answers, error = commands.written, FileAnswers(), commands.error
        masks = commands.memory.masks
        try:
            answers = files.read()
        except FileCommandError as refused:
            error = error or str(refused)
        try:
            files.keep_summary(self._folder.summary(step), masks.hide)
        except FileCommandError as dropped:
            with closing(StepLog(self._folder.log(step), self._clock)) as log:
                LogWriter(log, commands, output).add(commands.issue(AnnotationLevel.ERROR, str(dropped)))
        return StepResult(
            exit_code=exit_code,
            stopped=self._stopping.pop(step, None) is not None,
            masks=masks.values,
            file_error=error,
            outputs=(*written.outputs.items(), *answers.outputs),
            state=(*written.state.items(), *answers.state),
            env=(*written.env.items(), *answers.env),
            path=(*answers.path, *written.path),
            annotations=commands.masked_annotations(),
        )


def _step(job_key: str, attempt: int, place: str) -> StepRef:
    position, *inner = map(int, place.split("."))
    return StepRef(job_key, attempt, position, tuple(inner))
