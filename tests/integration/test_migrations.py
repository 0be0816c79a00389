"""Stores that an older skyflow has written, on a real SQLite file."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from skyflow.model.layout import StateFolder
from skyflow.store.migrations import data, machines, migrate, runs
from skyflow.store.store import open_store

LAST = migrate.SCHEMA_VERSION

Migrate = Callable[[sqlite3.Connection, int], None]


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    opened = sqlite3.connect(tmp_path / "state.db", isolation_level=None)
    yield opened
    opened.close()


@pytest.fixture
def migrate_to(monkeypatch: pytest.MonkeyPatch) -> Migrate:
    """Migrates like the skyflow whose newest schema was a given one."""
    every = migrate._MIGRATIONS

    def to(connection: sqlite3.Connection, version: int) -> None:
        with monkeypatch.context() as older:
            older.setattr(migrate, "_MIGRATIONS", every[:version])
            older.setattr(migrate, "SCHEMA_VERSION", version)
            migrate.migrate(connection)

    return to


def test_every_migration_is_applied_in_the_order_of_its_number(connection: sqlite3.Connection) -> None:
    migrate.migrate(connection)
    applied = [name for (name,) in connection.execute("SELECT name FROM _sqlite_migrations ORDER BY rowid")]
    assert applied == sorted(name for module in (data, machines, runs) for name in module.__all__)
    assert [int(name[1:5]) for name in applied] == [*range(1, LAST + 1)]


def test_runs_of_the_first_schema_are_kept(connection: sqlite3.Connection, tmp_path: Path, migrate_to: Migrate) -> None:
    migrate_to(connection, 1)
    connection.execute(
        "INSERT INTO runs VALUES ('r-1', 1, 'w', 'w.yml', '', '{}', '{}', 1, 'queued', NULL, NULL, NULL,"
        " '2026-01-01T00:00:00.000Z', NULL, NULL)"
    )
    with open_store(StateFolder(tmp_path / "state.db")) as store:
        run = store.find_run("1")
        assert store.annotations(run.id) == []
    assert (run.display_name, run.secret_names, run.title) == (None, (), "w")


def test_a_fresh_store_equals_one_that_went_through_every_version(
    connection: sqlite3.Connection, migrate_to: Migrate
) -> None:
    def schema(of: sqlite3.Connection) -> list[tuple[str, str]]:
        return sorted(of.execute("SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE '\\_%' ESCAPE '\\'"))

    for version in range(1, LAST + 1):
        migrate_to(connection, version)
    with sqlite3.connect(":memory:", isolation_level=None) as fresh:
        migrate.migrate(fresh)
        assert schema(fresh) == schema(connection)
    fresh.close()
