"""Concurrency groups in the state store, so that all processes that share it keep to them."""

import sqlite3
from collections.abc import Mapping

from skyflow.model.concurrency import GroupMove
from skyflow.model.run import RunId
from skyflow.store import queries
from skyflow.store.lease import has_living_steps, is_leased
from skyflow.store.store import Store

__all__ = ["GroupStore"]


class GroupStore:
    """Hands out concurrency groups; see `skyflow.ports.groups.ConcurrencyGroups`.

    Whoever is first in line holds a group. A run that no living process drives does not wait any longer, and keeps what it
    holds for as long as steps of it live on.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def request_group(
        self, run_id: RunId, holder: str, group: str, *, cancel_in_progress: bool, keep_pending: bool
    ) -> None:
        """Ask for a group."""
        who = {"name": group.lower(), "run_id": run_id, "holder": holder}
        with self._store.transaction() as connection:
            connection.execute(queries.INSERT_WAITER, who)
            if not keep_pending:
                connection.execute(queries.SUPERSEDE_WAITERS, who)
            if cancel_in_progress:
                connection.execute(queries.WANT_GROUP, {"name": group.lower()})
            self._take_free(connection, run_id)

    def group_moves(self, run_id: RunId) -> Mapping[str, GroupMove]:
        """Take what is free, and return how those holders of a run stand that do not just wait."""
        with self._store.transaction() as connection:
            self._take_free(connection, run_id)
            rows = connection.execute(queries.GROUPS_OF_RUN, {"run_id": run_id}).fetchall()
        moves: dict[str, GroupMove] = {}
        for row in rows:
            if row["is_superseded"]:
                moves[row["holder"]] = GroupMove.SUPERSEDED
            elif row["is_wanted"]:
                moves[row["holder"]] = GroupMove.CANCELLED
            elif row["is_held"]:
                moves[row["holder"]] = GroupMove.GRANTED
        return moves

    def leave_lines(self, run_id: RunId) -> None:
        """Stop waiting for everything that a run waits for."""
        with self._store.transaction() as connection:
            connection.execute(queries.LEAVE_LINES, {"run_id": run_id})

    def release_group(self, run_id: RunId, holder: str | None) -> None:
        """Give one group back, or all of a run."""
        with self._store.transaction() as connection:
            if holder is None:
                connection.execute(queries.LEAVE_GROUPS, {"run_id": run_id})
            else:
                connection.execute(queries.LEAVE_GROUP, {"run_id": run_id, "holder": holder})

    def _take_free(self, connection: sqlite3.Connection, run_id: RunId) -> None:
        for (other,) in connection.execute(queries.RUNS_WITH_GROUPS).fetchall():
            folder = self._store.folder.run(RunId(other))
            if other == run_id or is_leased(folder):
                continue
            connection.execute(
                queries.LEAVE_LINES if has_living_steps(folder) else queries.LEAVE_GROUPS, {"run_id": other}
            )
        connection.execute(queries.TAKE_FREE_GROUPS, {"run_id": run_id})
