"""Several statements as one text."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["execute_each"]


def execute_each(db: "Database", script: str) -> None:
    """Execute the statements of a text, each of which ends with `;` at the end of a line.

    Inside of the transaction of the migration: `executescript` would commit it first.
    """
    for statement in script.split(";\n"):
        if statement.strip():
            db.execute(statement)
