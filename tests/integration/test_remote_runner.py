"""Steps on another machine while things go wrong: links, machines, disks, and the process that drives the run."""

import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import anyio
import pytest
from testbed.machine import Machine
from testbed.runners import remote_bench

from skyflow._util.log_index import read_index
from skyflow.app.clock import SystemClock
from skyflow.model.execution import StepRef, StepRequest, StepResult
from skyflow.ports.transport import TransportError
from skyflow.testing.runners import RunnerBench

pytestmark = pytest.mark.anyio

STEP = StepRef("job", 1, 1)
COUNT = "for i in $(seq 40); do echo line $i; sleep 0.1; done; exit 7"
COUNTED = "".join(f"line {number}\n" for number in range(1, 41))


@pytest.fixture
def drive(project: Path) -> Callable:
    """Make what drives a run on a machine; a second one goes on with what the first one began."""
    return partial(remote_bench, project=project)


async def shows(bench: RunnerBench, text: str) -> None:
    with anyio.fail_after(10):
        while text not in bench.printed:
            await anyio.sleep(0.01)


async def meanwhile(bench: RunnerBench, script: str, happens: Callable) -> StepResult:
    """Run a step, and let something happen while it runs."""
    results: list[StepResult] = []

    async def run() -> None:
        results.append(await bench.run(script))

    with anyio.fail_after(30):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(run)
            await happens()
    return results[0]


async def test_a_cut_link_loses_nothing(machine: Machine, drive: Callable) -> None:
    async with drive(machine) as bench:

        async def cut() -> None:
            for number in (5, 15, 25):
                await shows(bench, f"line {number}\n")
                machine.relay.cut()

        result = await meanwhile(bench, COUNT, cut)
    assert (result.exit_code, bench.printed) == (7, COUNTED)
    assert bench.folder.log(STEP).read_text().endswith(COUNTED)


async def test_two_seconds_without_a_network_cost_nothing_but_time(machine: Machine, drive: Callable) -> None:
    async with drive(machine) as bench:

        async def freeze() -> None:
            await shows(bench, "line 5\n")
            machine.relay.freeze()
            await anyio.sleep(2)
            machine.relay.thaw()

        result = await meanwhile(bench, COUNT, freeze)
    assert (result.exit_code, bench.printed) == (7, COUNTED)


async def test_a_network_that_is_gone_for_longer_than_the_signs_of_life(machine: Machine, drive: Callable) -> None:
    async with drive(machine) as bench:

        async def freeze() -> None:
            await shows(bench, "line 5\n")
            machine.relay.freeze()
            await anyio.sleep(5)
            machine.relay.cut()
            machine.relay.thaw()

        result = await meanwhile(bench, COUNT, freeze)
    assert (result.exit_code, bench.printed) == (7, COUNTED)


async def test_a_machine_that_dies_in_the_middle_of_a_step_is_lost(machine: Machine, drive: Callable) -> None:
    async with drive(machine, patience=0.5) as bench:

        async def die() -> None:
            await shows(bench, "line 5\n")
            machine.kill()

        result = await meanwhile(bench, COUNT, die)
    assert result.exit_code is None
    assert "box is lost" in (result.lost or "")


async def test_a_machine_that_was_restarted_has_lost_the_step(machine: Machine, drive: Callable) -> None:
    async with drive(machine) as bench:

        async def restart() -> None:
            await shows(bench, "line 5\n")
            machine.kill()
            machine.start()

        result = await meanwhile(bench, COUNT, restart)
        assert result.exit_code is None
        assert "was restarted" in (result.lost or "")
        assert (await bench.run("cat a.txt", 2)).exit_code == 0


async def _fill_the_rest(bench: RunnerBench) -> None:
    for number in range(300):
        await bench.runner._link.ask("blob", b"x" * 4096, digest=f"{number:064}", offset=0, last=False, by="test")


async def test_a_full_disk_is_said(make_machine: Callable[..., Machine], drive: Callable) -> None:
    machine = make_machine(disk_kib=1024)
    async with drive(machine) as bench:
        result = await bench.run("head -c 2000000 /dev/zero >fill; echo o=1 >>$GITHUB_OUTPUT", shell="bash")
        assert result.exit_code == 1
        assert "the disk of box is full" in bench.printed
        with pytest.raises(TransportError, match="No space left on device"):
            await _fill_the_rest(bench)
        result = await bench.run("echo never", 2)
        assert "No space left on device" in (result.not_started or "")
        assert "never" not in bench.printed


async def test_a_driver_that_died_is_followed_by_another(machine: Machine, drive: Callable) -> None:
    with anyio.move_on_after(30) as first:
        async with drive(machine) as bench:
            bench.runner.workspaces.marker.parent.mkdir(parents=True, exist_ok=True)

            async def vanish() -> None:
                await shows(bench, "line 5\n")
                bench.runner._end_run = _nothing  # a process that is killed ends nothing
                first.cancel()

            await meanwhile(bench, COUNT, vanish)
    seen = bench.folder.log(STEP).read_text()
    assert "line 5\n" in seen
    assert "line 40" not in seen
    async with drive(machine) as second:
        assert await second.runner.recover([("job", 1), ("other", 1)]) == {("job", 1)}
        result = await second.run(COUNT)
        assert (result.exit_code, second.printed) == (7, COUNTED)
    assert second.folder.log(STEP).read_text() == COUNTED


async def test_what_an_attempt_has_done_before_is_known_to_another_driver(machine: Machine, drive: Callable) -> None:
    with anyio.move_on_after(30) as first:
        async with drive(machine) as bench:
            bench.runner._end_run = _nothing
            await bench.run("echo once >>../count; echo ::add-mask::sesame; echo o=1 >>$GITHUB_OUTPUT; exit 3", 1)
            first.cancel()
    async with drive(machine) as second:
        await second.runner.recover([("job", 1)])
        result = await second.run("whatever it was", 1)
        assert (result.exit_code, result.outputs) == (3, (("o", "1"),))
        assert "sesame" in result.masks
        await second.run("cat ../count; echo sesame", 2)
        assert second.printed == "once\n***\n"


async def test_a_machine_that_has_forgotten_an_attempt_has_lost_it(machine: Machine, drive: Callable) -> None:
    with anyio.move_on_after(30) as first:
        async with drive(machine) as bench:
            bench.runner._end_run = _nothing
            await bench.run("true", 1)
            first.cancel()
    shutil.rmtree(machine.home / ".skyflow")
    async with drive(machine) as second:
        await second.runner.recover([("job", 1)])
        await second.run("true", 1)
        assert "files of this attempt are gone" in ((await second.run("true", 2)).lost or "")


async def _nothing() -> None:
    pass


async def test_what_a_dead_driver_left_is_ended_by_recover(machine: Machine, drive: Callable) -> None:
    with anyio.move_on_after(30) as first:
        async with drive(machine) as bench:

            async def vanish() -> None:
                await shows(bench, "begun")
                bench.runner._end_run = _nothing
                first.cancel()

            await meanwhile(bench, "echo begun; sleep 600", vanish)
    assert any("sleep 600" in line for line in machine.command_lines())
    async with drive(machine) as second:
        await second.runner.recover([])
        assert not any("sleep 600" in line for line in machine.command_lines())
    assert not list(machine.home.glob(".skyflow/runs/r1/*"))


async def test_a_start_that_arrives_twice_starts_once(machine: Machine, drive: Callable) -> None:
    async with drive(machine) as bench:
        original = bench.runner._link.ask

        async def twice(do: str, data: bytes = b"", **fields: object) -> object:
            if do == "start":
                await original(do, data, **fields)
            return await original(do, data, **fields)

        bench.runner._link.ask = twice
        assert (await bench.run("echo x >>../count; cat ../count")).exit_code == 0
    assert bench.printed == "x\n"


def _memory_files(machine: Machine) -> list[Path]:
    return list(Path(f"/proc/{_init(machine)}/root/dev/shm").iterdir())


async def test_secrets_are_neither_on_a_command_line_nor_left_on_the_disk(machine: Machine, drive: Callable) -> None:
    secret = "hunter2-in-the-script"
    kept = "hunter3-in-the-environment"
    async with drive(machine) as bench:

        async def look() -> None:
            await shows(bench, "begun")
            assert not [line for line in machine.command_lines() if "hunter" in line]
            assert not _holding(machine.home, "hunter")

        script = f"echo begun; : {secret}; sleep 0.5; echo {secret} $KEPT"
        asked = StepRequest(script=script, env=(("KEPT", kept),))
        results = []

        async def run() -> None:
            results.append(await bench.runner.run_step(STEP, asked, bench.shown.append))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(run)
            await look()
        assert f"{secret} {kept}" in bench.printed
        assert not _holding(machine.home, "hunter")
        assert not _memory_files(machine)


def _holding(folder: Path, text: str) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]


def _init(machine: Machine) -> str:
    pid = machine._process.pid
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0]


async def test_temporary_files_are_the_attempts_own(machine: Machine, drive: Callable) -> None:
    async with drive(machine) as bench:
        temp = str(bench.folder.temp("job", 1))
        asked = StepRequest(script=f"echo x >$RUNNER_TEMP/file; cat {temp}/file", env=(("RUNNER_TEMP", temp),))
        assert (await bench.runner.run_step(STEP, asked, bench.shown.append)).exit_code == 0
        assert bench.printed == "x\n"
        assert list(machine.home.glob(".skyflow/runs/r1/job/1/temp/file"))
        await bench.runner.release("job", 1)
        assert not list(machine.home.glob(".skyflow/runs/r1/job/*"))


async def test_the_project_travels_once(machine: Machine, drive: Callable) -> None:
    async with drive(machine) as bench:
        project = bench.project
        await anyio.run_process(["git", "init", "-q", str(project)])
        (project / ".gitignore").write_text("ignored/\n")
        (project / ".skyflowignore").write_text("*.big\n")
        for name in ("ignored/x", "data.big", "sub/b.txt", "run.sh"):
            (project / name).parent.mkdir(exist_ok=True)
            (project / name).write_text(f"{name}\n")
        (project / "run.sh").chmod(0o755)
        (project / "link").symlink_to("a.txt")
        await bench.run("find . -type f -o -type l | sort; test -x run.sh; cat link", 1)
        assert bench.printed == "./.gitignore\n./.skyflowignore\n./a.txt\n./link\n./run.sh\n./sub/b.txt\nhello\n"
        assert "6 files, 0.0 MB (5 new" in bench.shown[0]
        (project / "a.txt").write_text("changed\n")
        for key, news in (("second", "(1 new"), ("third", "(all known)")):
            bench.shown.clear()
            await bench.runner.run_step(StepRef(key, 1, 1), StepRequest(script="cat a.txt"), bench.shown.append)
            assert news in bench.shown[0]
            assert bench.printed == "changed\n"


async def test_jobs_that_begin_together_send_a_file_once(machine: Machine, drive: Callable) -> None:
    async with drive(machine) as bench:
        (bench.project / "large.bin").write_bytes(bytes(10_000_000))
        shown: dict[str, list[str]] = {}
        async with anyio.create_task_group() as tasks:
            for number in range(8):
                key = f"job.{number}"
                ask = StepRequest(script="wc -c < large.bin; cat a.txt")
                tasks.start_soon(bench.runner.run_step, StepRef(key, 1, 1), ask, shown.setdefault(key, []).append)
        sent = [lines[0] for lines in shown.values() if "10.0 MB (2 new, 10.0 MB)" in lines[0]]
        assert len(sent) == 1
        assert all("".join(lines).endswith("10000000\nhello\n") for lines in shown.values())


@pytest.mark.parametrize("change", ["write", "remove"])
async def test_a_file_that_changes_while_it_is_sent_is_sent_as_it_is_then(
    machine: Machine, drive: Callable, change: str
) -> None:
    """Another job of the run may be at work here."""
    async with drive(machine) as bench:
        files, file = bench.runner.workspaces._copy._files, bench.project / "a.txt"
        read, times = files.read, []

        def read_and_change(go_on: Callable[[], None]) -> object:
            listed = read(go_on)
            if not times:
                file.write_text("later\n") if change == "write" else file.unlink()
            times.append(1)
            return listed

        files.read = read_and_change
        await bench.run("cat a.txt 2>&- || echo gone", 1)
        assert (bench.printed, len(times)) == ("later\n" if change == "write" else "gone\n", 2)


async def test_a_file_that_grows_while_it_is_sent_is_sent_as_far_as_it_was(machine: Machine, drive: Callable) -> None:
    """What skyflow itself prints may go to a file of the project."""
    async with drive(machine) as bench:
        files, file = bench.runner.workspaces._copy._files, bench.project / "a.txt"
        read, before = files.read, file.read_text()

        def read_and_grow(go_on: Callable[[], None]) -> object:
            listed = read(go_on)
            with file.open("a") as more:
                more.write("more\n")
            return listed

        files.read = read_and_grow
        await bench.run("cat a.txt", 1)
        assert bench.printed == before


async def test_a_file_that_never_rests_is_named(machine: Machine, drive: Callable) -> None:
    async with drive(machine) as bench:
        files, file = bench.runner.workspaces._copy._files, bench.project / "a.txt"
        read, times = files.read, []

        def read_and_change(go_on: Callable[[], None]) -> object:
            listed = read(go_on)
            times.append(1)
            file.write_text(f"{len(times)}\n" * 9)
            return listed

        files.read = read_and_change
        result = await bench.run("true", 1)
        assert f"'{file}' keeps changing while it is sent" in (result.not_started or "")


@pytest.mark.parametrize("content", [b"!\n", b"[z-a]\n", b"\xff\n"])
async def test_an_ignore_file_that_is_wrong_is_said(machine: Machine, drive: Callable, content: bytes) -> None:
    async with drive(machine) as bench:
        (bench.project / ".skyflowignore").write_bytes(content)
        result = await bench.run("true", 1)
        assert ".skyflowignore cannot be read: " in (result.not_started or "")


async def test_a_damaged_content_is_not_kept(machine: Machine, drive: Callable) -> None:
    async with drive(machine) as bench:
        digest = "0" * 64
        with pytest.raises(Exception, match="damaged on the way"):
            await bench.runner._link.ask("blob", b"other", digest=digest, offset=0, last=True, by="x")
        assert json.loads(json.dumps([str(path) for path in machine.home.rglob(f"*{digest}*")])) == []


async def test_nothing_outside_of_its_folder_can_be_asked_for(machine: Machine, drive: Callable) -> None:
    async with drive(machine) as bench:
        for step in ("../../etc", "/etc", "a/../../../b"):
            with pytest.raises(Exception, match="is not below the folder"):
                await bench.runner._link.ask("finish", step=step)


async def test_a_machine_without_python_says_so(machine: Machine, drive: Callable) -> None:
    async with drive(machine) as bench:
        bench.runner._link._python = "python9"
        result = await bench.run("true")
        assert "has no program 'python9'" in (result.not_started or "")


async def test_a_wrong_host_key_starts_nothing(machine: Machine, drive: Callable) -> None:
    async with drive(
        machine, host_keys=("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",)
    ) as bench:
        result = await bench.run("true")
        assert "another host key" in (result.not_started or "")


@pytest.mark.parametrize("hours", [-1, 1])
async def test_a_machine_whose_clock_is_an_hour_off_is_as_good_as_another(
    machine: Machine, drive: Callable, hours: int
) -> None:
    """Nothing is compared with the time of another machine: neither when a step began, nor how old a file is."""
    skewed = machine.base / "skewed-python"
    shift = (
        "import runpy, sys, time; now = time.time; off = float(sys.argv.pop(1)); time.time = lambda: now() + off; "
        "sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    skewed.write_text(f'#!/bin/sh\nshift 2\nexec python3 -I -S -c "{shift}" {hours * 3600} "$@"\n')
    skewed.chmod(0o755)
    async with drive(machine) as bench:
        bench.runner._link._python = str(skewed)
        before = SystemClock().now()
        assert (await bench.run(COUNT)).exit_code == 7
        assert bench.printed == COUNTED
        bench.shown.clear()
        asked = StepRequest(script="touch new; test new -nt a.txt; cat a.txt")
        assert (await bench.runner.run_step(StepRef("other", 1, 1), asked, bench.shown.append)).exit_code == 0
        assert "(all known)" in bench.shown[0]  # what was copied by the other job is neither old nor from tomorrow
        entries = read_index(bench.folder.log(STEP))
        assert all(before.timestamp() * 1000 <= entry.milliseconds for entry in entries)
        assert all(entry.milliseconds <= SystemClock().now().timestamp() * 1000 for entry in entries)
