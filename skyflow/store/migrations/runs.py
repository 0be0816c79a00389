"""What is stored of runs: their jobs, attempts and steps, their groups, plans and numbers."""

from typing import TYPE_CHECKING

from skyflow.store.migrations.script import execute_each

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = [
    "m0001_first_schema",
    "m0002_annotations",
    "m0003_run_name",
    "m0004_groups",
    "m0005_callees",
    "m0006_step_zero",
    "m0008_requests",
    "m0011_superseded_plans",
    "m0017_run_numbers",
]

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


def m0001_first_schema(db: "Database") -> None:
    """Runs, jobs, attempts, steps, and the events that moved them."""
    execute_each(db, _FIRST_SCHEMA)


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


def m0002_annotations(db: "Database") -> None:
    """What steps say about files and about themselves."""
    db.execute(_ANNOTATIONS)


def m0003_run_name(db: "Database") -> None:
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


def m0004_groups(db: "Database") -> None:
    """Concurrency groups, shared by all runs of a store."""
    execute_each(db, _GROUPS)
    db.execute("ALTER TABLE jobs ADD COLUMN concurrency_group TEXT")


def m0005_callees(db: "Database") -> None:
    """The sources of called workflows, so that a run that is resumed calls what it was started with."""
    db.execute(
        "ALTER TABLE runs ADD COLUMN callee_sources TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(callee_sources))"
    )


def m0006_step_zero(db: "Database") -> None:
    """A step 0: what skyflow does before the first step of a job, such as to start its containers."""
    table = str(db.execute("SELECT sql FROM sqlite_schema WHERE name = 'steps'").fetchone()[0])
    db.execute(table.replace("TABLE steps", "TABLE steps_from_zero").replace("position > 0", "position >= 0"))
    db.execute("INSERT INTO steps_from_zero SELECT * FROM steps")
    db.execute("DROP TABLE steps")
    db.execute("ALTER TABLE steps_from_zero RENAME TO steps")


def m0008_requests(db: "Database") -> None:
    """What the user asked of a run: options, that it is cancelled, that it is another try at an earlier one."""
    db.execute("ALTER TABLE runs ADD COLUMN options TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(options))")
    db.execute("ALTER TABLE runs ADD COLUMN is_cancelled INTEGER NOT NULL DEFAULT 0 CHECK (is_cancelled IN (0, 1))")
    db.execute(
        "ALTER TABLE runs ADD COLUMN origin TEXT"
    )  # no reference: the first try may be forgotten before the last
    db.execute("ALTER TABLE runs ADD COLUMN tries INTEGER NOT NULL DEFAULT 1 CHECK (tries > 0)")
    db.execute("ALTER TABLE runs ADD COLUMN carried TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(carried))")


def m0011_superseded_plans(db: "Database") -> None:
    """Plans of runs that were replaced while they ran; the one that holds is in `runs`."""
    db.execute(
        "CREATE TABLE superseded_plans (id INTEGER PRIMARY KEY AUTOINCREMENT, "
        "run_id TEXT NOT NULL REFERENCES runs (id), at TEXT NOT NULL, why TEXT NOT NULL, "
        "plan TEXT NOT NULL CHECK (json_valid(plan))) STRICT"
    )
    db.execute("CREATE INDEX superseded_plans_of_run ON superseded_plans (run_id)")


_RUN_NUMBERS = """
CREATE TABLE run_numbers (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    last INTEGER NOT NULL CHECK (last >= 0)
) STRICT;
INSERT INTO run_numbers (id, last)
SELECT 1, max(coalesce((SELECT max(number) FROM runs), 0), coalesce((SELECT max(run_number) FROM results), 0));
"""


def m0017_run_numbers(db: "Database") -> None:
    """The last number that a run was given: those of forgotten runs are not given again."""
    execute_each(db, _RUN_NUMBERS)
