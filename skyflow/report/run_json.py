"""A stored run in its machine-readable form, as in `schemas/run.schema.json`."""

from datetime import datetime

from skyflow.model.catalog import Place
from skyflow.model.history import RunHistory
from skyflow.model.machines import MachineRecord
from skyflow.model.run import AttemptRecord, JobRecord, Json, RunOverview, StepRecord
from skyflow.model.transfers import TransferRecord

__all__ = ["history_to_json", "overview_to_json"]


def overview_to_json(overview: RunOverview) -> dict[str, Json]:
    """Return the machine-readable form of a run."""
    run = overview.run
    return {
        "id": run.id,
        "number": run.number,
        "workflow": run.workflow_name,
        "name": run.display_name or run.workflow_name,
        "path": run.workflow_path,
        "state": overview.state,
        "status": run.status.value,
        "conclusion": run.conclusion,
        "reason": run.reason,
        "message": run.message,
        "created_at": _time(run.created_at),
        "started_at": _time(run.started_at),
        "completed_at": _time(run.completed_at),
    }


def history_to_json(history: RunHistory) -> dict[str, Json]:
    """Return the machine-readable form of a run with its jobs, attempts and steps, as in `schemas/run.schema.json`."""
    return overview_to_json(history.overview) | {
        "plan": history.overview.run.plan,
        "superseded_plans": [
            {"at": _time(earlier.at), "why": earlier.why, "plan": earlier.plan} for earlier in history.superseded
        ],
        "jobs": [_job_to_json(job, history) for job in history.jobs],
    }


def _job_to_json(job: JobRecord, history: RunHistory) -> dict[str, Json]:
    return {
        "key": job.key,
        "id": job.spec_id,
        "name": job.name,
        "matrix": job.matrix,
        "status": job.status.value,
        "outcome": job.outcome,
        "conclusion": job.conclusion,
        "reason": job.reason,
        "message": job.message,
        "outputs": dict(job.outputs),
        "queued_at": _time(job.queued_at),
        "started_at": _time(job.started_at),
        "completed_at": _time(job.completed_at),
        "attempts": [_attempt_to_json(attempt, history) for attempt in history.attempts_of(job.key)],
    }


def _attempt_to_json(attempt: AttemptRecord, history: RunHistory) -> dict[str, Json]:
    job, number = attempt.job_key, attempt.number
    return {
        "number": number,
        "status": attempt.status.value,
        "conclusion": attempt.conclusion,
        "reason": attempt.reason,
        "message": attempt.message,
        "started_at": _time(attempt.started_at),
        "completed_at": _time(attempt.completed_at),
        "hosts": list(history.hosts.get((job, number), ())),
        "machines": [_machine_to_json(each) for each in history.machines_of(job, number)],
        "transfers": [_transfer_to_json(each) for each in history.transfers_of(job, number)],
        "steps": [_step_to_json(step, history) for step in history.steps_of(job, number)],
    }


def _step_to_json(step: StepRecord, history: RunHistory) -> dict[str, Json]:
    annotations = history.annotations_of(step.job_key, step.attempt, step.position)
    return {
        "position": step.position,
        "name": step.name,
        "status": step.status.value,
        "outcome": step.outcome,
        "conclusion": step.conclusion,
        "reason": step.reason,
        "message": step.message,
        "exit_code": step.exit_code,
        "started_at": _time(step.started_at),
        "completed_at": _time(step.completed_at),
        "annotations": [{**annotation.to_json()} for annotation in annotations],
    }


def _machine_to_json(machine: MachineRecord) -> dict[str, Json]:
    return {
        "name": machine.name,
        "id": machine.cloud_id,
        "offering": machine.offering.id,
        "usd_per_hour": machine.offering.price_usd_per_hour,
        "intended_at": _time(machine.intended_at),
        "created_at": _time(machine.created_at),
        "gone_at": _time(machine.gone_at),
        "kept_until": _time(machine.kept_until),
        "usd": None if machine.gone_at is None else machine.cost_usd(machine.gone_at),
        "detail": machine.detail,
    }


def _transfer_to_json(transfer: TransferRecord) -> dict[str, Json]:
    return {
        "what": transfer.what,
        "way": transfer.way.value,
        "source": _place(transfer.source),
        "target": _place(transfer.target),
        "bytes": transfer.size,
        "seconds": transfer.seconds,
        "usd": transfer.usd,
        "at": _time(transfer.at),
    }


def _place(place: Place | None) -> str | None:
    return None if place is None else f"{place.provider}/{place.name}"


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="milliseconds")
