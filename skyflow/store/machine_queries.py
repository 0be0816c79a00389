"""The statements of the machine journal, with a sentence each. Every move names the intents that it may start from."""

__all__ = [
    "CLOSE_MACHINE",
    "INSERT_MACHINE",
    "INSERT_OWNER",
    "MACHINES",
    "MACHINES_OF_RUN",
    "MACHINE_CREATED",
    "MACHINE_HANDED_ON",
    "MACHINE_KEPT",
    "MACHINE_RELEASED",
    "OWNER",
    "UNFINISHED_MACHINES",
]

OWNER = "SELECT name FROM machine_owner"
"""The name of this store in the clouds."""

INSERT_OWNER = "INSERT INTO machine_owner (id, name) VALUES (1, :name) ON CONFLICT DO NOTHING"
"""Give the store its name; it keeps the first that it got."""

INSERT_MACHINE = """
INSERT INTO machines (name, run_id, job_key, attempt, node, offering, intent, intended_at)
VALUES (:name, :run, :job, :attempt, :node, :offering, 'intended', :at)
ON CONFLICT DO NOTHING
"""
"""Write down that a machine is about to be made."""

MACHINE_CREATED = """
UPDATE machines SET intent = 'created', cloud_id = :cloud_id, created_at = :at
WHERE name = :name AND intent = 'intended'
"""
"""It exists."""

MACHINE_HANDED_ON = """
UPDATE machines SET user_job = :job, user_attempt = :attempt WHERE name = :name AND intent = 'created'
"""
"""Another attempt has it now."""

MACHINE_KEPT = "UPDATE machines SET kept_until = :until WHERE name = :name AND intent = 'created'"
"""It stays for some time although its job has ended."""

MACHINE_RELEASED = """
UPDATE machines SET intent = 'released', released_at = :at WHERE name = :name AND intent IN ('intended', 'created')
"""
"""It is about to be removed."""

CLOSE_MACHINE = """
UPDATE machines SET intent = 'gone', gone_at = :at, detail = :detail WHERE name = :name AND intent != 'gone'
"""
"""It does not exist."""

MACHINES = "SELECT * FROM machines ORDER BY intended_at, name"
"""Every machine there ever was."""

MACHINES_OF_RUN = "SELECT * FROM machines WHERE run_id = :run_id ORDER BY intended_at, name"
"""Every machine that a run ever had."""

UNFINISHED_MACHINES = "SELECT * FROM machines WHERE intent != 'gone' ORDER BY intended_at, name"
"""The machines that may exist."""
