"""What skyflow costs, each figure beside something that is run in turn with it, so that only the ratio counts.

    python tests/bench/run.py [--rounds N] [--strict]

Prints a Markdown table; with `--strict`, a figure that misses its target makes the exit code 1.
"""

import contextlib
import os
import pty
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import catalog_figures
from measuring import JOB, SKYFLOW, Figure, arguments, in_turn, report


def start_up(rounds: int, folder: Path) -> list[Figure]:
    got = in_turn(
        rounds,
        folder,
        typer=[sys.executable, "-c", "import typer"],
        version=[*SKYFLOW, "--version"],
        help=[*SKYFLOW, "--help"],
    )
    beside = f"`import typer` {got['typer'] * 1000:.0f} ms"
    return [
        Figure(
            f"`skyflow --{name}`",
            f"{got[name] * 1000:.0f} ms = {got[name] / got['typer']:.2f} x",
            beside,
            "1.6 x",
            got[name] <= 1.6 * got["typer"],
        )
        for name in ("version", "help")
    ]


def one_job(rounds: int, folder: Path) -> list[Figure]:
    (folder / "one.yml").write_text(f"on: push\njobs:\n  a: {JOB}\n")
    got = in_turn(rounds, folder, run=[*SKYFLOW, "run", "-q", "one.yml"], python=[sys.executable, "-c", "pass"])
    return [
        Figure(
            "one trivial job, end to end",
            f"{got['run']:.2f} s",
            f"bare Python {got['python'] * 1000:.0f} ms",
            "1.0 s",
            got["run"] <= 1.0,
        )
    ]


def hundred_jobs(rounds: int, folder: Path) -> list[Figure]:
    (folder / "one.yml").write_text(f"on: push\njobs:\n  a: {JOB}\n")
    (folder / "hundred.yml").write_text("on: push\njobs:\n" + "".join(f"  j{i}: {JOB}\n" for i in range(100)))
    got = in_turn(
        rounds,
        folder,
        run=[*SKYFLOW, "run", "-q", "--jobs", "2", "hundred.yml"],
        loop=["bash", "-c", "for i in $(seq 100); do bash -c true; done"],
    )
    overhead = (got["run"] - got["loop"]) / 100
    return [
        Figure(
            "100 independent jobs of `true`",
            f"{got['run']:.2f} s = {overhead * 1000:.1f} ms more per job, start-up included",
            f"bare `bash -c true` loop {got['loop']:.2f} s",
            "12 ms per job",
            overhead <= 0.012,
        )
    ]


EXPRESSIONS = (
    "true",
    "github.ref",
    "github.ref == 'refs/heads/main'",
    "github.event_name == 'push' && github.ref != 'refs/heads/main'",
    "needs.build.outputs.version",
    "needs.build.result == 'success' || needs.test.result == 'skipped'",
    "contains(github.event.labels.*.name, 'urgent')",
    '!contains(fromJSON(\'["main", "next"]\'), github.ref)',
    "startsWith(github.ref, 'refs/tags/v') && endsWith(github.ref, '.0')",
    "format('{0}-{1}-{2}', runner.os, matrix.python, hash)",
    "join(github.event.labels.*.name, ', ')",
    "toJSON(matrix)",
    "fromJSON(needs.build.outputs.matrix).include[0].os",
    "matrix.python >= 3.9 && matrix.os == 'LINUX' && (matrix.fast || !matrix.slow)",
    "case(matrix.fast, 'quick', matrix.slow, 'long', 'usual')",
    "env.MISSING || vars.DEFAULT || 'fallback'",
)
CONTEXT: dict[str, object] = {
    "github": {"ref": "refs/tags/v1.2.0", "event_name": "push", "event": {"labels": [{"name": "a"}, {"name": "b"}]}},
    "needs": {
        "build": {"result": "success", "outputs": {"version": "1", "matrix": '{"include": [{"os": "linux"}]}'}},
        "test": {"result": "skipped", "outputs": {}},
    },
    "matrix": {"python": 3.12, "os": "linux", "fast": False, "slow": True},
    "runner": {"os": "Linux"},
    "env": {},
    "vars": {"DEFAULT": "x"},
    "hash": "0123456789abcdef",
}


def expressions(rounds: int, folder: Path) -> list[Figure]:
    """Parse and evaluate each of a mixed set again and again, in turn with Python on an expression of its own."""
    del folder
    from skyflow.expr import evaluate, parse
    from skyflow.expr.values import from_python

    context = {name: from_python(value) for name, value in CONTEXT.items()}
    ours: list[float] = []
    python: list[float] = []
    times = 200
    for text in EXPRESSIONS * rounds:
        began = time.perf_counter()
        for _ in range(times):
            evaluate(parse(text, names=context), context)
        between = time.perf_counter()
        for _ in range(times):
            eval(compile("ref == 'refs/heads/main' and not done", "", "eval"), {"ref": "", "done": False})
        ours.append((between - began) / times)
        python.append((time.perf_counter() - between) / times)
    median, beside = statistics.median(ours) * 1e6, statistics.median(python) * 1e6
    return [
        Figure(
            f"parse and evaluate an expression, median of {len(EXPRESSIONS)} kinds",
            f"{median:.0f} µs = {median / beside:.1f} x",
            f"`eval(compile())` of a comparison {beside:.0f} µs",
            "40 µs",
            median <= 40,
        )
    ]


def workflow_of(lines: int) -> str:
    """Return a workflow of at least so many lines, with an expression in every third."""
    written = ["on: push", "jobs:"]
    while len(written) < lines:
        written += [
            f"  job{len(written)}:",
            "    runs-on: ubuntu-latest",
            "    env: {REF: '${{ github.ref }}'}",
            "    steps:",
        ]
        for step in range(5):
            written += [
                f"      - name: Step {step} of ${{{{ github.job }}}}",
                "        if: ${{ github.ref == 'refs/heads/main' && !cancelled() }}",
                "        run: |",
                '          echo "$VALUE"',
                "          make test",
                "        env: {VALUE: '${{ env.REF }}'}",
            ]
    return "\n".join(written) + "\n"


def validation(rounds: int, folder: Path) -> list[Figure]:
    figures: list[Figure] = []
    for lines, limit in ((300, 0.35), (10_000, 4.0)):
        (folder / "w.yml").write_text(workflow_of(lines))
        got = in_turn(
            rounds, folder, validate=[*SKYFLOW, "validate", "w.yml"], typer=[sys.executable, "-c", "import typer"]
        )
        figures.append(
            Figure(
                f"`skyflow validate` of {lines:,} lines",
                f"{got['validate']:.2f} s",
                f"`import typer` {got['typer'] * 1000:.0f} ms",
                f"{limit} s",
                got["validate"] <= limit,
            )
        )
    return figures


def catalog(rounds: int, folder: Path) -> list[Figure]:
    """The catalog of full price lists: loading, selecting, listing, and the memory of a plan."""
    got = in_turn(rounds, folder, typer=[sys.executable, "-c", "import typer"], **catalog_figures.commands(SKYFLOW))
    beside = f"`import typer` {got['typer'] * 1000:.0f} ms"
    listed = f"{got['list']:.2f} s = {got['list'] / got['typer']:.1f} x"
    figures = [Figure("`skyflow catalog list --accelerators A100`", listed, beside, "0.5 s", got["list"] <= 0.5)]
    return figures + [Figure(*row) for row in catalog_figures.inside(rounds, folder)]


def report_of_thousand_jobs(rounds: int, folder: Path) -> list[Figure]:
    """The report of a run of 1,000 jobs, each of which is an entry of its own in the workflow."""
    jobs = "".join(
        f"  j{n}: {{{f'needs: [j{n - 50}, j{n - 50 + (n * 7 % 50 - n % 50)}], ' if n >= 50 and n % 50 != n * 7 % 50 else ''}"
        "runs-on: local, estimate: 1s, steps: [{run: seq 1 40}]}\n"
        for n in range(1000)
    )
    (folder / "thousand.yml").write_text(f"on: push\njobs:\n{jobs}")
    subprocess.run([*SKYFLOW, "run", "-q", "thousand.yml"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    got = in_turn(
        rounds,
        folder,
        report=[*SKYFLOW, "report", "-o", "report.html"],
        typer=[sys.executable, "-c", "import typer"],
    )
    size = (folder / "report.html").stat().st_size
    return [
        Figure(
            "`skyflow report` of 1,000 jobs",
            f"{got['report']:.2f} s, {size / 1e6:.1f} MB",
            f"`import typer` {got['typer'] * 1000:.0f} ms",
            "1.5 s, 3 MB",
            got["report"] <= 1.5 and size <= 3_000_000,
        )
    ]


def cpu_seconds(command: list[str], folder: Path, *, terminal: bool) -> float:
    """Run a command, on a terminal or off one, and return the processor time it and its children took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    if terminal:
        mine, theirs = pty.openpty()
        process = subprocess.Popen(command, cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs)
        os.close(theirs)
        with contextlib.suppress(OSError):  # Linux says EIO when the last writer has closed
            while os.read(mine, 65536):
                pass
        os.close(mine)
        process.wait()
    else:
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def board(rounds: int, folder: Path) -> list[Figure]:
    """The live board of eight running jobs, each of which prints ten lines a second."""
    lasts = 8.0
    script = f"for i in $(seq {int(lasts * 10)}); do echo line $i; sleep 0.1; done"
    jobs = "".join(f"  j{n}: {{runs-on: local, estimate: 8s, steps: [{{run: '{script}'}}]}}\n" for n in range(8))
    (folder / "w.yml").write_text(f"on: push\njobs:\n{jobs}")
    command = [*SKYFLOW, "run", "--jobs", "8", "w.yml"]
    cpu_seconds(command, folder, terminal=True)  # fills caches, compiles bytecode
    taken = [
        (cpu_seconds(command, folder, terminal=True), cpu_seconds(command, folder, terminal=False))
        for _ in range(min(rounds, 3))
    ]
    drawn, plain = (statistics.median(values) for values in zip(*taken, strict=True))
    share = (drawn - plain) / lasts
    return [
        Figure(
            "the live board of 8 jobs",
            f"{share:.1%} of one core more",
            f"the same off a terminal, {plain:.2f} s of processor time",
            "3 %",
            share <= 0.03,
        )
    ]


BENCHMARKS: list[Callable[[int, Path], list[Figure]]] = [
    start_up,
    expressions,
    validation,
    one_job,
    hundred_jobs,
    catalog,
    report_of_thousand_jobs,
    board,
]


if __name__ == "__main__":
    report(BENCHMARKS, arguments("What skyflow costs, beside what it is compared with.", rounds=7).parse_args())
