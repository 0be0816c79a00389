"""How the database came to have its shape: append only, never edit a migration that was released.

`sqlite_utils` is imported only when there is something to migrate: it takes longer to import than a small run to start.
"""

import sqlite3
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from skyflow.errors import SchemaTooNewError

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["SCHEMA_VERSION", "migrate"]

_CONCLUSIONS = "('success', 'failure', 'cancelled', 'skipped')"

_FIRST_SCHEMA = f"""
CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    number INTEGER NOT NULL UNIQUE,
    workflow_name TEXT NOT NULL,
    workflow_path TEXT NOT NULL,
    workflow_source TEXT NOT NULL,
    contexts TEXT NOT NULL CHECK (json_valid(contexts)),
    plan TEXT NOT NULL CHECK (json_valid(plan)),
    slots INTEGER NOT NULL CHECK (slots > 0),
    status TEXT NOT NULL CHECK (status IN ('queued', 'in_progress', 'interrupted', 'completed')),
    conclusion TEXT CHECK (conclusion IN {_CONCLUSIONS}),
    reason TEXT,
    message TEXT,
    created_at TEXT NOT NULL,
    started_at TEXT,
    completed_at TEXT,
    CHECK ((status = 'completed') = (conclusion IS NOT NULL))
) STRICT;

CREATE TABLE jobs (
    run_id TEXT NOT NULL REFERENCES runs (id),
    job_key TEXT NOT NULL,
    position INTEGER NOT NULL,
    spec_id TEXT NOT NULL,
    leg_index INTEGER NOT NULL,
    leg_total INTEGER NOT NULL,
    name TEXT NOT NULL,
    matrix TEXT NOT NULL CHECK (json_valid(matrix)),
    max_parallel INTEGER CHECK (max_parallel > 0),
    fail_fast INTEGER NOT NULL CHECK (fail_fast IN (0, 1)),
    continue_on_error INTEGER NOT NULL CHECK (continue_on_error IN (0, 1)),
    status TEXT NOT NULL CHECK (status IN ('queued', 'in_progress', 'completed')),
    outcome TEXT CHECK (outcome IN {_CONCLUSIONS}),
    conclusion TEXT CHECK (conclusion IN {_CONCLUSIONS}),
    reason TEXT,
    message TEXT,
    outputs TEXT NOT NULL DEFAULT '{{}}' CHECK (json_valid(outputs)),
    queued_at TEXT NOT NULL,
    started_at TEXT,
    completed_at TEXT,
    PRIMARY KEY (run_id, job_key),
    CHECK ((status = 'completed') = (conclusion IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE TABLE attempts (
    run_id TEXT NOT NULL,
    job_key TEXT NOT NULL,
    attempt INTEGER NOT NULL CHECK (attempt > 0),
    status TEXT NOT NULL CHECK (status IN ('in_progress', 'completed')),
    conclusion TEXT CHECK (conclusion IN {_CONCLUSIONS}),
    reason TEXT,
    message TEXT,
    started_at TEXT NOT NULL,
    completed_at TEXT,
    PRIMARY KEY (run_id, job_key, attempt),
    FOREIGN KEY (run_id, job_key) REFERENCES jobs (run_id, job_key),
    CHECK ((status = 'completed') = (conclusion IS NOT NULL))
) STRICT, WITHOUT ROWID;

-- A job has at most one attempt under way: two processes can never both believe that they run it.
CREATE UNIQUE INDEX one_attempt_in_progress ON attempts (run_id, job_key) WHERE status = 'in_progress';

CREATE TABLE steps (
    run_id TEXT NOT NULL,
    job_key TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    position INTEGER NOT NULL CHECK (position > 0),
    name TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'in_progress', 'completed')),
    outcome TEXT CHECK (outcome IN {_CONCLUSIONS}),
    conclusion TEXT CHECK (conclusion IN {_CONCLUSIONS}),
    reason TEXT,
    message TEXT,
    exit_code INTEGER,
    started_at TEXT,
    completed_at TEXT,
    PRIMARY KEY (run_id, job_key, attempt, position),
    FOREIGN KEY (run_id, job_key, attempt) REFERENCES attempts (run_id, job_key, attempt),
    CHECK ((status = 'completed') = (conclusion IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id TEXT NOT NULL REFERENCES runs (id),
    at TEXT NOT NULL,
    entity TEXT NOT NULL CHECK (entity IN ('run', 'job', 'attempt', 'step')),
    job_key TEXT,
    attempt INTEGER,
    position INTEGER,
    old TEXT,
    new TEXT NOT NULL,
    conclusion TEXT,
    reason TEXT,
    message TEXT,
    data TEXT NOT NULL CHECK (json_valid(data))
) STRICT;

CREATE INDEX events_of_run ON events (run_id, id);
"""


def _m0001_first_schema(db: "Database") -> None:
    """Runs, jobs, attempts, steps, and the events that moved them."""
    for statement in _FIRST_SCHEMA.split(";\n"):
        if statement.strip():
            db.execute(statement)


_ANNOTATIONS = """
CREATE TABLE annotations (
    run_id TEXT NOT NULL,
    job_key TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    position INTEGER NOT NULL,
    ordinal INTEGER NOT NULL CHECK (ordinal > 0),
    level TEXT NOT NULL CHECK (level IN ('error', 'warning', 'notice')),
    message TEXT NOT NULL,
    title TEXT,
    file TEXT,
    line INTEGER,
    end_line INTEGER,
    column_from INTEGER,
    column_to INTEGER,
    code TEXT,
    PRIMARY KEY (run_id, job_key, attempt, position, ordinal),
    FOREIGN KEY (run_id, job_key, attempt, position) REFERENCES steps (run_id, job_key, attempt, position)
) STRICT, WITHOUT ROWID
"""


def _m0002_annotations(db: "Database") -> None:
    """What steps say about files and about themselves."""
    db.execute(_ANNOTATIONS)


def _m0003_run_name(db: "Database") -> None:
    """What a run is called, and the names of the secrets that it has to be given again when it is resumed."""
    db.execute("ALTER TABLE runs ADD COLUMN display_name TEXT")
    db.execute("ALTER TABLE runs ADD COLUMN secret_names TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(secret_names))")


_GROUPS = """
CREATE TABLE groups (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    run_id TEXT NOT NULL REFERENCES runs (id),
    holder TEXT NOT NULL,
    is_held INTEGER NOT NULL CHECK (is_held IN (0, 1)),
    is_superseded INTEGER NOT NULL DEFAULT 0 CHECK (is_superseded IN (0, 1)),
    is_wanted INTEGER NOT NULL DEFAULT 0 CHECK (is_wanted IN (0, 1)),
    UNIQUE (run_id, holder)
) STRICT;

-- A group has one holder; the rest of its rows wait, in the order of their ids.
CREATE UNIQUE INDEX one_holder_per_group ON groups (name) WHERE is_held = 1;
"""


def _m0004_groups(db: "Database") -> None:
    """Concurrency groups, shared by all runs of a store."""
    for statement in _GROUPS.split(";\n"):
        if statement.strip():
            db.execute(statement)
    db.execute("ALTER TABLE jobs ADD COLUMN concurrency_group TEXT")


def _m0005_callees(db: "Database") -> None:
    """The sources of called workflows, so that a run that is resumed calls what it was started with."""
    db.execute(
        "ALTER TABLE runs ADD COLUMN callee_sources TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(callee_sources))"
    )


def _m0006_step_zero(db: "Database") -> None:
    """A step 0: what skyflow does before the first step of a job, such as to start its containers."""
    table = str(db.execute("SELECT sql FROM sqlite_schema WHERE name = 'steps'").fetchone()[0])
    db.execute(table.replace("TABLE steps", "TABLE steps_from_zero").replace("position > 0", "position >= 0"))
    db.execute("INSERT INTO steps_from_zero SELECT * FROM steps")
    db.execute("DROP TABLE steps")
    db.execute("ALTER TABLE steps_from_zero RENAME TO steps")


_OBSERVATIONS = """
CREATE TABLE observations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    offering TEXT NOT NULL,
    at TEXT NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('provisioned', 'capacity-error', 'preempted', 'released')),
    seconds REAL CHECK (seconds >= 0)
) STRICT;

CREATE INDEX observations_by_time ON observations (at);
"""


def _m0007_observations(db: "Database") -> None:
    """What became of machines that were asked for or held, so that availability can be estimated."""
    for statement in _OBSERVATIONS.split(";\n"):
        if statement.strip():
            db.execute(statement)


def _m0008_requests(db: "Database") -> None:
    """What the user asked of a run: options, that it is cancelled, that it is another try at an earlier one."""
    db.execute("ALTER TABLE runs ADD COLUMN options TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(options))")
    db.execute("ALTER TABLE runs ADD COLUMN is_cancelled INTEGER NOT NULL DEFAULT 0 CHECK (is_cancelled IN (0, 1))")
    db.execute(
        "ALTER TABLE runs ADD COLUMN origin TEXT"
    )  # no reference: the first try may be forgotten before the last
    db.execute("ALTER TABLE runs ADD COLUMN tries INTEGER NOT NULL DEFAULT 1 CHECK (tries > 0)")
    db.execute("ALTER TABLE runs ADD COLUMN carried TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(carried))")


_RESULTS = """
CREATE TABLE results (
    fingerprint TEXT PRIMARY KEY,
    workflow_path TEXT NOT NULL,
    job_key TEXT NOT NULL,
    run_number INTEGER NOT NULL,
    outputs TEXT NOT NULL CHECK (json_valid(outputs)),
    parts TEXT NOT NULL CHECK (json_valid(parts)),
    tree TEXT,
    at TEXT NOT NULL
) STRICT;

CREATE INDEX results_of_job ON results (workflow_path, job_key, at);

CREATE TABLE lookups (
    run_id TEXT NOT NULL REFERENCES runs (id),
    job_key TEXT NOT NULL,
    parts TEXT NOT NULL CHECK (json_valid(parts)),
    earlier_parts TEXT CHECK (earlier_parts IS NULL OR json_valid(earlier_parts)),
    PRIMARY KEY (run_id, job_key)
) STRICT, WITHOUT ROWID;

CREATE TABLE file_digests (
    path TEXT PRIMARY KEY,
    size INTEGER NOT NULL,
    mtime INTEGER NOT NULL,
    inode INTEGER NOT NULL,
    digest TEXT NOT NULL
) STRICT, WITHOUT ROWID;
"""


def _m0009_results(db: "Database") -> None:
    """Results of jobs that succeeded, what jobs were compared by, and digests of files."""
    for statement in _RESULTS.split(";\n"):
        if statement.strip():
            db.execute(statement)


_MACHINES = """
CREATE TABLE machine_owner (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    name TEXT NOT NULL
) STRICT;

CREATE TABLE machines (
    name TEXT PRIMARY KEY,
    run_id TEXT NOT NULL,
    job_key TEXT NOT NULL,
    attempt INTEGER NOT NULL CHECK (attempt > 0),
    node INTEGER NOT NULL CHECK (node >= 0),
    offering TEXT NOT NULL CHECK (json_valid(offering)),
    intent TEXT NOT NULL CHECK (intent IN ('intended', 'created', 'released', 'gone')),
    cloud_id TEXT,
    detail TEXT NOT NULL DEFAULT '',
    intended_at TEXT NOT NULL,
    created_at TEXT,
    released_at TEXT,
    gone_at TEXT,
    CHECK ((intent = 'gone') = (gone_at IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX unfinished_machines ON machines (intended_at) WHERE intent != 'gone';
"""


def _m0010_machines(db: "Database") -> None:
    """Machines of clouds, each written down before it is made, and the name that this store has in the clouds."""
    for statement in _MACHINES.split(";\n"):
        if statement.strip():
            db.execute(statement)


def _m0011_superseded_plans(db: "Database") -> None:
    """Plans of runs that were replaced while they ran; the one that holds is in `runs`."""
    db.execute(
        "CREATE TABLE superseded_plans (id INTEGER PRIMARY KEY AUTOINCREMENT, "
        "run_id TEXT NOT NULL REFERENCES runs (id), at TEXT NOT NULL, why TEXT NOT NULL, "
        "plan TEXT NOT NULL CHECK (json_valid(plan))) STRICT"
    )
    db.execute("CREATE INDEX superseded_plans_of_run ON superseded_plans (run_id)")


def _m0012_blocks(db: "Database") -> None:
    """What clouds have refused to a run, and for how long it is not asked for again; no market means all of them."""
    db.execute(
        "CREATE TABLE blocks (id INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL REFERENCES runs (id), "
        "provider TEXT NOT NULL, region TEXT NOT NULL, zone TEXT NOT NULL, market TEXT, instance_type TEXT NOT NULL, "
        "family TEXT NOT NULL, is_accelerated INTEGER NOT NULL CHECK (is_accelerated IN (0, 1)), "
        "ends_at TEXT NOT NULL) STRICT"
    )
    db.execute("CREATE INDEX blocks_of_run ON blocks (run_id)")


def _m0013_machine_users(db: "Database") -> None:
    """The attempt that has a machine, where it is another one than the one it was made for."""
    db.execute("ALTER TABLE machines ADD COLUMN user_job TEXT")
    db.execute("ALTER TABLE machines ADD COLUMN user_attempt INTEGER CHECK (user_attempt > 0)")


def _m0014_block_kinds(db: "Database") -> None:
    """What was refused, and when; for which image and processor. What older versions have stored would end within a day."""
    db.execute("DROP TABLE blocks")
    db.execute(
        "CREATE TABLE blocks (id INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL REFERENCES runs (id), "
        "kind TEXT NOT NULL, at TEXT NOT NULL, ends_at TEXT NOT NULL, "
        "provider TEXT NOT NULL, region TEXT NOT NULL, zone TEXT NOT NULL, market TEXT, instance_type TEXT NOT NULL, "
        "family TEXT NOT NULL, is_accelerated INTEGER CHECK (is_accelerated IN (0, 1)), arch TEXT NOT NULL, "
        "image TEXT) STRICT"
    )
    db.execute("CREATE INDEX blocks_of_run ON blocks (run_id)")
    db.execute("CREATE INDEX blocks_by_end ON blocks (ends_at)")


_TRANSFERS = """
CREATE TABLE transfers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id TEXT NOT NULL,
    job_key TEXT NOT NULL,
    attempt INTEGER NOT NULL CHECK (attempt > 0),
    what TEXT NOT NULL,
    way TEXT NOT NULL CHECK (way IN ('to here', 'from here', 'direct', 'to store', 'from store')),
    source TEXT CHECK (source IS NULL OR json_valid(source)),
    target TEXT CHECK (target IS NULL OR json_valid(target)),
    bytes INTEGER NOT NULL CHECK (bytes >= 0),
    seconds REAL NOT NULL CHECK (seconds >= 0),
    usd REAL,
    at TEXT NOT NULL
) STRICT;

CREATE INDEX transfers_of_run ON transfers (run_id);

CREATE TABLE handovers (
    run_id TEXT NOT NULL REFERENCES runs (id),
    from_job TEXT NOT NULL,
    to_job TEXT NOT NULL,
    artifact TEXT NOT NULL,
    bytes INTEGER NOT NULL CHECK (bytes >= 0),
    PRIMARY KEY (run_id, from_job, to_job, artifact)
) STRICT, WITHOUT ROWID;
"""


def _m0015_transfers(db: "Database") -> None:
    """Data that moved, kept like machines as long as anybody asks for costs; and what one job had from another."""
    for statement in _TRANSFERS.split(";\n"):
        if statement.strip():
            db.execute(statement)


def _m0016_kept_machines(db: "Database") -> None:
    """Until when a machine stays whose job has ended, for somebody to look at it."""
    db.execute("ALTER TABLE machines ADD COLUMN kept_until TEXT")


_RUN_NUMBERS = """
CREATE TABLE run_numbers (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    last INTEGER NOT NULL CHECK (last >= 0)
) STRICT;
INSERT INTO run_numbers (id, last)
SELECT 1, max(coalesce((SELECT max(number) FROM runs), 0), coalesce((SELECT max(run_number) FROM results), 0));
"""


def _m0017_run_numbers(db: "Database") -> None:
    """The last number that a run was given: those of forgotten runs are not given again."""
    for statement in _RUN_NUMBERS.split(";\n"):
        if statement.strip():
            db.execute(statement)


_STORE_WAYS = """
ALTER TABLE transfers RENAME TO old_transfers;
DROP INDEX transfers_of_run;
CREATE TABLE transfers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id TEXT NOT NULL,
    job_key TEXT NOT NULL,
    attempt INTEGER NOT NULL CHECK (attempt > 0),
    what TEXT NOT NULL,
    way TEXT NOT NULL CHECK (
        way IN ('to here', 'from here', 'direct', 'to store', 'from store', 'machine to store', 'store to machine')
    ),
    source TEXT CHECK (source IS NULL OR json_valid(source)),
    target TEXT CHECK (target IS NULL OR json_valid(target)),
    bytes INTEGER NOT NULL CHECK (bytes >= 0),
    seconds REAL NOT NULL CHECK (seconds >= 0),
    usd REAL,
    at TEXT NOT NULL
) STRICT;
INSERT INTO transfers SELECT * FROM old_transfers;
DROP TABLE old_transfers;
CREATE INDEX transfers_of_run ON transfers (run_id);
"""


def _m0018_store_ways(db: "Database") -> None:
    """Data goes between machines and stores without passing through here."""
    for statement in _STORE_WAYS.split(";\n"):
        if statement.strip():
            db.execute(statement)


_MIGRATIONS: Sequence[Callable[["Database"], None]] = (
    _m0001_first_schema,
    _m0002_annotations,
    _m0003_run_name,
    _m0004_groups,
    _m0005_callees,
    _m0006_step_zero,
    _m0007_observations,
    _m0008_requests,
    _m0009_results,
    _m0010_machines,
    _m0011_superseded_plans,
    _m0012_blocks,
    _m0013_machine_users,
    _m0014_block_kinds,
    _m0015_transfers,
    _m0016_kept_machines,
    _m0017_run_numbers,
    _m0018_store_ways,
)

SCHEMA_VERSION = len(_MIGRATIONS)
"""Kept in the file's `user_version`, so that an up-to-date database is recognised without any import."""


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a database to the current schema; nothing happens to one that is there already.

    The caller holds a lock that keeps other processes from migrating at the same time.

    Raises:
        SchemaTooNewError: a newer skyflow has written it.
    """
    found = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if found > SCHEMA_VERSION:
        raise SchemaTooNewError(
            f"the state store has schema {found}, written by a newer skyflow; this one knows up to {SCHEMA_VERSION}",
            hint="upgrade skyflow, or use another store with --state",
        )
    if found == SCHEMA_VERSION:
        return
    from sqlite_utils import Database, Migrations  # noqa: PLC0415 -- see the module's docstring

    migrations = Migrations("skyflow")
    for migration in _MIGRATIONS:
        migrations(name=migration.__name__.removeprefix("_"))(migration)
    migrations.apply(Database(connection))
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
