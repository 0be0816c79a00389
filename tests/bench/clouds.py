"""What skyflow adds to the time that a cloud takes, against EC2 as a server on this computer and machines with a real sshd.

    PYTHONPATH=tests:tests/clouds python tests/bench/clouds.py [--rounds N] [--machines N]

Needs root, sshd, iproute2, unshare and moto; prints a Markdown table with the load of the computer. The overhead counts from
when the cloud has answered and the machine has done what it was started with, whichever is later, until the first step
begins: finding the address, getting in, copying the project, starting the supervisor. A decision counts from a refusal to
where the job goes instead: planning the rest of the run with the whole catalog, and storing that. What a driver of many
machines takes is its own peak of resident memory, and its CPU time by the second, until the first step of every job runs and
while all of them do.
"""

import argparse
import os
import re
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

import ec2_server
from accounts import aws_variables
from serving import Faults, served
from testbed.cloud_machine import Machines

HOLD_SECONDS = 30.0
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--machines", type=int, default=50)
    options = parser.parse_args()
    rounds = options.rounds
    overheads, decisions = [], []
    with (
        tempfile.TemporaryDirectory() as name,
        served(Faults(ec2_server.Ec2Server(), ec2_server.name_call), handler=ec2_server.Ec2Server.handler) as address,
    ):
        folder = Path(name) / "project"
        folder.mkdir()
        os.environ |= aws_variables(address)
        ec2_server.register_images()
        machines = ec2_server.ACCOUNT.machines = Machines(Path(name) / "machines")
        try:
            for _ in range(rounds):
                run_once(folder, f"  a: {{{JOB.format(regions='us-east-1')}}}\n")
                overheads.append(overhead(folder, machines))
            peak, starting, working = drive_many(Path(name) / "many", machines, options.machines)
            ec2_server.ACCOUNT.capacity |= {(f"us-east-1{zone}", "m6i.large"): 0 for zone in "abcdef"}
            for number in range(rounds):
                fresh = Path(name) / f"refused-{number}"  # the next run of a project knows what was refused
                fresh.mkdir()
                ten = "".join(f"  j{n}: {{{JOB.format(regions='[us-east-1, eu-west-1]')}}}\n" for n in range(10))
                decisions += map(float, re.findall(r"Planned anew in ([\d.]+) s", run_once(fresh, ten)))
        finally:
            machines.close()
        assert ec2_server.remains()["machines"] == []
    print("| what | median | worst |\n|---|---|---|")
    for what, times in (("driver overhead, s", overheads), ("decision with a new plan, 10 jobs, s", decisions)):
        print(f"| {what} | {statistics.median(times):.2f} | {max(times):.2f} |")
    for what, share in (("start", starting), ("work", working)):
        print(f"| CPUs of a driver while {options.machines} machines {what} | {share:.3f} | |")
    print(f"| its peak of memory, MB | {peak:.0f} | |")
    print(f"\nload {os.getloadavg()[0]:.1f} on {os.cpu_count()} CPUs")


if __name__ == "__main__":
    main()
