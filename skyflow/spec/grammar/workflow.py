"""The grammar of a workflow file."""

from skyflow.spec.availability import RUN_NAME, WORKFLOW_ENV
from skyflow.spec.grammar.both_levels import PERMISSIONS, concurrency, defaults
from skyflow.spec.grammar.events import ON
from skyflow.spec.grammar.jobs import JOBS
from skyflow.spec.grammar.planning import PLAN
from skyflow.spec.grammar.shapes import Key, table
from skyflow.spec.grammar.texts import TEXT, texts

__all__ = ["WORKFLOW"]

WORKFLOW = table(
    "a map with at least 'jobs'",
    {
        "name": TEXT.about("The name of the workflow. Default: the path of its file."),
        "run-name": TEXT.at(RUN_NAME, "The name of each run."),
        "description": TEXT.about("What the workflow is for. Documentation only."),
        "on": ON,
        "env": texts("Environment variables of every step of every job.", WORKFLOW_ENV),
        "defaults": defaults("Settings of every run step that sets none itself."),
        "permissions": PERMISSIONS,
        "concurrency": concurrency("Runs of one group wait for each other.", TEXT, RUN_NAME),
        "plan": PLAN,
        "jobs": Key(JOBS, required=True),
    },
).about(
    "A workflow in GitHub's workflow syntax, with a few keys of skyflow's own: `plan`, and per job `resources`, "
    "`estimate`, `data`, `retry` and `cache`."
)
