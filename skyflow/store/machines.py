"""The machine journal in the state store; see `skyflow.ports.provisioner.MachineJournal`."""

import json
import sqlite3
from collections.abc import Callable
from datetime import datetime

from skyflow.errors import InternalError
from skyflow.model.catalog import Offering
from skyflow.model.layout import StateFolder
from skyflow.model.machines import Intent, MachineRecord, MachineRequest
from skyflow.model.run import RunId
from skyflow.store import machine_queries as queries
from skyflow.store.rows import time_text
from skyflow.store.store import Store, open_store

__all__ = ["StoredJournal", "machine_records"]


def machine_records(store: Store, run_id: RunId | None = None) -> list[MachineRecord]:
    """Return what is written of machines, or of those of a run, oldest first."""
    rows = store.rows(queries.MACHINES) if run_id is None else store.rows(queries.MACHINES_OF_RUN, run_id=run_id)
    return [_record(row) for row in rows]


class StoredJournal:
    """Writes down machines, from any thread: it opens the store anew each time, which costs little beside a cloud.

    `new_owner` makes the name that a store gets when it is first asked for it.
    """

    def __init__(self, folder: StateFolder, *, new_owner: Callable[[], str]) -> None:
        self._folder = folder
        self._new_owner = new_owner

    def owner(self) -> str:
        """Return the name of this store in the clouds, making one the first time."""
        with open_store(self._folder) as store, store.transaction() as connection:
            connection.execute(queries.INSERT_OWNER, {"name": self._new_owner()})
            return str(connection.execute(queries.OWNER).fetchone()["name"])

    def known_owner(self) -> str | None:
        """Return the name of this store in the clouds, if it ever needed one."""
        with open_store(self._folder) as store, store.transaction() as connection:
            row = connection.execute(queries.OWNER).fetchone()
        return None if row is None else str(row["name"])

    def intend(self, request: MachineRequest, at: datetime) -> None:
        """Write that a machine is about to be made.

        Raises:
            InternalError: the machine of this name was given back already; another one needs another attempt.
        """
        row = {
            "name": request.name,
            "run": request.run,
            "job": request.job,
            "attempt": request.attempt,
            "node": request.node,
            "offering": json.dumps(request.offering.to_json(), ensure_ascii=False),
            "at": time_text(at),
        }
        with open_store(self._folder) as store, store.transaction() as connection:
            connection.execute(queries.INSERT_MACHINE, row)
            rows = connection.execute(queries.UNFINISHED_MACHINES).fetchall()
        if not any(row["name"] == request.name and row["intent"] in {"intended", "created"} for row in rows):
            raise InternalError(f"machine {request.name} was given back already; a new attempt has to ask for another")

    def created(self, name: str, cloud_id: str, at: datetime) -> None:
        """Write that it exists."""
        self._write(queries.MACHINE_CREATED, name=name, cloud_id=cloud_id, at=time_text(at))

    def handed_on(self, name: str, job: str, attempt: int) -> None:
        """Write that another attempt has it now."""
        self._write(queries.MACHINE_HANDED_ON, name=name, job=job, attempt=attempt)

    def kept(self, name: str, until: datetime) -> None:
        """Write that it stays until then, although its job has ended."""
        self._write(queries.MACHINE_KEPT, name=name, until=time_text(until))

    def released(self, name: str, at: datetime) -> None:
        """Write that it is about to be removed."""
        self._write(queries.MACHINE_RELEASED, name=name, at=time_text(at))

    def gone(self, name: str, at: datetime, detail: str = "") -> None:
        """Write that it does not exist."""
        self._write(queries.CLOSE_MACHINE, name=name, at=time_text(at), detail=detail)

    def records(self, *, unfinished_only: bool = False) -> list[MachineRecord]:
        """Return what is written, oldest first."""
        query = queries.UNFINISHED_MACHINES if unfinished_only else queries.MACHINES
        with open_store(self._folder) as store, store.transaction() as connection:
            return [_record(row) for row in connection.execute(query).fetchall()]

    def _write(self, query: str, **values: str | int) -> None:
        with open_store(self._folder) as store, store.transaction() as connection:
            connection.execute(query, values)


def _record(row: sqlite3.Row) -> MachineRecord:
    return MachineRecord(
        name=row["name"],
        run=row["run_id"],
        job=row["job_key"],
        attempt=row["attempt"],
        node=row["node"],
        offering=Offering.from_json(json.loads(row["offering"])),
        intent=Intent(row["intent"]),
        cloud_id=row["cloud_id"],
        detail=row["detail"],
        intended_at=datetime.fromisoformat(row["intended_at"]),
        created_at=_time(row["created_at"]),
        gone_at=_time(row["gone_at"]),
        user=(row["user_job"] or row["job_key"], row["user_attempt"] or row["attempt"]),
        kept_until=_time(row["kept_until"]),
    )


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
