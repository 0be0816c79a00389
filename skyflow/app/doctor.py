"""Looks at everything that skyflow may need, and says what is there, what is not, and what for; nothing is changed or asked.

Only what every run needs can fail: a folder to work in, a state store that can be used, a shell. What some workflows need
is absent, with the words for whom that matters.
"""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from importlib.util import find_spec
from pathlib import Path

import anyio

from skyflow._util.text import sentence_list
from skyflow.app.container_engine import engine_or_problem
from skyflow.app.exposure import exposures
from skyflow.app.machines.clouds import CLOUDS
from skyflow.app.machines.logins import find_login
from skyflow.app.machines.sdks import is_sdk_installed
from skyflow.app.market.catalog import open_catalog
from skyflow.app.market.config import check_config
from skyflow.app.project import CONFIG_NAME, Project
from skyflow.app.upkeep import check_store
from skyflow.catalog.doctor import days_of_prices
from skyflow.errors import SkyflowError
from skyflow.model.checks import CheckResult, Verdict
from skyflow.model.units import format_gb
from skyflow.planner.solver.solve import loadable_solvers
from skyflow.runners.javascript import NodeError, find_node
from skyflow.runners.shells import ShellError, find_shell

__all__ = ["Section", "examine_all"]

_SHELLS = ("bash", "sh", "python", "pwsh")
_EXTRAS = {
    "ssh": ("asyncssh", "connections to hosts that need no `ssh` program"),
    "ui": ("starlette", "`skyflow ui`"),
    "top": ("textual", "`skyflow top`"),
    "stores": ("obstore", "artifacts in buckets"),
    "keyring": ("keyring", "secrets in the system's keyring"),
}
"""What each extra is seen by, and what it is for."""
_ANSWER_SECONDS = 10.0
_LITTLE_BYTES, _NO_BYTES = 1_000_000_000, 50_000_000
"""Free space below which a run may not get far, and below which none should begin."""
_OLD_DAYS = 180
_SHARED_FILE_SYSTEMS = frozenset({"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "afs"})


@dataclass(frozen=True, slots=True)
class Section:
    """Findings that belong together."""

    title: str
    results: tuple[CheckResult, ...]


def examine_all(project: Project, *, today: date) -> Iterator[Section]:
    """Yield what was found on this machine, in the project, and of credentials for clouds."""
    yield Section("This machine", tuple(_machine()))
    yield Section("This project", tuple(_project(project, today)))
    yield Section("Clouds, without asking them", tuple(map(_cloud, CLOUDS)))


def _machine() -> Iterator[CheckResult]:
    version = platform.python_version()
    yield CheckResult("Python", Verdict.OK, f"{version}, {sys.executable}")
    yield _shells()
    yield _program("git", "--version", needed="`github.sha` and `github.ref` are made up without it")
    yield _node()
    yield _containers()
    yield _program(
        "ssh", "-V", needed="hosts, Slurm and rented machines are reached by it", package="the OpenSSH client"
    )
    yield _solver()
    yield _extras()


def _shells() -> CheckResult:
    there, missing = [], []
    for name in _SHELLS:
        try:
            there.append(f"{name} is {find_shell(name, search_path=os.environ.get('PATH')).words[0]}")
        except ShellError:
            missing.append(name)
    found = "; ".join([*there, *([f"not here: {sentence_list(missing)}"] if missing else [])])
    if not {"bash", "sh"} - set(missing):
        return CheckResult("shells", Verdict.FAILED, found, "put bash or sh on PATH: no script can be run without")
    return CheckResult("shells", Verdict.OK, found)


def _program(name: str, option: str, *, needed: str, package: str | None = None) -> CheckResult:
    path = shutil.which(name)
    if path is None:
        return CheckResult(name, Verdict.ABSENT, f"not on PATH; {needed}", f"install {package or name}")
    try:
        done = subprocess.run((path, option), capture_output=True, text=True, timeout=_ANSWER_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return CheckResult(
            name, Verdict.WARNING, f"{path} does not answer: {error}", f"install {package or name} again"
        )
    said = (done.stdout or done.stderr).strip().splitlines()
    return CheckResult(name, Verdict.OK, f"{said[0].removeprefix(f'{name} version ') if said else '?'}, {path}")


def _node() -> CheckResult:
    try:
        path = anyio.run(lambda: find_node(search_path=os.environ.get("PATH")))
    except NodeError as error:
        if shutil.which("node") is None:
            needed = "not on PATH; actions that are written in JavaScript need it"
            return CheckResult("node", Verdict.ABSENT, needed, "install Node.js")
        return CheckResult("node", Verdict.WARNING, str(error), "install a newer Node.js")
    return _program("node", "--version", needed=path)


def _containers() -> CheckResult:
    found = engine_or_problem()
    if isinstance(found, str):
        needed = f"{found}; jobs with `container` or `services`, and actions that are images, need one"
        return CheckResult("container engine", Verdict.ABSENT, needed, "install Docker or Podman, and start it")
    return CheckResult("container engine", Verdict.OK, f"{found.name} answers, {found.program}")


def _solver() -> CheckResult:
    names = loadable_solvers()
    if not names:
        problem = "none can be loaded; plans that bounds do not prove need one"
        return CheckResult("solver", Verdict.WARNING, problem, "pip install --force-reinstall mip highsbox")
    return CheckResult("solver", Verdict.OK, sentence_list(names))


def _extras() -> CheckResult:
    missing = {name: what for name, (module, what) in _EXTRAS.items() if find_spec(module) is None}
    there = [name for name in _EXTRAS if name not in missing]
    if not missing:
        return CheckResult("extras", Verdict.OK, sentence_list(there))
    lacking = ", ".join(f"{name} ({what})" for name, what in missing.items())
    found = f"{lacking}; here: {sentence_list(there)}" if there else lacking
    return CheckResult("extras", Verdict.ABSENT, found, f"pip install 'skyflow[{','.join(missing)}]'")


def _project(project: Project, today: date) -> Iterator[CheckResult]:
    folder = next(path for path in (project.state.root, *project.state.root.parents) if path.exists())
    yield _folder(project, folder)
    yield _space(folder)
    yield _store(project)
    yield _config(project)
    yield _catalog(project, today)


def _folder(project: Project, folder: Path) -> CheckResult:
    if not os.access(folder, os.W_OK | os.X_OK):
        return CheckResult(
            "folder", Verdict.FAILED, f"{folder} cannot be written", "change its owner, or set SKYFLOW_STATE"
        )
    kind = _file_system(folder)
    if kind in _SHARED_FILE_SYSTEMS:
        problem = f"{folder} is on {kind}, where the locks of SQLite cannot be relied on"
        return CheckResult(
            "folder", Verdict.WARNING, problem, "let SKYFLOW_STATE name a file on a disk of this machine"
        )
    for problem, cure in exposures(project.state):
        return CheckResult("folder", Verdict.WARNING, problem, f"`{cure}`")
    return CheckResult("folder", Verdict.OK, str(project.root))


def _file_system(folder: Path) -> str:
    """Return the kind of file system that a folder is on, as Linux calls it; empty elsewhere."""
    try:
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    resolved = folder.resolve()
    points = [(point.replace("\\040", " "), kind) for _, point, kind, *_ in map(str.split, mounts)]
    return max((each for each in points if resolved.is_relative_to(each[0])), key=lambda each: len(each[0]))[1]


def _space(folder: Path) -> CheckResult:
    free = shutil.disk_usage(folder).free
    found = f"{format_gb(free / 1e9)} free"
    if free > _LITTLE_BYTES:
        return CheckResult("disk", Verdict.OK, found)
    verdict = Verdict.WARNING if free > _NO_BYTES else Verdict.FAILED
    return CheckResult("disk", verdict, found, "`skyflow prune` forgets old runs, with their logs and artifacts")


def _store(project: Project) -> CheckResult:
    database = project.state.database
    if not database.exists():
        return CheckResult("state store", Verdict.ABSENT, f"{database} will be made by the first run")
    try:
        problems = check_store(project)
    except SkyflowError as error:
        return CheckResult("state store", Verdict.FAILED, error.message, error.hint)
    if problems:
        found = f"{database} has {len(problems)} problem{'s' if len(problems) > 1 else ''}: {problems[0]}"
        return CheckResult("state store", Verdict.FAILED, found, "`skyflow db check` lists them")
    size = sum(path.stat().st_size for path in project.state.root.glob(f"{database.name}*"))
    return CheckResult("state store", Verdict.OK, f"{database} is sound, {format_gb(size / 1e9)}")


def _config(project: Project) -> CheckResult:
    path = project.root / CONFIG_NAME
    if not path.exists():
        return CheckResult(CONFIG_NAME, Verdict.ABSENT, "machines and prices of your own would be in it")
    try:
        checked = check_config(path)
    except SkyflowError as error:
        return CheckResult(CONFIG_NAME, Verdict.FAILED, error.message, "`skyflow config check` says where")
    if checked.findings or checked.doubts:
        first = checked.doubts[0] if checked.doubts else checked.findings[0].message
        return CheckResult(CONFIG_NAME, Verdict.WARNING, first, "`skyflow config check` says more")
    return CheckResult(CONFIG_NAME, Verdict.OK, f"{path} is valid")


def _catalog(project: Project, today: date) -> CheckResult:
    try:
        catalog = open_catalog(project)
    except SkyflowError as error:
        return CheckResult("catalog", Verdict.FAILED, error.message, error.hint)
    count, faults = len(catalog.index), len(catalog.index.faults)
    days = days_of_prices(catalog.directory)
    ages = ", ".join(f"{provider} of {day}" for provider, day in days.items())
    found = f"{count:,} prices in {catalog.directory}{f'; {ages}' if ages else ''}"
    if faults:
        rows = "1 row is" if faults == 1 else f"{faults} rows are"
        return CheckResult(
            "catalog", Verdict.WARNING, f"{found}; {rows} left out", "`skyflow catalog doctor` lists them"
        )
    if any((today - day).days > _OLD_DAYS for day in days.values()):
        return CheckResult("catalog", Verdict.WARNING, found, "`skyflow catalog refresh` fetches new prices")
    return CheckResult("catalog", Verdict.OK, found)


def _cloud(provider: str) -> CheckResult:
    login, has_sdk = find_login(provider, os.environ), is_sdk_installed(provider)
    extra = f"pip install 'skyflow[{provider}]'"
    if not login.is_there:
        return CheckResult(
            provider, Verdict.ABSENT, login.found, login.how if has_sdk else f"{extra}, then {login.how}"
        )
    if not has_sdk:
        return CheckResult(
            provider, Verdict.WARNING, f"{login.found}; the package that asks it is not installed", extra
        )
    return CheckResult(provider, Verdict.OK, f"{login.found}; `skyflow cloud check {provider}` asks whether it may")
