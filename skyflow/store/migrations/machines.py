"""What is stored of machines: what became of them, those that are rented, and what clouds have refused."""

from typing import TYPE_CHECKING

from skyflow.store.migrations.script import execute_each

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = [
    "m0007_observations",
    "m0010_machines",
    "m0012_blocks",
    "m0013_machine_users",
    "m0014_block_kinds",
    "m0016_kept_machines",
]

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


def m0007_observations(db: "Database") -> None:
    """What became of machines that were asked for or held, so that availability can be estimated."""
    execute_each(db, _OBSERVATIONS)


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


def m0010_machines(db: "Database") -> None:
    """Machines of clouds, each written down before it is made, and the name that this store has in the clouds."""
    execute_each(db, _MACHINES)


def m0012_blocks(db: "Database") -> None:
    """What clouds have refused to a run, and for how long it is not asked for again; no market means all of them."""
    db.execute(
        "CREATE TABLE blocks (id INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL REFERENCES runs (id), "
        "provider TEXT NOT NULL, region TEXT NOT NULL, zone TEXT NOT NULL, market TEXT, instance_type TEXT NOT NULL, "
        "family TEXT NOT NULL, is_accelerated INTEGER NOT NULL CHECK (is_accelerated IN (0, 1)), "
        "ends_at TEXT NOT NULL) STRICT"
    )
    db.execute("CREATE INDEX blocks_of_run ON blocks (run_id)")


def m0013_machine_users(db: "Database") -> None:
    """The attempt that has a machine, where it is another one than the one it was made for."""
    db.execute("ALTER TABLE machines ADD COLUMN user_job TEXT")
    db.execute("ALTER TABLE machines ADD COLUMN user_attempt INTEGER CHECK (user_attempt > 0)")


def m0014_block_kinds(db: "Database") -> None:
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


def m0016_kept_machines(db: "Database") -> None:
    """Until when a machine stays whose job has ended, for somebody to look at it."""
    db.execute("ALTER TABLE machines ADD COLUMN kept_until TEXT")
