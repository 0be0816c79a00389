"""How the benchmarks measure: each figure beside something that is run in turn with it, so that only the ratio counts."""

import argparse
import contextlib
import ctypes
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

SKYFLOW = [sys.executable, "-m", "skyflow"]
JOB = "{runs-on: local, steps: [{run: 'true'}]}"

_SET_CHILD_SUBREAPER = 36  # of Linux's prctl


@dataclass(frozen=True)
class Figure:
    """A figure in words; one without a target is there to be compared."""

    name: str
    measured: str
    beside: str
    target: str = ""
    met: bool = True


def seconds(command: list[str], folder: Path) -> float:
    """Run a command as on a user's machine, where compiled modules are kept, and return how long it took."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    began = time.perf_counter()
    subprocess.run(
        command, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    return time.perf_counter() - began


def taken_by(command: list[str], folder: Path) -> tuple[float, float]:
    """Return the seconds of a command by the clock, and those of processors, of all that it started."""
    ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1)  # what outlives it becomes ours to wait for
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    wall = seconds(command, folder)
    with contextlib.suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def in_turn(rounds: int, folder: Path, **commands: list[str]) -> dict[str, float]:
    """Run every command once in each round, and return the median seconds of each."""
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for command in commands.values():
        seconds(command, folder)  # fills caches, compiles bytecode
    for _ in range(rounds):
        for name, command in commands.items():
            taken[name].append(seconds(command, folder))
    return {name: statistics.median(values) for name, values in taken.items()}


def load() -> str:
    """Return how busy the machine is: no figure means much where that is above one per CPU."""
    return f"load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "load unknown"


def arguments(description: str, *, rounds: int) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--strict", action="store_true", help="fail when a figure misses its target")
    parser.add_argument("--only", metavar="NAME", help="one benchmark, by the name of its function")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to this file, too")
    return parser


def report(benchmarks: Sequence[Callable[[int, Path], Iterable[Figure]]], options: argparse.Namespace) -> None:
    """Run the benchmarks, print a Markdown table, and exit."""
    figures: list[Figure] = []
    names = [benchmark.__name__ for benchmark in benchmarks]
    if options.only is not None and options.only not in names:
        raise SystemExit(f"there is no benchmark '{options.only}'; there are {', '.join(names)}")
    print(f"Python {platform.python_version()}, {os.cpu_count()} CPUs, {load()}, medians of {options.rounds} rounds\n")
    print("| what | measured | run in turn with | target | |\n|---|---|---|---|---|")
    for benchmark in benchmarks:
        if options.only not in {None, benchmark.__name__}:
            continue
        with tempfile.TemporaryDirectory() as folder:
            for found in benchmark(options.rounds, Path(folder)):
                figures.append(found)
                verdict = ("met" if found.met else "missed") if found.target else ""
                print(f"| {found.name} | {found.measured} | {found.beside} | {found.target} | {verdict} |", flush=True)
    print(f"\n{load()} at the end")
    if options.json:
        options.json.write_text(json.dumps([asdict(found) for found in figures]))
    raise SystemExit(1 if options.strict and not all(found.met for found in figures) else 0)
