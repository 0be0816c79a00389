"""Runs steps as processes of this machine."""

import os
import shutil
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
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
from skyflow.runners.files import CommandFiles, FileAnswers, FileCommandError
from skyflow.runners.hashing import hash_files
from skyflow.runners.javascript import NodeError, action_variables, find_node
from skyflow.runners.matchers import Matchers
from skyflow.runners.obey import AttemptMemory, StepCommands
from skyflow.runners.output import LogWriter
from skyflow.runners.pipe import OutputPipe
from skyflow.runners.process import TAG_VARIABLE, KillLadder, ProcessTree, kill_tagged
from skyflow.runners.shells import ShellError, find_shell

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
        masks: Iterable[str] = (),
        ladder: KillLadder = KillLadder(),
    ) -> None:
        """Prepare a runner; nothing happens yet.

        Args:
            run_tag: names the run; every process carries it.
            folder: where logs, summaries and temporary files go.
            workspace: where steps start.
            environment: what every step inherits.
            masks: texts to hide from the first line on, in every attempt.
            ladder: how patient stopping a step is.
        """
        self._run_tag = run_tag
        self._folder = folder
        self._workspace = workspace
        self._environment = dict(environment)
        self._ladder = ladder
        self._stack = AsyncExitStack()
        self._tasks: TaskGroup
        self._running: dict[StepRef, ProcessTree] = {}
        self._scopes: dict[StepRef, anyio.CancelScope] = {}
        self._stopping: dict[StepRef, bool] = {}
        self._stopped_early: set[StepRef] = set()
        self._lingering: dict[tuple[str, int], list[ProcessTree]] = {}
        self._masks = Masks(masks)
        self._memories: dict[tuple[str, int], AttemptMemory] = {}

    async def __aenter__(self) -> Self:
        """Open the task group that background work belongs to."""
        self._tasks = await self._stack.enter_async_context(anyio.create_task_group())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        """End whatever is left, daemons that have left their job included."""
        for tree in self._running.values():
            tree.kill()
        kill_tagged(f"{self._run_tag}/")
        self._tasks.cancel_scope.cancel()
        return await self._stack.__aexit__(kind, error, trace)

    async def recover(self) -> None:
        """Kill what an earlier driver of this run left running."""
        kill_tagged(f"{self._run_tag}/")

    async def run_step(self, step: StepRef, request: StepRequest, output: Callable[[str], None]) -> StepResult:
        """Run one script to its end."""
        if step in self._stopped_early:
            return StepResult(exit_code=None, stopped=True)
        cwd = self._workspace / (request.working_directory or "")
        if not cwd.is_dir():
            return StepResult(exit_code=None, not_started=f"the working directory '{cwd}' does not exist")
        temp = self._temp(step)
        files = CommandFiles(temp, step.place)
        env = self._step_environment(request, files)
        try:
            shell = find_shell(request.shell, search_path=env.get("PATH"))
            script = temp / f"{step.place}{shell.suffix}"
            script.write_text(f"{shell.before}{request.script}{shell.after}\n", encoding="utf-8")
        except (ShellError, OSError) as error:
            return StepResult(exit_code=None, not_started=str(error))
        return await self._run(step, shell.command(str(script)), cwd=cwd, env=env, files=files, output=output)

    async def run_action(self, step: StepRef, request: ActionRequest, output: Callable[[str], None]) -> StepResult:
        """Run one phase of a JavaScript action to its end."""
        if step in self._stopped_early:
            return StepResult(exit_code=None, stopped=True)
        files = CommandFiles(self._temp(step), step.place)
        env = {**self._step_environment(request, files), **action_variables(request)}
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
        if step in self._stopped_early:
            return StepResult(exit_code=None, stopped=True)
        self._temp(step)
        commands = StepCommands(self._memory(step), workspace=self._workspace, env=self._environment)
        result = StepResult(exit_code=None, stopped=True)
        scope = self._scopes[step] = anyio.CancelScope()
        with self._folder.log(step).open("ab", buffering=0) as log:
            writer = LogWriter(log, commands, output)
            try:
                with scope:
                    result = await work(lambda text: writer.feed(text.encode(errors="surrogateescape")))
            finally:
                del self._scopes[step]
                writer.finish()
        return replace(result, masks=commands.memory.masks.values, annotations=commands.masked_annotations())

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
        tag = f"{self._environment.get(TAG_VARIABLE, '')}{self._run_tag}/{step.job_key}/{step.attempt}/"
        try:
            tree = ProcessTree(command, cwd=cwd, env=env, tag=tag)
        except (OSError, ValueError) as error:  # a ValueError: a variable with a zero byte in it
            return StepResult(exit_code=None, not_started=str(error))
        self._running[step] = tree
        commands = StepCommands(self._memory(step), workspace=self._workspace, env=env)
        try:
            exit_code = await self._follow(step, tree, commands, output)
        finally:
            del self._running[step]
        return self._result(step, exit_code, files, commands, output)

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
        log = self._folder.log(step).open("ab", buffering=0)
        pipe = OutputPipe(tree.output_fd, log, LogWriter(log, commands, output))
        self._tasks.start_soon(pipe.follow)
        exit_code = await tree.wait()
        if step in self._stopping:
            await tree.terminate_rest(self._ladder.terminate_seconds)
            kill_tagged(tree.tag)
        elif tree.has_members():
            self._lingering.setdefault((step.job_key, step.attempt), []).append(tree)
        pipe.catch_up()
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
            with self._folder.log(step).open("ab") as log:
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
