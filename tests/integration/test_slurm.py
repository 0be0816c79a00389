"""Jobs in the queue of a real Slurm, while things go wrong."""

import os
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from shutil import which
from typing import Any

import anyio
import pytest
from testbed.machine import Machine
from testbed.slurm import SlurmCluster

from skyflow.app.clock import SystemClock
from skyflow.model.execution import StepRef, StepRequest, StepResult
from skyflow.model.layout import RunFolder
from skyflow.model.slurm import SlurmJob, SlurmQueue
from skyflow.ports.transport import Ended, LinkLostError, Transport
from skyflow.runners.local.runner import LocalRunner
from skyflow.runners.processes.process import KillLadder
from skyflow.runners.remote.link import HostLink
from skyflow.runners.remote.runner import RemoteRunner
from skyflow.runners.router import RunnerRouter
from skyflow.runners.slurm.client import SlurmClient
from skyflow.runners.slurm.place import SlurmPlace
from skyflow.testing.runners import RunnerBench, RunnerConformance
from skyflow.transports.asyncssh import AsyncsshTransport
from skyflow.transports.asyncssh_session import AsyncsshChannel
from skyflow.transports.local import LocalTransport

pytestmark = pytest.mark.anyio

COUNT = "echo x >>counted; for i in $(seq 40); do echo line $i; sleep 0.1; done; exit 7"
COUNTED = "".join(f"line {number}\n" for number in range(1, 41))
PYTHON = Path(sys.executable).resolve()
CLUSTER, ANYTHING = SlurmQueue(name="cluster"), SlurmJob()
QUICK = KillLadder(interrupt_seconds=1.5, terminate_seconds=0.3)


Driver = Callable[..., "asynccontextmanager[RunnerBench]"]


@pytest.fixture
def drive(tmp_path: Path, slurm: SlurmCluster) -> Driver:
    """Make what drives a run on the cluster; a second one goes on with what the first one began."""
    project = tmp_path / "project"
    project.mkdir()
    (project / "a.txt").write_text("hello\n")
    home = tmp_path / "home"
    home.mkdir()

    @asynccontextmanager
    async def make(
        queue: SlurmQueue = CLUSTER,
        need: SlurmJob = ANYTHING,
        transport: Transport | None = None,
        ladder: KillLadder = QUICK,
        **environment: str,
    ) -> AsyncIterator[RunnerBench]:
        folder = RunFolder(tmp_path / "run")
        env: Mapping[str, str] = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            **slurm.environment,
            **environment,
        }
        clock = SystemClock()
        transport = transport or LocalTransport("login", env)
        link = HostLink(transport, clock=clock, folder=queue.folder)
        place = SlurmPlace(
            SlurmClient(transport, queue),
            link,
            lambda judge: RemoteRunner(
                link,
                run=tmp_path.name,
                folder=folder,
                tools=tmp_path / "tools",
                workspace=project,
                clock=clock,
                ladder=ladder,
                judge=judge,
                has_ranks=lambda _: need.nodes > 1,
            ),
            need_of=lambda _: need,
            folder=folder,
            run=tmp_path.name,
        )
        here = LocalRunner(run_tag="x", folder=folder, workspace=project, environment=env, clock=clock)
        async with RunnerRouter(
            here, places={"cluster": place}, place_of=lambda _: "cluster", folder=folder, clock=clock
        ) as router:
            yield RunnerBench(router, folder, project)

    return make


class SlurmOverSsh(AsyncsshTransport):
    """The login node is a machine; the environment of whoever logs in there leads to the cluster."""

    def __init__(self, machine: Machine, slurm: SlurmCluster) -> None:
        super().__init__(machine.host())
        self._words = ["env", *(f"{name}={value}" for name, value in slurm.environment.items())]

    async def open(self, command: Sequence[str]) -> AsyncsshChannel:
        return await super().open([*self._words, *command])


def dead(bench: RunnerBench) -> None:
    """Let the driver come to its end as if it were killed: it ends nothing, and says nothing to the cluster."""
    place = bench.runner._places["cluster"]
    place._client.cancel = nothing
    place._runner._end_run = nothing


async def nothing(*_: object) -> None:
    pass


async def shows_any(bench: RunnerBench, text: str) -> None:
    with anyio.fail_after(60):
        while text not in "".join(bench.shown):
            await anyio.sleep(0.02)


class TestConformance(RunnerConformance):
    @pytest.fixture
    async def bench(self, drive: Driver) -> AsyncIterator[RunnerBench]:
        async with drive() as bench:
            await bench.runner.hash_files("job", 1, ("none",))  # what is said of the allocation is not said by a step
            yield bench


async def held(bench: RunnerBench, job: str = "job", attempt: int = 1) -> None:
    """Have an allocation for an attempt, and say nothing of it."""
    await bench.runner.hash_files(job, attempt, ("none",))


async def shows(bench: RunnerBench, text: str) -> None:
    with anyio.fail_after(60):
        while text not in bench.printed:
            await anyio.sleep(0.02)


async def meanwhile(bench: RunnerBench, script: str, other: Callable[[], Awaitable[None]]) -> StepResult:
    """Run a script, and something else beside it that ends first."""
    results: list[StepResult] = []

    async def run() -> None:
        results.append(await bench.run(script))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run)
        await other()
    return results[0]


def jobs(slurm: SlurmCluster, run: str) -> list[str]:
    """The states of the jobs of a run, by number."""
    lines = slurm.ask("squeue", "-h", "-a", "-r", "-t", "all", "-o", "%i %T %j").splitlines()
    return [line.split()[1] for line in sorted(lines) if f"skyflow-{run}-" in line]


def number(slurm: SlurmCluster, run: str) -> str:
    """The number of the newest job of a run."""
    lines = slurm.ask("squeue", "-h", "-a", "-t", "all", "-o", "%A %j").splitlines()
    return max((line.split()[0] for line in lines if f"skyflow-{run}-" in line), key=int)


async def test_a_step_runs_on_while_its_driver_is_dead(drive: Driver, tmp_path: Path, slurm: SlurmCluster) -> None:
    with anyio.move_on_after(60) as first:
        async with drive() as bench:

            async def vanish() -> None:
                await shows(bench, "line 3\n")
                dead(bench)
                first.cancel()

            await meanwhile(bench, COUNT, vanish)
    async with drive() as second:
        assert await second.runner.recover([("job", 1)]) == {("job", 1)}
        assert (await second.run(COUNT)).exit_code == 7
        assert second.printed == COUNTED
        assert (await second.run("cat counted", 2)).exit_code == 0
        assert second.printed == COUNTED + "x\n"
        await second.runner.release("job", 1)
    assert jobs(slurm, tmp_path.name) == ["COMPLETED"]


async def test_a_driver_that_dies_keeps_its_place_in_the_queue(
    drive: Driver, tmp_path: Path, slurm: SlurmCluster
) -> None:
    later = SlurmQueue(name="cluster", options=("--begin=now+1hour",))
    with anyio.move_on_after(60) as first:
        async with drive(later) as bench:

            async def vanish() -> None:
                await shows_any(bench, "waits: BeginTime")
                dead(bench)
                first.cancel()

            await meanwhile(bench, "true", vanish)
    async with drive(later) as second:
        assert await second.runner.recover([("job", 1)]) == {("job", 1)}
        slurm.ask("scontrol", "update", f"jobid={number(slurm, tmp_path.name)}", "StartTime=now")
        with anyio.fail_after(60):
            assert (await second.run("cat a.txt")).exit_code == 0
    assert second.printed == "hello\n"
    assert len(jobs(slurm, tmp_path.name)) == 1


async def test_what_a_dead_driver_left_is_cancelled(drive: Driver, tmp_path: Path, slurm: SlurmCluster) -> None:
    with anyio.move_on_after(60) as first:
        async with drive() as bench:

            async def vanish() -> None:
                await shows(bench, "begun")
                dead(bench)
                first.cancel()

            await meanwhile(bench, "echo begun; sleep 600", vanish)
    async with drive() as second:
        await second.runner.recover([])
        with anyio.fail_after(60):
            while jobs(slurm, tmp_path.name)[0] in {"RUNNING", "COMPLETING"}:
                await anyio.sleep(0.05)


async def test_an_answer_that_is_lost_submits_nothing_twice(drive: Driver, tmp_path: Path, slurm: SlurmCluster) -> None:
    """The first answer gets lost before anything could write it down, the second one after that.

    Somebody else, who sees the name in the queue, has given it to a job that never runs.
    """
    shim = tmp_path / "bin" / "sbatch"
    shim.parent.mkdir()
    shim.write_text(
        f'#!/bin/sh\n{which("sbatch")} "$@"\nt={tmp_path}/told\n[ -e $t ] || {{ touch $t; kill -9 $PPID; }}\n'
    )
    shim.chmod(0o755)
    async with drive(PATH=f"{shim.parent}:{os.environ['PATH']}") as bench:
        transport = bench.runner._places["cluster"]._client._transport
        run, calls = transport.run, []

        async def losing(command: Sequence[str], **rest: Any) -> Ended:
            if "sbatch" in " ".join(command) and not calls:
                same = ("--uid=nobody", "--hold", f"--job-name={command[5]}", "--chdir=/", "--output=/dev/null")
                assert "Submitted" in slurm.ask("sbatch", *same, "--wrap=true")
            ended = await run(command, **rest)
            if "sbatch" in " ".join(command):
                calls.append(ended.exit_code)
                if len(calls) < 3:
                    raise LinkLostError("the link broke")
            return ended

        transport.run = losing
        assert (await bench.run("cat a.txt")).exit_code == 0
    slurm.ask("scancel", "--user=nobody")
    assert calls == [137, 0, 0]
    assert len(jobs(slurm, tmp_path.name)) == 2


@pytest.mark.parametrize("partition", ["low", "spare"])
async def test_a_job_that_has_to_make_room_is_preempted(
    drive: Driver, tmp_path: Path, slurm: SlurmCluster, partition: str
) -> None:
    """Whether Slurm ends it or puts it back into the queue, where nobody waits for it."""
    async with drive(SlurmQueue(name="cluster", partition=partition)) as bench:

        async def preempt() -> None:
            await shows(bench, "begun")
            slurm.ask("sbatch", "-p", "urgent", "--exclusive", "-o", "/dev/null", "--wrap", "true")

        with anyio.fail_after(60):
            result = await meanwhile(bench, "echo begun; sleep 600", preempt)
        assert result.preempted
        await bench.runner.release("job", 1)
        assert (await bench.runner.run_step(StepRef("job", 2, 1), StepRequest(script="true"), print)).exit_code == 0
    with anyio.fail_after(60):
        while set(jobs(slurm, tmp_path.name)) & {"RUNNING", "PENDING", "COMPLETING"}:
            await anyio.sleep(0.05)


async def test_a_job_that_somebody_cancels_has_failed_and_says_so(
    drive: Driver, tmp_path: Path, slurm: SlurmCluster
) -> None:
    async with drive() as bench:

        async def cancel() -> None:
            await shows(bench, "begun")
            slurm.ask("scancel", number(slurm, tmp_path.name))

        result = await meanwhile(bench, "echo begun; sleep 600", cancel)
    assert result.exit_code not in {0, None}
    assert "on cluster was ended: CANCELLED" in bench.printed


async def test_a_job_that_is_killed_on_its_node_is_lost(drive: Driver, tmp_path: Path, slurm: SlurmCluster) -> None:
    async with drive() as bench:

        async def kill() -> None:
            await shows(bench, "begun")
            await anyio.run_process(["pkill", "-9", "-f", f"agent import main.* {tmp_path.name}/job/1"])

        result = await meanwhile(bench, "echo begun; sleep 600", kill)
    assert "is gone" in (result.lost or "")


async def test_jobs_outlive_the_controller(drive: Driver, slurm: SlurmCluster) -> None:
    async with drive() as bench:

        async def restart() -> None:
            await shows(bench, "line 3\n")
            await anyio.to_thread.run_sync(slurm.stop_controller)
            await shows(bench, "line 20\n")
            await anyio.to_thread.run_sync(slurm.start_controller)

        assert (await meanwhile(bench, COUNT, restart)).exit_code == 7
        assert bench.printed == COUNTED


async def test_many_jobs_are_an_array(drive: Driver, tmp_path: Path, slurm: SlurmCluster) -> None:
    async with drive() as bench:
        codes: list[int | None] = []

        async def one(index: int) -> None:
            asked = StepRequest(script=f"exit $((SLURM_ARRAY_TASK_ID + {index} * 0 + 1))")
            codes.append((await bench.runner.run_step(StepRef(f"m.{index}", 1, 1), asked, print)).exit_code)
            await bench.runner.release(f"m.{index}", 1)

        async with anyio.create_task_group() as tasks:
            for index in range(12):
                tasks.start_soon(one, index)
    assert sorted(code or 0 for code in codes) == list(range(1, 13))
    names = slurm.ask("squeue", "-h", "-a", "-t", "all", "-o", "%F %j").splitlines()
    assert len({line for line in names if f"skyflow-{tmp_path.name}-" in line}) == 1


AT = {
    "partition": "skyflow.yml:4:16",
    "account": "skyflow.yml:5:14",
    "qos": "skyflow.yml:6:10",
    "kind": "skyflow.yml:3:11",
}


@pytest.mark.parametrize(
    ("queue", "need", "why"),
    [
        ({"partition": "nope"}, {}, "invalid partition specified: nope.*about 'partition', skyflow.yml:4:16"),
        ({"options": ("--bogus",)}, {}, "unrecognized option '--bogus'"),
        (
            {},
            {"accelerators": ("H100", 1)},
            "Requested node configuration is not available .about 'resources', w.yml:9:3",
        ),
        ({}, {"cpus": 99}, "job .* wait for ever: PartitionConfig .w.yml:9:3"),
        ({"partition": "short"}, {"minutes": 60}, "wait for ever: PartitionTimeLimit"),
        ({"python": "python9"}, {}, "ended before it began: FAILED: .*python9: not found"),
    ],
)
async def test_what_the_cluster_cannot_give_is_said(  # noqa: PLR0917 -- fixtures, and what is asked
    drive: Driver, tmp_path: Path, slurm: SlurmCluster, queue: dict[str, Any], need: dict[str, Any], why: str
) -> None:
    asked = SlurmQueue(name="cluster", said_at=AT, **queue)
    async with drive(asked, SlurmJob(said_at="w.yml:9:3", **need)) as bench:
        with anyio.fail_after(60):
            result = await bench.run("true")
        assert re.search(why, result.not_started or ""), result
    with anyio.fail_after(60):
        while set(jobs(slurm, tmp_path.name)) & {"RUNNING", "PENDING"}:
            await anyio.sleep(0.05)


async def test_without_slurm_it_says_so(drive: Driver, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    for program in ("sh", "cat", "mkdir", "mv", "flock", "head"):
        (tmp_path / "bin" / program).symlink_to(which(program) or "")
    (tmp_path / "bin" / "python3").symlink_to(PYTHON)
    async with drive(SlurmQueue(name="cluster", said_at=AT), PATH=str(tmp_path / "bin")) as bench:
        result = await bench.run("true")
    assert re.search("no Slurm on login: .*squeue.*not found .skyflow.yml:3:11", result.not_started or ""), result


async def test_a_step_runs_on_all_nodes_and_the_first_one_answers(drive: Driver) -> None:
    async with drive(need=SlurmJob(nodes=2)) as bench:
        await held(bench)
        script = (
            'echo "rank $SKYFLOW_NODE_RANK of $SKYFLOW_NUM_NODES on $SLURMD_NODENAME" $SKYFLOW_NODE_IPS\n'
            'echo "who=$SKYFLOW_NODE_RANK" >>$GITHUB_OUTPUT; cat a.txt'
        )
        result = await bench.run(script)
        assert (result.exit_code, result.outputs) == (0, (("who", "0"),))
        assert sorted(bench.printed.splitlines()) == [
            "[0] hello",
            "[0] rank 0 of 2 on n1 127.0.0.1 127.0.0.1",
            "[1] hello",
            "[1] rank 1 of 2 on n2 127.0.0.1 127.0.0.1",
        ]
        began = anyio.current_time()
        result = await bench.run('if [ "$SKYFLOW_NODE_RANK" = 1 ]; then exit 5; fi; sleep 100', 2)
        assert result.exit_code not in {0, None}
        assert anyio.current_time() - began < 60


async def test_a_step_on_all_nodes_is_interrupted_on_all(drive: Driver, tmp_path: Path) -> None:
    patient = KillLadder(interrupt_seconds=60, terminate_seconds=60)  # the cluster may take a while to pass a signal on
    async with drive(need=SlurmJob(nodes=2), ladder=patient) as bench:
        await held(bench)

        async def stop() -> None:
            with anyio.fail_after(60):
                while bench.printed.count("begun") < 2:
                    await anyio.sleep(0.02)
            bench.runner.stop_step(StepRef("job", 1, 1), force=False)

        # the first node to end would end the step on the other one, so each waits until both have cleaned up
        both = f"until [ -e {tmp_path}/cleaned-0 ] && [ -e {tmp_path}/cleaned-1 ]; do sleep 0.05; done"
        clean = f"touch {tmp_path}/cleaned-$SKYFLOW_NODE_RANK; {both}; exit 3"
        script = f"trap '{clean}' INT; echo begun; while :; do sleep 0.05; done"
        assert (await meanwhile(bench, script, stop)).stopped
    assert (tmp_path / "cleaned-0").exists()
    assert (tmp_path / "cleaned-1").exists()


async def test_accelerators_and_limits_reach_the_job(drive: Driver) -> None:
    need = SlurmJob(accelerators=("A100", 1), cpus=2, memory_mib=300, minutes=7)
    async with drive(SlurmQueue(name="cluster"), need) as bench:
        script = "echo $CUDA_VISIBLE_DEVICES; scontrol show job $SLURM_JOB_ID | tr ' ' '\\n' | grep -E '^(TimeLimit|NumCPUs|MinMem)'"
        await held(bench)
        assert (await bench.run(script)).exit_code == 0
    assert bench.printed.split() == ["0", "TimeLimit=00:07:00", "NumCPUs=2", "MinMemoryNode=300M"]


async def test_over_ssh_a_network_that_fails_costs_nothing_but_time(
    drive: Driver, slurm: SlurmCluster, machine: Machine, tmp_path: Path
) -> None:
    """The login node is another machine; nodes and it share a folder."""
    queue = SlurmQueue(name="cluster", folder=str(tmp_path / "shared"), options=(f"--chdir={tmp_path}",))
    async with drive(queue, transport=SlurmOverSsh(machine, slurm)) as bench:

        async def fail() -> None:
            await shows(bench, "line 5\n")
            machine.relay.freeze()
            await anyio.sleep(2)
            machine.relay.thaw()
            await shows(bench, "line 25\n")
            machine.relay.cut()

        assert (await meanwhile(bench, COUNT, fail)).exit_code == 7
        assert bench.printed == COUNTED
