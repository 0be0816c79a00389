"""Real processes of this machine."""

import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace

import anyio
import pytest

from skyflow.app.clock import SystemClock
from skyflow.model.execution import StepRef, StepRequest, StepResult
from skyflow.model.layout import RunFolder
from skyflow.runners.local.runner import LocalRunner
from skyflow.runners.processes.process import KillLadder, kill_tagged

pytestmark = pytest.mark.anyio

QUICK = KillLadder(interrupt_seconds=0.2, terminate_seconds=0.2)
STEP = StepRef("job", 1, 1)


@pytest.fixture
def bench(tmp_path: Path) -> Callable:
    @asynccontextmanager
    async def make(**options: object) -> AsyncIterator[SimpleNamespace]:
        folder = RunFolder(tmp_path / "run")
        shown: list[str] = []
        runner = LocalRunner(
            run_tag=f"test-{os.getpid()}-{tmp_path.name}",
            folder=folder,
            workspace=tmp_path,
            environment=os.environ,
            clock=SystemClock(),
            **{"ladder": QUICK, **options},
        )
        async with runner:

            async def run(script: str, step: StepRef = STEP, **request: object) -> StepResult:
                return await runner.run_step(step, StepRequest(script=script, **request), shown.append)

            yield SimpleNamespace(runner=runner, run=run, shown=shown, folder=folder, tag=runner._run_tag)

    return make


async def gone(pid: int) -> None:
    """Wait until a process that was killed is gone; by itself it would end after a minute."""
    with anyio.fail_after(30):
        while is_alive(pid):
            await anyio.sleep(0.01)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def test_output_goes_to_the_log_and_to_the_listener(bench: Callable) -> None:
    async with bench() as b:
        result = await b.run("echo out; echo err >&2; printf tail")
        assert result.exit_code == 0
        assert sorted("".join(b.shown).split()) == ["err", "out", "tail"]
        assert b.folder.log(STEP).read_text() == "".join(b.shown)


async def test_output_without_end_takes_no_more_room_than_it_is_given(bench: Callable) -> None:
    """Neither in the log nor in what is kept until the log is written; and the step is not held up."""
    async with bench(log_limit_bytes=1_000_000) as b:
        result = await b.run("yes | head -c 50000000; sleep 60 & echo $! >pid; exit 3")
        assert result.exit_code == 3
        spool = b.folder.temp(STEP.job_key, STEP.attempt) / f"{STEP.place}.out"
        assert spool.stat().st_size == 1_000_001
        log = b.folder.log(STEP).read_text()
        assert log.startswith("y\ny\n")
        assert 1_000_000 < len(log) < 1_001_000
        assert "more than 1 MB" in log.splitlines()[-1]


@pytest.mark.parametrize("script", ["echo secret", "echo secret; sleep 0.3 &"])
async def test_what_was_printed_is_not_left_unmasked_after_the_step(bench: Callable, script: str) -> None:
    async with bench(masks=["secret"]) as b:
        await b.run(script)
        spool = b.folder.temp(STEP.job_key, STEP.attempt) / f"{STEP.place}.out"
        with anyio.fail_after(30):
            while spool.exists():
                await anyio.sleep(0.01)
        assert b.folder.log(STEP).read_text() == "***\n"
        assert spool.parent.exists(), "the attempt goes on"


@pytest.mark.parametrize(
    ("shell", "script", "code"),
    [
        (None, "false | true", 0),
        ("bash", "false | true", 1),
        ("sh", "false; true", 1),
        ("bash", "exit 7", 7),
        ("python", "import sys; sys.exit(3)", 3),
        ("bash {0}", "false; true", 0),
        ("bash", "kill -9 $$", 137),
    ],
)
async def test_shells_behave_as_githubs(bench: Callable, shell: str | None, script: str, code: int) -> None:
    async with bench() as b:
        assert (await b.run(script, shell=shell)).exit_code == code


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        ({"shell": "no-such-shell {0}"}, "'no-such-shell' is not on PATH"),
        ({"shell": "nonsense"}, "is not a shell: write one of bash, sh, python, pwsh"),
        ({"shell": "bash '{0}"}, "cannot be split into words"),
        ({"working_directory": "nowhere"}, "does not exist"),
    ],
)
async def test_what_cannot_be_started_says_why(bench: Callable, request_: dict, why: str) -> None:
    async with bench() as b:
        result = await b.run("true", **request_)
        assert result.exit_code is None
        assert why in (result.not_started or "")


async def test_a_variable_that_no_process_can_have_says_why(bench: Callable) -> None:
    async with bench() as b:
        assert "null byte" in ((await b.run("true", env=(("A", "\0"),))).not_started or "")


async def test_command_files_are_read_under_both_names(bench: Callable) -> None:
    async with bench() as b:
        result = await b.run(
            'echo a=1 >> "$GITHUB_OUTPUT"; echo b=2 >> "$SKYFLOW_OUTPUT"\n'
            'echo C=3 >> "$GITHUB_ENV"; echo /p >> "$GITHUB_PATH"; echo "# hi" >> "$SKYFLOW_STEP_SUMMARY"'
        )
        assert result.outputs == (("a", "1"), ("b", "2"))
        assert result.env == (("C", "3"),)
        assert result.path == ("/p",)
        assert b.folder.summary(STEP).read_text() == "# hi\n"


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ('echo nonsense >> "$GITHUB_OUTPUT"', "Unable to process file command 'output'"),
        ('echo NODE_OPTIONS=x >> "$GITHUB_ENV"', "Can't store NODE_OPTIONS"),
        ("echo ::set-env name=A::1", "The `set-env` command is disabled"),
    ],
)
async def test_an_unreadable_command_file_or_command_fails_the_step(bench: Callable, script: str, why: str) -> None:
    async with bench() as b:
        result = await b.run(script)
        assert why in (result.file_error or "")


async def test_environment_and_path_reach_the_step(bench: Callable) -> None:
    async with bench() as b:
        await b.run('echo "$A ${PATH%%:*}"', env=(("A", "1"), ("A", "2")), path=("/first",))
        assert b.shown == ["2 /first\n"]


async def test_standard_input_is_empty(bench: Callable) -> None:
    async with bench() as b:
        assert (await b.run("cat")).exit_code == 0


async def test_a_mask_lasts_for_the_whole_attempt_and_no_longer(bench: Callable) -> None:
    async with bench() as b:
        await b.run("echo ::add-mask::hush; echo hush")
        await b.run("echo hush", StepRef("job", 1, 2))
        await b.runner.release("job", 1)
        await b.run("echo hush", StepRef("job", 2, 1))
        assert b.shown == ["***\n", "***\n", "hush\n"]


async def test_masks_known_at_the_start_hold_for_every_attempt(bench: Callable) -> None:
    async with bench(masks=["s3cr3t"]) as b:
        result = await b.run('echo s3cr3t; echo -n s3cr3t | base64; echo "# s3cr3t" >> "$GITHUB_STEP_SUMMARY"')
        await b.run("echo again s3cr3t", StepRef("other", 2, 1))
        assert "".join(b.shown) == "***\n***\nagain ***\n"
        assert result.masks[-1] == "s3cr3t"
        assert b.folder.summary(STEP).read_text() == "# ***\n"


async def test_a_step_answers_by_commands_and_files(bench: Callable) -> None:
    async with bench() as b:
        result = await b.run(
            "echo ::set-output name=a::1; echo ::set-output name=b::1; echo ::save-state name=s::1\n"
            'echo b=2 >> "$GITHUB_OUTPUT"; echo t=2 >> "$GITHUB_STATE"; echo /file >> "$GITHUB_PATH"\n'
            "echo ::set-env name=E::1; echo ::add-path::/command; echo ::error file=x.py,line=3::bad >&2\n",
            env=(("ACTIONS_ALLOW_UNSECURE_COMMANDS", "true"),),
        )
        assert dict(result.outputs) == {"a": "1", "b": "2"}
        assert result.state == (("s", "1"), ("t", "2"))
        assert result.env == (("E", "1"),)
        assert result.path == ("/file", "/command")
        assert "x.py:3: error: bad" in [str(annotation) for annotation in result.annotations]
        assert "##[error]x.py:3: error: bad\n" in b.folder.log(STEP).read_text()
        assert result.file_error is None


async def test_matchers_last_for_the_attempt(bench: Callable, tmp_path: Path) -> None:
    pattern = '[{"regexp": "^(BAD) (.*)$", "message": 2}]'
    (tmp_path / "m.json").write_text(f'{{"problemMatcher": [{{"owner": "x", "pattern": {pattern}}}]}}')
    async with bench() as b:
        await b.run("echo ::add-matcher::m.json")
        assert [str(each) for each in (await b.run("echo BAD one", StepRef("job", 1, 2))).annotations] == ["error: one"]
        assert (await b.run("echo BAD two", StepRef("job", 2, 1))).annotations == ()


async def test_a_step_summary_is_kept_masked_and_nothing_else_of_it_is(bench: Callable, tmp_path: Path) -> None:
    async with bench() as b:
        result = await b.run(
            'echo "# hush" > "$GITHUB_STEP_SUMMARY"; echo "$GITHUB_STEP_SUMMARY" > where; echo ::add-mask::hush'
        )
        assert b.folder.summary(STEP).read_text() == "# ***\n"
        assert not os.path.exists((tmp_path / "where").read_text().strip())  # noqa: ASYNC240, PTH110
        assert not result.annotations


async def test_a_step_summary_that_is_too_large_is_dropped_with_an_error(bench: Callable) -> None:
    async with bench() as b:
        result = await b.run('head -c 1100000 /dev/zero >> "$GITHUB_STEP_SUMMARY"')
        assert result.file_error is None
        assert [str(each) for each in result.annotations] == [
            "error: the step summary has 1100000 bytes and was dropped: 1048576 are kept"
        ]
        assert b.folder.log(STEP).read_text() == f"##[error]{result.annotations[0]}\n"
        assert not b.folder.summary(STEP).exists()


async def test_debug_lines_depend_on_the_environment(bench: Callable) -> None:
    async with bench() as b:
        await b.run("echo ::debug::x")
        await b.run("echo ::debug::x", env=(("RUNNER_DEBUG", "1"),))
        assert b.shown == ["##[debug]x\n"]


async def stop_when_ready(b: SimpleNamespace, *, force: bool) -> None:
    while "ready\n" not in "".join(b.shown):
        await anyio.sleep(0.01)
    b.runner.stop_step(STEP, force=force)


@pytest.mark.parametrize(
    ("script", "patience", "code"),
    [
        ("trap 'echo int; exit 9' INT; echo ready; sleep 30 & wait $!", (60, 60), 9),
        ("trap '' INT; trap 'echo term; exit 8' TERM; echo ready; while :; do sleep 0.05; done", (0.2, 60), 8),
        ("trap '' INT TERM; echo ready; while :; do sleep 0.05; done", (0.2, 0.2), 137),
    ],
)
async def test_the_kill_ladder_is_interrupt_terminate_kill(
    bench: Callable, script: str, patience: tuple[float, float], code: int
) -> None:
    async with (
        bench(ladder=KillLadder(interrupt_seconds=patience[0], terminate_seconds=patience[1])) as b,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(lambda: stop_when_ready(b, force=False))
        result = await b.run(script)
        assert result.stopped
        assert result.exit_code == code


async def test_a_forced_stop_kills_at_once(bench: Callable) -> None:
    async with bench() as b, anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: stop_when_ready(b, force=True))
        result = await b.run("trap 'echo caught' INT TERM; echo ready; while :; do sleep 0.05; done")
        assert result.exit_code == 137
        assert "caught" not in "".join(b.shown)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not show the environment of a process")
async def test_stopping_leaves_nothing_of_the_tree_behind(bench: Callable, tmp_path: Path) -> None:
    async with bench() as b, anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: stop_when_ready(b, force=False))
        await b.run(
            f"setsid sleep 60 & echo $! > {tmp_path}/daemon\nsleep 60 & echo $! > {tmp_path}/child\necho ready\nwait"
        )
        await gone(int((tmp_path / "daemon").read_text()))
        await gone(int((tmp_path / "child").read_text()))


@pytest.mark.parametrize("force", [False, True])
async def test_stopping_a_step_leaves_those_beside_it_alone(bench: Callable, tmp_path: Path, *, force: bool) -> None:
    async with bench() as b, anyio.create_task_group() as tasks:
        results = []

        async def run_beside() -> None:
            results.append(await b.run(f"until test -e {tmp_path}/go; do sleep 0.02; done", StepRef("job", 1, 2)))

        tasks.start_soon(run_beside)
        tasks.start_soon(lambda: stop_when_ready(b, force=force))
        await b.run("echo ready; sleep 60")
        (tmp_path / "go").touch()
    assert [result.exit_code for result in results] == [0]


async def test_a_stop_that_comes_before_the_start_holds(bench: Callable) -> None:
    async with bench() as b:
        b.runner.stop_step(STEP, force=False)
        result = await b.run("touch started")
        assert result == StepResult(exit_code=None, stopped=True)
        assert (await b.run("true", StepRef("job", 1, 2))).exit_code == 0
        await b.runner.release("job", 1)
        assert (await b.run("true")).exit_code == 0


async def test_a_background_process_lives_until_its_job_ends(bench: Callable, tmp_path: Path) -> None:
    async with bench() as b:
        await b.run(f"(sleep 0.2; echo late; sleep 60) & echo $! > {tmp_path}/pid; echo now")
        pid = int((tmp_path / "pid").read_text())
        assert is_alive(pid)
        while "late\n" not in b.shown:
            await anyio.sleep(0.02)
        await b.runner.release("job", 1)
        assert not is_alive(pid)


async def test_temporary_files_go_with_the_attempt(bench: Callable) -> None:
    async with bench() as b:
        await b.run("echo x")
        assert b.folder.temp("job", 1).is_dir()
        await b.runner.release("job", 1)
        assert not b.folder.temp("job", 1).exists()
        assert b.folder.log(STEP).exists()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not show the environment of a process")
async def test_a_daemon_ends_with_the_run_at_the_latest(bench: Callable, tmp_path: Path) -> None:
    async with bench() as b:
        await b.run(f"setsid sleep 60 & echo $! > {tmp_path}/pid")
        await b.runner.release("job", 1)
    await gone(int((tmp_path / "pid").read_text()))


async def test_a_step_that_does_not_start_leaves_no_summary(bench: Callable) -> None:
    async with bench() as b:
        await b.run("true", shell="no-such-shell {0}")
        assert not b.folder.summary(STEP).exists()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not show the environment of a process")
async def test_recovery_kills_what_a_dead_driver_left(bench: Callable, tmp_path: Path) -> None:
    async with bench() as b:
        await b.run(f"setsid sleep 60 & echo $! > {tmp_path}/pid")
        await b.runner.recover(())
        await gone(int((tmp_path / "pid").read_text()))


def test_nothing_is_killed_that_is_not_tagged() -> None:
    assert kill_tagged("no-such-run/") == 0
