"""What driving a run costs: many jobs, chains, memory, resuming, watching, output; beside a bare loop.

python tests/bench/engine.py [--rounds N] [--strict] [--only NAME]
"""

import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from measuring import JOB, SKYFLOW, Figure, arguments, in_turn, report

LOOP = "for i in $(seq {count}); do bash -c true; done"


def independent(folder: Path, count: int, job: str = JOB) -> None:
    (folder / "one.yml").write_text(f"on: push\njobs:\n  a: {JOB}\n")
    (folder / "many.yml").write_text("on: push\njobs:\n" + "".join(f"  j{i}: {job}\n" for i in range(count)))


def figure(name: str, got: dict[str, float], run: str, *, jobs: int, limit_ms: float) -> Figure:
    overhead = (got[run] - got["loop"] - got["one"]) / jobs * 1000
    return Figure(
        name,
        f"{got[run]:.2f} s = {overhead:.1f} ms more per job, without start-up",
        f"bare loop {got['loop']:.2f} s, one job {got['one']:.2f} s",
        f"{limit_ms:g} ms per job",
        overhead <= limit_ms,
    )


def thousand_jobs(rounds: int, folder: Path) -> list[Figure]:
    independent(folder, 1000)
    got = in_turn(
        rounds,
        folder,
        run=[*SKYFLOW, "run", "-q", "--jobs", "2", "many.yml"],
        one=[*SKYFLOW, "run", "-q", "one.yml"],
        loop=["bash", "-c", LOOP.format(count=1000)],
    )
    return [figure("1,000 independent jobs of `true`, two at once", got, "run", jobs=1000, limit_ms=3)]


def chain(rounds: int, folder: Path) -> list[Figure]:
    independent(folder, 1)
    jobs = "".join(
        f"  j{i}: {{{f'needs: j{i - 1}, ' if i else ''}runs-on: local, steps: [{{run: 'true'}}]}}\n" for i in range(100)
    )
    (folder / "chain.yml").write_text(f"on: push\njobs:\n{jobs}")
    got = in_turn(
        rounds,
        folder,
        run=[*SKYFLOW, "run", "-q", "chain.yml"],
        one=[*SKYFLOW, "run", "-q", "one.yml"],
        loop=["bash", "-c", LOOP.format(count=100)],
    )
    return [figure("a chain of 100 jobs", got, "run", jobs=100, limit_ms=8)]


def memory(_: int, folder: Path) -> list[Figure]:
    figures = []
    for count, limit in ((1000, 150), (10_000, 400)):
        legs = list(range(250))
        jobs = "".join(
            f"  j{i}: {{strategy: {{matrix: {{n: {legs}}}}}, runs-on: local, steps: [{{run: 'true'}}]}}\n"
            for i in range(count // 250)
        )
        (folder / "matrix.yml").write_text(f"on: push\njobs:\n{jobs}")
        process = subprocess.Popen(
            [*SKYFLOW, "run", "-q", "--jobs", "2", "matrix.yml"], cwd=folder, stdout=subprocess.DEVNULL
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        peak = used.ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)
        bare = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        figures.append(
            Figure(
                f"peak memory, {count:,} jobs",
                f"{peak:.0f} MB",
                f"this script {bare:.0f} MB",
                f"{limit} MB",
                peak <= limit,
            )
        )
    return figures


def taken_over(rounds: int, folder: Path) -> list[Figure]:
    independent(folder, 1000, JOB.replace("{runs-on", "{cache: {}, runs-on"))
    got = in_turn(
        rounds,
        folder,
        run=[*SKYFLOW, "run", "-q", "--jobs", "2", "many.yml"],
        plan=[*SKYFLOW, "plan", "--json", "many.yml"],
    )
    return [
        Figure(
            "1,000 jobs that are all taken over",
            f"{got['run']:.2f} s",
            f"reading and planning them {got['plan']:.2f} s",
            "1.0 s",
            got["run"] <= 1.0,
        )
    ]


def resuming(rounds: int, folder: Path) -> list[Figure]:
    """From `skyflow resume` to the first job it starts, after a kill."""
    taken = []
    for _ in range(rounds):
        shutil.rmtree(folder / ".skyflow", ignore_errors=True)
        for name in ("first", "second"):
            (folder / name).unlink(missing_ok=True)
        (folder / "two.yml").write_text(
            "on: push\njobs:\n  a: {runs-on: local, steps: [{run: 'touch first; sleep 0.3'}]}\n"
            "  b: {needs: a, runs-on: local, steps: [{run: 'touch second'}]}\n"
        )
        process = subprocess.Popen([*SKYFLOW, "run", "-q", "two.yml"], cwd=folder, stdout=subprocess.DEVNULL)
        while not (folder / "first").exists():
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.wait()
        time.sleep(0.5)  # the step has ended: what is measured is the start of the next one
        began = time.time()
        subprocess.run([*SKYFLOW, "resume", "-q"], cwd=folder, stdout=subprocess.DEVNULL, check=True)
        taken.append((folder / "second").stat().st_mtime - began)
    median = sorted(taken)[len(taken) // 2]
    bare = in_turn(rounds, folder, python=[sys.executable, "-c", "pass"])["python"]
    return [
        Figure(
            "from resume to the next job",
            f"{median:.2f} s",
            f"bare Python {bare * 1000:.0f} ms",
            "0.7 s",
            median <= 0.7,
        )
    ]


def watching(rounds: int, folder: Path) -> list[Figure]:
    """From a saved file to the job that it starts."""
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    (folder / "in").write_text("0")
    job = "{runs-on: local, cache: {inputs: in}, steps: [{run: touch .skyflow/started}]}"
    (folder / "w.yml").write_text(f"on: push\njobs:\n  a: {job}\n")
    taken, saved = [], 0.0
    # whoever starts this in the background of a script has it ignored, and so would the watch, which would never end
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen(
            [*SKYFLOW, "watch", "w.yml", "in"],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
        )
        for turn in range(rounds + 1):
            while (folder / "said").read_bytes().count(b"waiting for changes") < turn + 1:
                time.sleep(0.01)
            if turn:
                taken.append((folder / ".skyflow/started").stat().st_mtime - saved)
            time.sleep(0.3)
            saved = time.time()
            (folder / "in").write_text(str(saved))
        process.send_signal(signal.SIGINT)
        process.wait()
    median = sorted(taken)[len(taken) // 2]
    beside = in_turn(rounds, folder, bash=["bash", "-c", LOOP.format(count=10)])["bash"]
    return [
        Figure(
            "watch: from a saved file to the job",
            f"{median * 1000:.0f} ms",
            f"ten times `bash -c true` {beside * 1000:.0f} ms",
            "250 ms",
            median <= 0.25,
        )
    ]


def much_output(rounds: int, folder: Path) -> list[Figure]:
    """200 MB of lines with five masked texts; what one trivial job takes is taken off."""
    lines = "".join(
        f"[{n % 997}/997] compiling src/module_{n * 7919 % 10007}/file_{n}.c with flags\n" for n in range(20_000)
    )
    data = lines.encode() * (200_000_000 // len(lines))
    (folder / "big.txt").write_bytes(data)
    masks = "".join(f"          echo ::add-mask::ghp_{n}{'0123456789abcdef' * 2}\n" for n in range(5))
    job = f"on: push\njobs:\n  a:\n    runs-on: local\n    steps:\n      - run: |\n{masks}          cat big.txt\n"
    (folder / "big.yml").write_text(job)
    (folder / "one.yml").write_text(f"on: push\njobs:\n  a: {JOB}\n")
    got = in_turn(
        min(rounds, 3),
        folder,
        run=[*SKYFLOW, "run", "-q", "big.yml"],
        one=[*SKYFLOW, "run", "-q", "one.yml"],
        cat=["bash", "-c", "cat big.txt > copy.txt; rm -rf .skyflow"],
    )
    took = got["run"] - got["one"]
    rate = len(data) / took / 1e6
    return [
        Figure(
            "200 MB of output with 5 masks",
            f"{took:.2f} s = {rate:.0f} MB/s = {took / got['cat']:.0f} x",
            f"`cat` to a file {got['cat']:.2f} s",
            "100 MB/s",
            rate >= 100,
        )
    ]


BENCHMARKS: list[Callable[[int, Path], list[Figure]]] = [
    thousand_jobs,
    chain,
    memory,
    taken_over,
    resuming,
    watching,
    much_output,
]


if __name__ == "__main__":
    parser = arguments("What driving a run costs, beside what it is compared with.", rounds=5)
    report(BENCHMARKS, parser.parse_args())
