"""Looking after the database: is it sound, a copy of it, less space, runs that nobody needs any more."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path

from skyflow.errors import InvalidTransitionError, StoreError, UsageError
from skyflow.model.run import RunId, RunRecord
from skyflow.model.status import Entity, check_transition
from skyflow.store import queries
from skyflow.store.rows import event_from_row, run_from_row, time_text
from skyflow.store.store import Store, translated

__all__ = ["back_up", "check", "forget_runs", "runs_before", "vacuum"]

_CHUNK_PAGES = 1000
"""How much is copied before other processes may write."""


def check(store: Store) -> tuple[str, ...]:
    """Return everything that is wrong with a store, a sentence each; nothing where it is sound.

    The file is read whole, references are followed, and the history of every entity has to be a way through its state
    diagram that ends where the entity is.

    Raises:
        StoreError: it cannot be read at all.
    """
    with translated(store.folder.database):
        rows = store.connection.execute("PRAGMA integrity_check").fetchall()
        problems = [f"damaged: {text}" for (text,) in rows if text != "ok"]
        if problems:
            return tuple(problems)
        for table, _, parent, _ in store.connection.execute("PRAGMA foreign_key_check").fetchall():
            problems.append(f"a row of {table} belongs to nothing: it is missing in {parent}")
        for (run_id,) in store.connection.execute(queries.RUN_IDS).fetchall():
            problems += _check_history(store, RunId(run_id))
    return tuple(problems)


def _check_history(store: Store, run_id: RunId) -> list[str]:
    """Walk the events of a run and compare where they lead to with where its entities are."""
    problems: list[str] = []
    reached: dict[tuple[str, str], str] = {(Entity.RUN.value, ""): "queued"}
    for row in store.connection.execute(queries.EVENTS_OF_RUN, {"run_id": run_id, "after": 0}):
        move = event_from_row(row).transition
        which = (move.entity.value, move.entity_id)
        if reached.get(which) != move.old:
            problems.append(
                f"run {run_id}: {move.entity} {move.entity_id} was not {move.old} when it became {move.new}"
            )
        try:
            check_transition(move.entity, move.entity_id or run_id, move.old, move.new)
        except InvalidTransitionError as error:
            problems.append(f"run {run_id}: {error.message}")
        reached[which] = move.new.value
    stored = {
        (row["entity"], row["entity_id"]): row["status"] for row in store.rows(queries.STATUSES_OF_RUN, run_id=run_id)
    }
    for entity, entity_id in sorted(reached.keys() | stored.keys()):
        is_at, should = stored.get((entity, entity_id)), reached.get((entity, entity_id))
        if is_at != should:
            problems.append(f"run {run_id}: {entity} {entity_id} is {is_at}, its history ends at {should}")
    return problems


def back_up(store: Store, target: Path) -> None:
    """Write a copy of the database as it is at this moment; other processes may go on working with it.

    Raises:
        UsageError: the target exists, or its folder does not.
        StoreError: it cannot be written; no half copy is left.
    """
    if target.exists():
        raise UsageError(f"{target} exists already", hint="name another file; a backup never overwrites anything")
    if not target.absolute().parent.is_dir():
        raise UsageError(f"there is no folder {target.absolute().parent}")
    partial = target.with_name(f"{target.name}.partial")
    try:
        with translated(partial), closing(sqlite3.connect(partial)) as copy:
            store.connection.backup(copy, pages=_CHUNK_PAGES)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, to be moved about
            verdict = copy.execute("PRAGMA quick_check").fetchone()[0]
            if verdict != "ok":
                raise StoreError(f"the copy is damaged: {verdict}", hint="`skyflow db check` looks at the original")
        partial.chmod(0o600)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def vacuum(store: Store) -> tuple[int, int]:
    """Give space that is no longer used back to the file system, and return the bytes before and after.

    Raises:
        StoreLockedError: another process is writing.
        StoreError: there is not enough room for the copy that this makes.
    """
    before = store.folder.database.stat().st_size
    with translated(store.folder.database):
        store.connection.execute("VACUUM")
        store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return before, store.folder.database.stat().st_size


def runs_before(store: Store, moment: datetime) -> list[RunRecord]:
    """Return the runs that had completed before a moment, oldest first."""
    return [run_from_row(row) for row in store.rows(queries.RUNS_COMPLETED_BEFORE, moment=time_text(moment))]


def forget_runs(store: Store, run_ids: Sequence[RunId]) -> None:
    """Remove completed runs with everything that is stored of them, all or none.

    Raises:
        StoreError: the database cannot be written.
    """
    with store.transaction() as connection:
        for run_id in run_ids:
            for statement in queries.FORGET_RUN:
                connection.execute(statement, {"run_id": run_id})
