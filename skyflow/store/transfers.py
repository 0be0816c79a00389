"""Data that has moved, in the state store."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime

from skyflow.model.catalog import Place
from skyflow.model.run import RunId
from skyflow.model.transfers import Handover, TransferRecord, Way
from skyflow.store.rows import time_text
from skyflow.store.store import Store

__all__ = ["TransferStore"]

_INSERT = """
INSERT INTO transfers (run_id, job_key, attempt, what, way, source, target, bytes, seconds, usd, at)
VALUES (:run_id, :job_key, :attempt, :what, :way, :source, :target, :bytes, :seconds, :usd, :at)
"""
_OF_RUN = "SELECT * FROM transfers WHERE run_id = :run_id ORDER BY id"
_ALL = "SELECT * FROM transfers ORDER BY id"
_LATEST = "SELECT * FROM transfers WHERE bytes >= :bytes ORDER BY id DESC LIMIT :limit"
_HAND_OVER = """
INSERT OR REPLACE INTO handovers (run_id, from_job, to_job, artifact, bytes)
VALUES (:run_id, :from_job, :to_job, :artifact, :bytes)
"""
_HANDOVERS = """
SELECT handovers.* FROM handovers JOIN runs ON runs.id = handovers.run_id
WHERE runs.id IN (SELECT id FROM runs WHERE workflow_path = :workflow_path ORDER BY number DESC LIMIT :runs)
ORDER BY runs.number, from_job, to_job, artifact
"""


class TransferStore:
    """Remembers what moved, and what jobs had from each other."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def record(self, transfers: Sequence[TransferRecord]) -> None:
        """Store transfers, all or none."""
        rows = [
            {
                "run_id": each.run,
                "job_key": each.job,
                "attempt": each.attempt,
                "what": each.what,
                "way": each.way.value,
                "source": _place_text(each.source),
                "target": _place_text(each.target),
                "bytes": each.size,
                "seconds": each.seconds,
                "usd": each.usd,
                "at": time_text(each.at),
            }
            for each in transfers
        ]
        with self._store.transaction() as connection:
            connection.executemany(_INSERT, rows)

    def hand_over(self, run_id: RunId, handover: Handover) -> None:
        """Store what a job had from another; the last attempt counts."""
        row = {
            "run_id": run_id,
            "from_job": handover.from_job,
            "to_job": handover.to_job,
            "artifact": handover.artifact,
            "bytes": handover.size,
        }
        with self._store.transaction() as connection:
            connection.execute(_HAND_OVER, row)

    def transfers(self, run_id: RunId | None = None) -> list[TransferRecord]:
        """Return what moved, or what moved for a run, in order."""
        rows = self._store.rows(_ALL) if run_id is None else self._store.rows(_OF_RUN, run_id=run_id)
        return [_record(row) for row in rows]

    def latest(self, *, at_least: int, limit: int) -> list[TransferRecord]:
        """Return the newest transfers of so many bytes or more, newest first."""
        return [_record(row) for row in self._store.rows(_LATEST, bytes=at_least, limit=limit)]

    def handovers(self, workflow_path: str, *, runs: int) -> Mapping[str, Sequence[Handover]]:
        """Return what jobs had from each other in the newest runs of a workflow, by run, the oldest first."""
        found: dict[str, list[Handover]] = {}
        for row in self._store.rows(_HANDOVERS, workflow_path=workflow_path, runs=runs):
            found.setdefault(row["run_id"], []).append(
                Handover(from_job=row["from_job"], to_job=row["to_job"], artifact=row["artifact"], size=row["bytes"])
            )
        return found


def _record(row: sqlite3.Row) -> TransferRecord:
    return TransferRecord(
        run=row["run_id"],
        job=row["job_key"],
        attempt=row["attempt"],
        what=row["what"],
        way=Way(row["way"]),
        source=_place(row["source"]),
        target=_place(row["target"]),
        size=row["bytes"],
        seconds=row["seconds"],
        usd=row["usd"],
        at=datetime.fromisoformat(row["at"]),
    )


def _place_text(place: Place | None) -> str | None:
    return None if place is None else json.dumps([place.provider, place.region, place.zone])


def _place(text: str | None) -> Place | None:
    return None if text is None else Place(*json.loads(text))
