"""JavaScript actions on a real node, and built-in work as a step."""

import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace

import anyio
import anyio.from_thread
import anyio.to_thread
import pytest

from skyflow.app.clock import SystemClock
from skyflow.model.execution import ActionRequest, StepRef, StepResult
from skyflow.model.layout import RunFolder
from skyflow.runners.local.runner import LocalRunner
from skyflow.runners.processes.process import KillLadder

pytestmark = pytest.mark.anyio
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="there is no node on this machine")

STEP = StepRef("job", 1, 1)


@pytest.fixture
def bench(tmp_path: Path) -> Callable:
    @asynccontextmanager
    async def make() -> AsyncIterator[SimpleNamespace]:
        folder = RunFolder(tmp_path / "run")
        shown: list[str] = []
        runner = LocalRunner(
            run_tag=f"test-{os.getpid()}-{tmp_path.name}",
            folder=folder,
            workspace=tmp_path,
            environment=os.environ,
            clock=SystemClock(),
            ladder=KillLadder(interrupt_seconds=0.2, terminate_seconds=0.2),
        )
        async with runner:

            async def run(script: str, **request: object) -> StepResult:
                file = tmp_path / "action" / "index.js"
                file.parent.mkdir(exist_ok=True)
                file.write_text(script)
                return await runner.run_action(STEP, ActionRequest(name="", script=str(file), **request), shown.append)

            yield SimpleNamespace(runner=runner, run=run, shown=shown, folder=folder)

    return make


@needs_node
async def test_an_action_reads_inputs_and_state_and_answers_through_files(bench: Callable, tmp_path: Path) -> None:
    script = """
        const fs = require('fs'), e = process.env
        console.log(e['INPUT_WHO-TO_GREET'], e.STATE_isPost, e.EXTRA, process.cwd())
        console.log('::add-mask::hush')
        console.log('hush')
        fs.appendFileSync(e.GITHUB_OUTPUT, 'answer=42\\n')
        fs.appendFileSync(e.GITHUB_STATE, 'kept<<X\\na\\nb\\nX\\n')
        fs.appendFileSync(e.GITHUB_ENV, 'LATER=1\\n')
        fs.appendFileSync(e.GITHUB_PATH, '/tools\\n')
        process.exitCode = 3
    """
    async with bench() as b:
        result = await b.run(
            script, inputs=(("who-to greet", "you"),), state=(("isPost", "true"),), env=(("EXTRA", "x"),)
        )
    assert result == StepResult(
        exit_code=3,
        masks=("aHVzaA", "dXNo", "hush"),
        outputs=(("answer", "42"),),
        env=(("LATER", "1"),),
        path=("/tools",),
        state=(("kept", "a\nb"),),
    )
    assert "".join(b.shown) == f"you true x {tmp_path}\n***\n"
    assert b.folder.log(STEP).read_text() == "".join(b.shown)


@needs_node
async def test_an_action_is_stopped_like_a_script(bench: Callable) -> None:
    async with bench() as b, anyio.create_task_group() as tasks:
        results: list[StepResult] = []

        async def run() -> None:
            results.append(
                await b.run("process.on('SIGINT', () => {}); console.log('up'); setInterval(() => {}, 1000)")
            )

        tasks.start_soon(run)
        while not b.shown:
            await anyio.sleep(0.01)
        b.runner.stop_step(STEP, force=False)
    assert results[0].stopped


async def test_without_node_an_action_does_not_start(bench: Callable, tmp_path: Path) -> None:
    async with bench() as b:
        result = await b.run("", env=(("PATH", str(tmp_path)),))
    assert result.exit_code is None
    assert "no 'node' on PATH" in (result.not_started or "")


@pytest.mark.parametrize(("prints", "says"), [("v12.22.0", "Node.js 16 or newer"), ("hello", "no version of Node.js")])
async def test_an_unsuitable_node_is_refused(bench: Callable, tmp_path: Path, prints: str, says: str) -> None:
    node = tmp_path / "bin" / "node"
    node.parent.mkdir()
    node.write_text(f"#!/bin/sh\necho {prints}\n")
    node.chmod(0o755)
    async with bench() as b:
        result = await b.run("", path=(str(node.parent),))
    assert says in (result.not_started or "")
    assert not b.folder.summary(STEP).exists()


async def test_work_of_our_own_is_logged_masked_and_its_result_returned(bench: Callable) -> None:
    async def work(say: Callable[[str], None]) -> StepResult:
        say("::add-mask::hush\n")
        say("it is hush")
        return StepResult(exit_code=0, outputs=(("a", "b"),))

    async with bench() as b:
        result = await b.runner.run_here(STEP, work, b.shown.append)
    assert result == StepResult(exit_code=0, outputs=(("a", "b"),), masks=("aHVzaA", "dXNo", "hush"))
    assert b.folder.log(STEP).read_text() == "".join(b.shown) == "it is ***\n"


async def test_work_of_our_own_can_be_stopped_even_in_a_thread(bench: Callable) -> None:
    def forever() -> None:
        while True:
            anyio.from_thread.check_cancelled()

    async def work(say: Callable[[str], None]) -> StepResult:
        say("up\n")
        await anyio.to_thread.run_sync(forever)
        return StepResult(exit_code=0)

    async with bench() as b, anyio.create_task_group() as tasks:
        results: list[StepResult] = []

        async def run() -> None:
            results.append(await b.runner.run_here(STEP, work, b.shown.append))

        tasks.start_soon(run)
        while not b.shown:
            await anyio.sleep(0.01)
        b.runner.stop_step(STEP, force=False)
    assert results == [StepResult(exit_code=None, stopped=True)]
