"""The state store: one SQLite file in write-ahead mode.

Every move of every entity is a guarded UPDATE (it names the status it starts from and must touch exactly one row) and an
event row, in one transaction. `synchronous` is FULL: what is committed survives a power cut.
"""

import errno
import json
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from skyflow.errors import SkyflowError, StaleWriteError, StoreError, StoreLockedError, UsageError
from skyflow.model.annotation import AnnotationRecord
from skyflow.model.layout import StateFolder
from skyflow.model.run import (
    ANY_RUN,
    AttemptRecord,
    Event,
    JobRecord,
    Json,
    NewRun,
    RunFilter,
    RunId,
    RunRecord,
    StepRecord,
    SupersededPlan,
    Transition,
)
from skyflow.model.status import Entity, check_transition
from skyflow.store import queries
from skyflow.store.lease import file_lock
from skyflow.store.migrations.migrate import SCHEMA_VERSION, migrate
from skyflow.store.rows import (
    annotation_from_row,
    annotation_rows,
    attempt_from_row,
    event_from_row,
    job_from_row,
    run_from_row,
    step_from_row,
    time_of,
    time_text,
    to_row,
)

__all__ = ["Store", "open_store", "translated"]

_LONGEST_NUMBER = 9
_SHORTEST_PREFIX = 4
_NO_NUMBER = 1 << 62
"""Above the number of any run."""
_BUSY_SECONDS = 10.0
"""How long to wait for another process's transaction; ours last milliseconds."""


class Store:
    """An open state store; a context manager that closes it. `connection` is for the other modules of this package."""

    def __init__(self, connection: sqlite3.Connection, folder: StateFolder) -> None:
        self.connection = connection
        self.folder = folder

    def __enter__(self) -> Self:
        """Return the store itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the database."""
        self.connection.close()

    def create_run(self, new: NewRun, at: datetime, *, name: Callable[[int], str | None] = lambda _: None) -> RunRecord:
        """Store a new run, queued, under the next number.

        Args:
            new: what to store.
            at: now.
            name: returns the display name for the number; nothing is stored if it raises.

        Raises:
            StoreError: the database cannot be written.
        """
        parameters = {
            "id": new.id,
            "workflow_name": new.workflow_name,
            "workflow_path": new.workflow_path,
            "workflow_source": new.workflow_source,
            "callee_sources": json.dumps(dict(new.callee_sources), ensure_ascii=False),
            "contexts": json.dumps(dict(new.contexts), ensure_ascii=False),
            "plan": json.dumps(new.plan, ensure_ascii=False),
            "slots": new.slots,
            "secret_names": json.dumps(new.secret_names),
            "options": json.dumps(new.options.to_json()),
            "origin": new.origin,
            "tries": new.tries,
            "carried": json.dumps({key: carried.to_json() for key, carried in new.carried.items()}, ensure_ascii=False),
            "at": time_text(at),
        }
        with self.transaction() as connection:
            number = connection.execute(queries.NEXT_RUN_NUMBER).fetchone()[0]
            connection.execute(queries.INSERT_RUN, parameters | {"number": number})
            connection.execute(queries.NAME_RUN, {"run_id": new.id, "display_name": name(number)})
        return self.find_run(str(number))

    def cancel_run(self, run_id: RunId) -> bool:
        """Remember that a run is to be cancelled; False if it has completed."""
        with self.transaction() as connection:
            return connection.execute(queries.CANCEL_RUN, {"run_id": run_id}).rowcount == 1

    def replace_plan(self, run_id: RunId, plan: Json, at: datetime, *, why: str) -> None:
        """Put another plan in the place of that of a run, which is kept along with why."""
        with self.transaction() as connection:
            connection.execute(queries.SUPERSEDE_PLAN, {"run_id": run_id, "at": time_text(at), "why": why})
            text = json.dumps(plan, ensure_ascii=False)
            connection.execute(queries.REPLACE_PLAN, {"run_id": run_id, "plan": text})

    def superseded_plans(self, run_id: RunId) -> list[SupersededPlan]:
        """Return the plans of a run that were replaced, oldest first: the first one is what it began with."""
        rows = self.rows(queries.SUPERSEDED_PLANS, run_id=run_id)
        return [
            SupersededPlan(at=datetime.fromisoformat(row["at"]), why=row["why"], plan=json.loads(row["plan"]))
            for row in rows
        ]

    def record(self, run_id: RunId, transitions: Sequence[Transition], at: datetime) -> None:
        """Store moves in order, all or none; see `skyflow.ports.store.TransitionStore`."""
        when, events, annotations = time_text(at), [], []
        with self.transaction() as connection:
            count = self._job_count(run_id) if any(map(_creates_job, transitions)) else 0
            for transition in transitions:
                check_transition(transition.entity, transition.entity_id or run_id, transition.old, transition.new)
                row = to_row(run_id, transition, when)
                if _creates_job(transition):
                    count += 1
                    row["ordinal"] = count
                statements = queries.INSERT_ROW if transition.old is None else queries.MOVE_ROW
                if connection.execute(statements[transition.entity], row).rowcount != 1:
                    raise StaleWriteError(
                        f"{transition.entity} {transition.entity_id or run_id} is no longer {transition.old}",
                        hint="another process seems to drive the same run",
                    )
                events.append(row)
                annotations += annotation_rows(run_id, transition)
            connection.executemany(queries.INSERT_EVENT, events)
            connection.executemany(queries.INSERT_ANNOTATION, annotations)

    def _job_count(self, run_id: RunId) -> int:
        return int(self.rows(queries.JOB_COUNT, run_id=run_id)[0][0])

    def find_run(self, name: str) -> RunRecord:
        """Return a run by number, id, beginning of its id, or `latest`.

        Raises:
            UsageError: there is no such run, or more than one.
        """
        rows: list[sqlite3.Row] = []
        if name == "latest":
            rows = self.rows(queries.LATEST_RUNS, limit=1, before=_NO_NUMBER, state="", text="")
        elif name.isascii() and name.isdigit() and len(name) <= _LONGEST_NUMBER:
            rows = self.rows(queries.RUN_BY_NUMBER, number=int(name))
        if not rows and len(name) >= _SHORTEST_PREFIX:
            rows = self.rows(queries.RUNS_BY_ID_PREFIX, prefix=name)
        if not rows:
            what = "there is no run yet" if name == "latest" else f"there is no run '{name}'"
            raise UsageError(f"{what} in {self.folder.database}", hint="`skyflow runs` lists them")
        if len(rows) > 1:
            raise UsageError(f"more than one run begins with '{name}'", hint="give more of its id, or its number")
        return run_from_row(rows[0])

    def latest_runs(self, limit: int, wanted: RunFilter = ANY_RUN) -> list[RunRecord]:
        """Return the newest runs that are wanted, newest first; all of them for a limit of -1."""
        rows = self.rows(
            queries.LATEST_RUNS,
            limit=limit,
            before=wanted.before or _NO_NUMBER,
            state=wanted.state,
            text=wanted.text.lower(),
        )
        return [run_from_row(row) for row in rows]

    def mark_of_runs(self) -> tuple[tuple[int, int], list[RunId]]:
        """Return two numbers that change when a run is added, moves or is forgotten, and the runs that have not completed."""
        row = self.rows(queries.MARK_OF_RUNS)[0]
        unfinished = row["unfinished"] or ""
        return (row["event"], row["runs"]), [RunId(each) for each in unfinished.split(",") if each]

    def mark_of_run(self, run_id: RunId) -> tuple[int, ...]:
        """Return numbers of which one changes when anything is stored of a run; the first is that of its last move."""
        return tuple(self.rows(queries.MARK_OF_RUN, run_id=run_id)[0])

    def unfinished_runs(self) -> list[RunRecord]:
        """Return the runs that have not completed, newest first."""
        return [run_from_row(row) for row in self.rows(queries.UNFINISHED_RUNS)]

    def jobs(self, run_id: RunId) -> list[JobRecord]:
        """Return the jobs of a run in the order they came to be."""
        return [job_from_row(row) for row in self.rows(queries.JOBS_OF_RUN, run_id=run_id)]

    def attempts(self, run_id: RunId) -> list[AttemptRecord]:
        """Return the attempts of a run, by job and number."""
        return [attempt_from_row(row) for row in self.rows(queries.ATTEMPTS_OF_RUN, run_id=run_id)]

    def steps(self, run_id: RunId) -> list[StepRecord]:
        """Return the steps of a run, by job, attempt and position."""
        return [step_from_row(row) for row in self.rows(queries.STEPS_OF_RUN, run_id=run_id)]

    def set_up_times(self, run_id: RunId) -> dict[str, datetime]:
        """Return when the latest attempt of a job had its machine or its containers, where it had to get any."""
        return {row["job_key"]: time_of(row["at"]) for row in self.rows(queries.SET_UP_TIMES_OF_RUN, run_id=run_id)}

    def annotations(self, run_id: RunId) -> list[AnnotationRecord]:
        """Return the annotations of a run, by job, attempt and step, in the order they were made."""
        return [annotation_from_row(row) for row in self.rows(queries.ANNOTATIONS_OF_RUN, run_id=run_id)]

    def events(self, run_id: RunId, *, after: int = 0) -> list[Event]:
        """Return the history of a run from some event on, oldest first."""
        return [event_from_row(row) for row in self.rows(queries.EVENTS_OF_RUN, run_id=run_id, after=after)]

    def rows(self, query: str, **parameters: str | int) -> list[sqlite3.Row]:
        """Read; for the other modules of this package.

        Raises:
            StoreError: the database cannot be read.
        """
        with translated(self.folder.database):
            return self.connection.execute(query, parameters).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Write in one transaction, all or nothing; for the other modules of this package.

        Raises:
            StoreError: the database cannot be written.
        """
        with translated(self.folder.database):
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield self.connection
            except BaseException:
                self.connection.rollback()
                raise
            self.connection.commit()


def open_store(folder: StateFolder, *, create: bool = True) -> Store:
    """Open the state store of a folder, creating or migrating it as needed.

    Raises:
        UsageError: it does not exist and must not be created.
        SchemaTooNewError: a newer skyflow has written it.
        StoreError: it cannot be read or written, or is not a skyflow database.
    """
    database = folder.database
    if not create and not database.exists():
        raise UsageError(
            f"there is no run yet: {database} does not exist",
            hint="`skyflow run FILE` makes one; of runs of another project, --state names the database",
        )
    with translated(database):
        if create and not folder.root.exists():
            folder.root.mkdir(parents=True, mode=0o700, exist_ok=True)  # another process may be faster
            (folder.root / ".gitignore").write_text("*\n")  # state is no source: keep it out of the user's commits
        if create and not database.exists():
            # what SQLite keeps beside it gets its mode; wherever the folder is, others cannot read any of it
            os.close(os.open(database, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        try:
            connection = _connect(database)
        except sqlite3.OperationalError as error:
            if create or getattr(error, "sqlite_errorcode", None) != sqlite3.SQLITE_CANTOPEN:
                raise
            connection = _connect(database, is_fixed=True)
        if create:
            folder.runs.mkdir(exist_ok=True, mode=0o700)
    return Store(connection, folder)


def _connect(database: Path, *, is_fixed: bool = False) -> sqlite3.Connection:
    """Open a database; `is_fixed` one on a read-only file system, which cannot hold the files that WAL needs."""
    name = f"{database.absolute().as_uri()}?immutable=1" if is_fixed else str(database)
    connection = sqlite3.connect(name, timeout=_BUSY_SECONDS, isolation_level=None, uri=is_fixed)
    try:
        _prepare(connection, database)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, database: Path) -> None:
    connection.row_factory = sqlite3.Row
    if connection.execute("PRAGMA user_version").fetchone()[0] != SCHEMA_VERSION:
        with file_lock(database.with_name("migrate.lock")):
            connection.execute("PRAGMA journal_mode = WAL")
            migrate(connection)
        database.chmod(0o600)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _creates_job(transition: Transition) -> bool:
    return transition.entity is Entity.JOB and transition.old is None


_IF_FULL = "make room; `skyflow resume` goes on with a run that was under way"
_ELSEWHERE = "it has to be where it can be written: `--state FILE` names another place"
_HINTS = {
    sqlite3.SQLITE_FULL: _IF_FULL,
    sqlite3.SQLITE_CANTOPEN: _ELSEWHERE,
    sqlite3.SQLITE_READONLY: _ELSEWHERE,
}


@contextmanager
def translated(database: Path) -> Iterator[None]:
    """Turn what SQLite and the file system raise into our own errors."""
    try:
        yield
    except SkyflowError:
        raise
    except sqlite3.OperationalError as error:
        code = getattr(error, "sqlite_errorcode", None)  # text that cannot be decoded comes without
        if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            raise StoreLockedError(
                f"{database} stayed locked by another program for {_BUSY_SECONDS:.0f} seconds",
                hint="wait for it, or end it",
            ) from error
        hint = _HINTS.get(code) if code is not None else None
        raise StoreError(f"{database} cannot be used: {error}", hint=hint) from error
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        raise StoreError(
            f"{database} is not a usable skyflow state store: {error}",
            hint="move it away, or choose another one with --state",
        ) from error
    except OSError as error:
        hint = _IF_FULL if error.errno == errno.ENOSPC else None
        raise StoreError(f"{database} cannot be used: {error.strerror or error}", hint=hint) from error
