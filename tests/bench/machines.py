"""What other machines and buckets cost, each figure beside something that is run in turn with it.

    python tests/bench/machines.py [--rounds N] [--only ssh] [--strict]

Needs root, sshd, unshare, moto and Slurm; prints a Markdown table. The network is that of this computer.
"""

import functools
import hashlib
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import anyio
from measuring import Figure, arguments, report
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


async def on_machine(machine: Machine, folder: Path, rounds: int) -> list[Figure]:
    made: dict[str, list[float]] = {}
    beside: dict[str, list[float]] = {"command": [], "output": []}
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
            beside["command"].append(plain_ssh(machine, folder, "true", times=COMMANDS) * 1e3)
            for name, work in (
                ("a command, asyncssh", functools.partial(command, asyncssh)),
                ("a command, openssh", functools.partial(command, openssh)),
                ("a step", functools.partial(step, "true")),
            ):
                made.setdefault(name, []).append(await timed(work, times=COMMANDS) * 1e3)
            plain = plain_ssh(machine, folder, f"head -c {OUTPUT_MB}000000 /dev/zero | tr '\\0' '\\n'")
            began = time.process_time()
            seconds = await timed(functools.partial(step, f"yes {'x' * 99} | head -c {OUTPUT_MB}000000"))
            ours = time.process_time() - began
            beside["output"].append(OUTPUT_MB / plain)
            made.setdefault("output", []).append(OUTPUT_MB / seconds)
            made.setdefault("processor", []).append(ours / OUTPUT_MB * 1e3)
    for transport in (asyncssh, openssh):
        await transport.aclose()
    middle = {name: statistics.median(values) for name, values in made.items()}
    plain, stream = (statistics.median(values) for values in beside.values())
    return [
        *(
            Figure(f"{name} over SSH", f"{middle[name]:.1f} ms", f"`ssh` {plain:.1f} ms", "15 ms", middle[name] <= 15)
            for name in ("a command, asyncssh", "a command, openssh")
        ),
        Figure("a step over SSH", f"{middle['a step']:.1f} ms", f"`ssh` {plain:.1f} ms"),
        Figure(
            f"{OUTPUT_MB} MB of output of a step",
            f"{middle['output']:.0f} MB/s, {middle['processor']:.1f} ms of our processor for each MB",
            f"`ssh` {stream:.0f} MB/s",
            "80 MB/s",
            middle["output"] >= 80,
        ),
    ]


def plain_array(cluster: SlurmCluster) -> float:
    """Return how long Slurm takes for as many jobs that do nothing, in seconds for each."""
    began = time.perf_counter()
    cluster.ask("sbatch", f"--array=0-{QUEUED - 1}", "--output=/dev/null", "--job-name=plain", "--wrap=true")
    while cluster.ask("squeue", "-h", "--name=plain").strip():
        time.sleep(0.05)
    return (time.perf_counter() - began) / QUEUED


async def in_queue(cluster: SlurmCluster, folder: Path, rounds: int) -> list[Figure]:
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
    above = figure - beside
    measured = f"{figure:.1f} ms, {above:.1f} ms above it"
    return [Figure(f"a job of an array of {QUEUED}", measured, f"`sbatch` {beside:.1f} ms", "20 ms above", above <= 20)]


async def in_bucket(server: ObjectServer, folder: Path, rounds: int) -> list[Figure]:
    """Compare uploads with those of boto3, in turn: seconds, and those of the processors of client and server."""
    import boto3

    client = boto3.client("s3")
    figures = []
    for name, count, size, limit in (("small", SMALL, 1_000, 6), ("large", 1, LARGE_MB * 1_000_000, 8)):
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
        took, here, there = (statistics.median(each) for each in zip(*ours, strict=True))
        plain = [statistics.median(each) for each in zip(*theirs, strict=True)]
        figures.append(
            Figure(
                f"{count} x {size / 1e6:g} MB to S3 (processors here + there)",
                f"{took:.2f} s ({here:.2f} + {there:.2f})",
                f"boto3 {plain[0]:.2f} s ({plain[1]:.2f} + {plain[2]:.2f})",
                f"{limit} s",
                took <= limit,
            )
        )
    return figures


def spent(server: ObjectServer) -> tuple[float, float, float]:
    """Return the time, that of our processors, and that of the server's."""
    fields = Path(f"/proc/{server.pid}/stat").read_text().rpartition(") ")[2].split()
    there = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return time.perf_counter(), time.process_time(), there


def slurm(rounds: int, folder: Path) -> list[Figure]:
    cluster = SlurmCluster(folder / "slurm", cpus=QUEUED)
    cluster.start()
    try:
        return anyio.run(in_queue, cluster, folder, rounds)
    finally:
        cluster.close()


def ssh(rounds: int, folder: Path) -> list[Figure]:
    machine = Machine(folder / "box", make_key(folder / "id"))
    machine.start()
    try:
        return anyio.run(on_machine, machine, folder, rounds)
    finally:
        machine.close()


def s3(rounds: int, folder: Path) -> list[Figure]:
    server = ObjectServer()
    os.environ |= {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    try:
        return anyio.run(in_bucket, server, folder, rounds)
    finally:
        server.close()


BENCHMARKS = (slurm, ssh, s3)

if __name__ == "__main__":
    report(BENCHMARKS, arguments("What other machines and buckets cost.", rounds=3).parse_args())
