"""Brings a database to the current schema.

`sqlite_utils` is imported only when there is something to migrate: it takes longer to import than a small run to start.
"""

import sqlite3
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from skyflow.errors import SchemaTooNewError
from skyflow.store.migrations import data, machines, runs

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["SCHEMA_VERSION", "migrate"]

_MIGRATIONS: Sequence[Callable[["Database"], None]] = (
    runs.m0001_first_schema,
    runs.m0002_annotations,
    runs.m0003_run_name,
    runs.m0004_groups,
    runs.m0005_callees,
    runs.m0006_step_zero,
    machines.m0007_observations,
    runs.m0008_requests,
    data.m0009_results,
    machines.m0010_machines,
    runs.m0011_superseded_plans,
    machines.m0012_blocks,
    machines.m0013_machine_users,
    machines.m0014_block_kinds,
    data.m0015_transfers,
    machines.m0016_kept_machines,
    runs.m0017_run_numbers,
    data.m0018_store_ways,
)
"""In the order of their numbers, which is the order in which they are applied."""

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
        migrations(name=migration.__name__)(migration)
    migrations.apply(Database(connection))
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
