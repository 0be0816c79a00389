"""Between database rows and the records of the model."""

import json
import sqlite3
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import wraps
from typing import TypeVar

from skyflow.errors import StoreError
from skyflow.model.annotation import Annotation, AnnotationLevel, AnnotationRecord
from skyflow.model.run import (
    AttemptRecord,
    Carried,
    Event,
    JobRecord,
    Json,
    RunId,
    RunOptions,
    RunRecord,
    StepRecord,
    Transition,
)
from skyflow.model.status import Conclusion, Entity, Reason, Status

__all__ = [
    "annotation_from_row",
    "annotation_rows",
    "attempt_from_row",
    "event_from_row",
    "job_from_row",
    "run_from_row",
    "step_from_row",
    "time_of",
    "time_text",
    "to_row",
]


_Record = TypeVar("_Record")


def _ours(read: Callable[[sqlite3.Row], _Record]) -> Callable[[sqlite3.Row], _Record]:
    """Let a reader of rows say of one that skyflow cannot have written that it is damaged."""

    @wraps(read)
    def checked(row: sqlite3.Row) -> _Record:
        try:
            return read(row)
        except (AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
            raise StoreError(
                f"the state store is damaged: it holds what skyflow has not written ({error})",
                hint="`skyflow db check` looks at all of it; move it away, or choose another one with --state",
            ) from error

    return checked


def time_text(at: datetime) -> str:
    """Return a time as stored: UTC, milliseconds, sortable as text."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def to_row(run_id: RunId, transition: Transition, at: str) -> dict[str, object]:
    """Return the parameters of the statements that store a move at a time, as `time_text` has it."""
    data = transition.data
    return {
        "run_id": run_id,
        "at": at,
        "entity": transition.entity.value,
        "job_key": transition.job_key,
        "attempt": transition.attempt,
        "position": transition.position,
        "old": transition.old,
        "new": transition.new.value,
        "conclusion": transition.conclusion,
        "reason": transition.reason,
        "message": transition.message,
        "data": _dump(dict(data)) if data else "{}",
        "outcome": data.get("outcome"),
        "outputs": _dump(data["outputs"]) if "outputs" in data else None,
        "exit_code": data.get("exit_code"),
        "name": data.get("name"),
        "spec_id": data.get("spec_id"),
        "leg_index": data.get("leg_index"),
        "leg_total": data.get("leg_total"),
        "matrix": _dump(data.get("matrix")) if "matrix" in data else "null",
        "max_parallel": data.get("max_parallel"),
        "fail_fast": data.get("fail_fast"),
        "continue_on_error": data.get("continue_on_error"),
        "concurrency_group": data.get("concurrency_group"),
    }


def annotation_rows(run_id: RunId, transition: Transition) -> list[dict[str, object]]:
    """Return the parameters of the statement that keeps the annotations which came with a move."""
    annotations = transition.data.get("annotations")
    step: dict[str, object] = {
        "run_id": run_id,
        "job_key": transition.job_key,
        "attempt": transition.attempt,
        "position": transition.position,
    }
    if not isinstance(annotations, list):
        return []
    dicts = (annotation for annotation in annotations if isinstance(annotation, dict))
    return [step | {"ordinal": ordinal} | annotation for ordinal, annotation in enumerate(dicts, start=1)]


@_ours
def annotation_from_row(row: sqlite3.Row) -> AnnotationRecord:
    """Read an annotation."""
    return AnnotationRecord(
        job_key=row["job_key"],
        attempt=row["attempt"],
        position=row["position"],
        annotation=Annotation(
            level=AnnotationLevel(row["level"]),
            message=row["message"],
            title=row["title"],
            file=row["file"],
            line=row["line"],
            end_line=row["end_line"],
            column=row["column_from"],
            end_column=row["column_to"],
            code=row["code"],
        ),
    )


@_ours
def run_from_row(row: sqlite3.Row) -> RunRecord:
    """Read a run."""
    return RunRecord(
        id=RunId(row["id"]),
        number=row["number"],
        workflow_name=row["workflow_name"],
        workflow_path=row["workflow_path"],
        workflow_source=row["workflow_source"],
        callee_sources=json.loads(row["callee_sources"]),
        contexts=json.loads(row["contexts"]),
        plan=json.loads(row["plan"]),
        slots=row["slots"],
        display_name=row["display_name"],
        secret_names=tuple(json.loads(row["secret_names"])),
        options=RunOptions.from_json(json.loads(row["options"])),
        origin=None if row["origin"] is None else RunId(row["origin"]),
        tries=row["tries"],
        carried={key: Carried.from_json(carried) for key, carried in json.loads(row["carried"]).items()},
        is_cancelled=bool(row["is_cancelled"]),
        status=Status(row["status"]),
        conclusion=_conclusion(row["conclusion"]),
        reason=_reason(row["reason"]),
        message=row["message"],
        created_at=time_of(row["created_at"]),
        started_at=_time_or_none(row["started_at"]),
        completed_at=_time_or_none(row["completed_at"]),
    )


@_ours
def job_from_row(row: sqlite3.Row) -> JobRecord:
    """Read a job."""
    outputs: Mapping[str, str] = json.loads(row["outputs"])
    return JobRecord(
        key=row["job_key"],
        spec_id=row["spec_id"],
        leg_index=row["leg_index"],
        leg_total=row["leg_total"],
        name=row["name"],
        matrix=json.loads(row["matrix"]),
        max_parallel=row["max_parallel"],
        fail_fast=bool(row["fail_fast"]),
        continue_on_error=bool(row["continue_on_error"]),
        concurrency_group=row["concurrency_group"],
        status=Status(row["status"]),
        outcome=_conclusion(row["outcome"]),
        conclusion=_conclusion(row["conclusion"]),
        reason=_reason(row["reason"]),
        message=row["message"],
        outputs=outputs,
        queued_at=time_of(row["queued_at"]),
        started_at=_time_or_none(row["started_at"]),
        completed_at=_time_or_none(row["completed_at"]),
    )


@_ours
def attempt_from_row(row: sqlite3.Row) -> AttemptRecord:
    """Read an attempt."""
    return AttemptRecord(
        job_key=row["job_key"],
        number=row["attempt"],
        status=Status(row["status"]),
        conclusion=_conclusion(row["conclusion"]),
        reason=_reason(row["reason"]),
        message=row["message"],
        started_at=time_of(row["started_at"]),
        completed_at=_time_or_none(row["completed_at"]),
    )


@_ours
def step_from_row(row: sqlite3.Row) -> StepRecord:
    """Read a step."""
    return StepRecord(
        job_key=row["job_key"],
        attempt=row["attempt"],
        position=row["position"],
        name=row["name"],
        status=Status(row["status"]),
        outcome=_conclusion(row["outcome"]),
        conclusion=_conclusion(row["conclusion"]),
        reason=_reason(row["reason"]),
        message=row["message"],
        exit_code=row["exit_code"],
        started_at=_time_or_none(row["started_at"]),
        completed_at=_time_or_none(row["completed_at"]),
    )


@_ours
def event_from_row(row: sqlite3.Row) -> Event:
    """Read an event."""
    return Event(
        id=row["id"],
        at=time_of(row["at"]),
        transition=Transition(
            entity=Entity(row["entity"]),
            old=None if row["old"] is None else Status(row["old"]),
            new=Status(row["new"]),
            job_key=row["job_key"],
            attempt=row["attempt"],
            position=row["position"],
            conclusion=_conclusion(row["conclusion"]),
            reason=_reason(row["reason"]),
            message=row["message"],
            data=json.loads(row["data"]),
        ),
    )


def _dump(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def time_of(text: str) -> datetime:
    """Return a time that was stored."""
    return datetime.fromisoformat(text)


def _time_or_none(text: str | None) -> datetime | None:
    return None if text is None else time_of(text)


def _conclusion(text: str | None) -> Conclusion | None:
    return None if text is None else Conclusion(text)


def _reason(text: str | None) -> Reason | None:
    return None if text is None else Reason(text)
