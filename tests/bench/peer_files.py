"""The same work in the language of each tool: jobs that write a file each, two at once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["LANGUAGES", "REMEMBERING", "Job", "Language", "write_all"]


@dataclass(frozen=True)
class Job:
    """A shell command that ends by writing `out/NAME`, once all that it needs have."""

    name: str
    command: str
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Language:
    """How a tool is told what to do, started, and made to go on after it was killed; options follow its program."""

    file: str
    write: Callable[[Sequence[Job]], str]
    options: tuple[str, ...]
    resume: tuple[tuple[str, ...], ...] = ()
    is_incremental: bool = True


def _makefile(jobs: Sequence[Job]) -> str:
    rules = "".join(f"out/{job.name}: {' '.join(_files(job.needs))}\n\t@{job.command}\n" for job in jobs)
    return f".PHONY: all\nall: {' '.join(f'out/{job.name}' for job in jobs)}\n{rules}"


def _dodo(jobs: Sequence[Job]) -> str:
    rows = [(job.name, job.command, _files(job.needs)) for job in jobs]
    return (
        f"JOBS = {rows!r}\n\n\ndef task_jobs():\n    for name, command, needs in JOBS:\n"
        "        yield {'name': name, 'actions': [command], 'targets': [f'out/{name}'], 'file_dep': needs,"
        " 'uptodate': [True]}\n"
    )


def _snakefile(jobs: Sequence[Job]) -> str:
    rules = "".join(
        f"rule {job.name}:\n    input: {_files(job.needs)!r}\n    output: 'out/{job.name}'\n    shell: {job.command!r}\n"
        for job in jobs
    )
    return f"rule all:\n    input: {_files([job.name for job in jobs])!r}\n{rules}"


def _workflow(label: str, *, remembers: bool = False) -> Callable[[Sequence[Job]], str]:
    def write(jobs: Sequence[Job]) -> str:
        rows = []
        for job in jobs:
            needs = f"needs: [{', '.join(job.needs)}], " if job.needs else ""
            cache = f"cache: {{outputs: out/{job.name}}}, " if remembers else ""
            rows.append(f"  {job.name}: {{{needs}{cache}runs-on: {label}, steps: [{{run: {job.command!r}}}]}}\n")
        return f"on: push\njobs:\n{''.join(rows)}"

    return write


def _dag(jobs: Sequence[Job]) -> str:
    rows = [f"  - {{name: {job.name}, command: {job.command!r}, depends: [{', '.join(job.needs)}]}}\n" for job in jobs]
    return f"type: graph\nmaxActiveSteps: 2\nsteps:\n{''.join(rows)}"


def _files(names: Sequence[str]) -> list[str]:
    return [f"out/{name}" for name in names]


_RUN = ("run", "-q", "--jobs", "2")
_ACT = ("push", "-W", "act.yml", "-P", "ubuntu-latest=-self-hosted", "--concurrent-jobs", "2", "-q")
_SNAKEMAKE = ("--cores", "2", "--quiet", "all")

LANGUAGES: Mapping[str, Language] = {
    "skyflow": Language("w.yml", _workflow("local"), (*_RUN, "w.yml"), (("resume", "-q"),)),
    "make": Language("Makefile", _makefile, ("-s", "-j2")),
    "doit": Language("dodo.py", _dodo, ("-n", "2", "-v", "0")),
    "snakemake": Language("Snakefile", _snakefile, _SNAKEMAKE, (("--unlock",), (*_SNAKEMAKE, "--rerun-incomplete"))),
    "act": Language("act.yml", _workflow("ubuntu-latest"), _ACT, is_incremental=False),
    "dagu": Language("dag.yml", _dag, ("start", "dag.yml"), is_incremental=False),
}
"""By the name of the tool; `resume` is empty where starting it again is how one goes on."""

REMEMBERING = Language("cached.yml", _workflow("local", remembers=True), (*_RUN, "cached.yml"))
"""skyflow's own, with results kept: it keeps them only where a job asks for it."""


def write_all(jobs: Sequence[Job], folder: Path) -> None:
    """Write the files of all tools into a folder, and make the folder that jobs write to."""
    for language in (*LANGUAGES.values(), REMEMBERING):
        (folder / language.file).write_text(language.write(jobs))
    (folder / "out").mkdir(exist_ok=True)
