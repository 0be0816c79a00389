"""What skyflow adds to the time that a cloud takes, against EC2 as a server on this computer and machines with a real sshd.

    python tests/bench/clouds.py [--rounds N] [--strict]

Needs root, sshd, iproute2, unshare and moto; prints a Markdown table. The overhead counts from
when the cloud has answered and the machine has done what it was started with, whichever is later, until the first step
begins: finding the address, getting in, copying the project, starting the supervisor. A decision counts from a refusal to
where the job goes instead: planning the rest of the run with the whole catalog, and storing that. What a driver of many
machines takes is its own peak of resident memory, and its CPU time by the second, until the first step of every job runs and
while all of them do.
"""

import os
import re
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "clouds"))

import ec2_server
from accounts import aws_variables
from measuring import Figure, arguments, report
from serving import Faults, served
from testbed.cloud_machine import Machines

HOLD_SECONDS = 30.0
MANY = 50
JOB = "runs-on: aws, resources: {{regions: {regions}, instance-type: m6i.large}}, steps: [{{run: 'true'}}]"


def run_once(folder: Path, jobs: str) -> str:
    (folder / "w.yml").write_text(f"on: push\njobs:\n{jobs}")
    command = [sys.executable, "-m", "skyflow", "run", "--verbose", "w.yml"]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, env={**os.environ, "COLUMNS": "400"}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def overhead(folder: Path, machines: Machines) -> float:
    """Return the seconds that the newest run needed beyond its cloud and the boot of its machine."""
    database = sqlite3.connect(folder / ".skyflow" / "state.db")
    [[answered]] = database.execute("SELECT created_at FROM machines ORDER BY intended_at DESC LIMIT 1").fetchall()
    [[began]] = database.execute(
        "SELECT started_at FROM steps WHERE position = 1 ORDER BY started_at DESC LIMIT 1"
    ).fetchall()
    database.close()
    booted = (machines.started[-1].base / "user-data.log").stat().st_mtime
    return datetime.fromisoformat(began).timestamp() - max(datetime.fromisoformat(answered).timestamp(), booted)


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process has had so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_mb(pid: int) -> float:
    """Return the most memory that a process has had so far, in MB; what its parent had when it was forked does not count."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0  # it has just ended


def begun(folder: Path) -> int:
    """Return how many jobs are in their first step."""
    path = folder / ".skyflow" / "state.db"
    if not path.exists():
        return 0
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    query = "SELECT count(*) FROM steps WHERE position = 1 AND status = 'in_progress'"
    try:
        return int(database.execute(query).fetchone()[0])
    except sqlite3.OperationalError:  # its tables are being made
        return 0
    finally:
        database.close()


def drive_many(folder: Path, machines: Machines, number: int) -> tuple[float, float, float]:
    """Have one job on each of many machines at once.

    Returns:
        The driver's peak of memory in MB, and its share of a CPU while the machines start and while they work.
    """
    folder.mkdir()
    wait = "while ! test -e ~/go; do sleep 0.5; done"
    job = JOB.format(regions="us-east-1").replace("'true'", repr(wait))
    matrix = f"strategy: {{matrix: {{n: [{', '.join(map(str, range(number)))}]}}}}"
    (folder / "w.yml").write_text(f"on: push\njobs:\n  a: {{{matrix}, {job}}}\n")
    before, said = set(machines.running), folder.with_name("said")
    with said.open("wb") as out:
        driver = subprocess.Popen([sys.executable, "-m", "skyflow", "run", "w.yml"], cwd=folder, stdout=out, stderr=out)
    since = time.monotonic()
    while begun(folder) < number:
        assert driver.poll() is None, said.read_text()
        time.sleep(0.5)
    starting = cpu_seconds(driver.pid) / (time.monotonic() - since)
    since, used = time.monotonic(), cpu_seconds(driver.pid)
    time.sleep(HOLD_SECONDS)
    working = (cpu_seconds(driver.pid) - used) / (time.monotonic() - since)
    for name in set(machines.running) - before:
        machines.running[name].run("touch", "/home/skyflow/go")
    peak = 0.0
    while driver.poll() is None:
        peak = max(peak, peak_mb(driver.pid))
        time.sleep(0.02)
    assert driver.returncode == 0, said.read_text()
    return peak, starting, working


@contextmanager
def a_cloud(folder: Path) -> Iterator[Machines]:
    """Serve EC2 to what is called meanwhile, with machines of this computer."""
    with served(Faults(ec2_server.Ec2Server(), ec2_server.name_call), handler=ec2_server.Ec2Server.handler) as address:
        os.environ |= aws_variables(address)
        ec2_server.register_images()
        machines = ec2_server.ACCOUNT.machines = Machines(folder / "machines")
        try:
            yield machines
        finally:
            machines.close()
        assert ec2_server.remains()["machines"] == []


def in_words(name: str, times: list[float], limit: float) -> Figure:
    middle = statistics.median(times)
    return Figure(name, f"{middle:.2f} s, at worst {max(times):.2f} s", "", f"{limit} s", middle <= limit)


def one_machine(rounds: int, folder: Path) -> list[Figure]:
    overheads, decisions = [], []
    (folder / "project").mkdir()
    with a_cloud(folder) as machines:
        for _ in range(rounds):
            run_once(folder / "project", f"  a: {{{JOB.format(regions='us-east-1')}}}\n")
            overheads.append(overhead(folder / "project", machines))
        refused = {(f"us-east-1{zone}", "m6i.large"): 0 for zone in "abcdef"}
        ec2_server.ACCOUNT.capacity |= refused
        for number in range(rounds):
            fresh = folder / f"refused-{number}"  # the next run of a project knows what was refused
            fresh.mkdir()
            ten = "".join(f"  j{n}: {{{JOB.format(regions='[us-east-1, eu-west-1]')}}}\n" for n in range(10))
            decisions += map(float, re.findall(r"Planned anew in ([\d.]+) s", run_once(fresh, ten)))
        for place in refused:
            del ec2_server.ACCOUNT.capacity[place]
    return [
        in_words("from a started machine to the first step", overheads, 1.5),
        in_words("from a refusal to a new plan of ten jobs", decisions, 0.5),
    ]


def many_machines(_: int, folder: Path) -> list[Figure]:
    with a_cloud(folder) as machines:
        peak, starting, working = drive_many(folder / "many", machines, MANY)
    return [
        Figure(f"CPUs of a driver while {MANY} machines start", f"{starting:.2f}", "", "1", starting <= 1),
        Figure(f"CPUs of a driver while {MANY} machines work", f"{working:.3f}", "", "1", working <= 1),
        Figure(f"peak of memory of a driver of {MANY} machines", f"{peak:.0f} MB", "", "200 MB", peak <= 200),
    ]


BENCHMARKS = (one_machine, many_machines)

if __name__ == "__main__":
    report(BENCHMARKS, arguments("What skyflow adds to the time that a cloud takes.", rounds=5).parse_args())
