"""What is stored of data: results that are taken over, digests of files, and what moved between places."""

from typing import TYPE_CHECKING

from skyflow.store.migrations.script import execute_each

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = [
    "m0009_results",
    "m0015_transfers",
    "m0018_store_ways",
]

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


def m0009_results(db: "Database") -> None:
    """Results of jobs that succeeded, what jobs were compared by, and digests of files."""
    execute_each(db, _RESULTS)


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


def m0015_transfers(db: "Database") -> None:
    """Data that moved, kept like machines as long as anybody asks for costs; and what one job had from another."""
    execute_each(db, _TRANSFERS)


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


def m0018_store_ways(db: "Database") -> None:
    """Data goes between machines and stores without passing through here."""
    execute_each(db, _STORE_WAYS)
