"""What other machines and buckets cost, each figure beside something that is run in turn with it.

    PYTHONPATH=tests python tests/bench/machines.py [--rounds N] [--only ssh]

Needs root, sshd, unshare, moto and Slurm; prints a Markdown table. The network is that of this computer.
"""

import argparse
import functools
import hashlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
from testbed.machine import Machine, make_key
from testbed.object_server import ObjectServer
from testbed.slurm import SlurmCluster

from skyflow.app.clock import SystemClock
from skyflow.artifacts.named import Artifacts
from skyflow.artifacts.places import open_place
from skyflow.model.artifacts import NewArtifact, Source
from skyflow.model.execution import StepRef, StepRequest
from skyflow.model.hosts import SshHost
from skyflow.model.layout import RunFolder
from skyflow.model.slurm import SlurmJob, SlurmQueue
from skyflow.ports.transport import Transport
from skyflow.runners.remote.link import HostLink
from skyflow.runners.remote.runner import RemoteRunner
from skyflow.runners.slurm.client import SlurmClient
from skyflow.runners.slurm.place import SlurmPlace
from skyflow.transports.asyncssh import AsyncsshTransport
from skyflow.transports.local import LocalTransport
from skyflow.transports.openssh import OpensshTransport

COMMANDS = 40
OUTPUT_MB = 200
SMALL, LARGE_MB = 1_000, 500
QUEUED = 200
PYTHON = str(Path(sys.executable).resolve())
"""What PATH has may be a script that looks for one."""


def direct(machine: Machine) -> SshHost:
    """Return how a machine is reached without the relay, which is of this process and would be measured along."""
    return machine.host(port=machine.port)


def ssh_line(machine: Machine, folder: Path, *command: str) -> list[str]:
    host = direct(machine)
    known = folder / "known_hosts"
    known.write_text(host.known_hosts)
    options = [f"UserKnownHostsFile={known}", "ControlMaster=auto", f"ControlPath={folder}/cm", "ControlPersist=60"]
    words = [word for option in options for word in ("-o", option)]
    return ["ssh", *words, "-i", str(host.identity), "-p", str(host.port), "root@127.0.0.1", *command]


def plain_ssh(machine: Machine, folder: Path, *command: str, times: int = 1) -> float:
    began = time.perf_counter()
    for _ in range(times):
        subprocess.run(ssh_line(machine, folder, *command), check=True, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - began) / times


async def timed(work: Callable[[], Awaitable[object]], *, times: int = 1) -> float:
    began = time.perf_counter()
    for _ in range(times):
        await work()
    return (time.perf_counter() - began) / times


async def on_machine(machine: Machine, folder: Path, rounds: int) -> None:
    made: dict[str, list[tuple[float, float]]] = {}
    used: list[float] = []
    asyncssh, openssh = AsyncsshTransport(direct(machine)), OpensshTransport(direct(machine), config=Path("/dev/null"))
    (folder / "project").mkdir()
    runner = RemoteRunner(
        HostLink(AsyncsshTransport(direct(machine)), clock=SystemClock()),
        run="bench",
        folder=RunFolder(folder / "run"),
        tools=folder / "tools",
        workspace=folder / "project",
        clock=SystemClock(),
    )
    numbers = iter(range(1, 1_000_000))

    async def step(script: str) -> None:
        await runner.run_step(StepRef("job", 1, next(numbers)), StepRequest(script=script), lambda _: None)

    async def command(transport: Transport) -> None:
        await transport.run(["true"])

    async with runner:
        await step("true")
        for transport in (asyncssh, openssh):
            await command(transport)
        for _ in range(rounds):
            beside = plain_ssh(machine, folder, "true", times=COMMANDS)
            for name, work in (
                ("a command, asyncssh", functools.partial(command, asyncssh)),
                ("a command, openssh", functools.partial(command, openssh)),
                ("a step", functools.partial(step, "true")),
            ):
                made.setdefault(f"{name} | ms", []).append((await timed(work, times=COMMANDS) * 1e3, beside * 1e3))
            beside = plain_ssh(machine, folder, f"head -c {OUTPUT_MB}000000 /dev/zero | tr '\\0' '\\n'")
            began = time.process_time()
            seconds = await timed(functools.partial(step, f"yes {'x' * 99} | head -c {OUTPUT_MB}000000"))
            ours = time.process_time() - began
            made.setdefault("output of a step | MB/s", []).append((OUTPUT_MB / seconds, OUTPUT_MB / beside))
            used.append(ours / OUTPUT_MB * 1e3)
    for transport in (asyncssh, openssh):
        await transport.aclose()
    for name, pairs in made.items():
        figure, beside = (statistics.median(values) for values in zip(*pairs, strict=True))
        print(f"| {name} | {figure:.1f} | {beside:.1f} | {figure / beside:.2f} |")
    print(f"| output of a step, processor time here | ms/MB | {statistics.median(used):.1f} | | |")


def plain_array(cluster: SlurmCluster) -> float:
    """Return how long Slurm takes for as many jobs that do nothing, in seconds for each."""
    began = time.perf_counter()
    cluster.ask("sbatch", f"--array=0-{QUEUED - 1}", "--output=/dev/null", "--job-name=plain", "--wrap=true")
    while cluster.ask("squeue", "-h", "--name=plain").strip():
        time.sleep(0.05)
    return (time.perf_counter() - began) / QUEUED


async def in_queue(cluster: SlurmCluster, folder: Path, rounds: int) -> None:
    """Compare jobs of one step that does nothing with jobs that do nothing."""
    (folder / "queued").mkdir()
    pairs = []
    for number in range(rounds):
        beside = plain_array(cluster)
        transport = LocalTransport("login", {**os.environ, **cluster.environment})
        link = HostLink(transport, clock=SystemClock(), folder=str(folder / "shared"), python=PYTHON)
        run = RunFolder(folder / f"queued-run-{number}")
        place = SlurmPlace(
            SlurmClient(transport, SlurmQueue(name="cluster", python=PYTHON)),
            link,
            lambda judge, link=link, run=run: RemoteRunner(  # type: ignore[misc]
                link,
                run=run.root.name,
                folder=run,
                tools=folder / "tools",
                workspace=folder / "queued",
                clock=SystemClock(),
                judge=judge,
            ),
            need_of=lambda _: SlurmJob(),
            folder=run,
            run=run.root.name,
        )

        async def one(index: int, place: SlurmPlace = place) -> None:
            which = (f"job.{index}", 1)
            runner = await place.take(which, lambda _: None)
            await runner.run_step(StepRef(*which, 1), StepRequest(script="true"), lambda _: None)
            await place.release(which)

        async with place:
            began = time.perf_counter()
            async with anyio.create_task_group() as tasks:
                for index in range(QUEUED):
                    tasks.start_soon(one, index)
            pairs.append(((time.perf_counter() - began) / QUEUED, beside))
    figure, beside = (statistics.median(values) * 1e3 for values in zip(*pairs, strict=True))
    print(f"| a job of an array of {QUEUED} | ms | {figure:.1f} | {beside:.1f} | {figure / beside:.2f} |")


async def in_bucket(server: ObjectServer, folder: Path, rounds: int) -> None:
    """Compare uploads with those of boto3, in turn: seconds, and those of the processors of client and server."""
    import boto3

    client = boto3.client("s3")
    for name, count, size in (("small", SMALL, 1_000), ("large", 1, LARGE_MB * 1_000_000)):
        ours: list[tuple[float, ...]] = []
        theirs: list[tuple[float, ...]] = []
        for number in range(rounds):
            files = []
            for index in range(count):
                path = folder / f"{name}-{number}-{index}"
                path.write_bytes(hashlib.sha256(path.name.encode()).digest() * (size // 32))
                files.append(path)
            bucket = f"bench-{name}-{number}"
            server.make_bucket(bucket)
            artifacts = Artifacts({"": open_place(f"s3://{bucket}/x")}, SystemClock())
            sources = [Source(path.name, path) for path in files]
            before = spent(server)
            await artifacts.upload(
                NewArtifact(run="r", name="a", sources=sources, by=StepRef("j", 1, 1), retention_days=1)
            )
            between = spent(server)
            for path in files:
                client.upload_file(str(path), bucket, f"boto3/{path.name}")
            after = spent(server)
            ours.append(tuple(end - begin for begin, end in zip(before, between, strict=True)))
            theirs.append(tuple(end - begin for begin, end in zip(between, after, strict=True)))
            for path in files:
                path.unlink()
        for what, mine, beside in zip(
            ("", ", processor", ", processor of the server"),
            zip(*ours, strict=True),
            zip(*theirs, strict=True),
            strict=True,
        ):
            figure, other = statistics.median(mine), statistics.median(beside)
            print(
                f"| {count} x {size / 1e6:g} MB to S3{what} | s | {figure:.2f} | {other:.2f} | {figure / other:.2f} |"
            )


def spent(server: ObjectServer) -> tuple[float, float, float]:
    """Return the time, that of our processors, and that of the server's."""
    fields = Path(f"/proc/{server.pid}/stat").read_text().rpartition(") ")[2].split()
    there = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return time.perf_counter(), time.process_time(), there


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=("slurm", "ssh", "s3"), help="instead of all")
    given = parser.parse_args()
    rounds, only = given.rounds, given.only
    folder = Path(tempfile.mkdtemp(prefix="skyflow-bench-"))
    print("| what | unit | skyflow | beside: ssh, sbatch, boto3 | ratio |\n|---|---|---|---|---|")
    try:
        if only in {None, "slurm"}:
            cluster = SlurmCluster(folder / "slurm", cpus=QUEUED)
            cluster.start()
            try:
                anyio.run(in_queue, cluster, folder, rounds)
            finally:
                cluster.close()
        if only in {None, "ssh"}:
            machine = Machine(folder / "box", make_key(folder / "id"))
            machine.start()
            try:
                anyio.run(on_machine, machine, folder, rounds)
            finally:
                machine.close()
        if only in {None, "s3"}:
            server = ObjectServer()
            os.environ |= {
                "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.port}",
                "AWS_ACCESS_KEY_ID": "test",
                "AWS_SECRET_ACCESS_KEY": "test",
                "AWS_REGION": "us-east-1",
                "AWS_DEFAULT_REGION": "us-east-1",
            }
            try:
                anyio.run(in_bucket, server, folder, rounds)
            finally:
                server.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
