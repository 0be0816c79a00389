"""Progress for programs: one JSON object per line, as in `schemas/event.schema.json`."""

import json
from datetime import datetime
from typing import TextIO

from skyflow._util.terminal import plain
from skyflow.model.execution import StepRef
from skyflow.model.run import Json, RunId, Transition

__all__ = ["JsonReporter", "transition_to_json"]


class JsonReporter:
    """Writes every move and all output as JSON lines, flushed one by one."""

    def __init__(self, stream: TextIO, run_id: RunId) -> None:
        self._stream = stream
        self._run_id = run_id

    def moved(self, transition: Transition, at: datetime) -> None:
        """Write a move."""
        self._write(transition_to_json(self._run_id, transition, at))

    def output(self, step: StepRef, text: str) -> None:
        """Write what a step printed."""
        place: dict[str, Json] = {"job": step.job_key, "attempt": step.attempt, "step": step.position}
        self._write({"event": "output", "run": self._run_id, **place, "text": text})

    def waits(self, job_key: str | None, group: str) -> None:
        """Write that a job or the run waits for its concurrency group."""
        self._write({"event": "waiting", "run": self._run_id, "job": job_key, "group": group})

    def asked_to_stop(self, *, force: bool) -> None:
        """Write that the run is being stopped."""
        self._write({"event": "stopping", "run": self._run_id, "force": force})

    def _write(self, value: dict[str, Json]) -> None:
        self._stream.write(
            plain(json.dumps(value, ensure_ascii=False)) + "\n"
        )  # what is escaped means the same in JSON
        self._stream.flush()


def transition_to_json(run_id: RunId, move: Transition, at: datetime) -> dict[str, Json]:
    """Return the machine-readable form of a move."""
    return {
        "event": move.entity.value,
        "run": run_id,
        "at": at.isoformat(timespec="milliseconds"),
        "job": move.job_key,
        "attempt": move.attempt,
        "step": move.position,
        "from": None if move.old is None else move.old.value,
        "to": move.new.value,
        "conclusion": None if move.conclusion is None else move.conclusion.value,
        "reason": None if move.reason is None else move.reason.value,
        "message": move.message,
        "data": dict(move.data),
    }
