"""What skyflow is made for at most, each tried: many jobs, deep chains, long logs, many runs, many machines.

    python tests/bench/limits.py [--strict] [--only NAME]

Takes some minutes; a figure is missed where it does not end in success, or takes more memory than a small machine has.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from measuring import JOB, SKYFLOW, Figure, arguments, report

MEGABYTES = 1000
"""As much as a process may take."""


def tried(name: str, folder: Path, *command: str) -> Figure:
    """Run a command once, and say how long it took, and how much memory it had at most."""
    began = time.perf_counter()
    process = subprocess.Popen([*SKYFLOW, *command], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = code = os.waitstatus_to_exitcode(status)
    took, peak = time.perf_counter() - began, used.ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)
    cpu = used.ru_utime + used.ru_stime
    measured = f"{took:.1f} s, {cpu:.1f} s of them on a processor, {peak:.0f} MB"
    return Figure(
        f"{name}: `skyflow {' '.join(command)}`",
        measured,
        "" if code == 0 else f"exit code {code}",
        f"success, {MEGABYTES} MB",
        code == 0 and peak <= MEGABYTES,
    )


def jobs(_: int, folder: Path) -> list[Figure]:
    """10,000 jobs; a file may hold 50,000 values, so most of them are of matrices."""
    legs = list(range(250))
    written = "".join(
        f"  j{i}: {{strategy: {{matrix: {{n: {legs}}}}}, runs-on: local, steps: [{{run: 'true'}}]}}\n"
        for i in range(40)
    )
    (folder / "jobs.yml").write_text(f"on: push\njobs:\n{written}")
    commands = (("run", "-q", "--jobs", "2", "jobs.yml"), ("show",), ("report", "-o", "report.html"))
    return [tried("10,000 jobs", folder, *command) for command in commands]


def depth(_: int, folder: Path) -> list[Figure]:
    written = "".join(f"  j{i}: {{{f'needs: j{i - 1}, ' if i else ''}{JOB[1:]}\n" for i in range(1000))
    (folder / "deep.yml").write_text(f"on: push\njobs:\n{written}")
    commands = (("run", "-q", "deep.yml"), ("graph", "-o", "graph.svg", "deep.yml"), ("report", "-o", "report.html"))
    return [tried("a chain of 1,000 jobs", folder, *command) for command in commands]


def logs(_: int, folder: Path) -> list[Figure]:
    line = "[ 512/1024] compiling src/module/file.c with the flags that everybody has"
    (folder / "logs.yml").write_text(
        f"on: push\njobs:\n  a: {{runs-on: local, steps: [{{run: \"yes '{line}' | head -c 1000000000\"}}]}}\n"
    )
    commands = (("run", "-q", "logs.yml"), ("logs", "latest"), ("logs", "latest", "--grep", "nothing"))
    return [tried("1 GB of output", folder, *command) for command in commands]


def runs(_: int, folder: Path) -> list[Figure]:
    (folder / "one.yml").write_text(f"on: push\njobs:\n  a: {JOB}\n")
    many = "import skyflow\nfor _ in range(1000): skyflow.run('one.yml')"
    subprocess.run([sys.executable, "-c", many], cwd=folder, check=True)
    commands = (("run", "-q", "one.yml"), ("runs",), ("db", "check"), ("prune", "--older-than", "0d"))
    return [tried("1,000 runs", folder, *command) for command in commands]


def machines(_: int, folder: Path) -> list[Figure]:
    """100 machines at once, in a simulated world: what counts is what the driver does, not what clouds take."""
    legs = list(range(100))
    (folder / "wide.yml").write_text(
        f"on: push\njobs:\n  a: {{strategy: {{matrix: {{n: {legs}}}}}, runs-on: aws, estimate: 1h, "
        "resources: {cpus: 2, market: spot}, steps: [{run: x}]}\n"
    )
    return [tried("100 machines", folder, "simulate", "wide.yml", "--runs", "10", "--preemptions", "0.2")]


BENCHMARKS: list[Callable[[int, Path], list[Figure]]] = [depth, machines, logs, jobs, runs]


if __name__ == "__main__":
    report(BENCHMARKS, arguments("What skyflow is made for at most, each tried.", rounds=1).parse_args())
