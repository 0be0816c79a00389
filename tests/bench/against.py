"""Benchmarks in which skyflow and its peers do the same, in turn; each returns what was found, ready to be recorded."""

import os
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from measuring import SKYFLOW, seconds, taken_by
from peer_files import LANGUAGES, REMEMBERING, Job, Language, write_all
from peers import Tool

__all__ = ["AGAINST", "Field"]

Found = dict[str, Any]


@dataclass(frozen=True)
class Field:
    """Who takes part, with how many rounds, and where."""

    tools: Mapping[str, Tool]
    rounds: int
    folder: Path

    def program(self, name: str) -> list[str]:
        """Return how a tool is started."""
        return SKYFLOW if name == "skyflow" else [self.tools[name].program]

    def languages(self) -> Iterable[tuple[str, Language]]:
        """Return who is here, skyflow first."""
        return [(name, language) for name, language in LANGUAGES.items() if name == "skyflow" or name in self.tools]


def _jobs(field: Field, count: int, *, is_chain: bool = False) -> list[Job]:
    """Return jobs that write empty files. Their paths are absolute, for act runs jobs in a copy of the folder."""
    out = field.folder / "out"
    return [Job(f"j{n}", f"touch {out}/j{n}", (f"j{n - 1}",) if is_chain and n else ()) for n in range(count)]


def _cleared(folder: Path) -> None:
    for name in ("out", ".skyflow", ".snakemake"):
        shutil.rmtree(folder / name, ignore_errors=True)
    for path in folder.glob(".doit*"):
        path.unlink()
    (folder / "out").mkdir()


def _in_turn(
    field: Field, commands: Mapping[str, list[str]], *, rounds: int, before: Callable[[str], None] | None = None
) -> dict[str, dict[str, float]]:
    """Return the median seconds of each command, by the clock and of processors, of so many rounds in which all take turns."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            if before is not None:
                before(name)
            taken[name].append(taken_by(command, field.folder))
    return {
        name: {"value": statistics.median(wall for wall, _ in pairs), "cpu": statistics.median(cpu for _, cpu in pairs)}
        for name, pairs in taken.items()
    }


def _found(
    title: str, about: str, rounds: int, figures: Mapping[str, Mapping[str, float]], *, unit: str = "s", **more: Any
) -> Found:
    return {"title": title, "about": about, "rounds": rounds, "unit": unit, "figures": figures, **more}


def start_up(field: Field) -> Found:
    """Say which version it is."""
    commands = {name: [*field.program(name), "--version"] for name, _ in field.languages() if name != "dagu"}
    commands["import typer"] = [sys.executable, "-c", "import typer"]
    for command in commands.values():
        seconds(command, field.folder)  # compiles bytecode
    return _found(
        "Start-up",
        "`--version` of each; and Python with the library that skyflow's command line is made with.",
        field.rounds,
        _in_turn(field, commands, rounds=field.rounds),
    )


def _running(field: Field, title: str, about: str, jobs: Sequence[Job], *, rounds: int) -> Found:
    write_all(jobs, field.folder)
    commands = {name: [*field.program(name), *language.options] for name, language in field.languages()}
    taken = _in_turn(field, commands, rounds=rounds, before=lambda _: _cleared(field.folder))
    missing = {name for name in taken if not _is_complete(field, commands[name], jobs)} if len(jobs) == 1 else set()
    if missing:
        raise SystemExit(f"{', '.join(missing)} ended well without doing the work")
    return _found(title, about, rounds, taken, jobs=len(jobs))


def _is_complete(field: Field, command: list[str], jobs: Sequence[Job]) -> bool:
    _cleared(field.folder)
    seconds(command, field.folder)
    return all((field.folder / "out" / job.name).exists() for job in jobs)


def one_job(field: Field) -> Found:
    """Run one job."""
    return _running(field, "One job", "A job that writes an empty file.", _jobs(field, 1), rounds=field.rounds)


def hundred_jobs(field: Field) -> Found:
    """Run a hundred jobs."""
    about = "Each writes an empty file; two at once."
    return _running(field, "100 independent jobs", about, _jobs(field, 100), rounds=field.rounds)


def thousand_jobs(field: Field) -> Found:
    """Run a thousand jobs."""
    about = "Each writes an empty file; two at once."
    return _running(field, "1,000 independent jobs", about, _jobs(field, 1000), rounds=min(field.rounds, 3))


def chain(field: Field) -> Found:
    """Run a chain."""
    about = "Each needs the one before it."
    return _running(field, "A chain of 100 jobs", about, _jobs(field, 100, is_chain=True), rounds=field.rounds)


def no_op(field: Field) -> Found:
    """Do nothing, for all is done."""
    write_all(_jobs(field, 1000), field.folder)
    _cleared(field.folder)
    commands = {
        name: [*field.program(name), *(REMEMBERING if name == "skyflow" else language).options]
        for name, language in field.languages()
        if language.is_incremental
    }
    for command in commands.values():  # each has to have done it once
        for path in (field.folder / "out").iterdir():
            path.unlink()
        seconds(command, field.folder)
    about = (
        "The 1,000 jobs once more, when there is nothing left to do. skyflow compares contents and puts back what is "
        "missing (`cache`); make and Snakemake compare times; act has no such thing."
    )
    return _found("A run that has nothing to do", about, field.rounds, _in_turn(field, commands, rounds=field.rounds))


def memory(field: Field) -> Found:
    """Measure the largest process of a run of 1,000 jobs."""
    write_all(_jobs(field, 1000), field.folder)
    peaks = {}
    for name, language in field.languages():
        _cleared(field.folder)
        peaks[name] = {"value": _peak([*field.program(name), *language.options], field.folder)}
    about = "The largest process while 1,000 jobs run, two at once; what is below 12 MB is shown as that."
    return _found("Memory", about, 1, peaks, unit="MB")


def _peak(command: list[str], folder: Path) -> float:
    """Return the megabytes of the largest process of a command.

    A process of its own starts the command: what a process had before it became another counts as its own, and this one is large.
    """
    told = subprocess.run(
        [sys.executable, "-c", _LAUNCHER, *command], cwd=folder, capture_output=True, text=True, check=True
    )
    return int(told.stdout.rsplit("\n", 2)[-2]) / 1024


_LAUNCHER = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def log_throughput(field: Field) -> Found:
    """Print a lot."""
    megabytes = 100
    line = b"[12/997] compiling src/module_7919/file_12.c with flags\n"
    big = field.folder.parent / "big.txt"
    big.write_bytes(line * (megabytes * 1_000_000 // len(line)))
    write_all([Job("j0", f"cat {big} && touch {field.folder}/out/j0")], field.folder)
    commands = {
        name: [*field.program(name), *(option for option in language.options if option not in {"-q", "-s"})]
        for name, language in field.languages()
    }
    rounds = min(field.rounds, 3)
    taken = _in_turn(field, commands, rounds=rounds, before=lambda _: _cleared(field.folder))
    about = (
        "A job prints 100 MB, and what the tool shows goes to `/dev/null`. make lets the job write there itself and keeps "
        "nothing; skyflow masks secrets, keeps a log for each step, and shows it."
    )
    return _found("100 MB of output", about, rounds, taken)


_MARK = "SKYFLOW_BENCH_KILL"


def kill_and_resume(field: Field) -> Found:
    """Kill everything in the middle, and go on."""
    at = field.folder
    jobs = [
        Job(f"j{n}", f"echo j{n} >> {at}/started; printf part > {at}/out/j{n}; sleep 0.2; printf whole > {at}/out/j{n}")
        for n in range(40)
    ]
    write_all(jobs, field.folder)
    figures = {name: _killed(field, name, language, jobs) for name, language in field.languages()}
    about = (
        "40 jobs of 0.2 s, two at once. When 20 have ended, the tool and all that it started get SIGKILL, as when a machine "
        "loses power; then it is told to go on. A job that was cut off leaves half of its file."
    )
    return {"title": "Kill and resume", "about": about, "rounds": 1, "unit": "s", "figures": figures}


def _killed(field: Field, name: str, language: Language, jobs: Sequence[Job]) -> dict[str, Any]:
    folder = field.folder
    _cleared(folder)
    (folder / "started").write_text("")
    mark = f"{name}-{time.monotonic_ns()}"
    command = [*field.program(name), *language.options]
    environment = {**os.environ, _MARK: mark}
    quiet = {"cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, env=environment, **quiet)
    while len(done := _whole(folder)) < len(jobs) // 2:
        if process.poll() is not None:
            raise SystemExit(f"{name} ended before it could be killed")
        time.sleep(0.01)
    _kill_marked(mark)
    process.wait()
    done, cut_off = _whole(folder), _torn(folder)
    (folder / "started").write_text("")
    began = time.perf_counter()
    resume = language.resume or (language.options,)
    codes = [subprocess.run([*field.program(name), *options], check=False, **quiet).returncode for options in resume]
    took = time.perf_counter() - began
    again = (folder / "started").read_text().split()
    return {
        "value": took,
        "done": len(done),
        "cut_off": len(cut_off),
        "again": len(done & set(again)),
        "torn": len(_torn(folder)),
        "complete": _whole(folder) == {job.name for job in jobs},
        "commands": len(resume),
        "code": codes[-1],
    }


def _whole(folder: Path) -> set[str]:
    return {path.name for path in (folder / "out").iterdir() if path.read_text() == "whole"}


def _torn(folder: Path) -> set[str]:
    return {path.name for path in (folder / "out").iterdir() if path.read_text() != "whole"}


def _kill_marked(mark: str) -> None:
    """Kill every process with our mark in its environment, until there is none."""
    wanted = f"{_MARK}={mark}".encode()
    while found := [pid for pid in _processes() if wanted in _environment(pid)]:
        for pid in found:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(0.01)


def _processes() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def _environment(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:  # it has ended, or is not ours
        return []


AGAINST: Sequence[Callable[[Field], Found]] = (
    start_up,
    one_job,
    hundred_jobs,
    thousand_jobs,
    chain,
    no_op,
    kill_and_resume,
    log_throughput,
    memory,
)
