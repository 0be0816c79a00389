"""Looking after what is remembered: checking and copying the database, forgetting old runs."""

import shutil
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import anyio

from skyflow.app.project import Project
from skyflow.app.stores import ProjectStores
from skyflow.artifacts.keys import run_prefix
from skyflow.artifacts.upkeep import prune as prune_artifacts
from skyflow.errors import StoreError, StoreLockedError
from skyflow.model.run import RunRecord
from skyflow.ports.artifacts import ArtifactError, ObjectStore
from skyflow.store import maintenance
from skyflow.store.lease import hold_lease
from skyflow.store.store import Store, open_store

__all__ = ["Pruned", "back_up", "check_store", "prune", "vacuum"]

_LEFTOVER = ".forgotten"
"""What the folder of a forgotten run is renamed to while it is removed; the next time goes on with what is left."""


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was forgotten, or would be, with a sentence for each store that something could not be removed from."""

    runs: tuple[RunRecord, ...]
    freed_bytes: int
    problems: tuple[str, ...] = ()


def check_store(project: Project) -> tuple[str, ...]:
    """Return everything that is wrong with the state of a project."""
    with open_store(project.state, create=False) as store:
        problems = list(maintenance.check(store))
        known = {run.id for run in store.latest_runs(-1)}
    folders = {path.name for path in project.state.runs.iterdir()} if project.state.runs.is_dir() else set()
    problems += [f"run {name}: its folder is gone, and its logs with it" for name in sorted(known - folders)]
    return tuple(problems)


def back_up(project: Project, target: Path) -> None:
    """Copy the database."""
    with open_store(project.state, create=False) as store:
        maintenance.back_up(store, target)


def vacuum(project: Project) -> tuple[int, int]:
    """Make the database as small as it can be; return the bytes before and after."""
    with open_store(project.state, create=False) as store:
        return maintenance.vacuum(store)


def prune(project: Project, *, older_than: timedelta, now: datetime, dry_run: bool = False) -> Pruned:
    """Forget the runs that completed long enough ago, with their logs and artifacts.

    A run that has not completed is never forgotten. The rows go first: a process that dies in between leaves folders
    without a run, which the next call removes.

    Raises:
        StoreError: something cannot be removed from this machine.
    """
    problems: list[str] = []
    if not project.state.database.exists():
        return Pruned((), 0)
    with open_store(project.state, create=False) as store:
        runs = tuple(maintenance.runs_before(store, now - older_than))
        if not dry_run:
            runs = tuple(run for run in runs if _is_forgotten(store, run, project))
        folders = [project.state.run(run.id).root for run in runs]
        folders += sorted(project.state.runs.glob(f"*{_LEFTOVER}"))
        freed = sum(_size(folder) for folder in folders)
        if not dry_run:
            try:
                for folder in folders:
                    _remove(folder)
                needed = {run.origin or run.id for run in store.latest_runs(-1)}  # tries at a run share its artifacts
                gone = {run.origin or run.id for run in runs} - needed
                freed += anyio.run(_artifact_remover(project, gone, now, problems))
            except OSError as error:
                raise StoreError(f"not everything could be removed: {error}") from error
    return Pruned(runs, freed, tuple(problems))


def _is_forgotten(store: Store, run: RunRecord, project: Project) -> bool:
    """Forget a run, unless some process is still at its end."""
    try:
        with hold_lease(project.state.run(run.id)):
            maintenance.forget_runs(store, [run.id])
    except StoreLockedError:
        return False
    return True


def _artifact_remover(
    project: Project, runs: Collection[str], now: datetime, problems: list[str]
) -> Callable[[], Awaitable[int]]:
    """Return what removes artifacts from all stores; one that cannot be used keeps its own, and is added to the problems."""

    async def remove_from(objects: ObjectStore) -> int:
        for run in sorted(runs):
            for stored in list(objects.objects(run_prefix(run))):
                objects.delete(stored.key)
        return await prune_artifacts(objects, now)

    async def remove() -> int:
        freed = 0
        for name, objects in ProjectStores(project).all_open().items():
            try:
                freed += await remove_from(objects)
            except (ArtifactError, OSError) as error:
                problems.append(f"the store '{name}' keeps what it has of them: {error}")
        return freed

    return remove


def _remove(folder: Path) -> None:
    """Remove a folder; renamed first, so that what is left half removed is known as such."""
    if not folder.name.endswith(_LEFTOVER):
        if not folder.exists():
            return
        folder = folder.rename(folder.with_name(folder.name + _LEFTOVER))
    shutil.rmtree(folder)


def _size(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
