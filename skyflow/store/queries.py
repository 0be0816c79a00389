"""Every statement the store uses, with a sentence each; no SQL stands anywhere else (but in the migrations)."""

from skyflow.model.status import Entity

__all__ = [
    "ANNOTATIONS_OF_RUN",
    "ATTEMPTS_OF_RUN",
    "BLOCKS_OF_ALL",
    "BLOCKS_OF_RUN",
    "CANCEL_RUN",
    "EVENTS_OF_RUN",
    "FILE_DIGESTS",
    "FORGET_RUN",
    "GROUPS_OF_RUN",
    "INSERT_ANNOTATION",
    "INSERT_BLOCK",
    "INSERT_EVENT",
    "INSERT_OBSERVATION",
    "INSERT_ROW",
    "INSERT_RUN",
    "INSERT_WAITER",
    "JOBS_OF_RUN",
    "JOB_COUNT",
    "KEEP_FILE_DIGEST",
    "LATEST_RESULT",
    "LATEST_RUNS",
    "LEAVE_GROUP",
    "LEAVE_GROUPS",
    "LEAVE_LINES",
    "LOOKUP",
    "MARK_OF_RUN",
    "MARK_OF_RUNS",
    "MOVE_ROW",
    "NAME_RUN",
    "NEXT_RUN_NUMBER",
    "NOTE_LOOKUP",
    "OBSERVATIONS_SINCE",
    "REMEMBER_RESULT",
    "RESULT",
    "RUNS_BY_ID_PREFIX",
    "RUNS_COMPLETED_BEFORE",
    "RUNS_WITH_GROUPS",
    "RUN_BY_NUMBER",
    "RUN_IDS",
    "SET_UP_TIMES_OF_RUN",
    "STATUSES_OF_RUN",
    "STEPS_OF_RUN",
    "SUPERSEDE_WAITERS",
    "TAKE_FREE_GROUPS",
    "UNFINISHED_RUNS",
    "WANT_GROUP",
]

INSERT_RUN = """
INSERT INTO runs (id, number, workflow_name, workflow_path, workflow_source, callee_sources, contexts, plan, slots,
                  secret_names, options, origin, tries, carried, status, created_at)
VALUES (:id, :number, :workflow_name, :workflow_path, :workflow_source, :callee_sources, :contexts,
        :plan, :slots, :secret_names, :options, :origin, :tries, :carried, 'queued', :at)
"""

NEXT_RUN_NUMBER = "UPDATE run_numbers SET last = last + 1 RETURNING last"
"""Take the next number of this store; none is ever given twice, also when its run was forgotten."""

NAME_RUN = "UPDATE runs SET display_name = :display_name WHERE id = :run_id"
"""Give a run the name that `run-name` made of its number."""

SUPERSEDE_PLAN = """
INSERT INTO superseded_plans (run_id, at, why, plan) SELECT id, :at, :why, plan FROM runs WHERE id = :run_id
"""
REPLACE_PLAN = "UPDATE runs SET plan = :plan WHERE id = :run_id"
SUPERSEDED_PLANS = "SELECT at, why, plan FROM superseded_plans WHERE run_id = :run_id ORDER BY id"

INSERT_BLOCK = """
INSERT INTO blocks (run_id, kind, at, ends_at, provider, region, zone, market, instance_type, family, is_accelerated, arch, image)
VALUES (
  :run_id, :kind, :at, :ends_at, :provider, :region, :zone, :market, :instance_type, :family, :is_accelerated, :arch, :image
)
"""
BLOCKS_OF_RUN = "SELECT * FROM blocks WHERE run_id = :run_id AND ends_at > :now ORDER BY id"
"""What is not to be had for a run at a moment."""
BLOCKS_OF_ALL = "SELECT * FROM blocks WHERE ends_at > :now ORDER BY id"
"""What has been refused to any run, and is not to be had at a moment."""

CANCEL_RUN = "UPDATE runs SET is_cancelled = 1 WHERE id = :run_id AND status <> 'completed'"
"""Remember that the user wants a run cancelled, whoever drives it and when."""

INSERT_EVENT = """
INSERT INTO events (run_id, at, entity, job_key, attempt, position, old, new, conclusion, reason, message, data)
VALUES (:run_id, :at, :entity, :job_key, :attempt, :position, :old, :new, :conclusion, :reason, :message, :data)
"""
"""Append a move to the history."""

INSERT_ANNOTATION = """
INSERT INTO annotations (run_id, job_key, attempt, position, ordinal, level, message, title, file, line, end_line,
                         column_from, column_to, code)
VALUES (:run_id, :job_key, :attempt, :position, :ordinal, :level, :message, :title, :file, :line, :end_line,
        :column, :end_column, :code)
"""
"""Keep what a step said; with the move that ends the step."""

INSERT_ROW = {
    Entity.JOB: """
INSERT INTO jobs (run_id, job_key, position, spec_id, leg_index, leg_total, name, matrix, max_parallel, fail_fast,
                  continue_on_error, concurrency_group, status, outcome, conclusion, reason, message, outputs, queued_at,
                  completed_at)
VALUES (:run_id, :job_key, :ordinal, :spec_id, :leg_index, :leg_total, :name, :matrix, :max_parallel, :fail_fast,
        :continue_on_error, :concurrency_group, :new, :outcome, :conclusion, :reason, :message, coalesce(:outputs, '{}'), :at,
        iif(:new = 'completed', :at, NULL))
""",
    Entity.ATTEMPT: """
INSERT INTO attempts (run_id, job_key, attempt, status, started_at)
VALUES (:run_id, :job_key, :attempt, :new, :at)
""",
    Entity.STEP: """
INSERT INTO steps (run_id, job_key, attempt, position, name, status)
VALUES (:run_id, :job_key, :attempt, :position, :name, :new)
""",
}
"""Create the row of a new entity."""

MOVE_ROW = {
    Entity.RUN: """
UPDATE runs SET status = :new, conclusion = :conclusion, reason = :reason, message = :message,
    started_at = coalesce(started_at, iif(:new = 'in_progress', :at, NULL)),
    completed_at = iif(:new = 'completed', :at, NULL)
WHERE id = :run_id AND status = :old
""",
    Entity.JOB: """
UPDATE jobs SET status = :new, outcome = :outcome, conclusion = :conclusion, reason = :reason, message = :message,
    outputs = coalesce(:outputs, outputs),
    started_at = iif(:new = 'in_progress', :at, started_at),
    completed_at = iif(:new = 'completed', :at, NULL)
WHERE run_id = :run_id AND job_key = :job_key AND status = :old
""",
    Entity.ATTEMPT: """
UPDATE attempts SET status = :new, conclusion = :conclusion, reason = :reason, message = :message,
    completed_at = iif(:new = 'completed', :at, NULL)
WHERE run_id = :run_id AND job_key = :job_key AND attempt = :attempt AND status = :old
""",
    Entity.STEP: """
UPDATE steps SET name = coalesce(:name, name), status = :new, outcome = :outcome, conclusion = :conclusion, reason = :reason, message = :message,
    exit_code = :exit_code,
    started_at = coalesce(started_at, iif(:new = 'in_progress', :at, NULL)),
    completed_at = iif(:new = 'completed', :at, NULL)
WHERE run_id = :run_id AND job_key = :job_key AND attempt = :attempt AND position = :position AND status = :old
""",
}
"""Move an entity, if it is still where the move starts from."""

LATEST_RUNS = """
SELECT * FROM runs
WHERE number < :before
  AND (:state = '' OR iif(status = 'completed', conclusion, 'unfinished') = :state)
  AND (:text = '' OR instr(lower(workflow_name || ' ' || coalesce(display_name, '') || ' ' || workflow_path || ' ' || id), :text))
ORDER BY number DESC LIMIT :limit
"""
"""The newest runs first."""

MARK_OF_RUNS = """
SELECT (SELECT coalesce(max(id), 0) FROM events) AS event, (SELECT count(*) FROM runs) AS runs,
       (SELECT group_concat(id) FROM runs WHERE status <> 'completed') AS unfinished
"""
"""What differs from before when a run was added, moved or forgotten."""

MARK_OF_RUN = """
SELECT coalesce((SELECT max(id) FROM events WHERE run_id = :run_id), 0) AS event,
       (SELECT is_cancelled FROM runs WHERE id = :run_id) AS is_cancelled,
       (SELECT count(*) FROM superseded_plans WHERE run_id = :run_id) AS plans,
       (SELECT count(*) + count(created_at) + count(gone_at) FROM machines WHERE run_id = :run_id) AS machines,
       (SELECT count(*) FROM transfers WHERE run_id = :run_id) AS transfers
"""
"""What differs from before when a run has moved, is to be cancelled, was planned anew, or has moved data or machines."""

RUN_BY_NUMBER = "SELECT * FROM runs WHERE number = :number"
"""One run by its number in this store."""

RUNS_BY_ID_PREFIX = "SELECT * FROM runs WHERE substr(id, 1, length(:prefix)) = :prefix ORDER BY number LIMIT 2"
"""One run by the beginning of its id, or two if that is not enough to tell."""

UNFINISHED_RUNS = "SELECT * FROM runs WHERE status <> 'completed' ORDER BY number DESC"
"""The run that `skyflow resume` continues when none is named."""

JOBS_OF_RUN = "SELECT * FROM jobs WHERE run_id = :run_id ORDER BY position"
"""The jobs of a run in the order they came to be."""

JOB_COUNT = "SELECT count(*) FROM jobs WHERE run_id = :run_id"
"""How many jobs a run has so far."""

ATTEMPTS_OF_RUN = "SELECT * FROM attempts WHERE run_id = :run_id ORDER BY job_key, attempt"
"""Every attempt of a run."""

SET_UP_TIMES_OF_RUN = """
SELECT job_key, max(completed_at) AS at FROM steps
WHERE run_id = :run_id AND position = 0 AND completed_at IS NOT NULL GROUP BY job_key
"""
"""When the latest attempts of a run had what they needed before their first step."""

STEPS_OF_RUN = "SELECT * FROM steps WHERE run_id = :run_id ORDER BY job_key, attempt, position"
"""Every step of a run."""

ANNOTATIONS_OF_RUN = "SELECT * FROM annotations WHERE run_id = :run_id ORDER BY job_key, attempt, position, ordinal"
"""Every annotation of a run."""

EVENTS_OF_RUN = "SELECT * FROM events WHERE run_id = :run_id AND id > :after ORDER BY id"
"""The history of a run, from some event on."""

INSERT_WAITER = """
INSERT INTO groups (name, run_id, holder, is_held) VALUES (:name, :run_id, :holder, 0)
ON CONFLICT (run_id, holder) DO UPDATE SET name = :name, is_held = 0, is_superseded = 0, is_wanted = 0
"""
"""Wait for a group."""

SUPERSEDE_WAITERS = """
UPDATE groups SET is_superseded = 1
WHERE name = :name AND is_held = 0 AND NOT (run_id = :run_id AND holder = :holder)
"""
"""Tell all others who wait for a group that somebody newer does."""

WANT_GROUP = "UPDATE groups SET is_wanted = 1 WHERE name = :name AND is_held = 1"
"""Tell the holder of a group to give it up."""

RUNS_WITH_GROUPS = "SELECT DISTINCT run_id FROM groups"
"""Every run that holds a group or waits for one."""

TAKE_FREE_GROUPS = """
UPDATE groups SET is_held = 1
WHERE run_id = :run_id AND is_held = 0 AND is_superseded = 0
  AND id = (SELECT min(id) FROM groups AS other WHERE other.name = groups.name AND NOT other.is_superseded)
  AND NOT EXISTS (SELECT 1 FROM groups AS holder WHERE holder.name = groups.name AND holder.is_held)
"""
"""Let the first in line of each group that nobody has have it."""

GROUPS_OF_RUN = "SELECT * FROM groups WHERE run_id = :run_id"
"""How a run stands in all its groups."""

LEAVE_GROUP = "DELETE FROM groups WHERE run_id = :run_id AND holder = :holder"
"""Give a group back, or stop waiting."""

LEAVE_GROUPS = "DELETE FROM groups WHERE run_id = :run_id"
"""Give everything back that a run holds or waits for."""

LEAVE_LINES = "DELETE FROM groups WHERE run_id = :run_id AND is_held = 0"
"""Stop waiting for everything that a run waits for."""

RUN_IDS = "SELECT id FROM runs ORDER BY number"
"""Every run."""

STATUSES_OF_RUN = """
SELECT 'run' AS entity, '' AS entity_id, status FROM runs WHERE id = :run_id
UNION ALL SELECT 'job', job_key, status FROM jobs WHERE run_id = :run_id
UNION ALL SELECT 'attempt', job_key || '#' || attempt, status FROM attempts WHERE run_id = :run_id
UNION ALL SELECT 'step', job_key || '#' || attempt || '/' || position, status FROM steps WHERE run_id = :run_id
"""
"""Where every entity of a run is."""

RUNS_COMPLETED_BEFORE = "SELECT * FROM runs WHERE status = 'completed' AND completed_at < :moment ORDER BY number"
"""The runs that are old enough to be forgotten."""

FORGET_RUN = (
    "DELETE FROM annotations WHERE run_id = :run_id",
    "DELETE FROM events WHERE run_id = :run_id",
    "DELETE FROM steps WHERE run_id = :run_id",
    "DELETE FROM attempts WHERE run_id = :run_id",
    "DELETE FROM jobs WHERE run_id = :run_id",
    "DELETE FROM lookups WHERE run_id = :run_id",
    "DELETE FROM handovers WHERE run_id = :run_id",
    "DELETE FROM superseded_plans WHERE run_id = :run_id",
    "DELETE FROM blocks WHERE run_id = :run_id",
    "DELETE FROM groups WHERE run_id = :run_id",
    "DELETE FROM runs WHERE id = :run_id",
)
"""Remove a run, what refers to it first."""

RESULT = "SELECT * FROM results WHERE fingerprint = :fingerprint"
"""A remembered result."""

LATEST_RESULT = """
SELECT * FROM results WHERE workflow_path = :workflow_path AND job_key = :job_key ORDER BY at DESC, rowid DESC LIMIT 1
"""
"""The newest result of a job."""

REMEMBER_RESULT = """
INSERT OR REPLACE INTO results (fingerprint, workflow_path, job_key, run_number, outputs, parts, tree, at)
VALUES (:fingerprint, :workflow_path, :job_key, :run_number, :outputs, :parts, :tree, :at)
"""
"""Keep the result of a job."""

NOTE_LOOKUP = """
INSERT OR REPLACE INTO lookups (run_id, job_key, parts, earlier_parts)
VALUES (:run_id, :job_key, :parts, (SELECT parts FROM results WHERE fingerprint = :earlier))
"""
"""Keep what a job was compared by, and what with."""

LOOKUP = "SELECT * FROM lookups WHERE run_id = :run_id AND job_key = :job_key"
"""What a job was compared by, and what with."""

FILE_DIGESTS = "SELECT * FROM file_digests"
"""Every file whose content is known."""

KEEP_FILE_DIGEST = """
INSERT OR REPLACE INTO file_digests (path, size, mtime, inode, digest) VALUES (:path, :size, :mtime, :inode, :digest)
"""
"""Keep the digest of a file."""
INSERT_OBSERVATION = """
INSERT INTO observations (offering, at, outcome, seconds) VALUES (:offering, :at, :outcome, :seconds)
"""
"""Remember what became of a machine."""

OBSERVATIONS_SINCE = "SELECT offering, at, outcome, seconds FROM observations WHERE at >= :since ORDER BY at, id"
"""Everything seen since a moment, oldest first."""
