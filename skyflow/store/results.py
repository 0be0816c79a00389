"""Remembered results of jobs, and digests of files, in the state store."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime

from skyflow.model.job_cache import CachedResult
from skyflow.model.run import RunId
from skyflow.store import queries
from skyflow.store.rows import time_text
from skyflow.store.store import Store

__all__ = ["FileDigest", "ResultStore"]

FileDigest = tuple[int, int, int, str]
"""Size, time of change in nanoseconds, inode, and the digest that the content had then."""


class ResultStore:
    """The results of one workflow, by fingerprint."""

    def __init__(self, store: Store, workflow_path: str) -> None:
        self._store = store
        self._path = workflow_path

    def find(self, fingerprint: str) -> tuple[CachedResult, str | None] | None:
        """Return a result and the digest of the tree of its files, None for one without."""
        rows = self._store.rows(queries.RESULT, fingerprint=fingerprint)
        return None if not rows else (_result(rows[0]), rows[0]["tree"])

    def latest(self, job_key: str) -> CachedResult | None:
        """Return the newest result of a job."""
        rows = self._store.rows(queries.LATEST_RESULT, workflow_path=self._path, job_key=job_key)
        return _result(rows[0]) if rows else None

    def remember(self, result: CachedResult, tree: str | None, at: datetime) -> None:
        """Keep a result in place of an older one with the same fingerprint."""
        row = {
            "fingerprint": result.fingerprint,
            "workflow_path": self._path,
            "job_key": result.job_key,
            "run_number": result.run_number,
            "outputs": json.dumps(dict(result.outputs), ensure_ascii=False),
            "parts": json.dumps(dict(result.parts), ensure_ascii=False),
            "tree": tree,
            "at": time_text(at),
        }
        with self._store.transaction() as connection:
            connection.execute(queries.REMEMBER_RESULT, row)

    def note_lookups(self, run_id: RunId, lookups: Sequence[tuple[str, Mapping[str, str], str | None]]) -> None:
        """Keep what jobs of a run were compared by: key, parts, and the fingerprint they were compared with, if any."""
        rows = [
            {"run_id": run_id, "job_key": key, "parts": json.dumps(dict(parts)), "earlier": earlier}
            for key, parts, earlier in lookups
        ]
        with self._store.transaction() as connection:
            connection.executemany(queries.NOTE_LOOKUP, rows)

    def lookup(self, run_id: RunId, job_key: str) -> tuple[Mapping[str, str], Mapping[str, str] | None] | None:
        """Return what a job of a run was compared by, and the parts of the result it was compared with, if any."""
        rows = self._store.rows(queries.LOOKUP, run_id=run_id, job_key=job_key)
        if not rows:
            return None
        earlier = rows[0]["earlier_parts"]
        return json.loads(rows[0]["parts"]), None if earlier is None else json.loads(earlier)

    def file_digests(self) -> dict[str, FileDigest]:
        """Return what is known of the content of files, by path."""
        return {
            row["path"]: (row["size"], row["mtime"], row["inode"], row["digest"])
            for row in self._store.rows(queries.FILE_DIGESTS)
        }

    def keep_file_digests(self, digests: Mapping[str, FileDigest]) -> None:
        """Keep what is newly known of the content of files."""
        rows = [
            {"path": path, "size": size, "mtime": mtime, "inode": inode, "digest": digest}
            for path, (size, mtime, inode, digest) in digests.items()
        ]
        with self._store.transaction() as connection:
            connection.executemany(queries.KEEP_FILE_DIGEST, rows)


def _result(row: sqlite3.Row) -> CachedResult:
    return CachedResult(
        fingerprint=row["fingerprint"],
        job_key=row["job_key"],
        run_number=row["run_number"],
        outputs=json.loads(row["outputs"]),
        parts=json.loads(row["parts"]),
    )
