"""Which context may be named at which key: the whole table, written out once more in words of its own."""

import pytest

from skyflow.errors import WorkflowInvalidError
from skyflow.spec import load_workflow
from skyflow.spec.availability import CONTEXTS

EARLY = "github inputs vars"
READY = f"{EARLY} needs"
JOB = f"{READY} strategy matrix"
STEP = f"{JOB} secrets steps job runner env"
JOB_AT = "jobs:\n  a:\n    runs-on: local\n    steps: [{{run: make}}]\n    {}\n"
STEP_AT = "jobs:\n  a:\n    runs-on: local\n    steps:\n      - {}\n"
CALL_AT = "jobs:\n  a:\n    uses: a/b/c.yml@d\n    {}\n"
ON_AT = "on: {{workflow_call: {}}}\njobs: {{a: {{runs-on: local, steps: [{{run: make}}]}}}}\n"
TOP_AT = "{}\njobs: {{a: {{runs-on: local, steps: [{{run: make}}]}}}}\n"

TABLE = [
    (TOP_AT, "name: EXPR", ""),
    (TOP_AT, "run-name: EXPR", EARLY),
    (TOP_AT, "env: {A: EXPR}", f"{EARLY} secrets"),
    (TOP_AT, "concurrency: EXPR", EARLY),
    (TOP_AT, "concurrency: {group: EXPR}", EARLY),
    (TOP_AT, "defaults: {run: {shell: EXPR}}", ""),
    (ON_AT, "{inputs: {a: {type: string, default: EXPR}}}", EARLY),
    (ON_AT, "{outputs: {a: {value: EXPR}}}", f"{EARLY} jobs"),
    (JOB_AT, "name: EXPR", JOB),
    (JOB_AT, "if: EXPR", READY),
    (JOB_AT, "needs: EXPR", ""),
    (JOB_AT, "strategy: {matrix: {a: EXPR}}", READY),
    (JOB_AT, "strategy: {max-parallel: EXPR}", READY),
    (JOB_AT, "timeout-minutes: EXPR", JOB),
    (JOB_AT, "continue-on-error: EXPR", JOB),
    (JOB_AT, "concurrency: EXPR", JOB),
    (JOB_AT, "container: EXPR", JOB),
    (JOB_AT, "container: {image: x, env: {A: EXPR}}", STEP),
    (JOB_AT, "container: {image: x, credentials: {username: EXPR}}", f"{JOB} secrets env"),
    (JOB_AT, "services: {a: {image: EXPR}}", JOB),
    (JOB_AT, "env: {A: EXPR}", f"{JOB} secrets"),
    (JOB_AT, "environment: EXPR", JOB),
    (JOB_AT, "environment: {name: x, url: EXPR}", f"{JOB} steps job runner env"),
    (JOB_AT, "outputs: {a: EXPR}", STEP),
    (JOB_AT, "defaults: {run: {working-directory: EXPR}}", f"{JOB} env"),
    (JOB_AT, "permissions: EXPR", ""),
    (CALL_AT, "with: {a: EXPR}", JOB),
    (CALL_AT, "secrets: {a: EXPR}", f"{JOB} secrets"),
    (STEP_AT, "{run: EXPR}", STEP),
    (STEP_AT, "{run: x, name: EXPR}", STEP),
    (STEP_AT, "{run: x, env: {A: EXPR}}", STEP),
    (STEP_AT, "{run: x, working-directory: EXPR}", STEP),
    (STEP_AT, "{run: x, timeout-minutes: EXPR}", STEP),
    (STEP_AT, "{run: x, continue-on-error: EXPR}", STEP),
    (STEP_AT, "{run: x, shell: EXPR}", ""),
    (STEP_AT, "{run: x, if: EXPR}", f"{JOB} steps job runner env"),
    (STEP_AT, "{uses: a/b@c, with: {x: EXPR}}", STEP),
    (STEP_AT, "{uses: EXPR}", ""),
]


def _accepts(text):
    try:
        load_workflow("f.yml", text=text)
    except WorkflowInvalidError as error:
        found = {finding.code for finding in error.diagnostics if finding.severity == "error"}
    else:
        return True
    assert found == {"expression"}, text
    return False


@pytest.mark.parametrize(
    ("frame", "key", "contexts"), TABLE, ids=[f"{key}-{number}" for number, (_, key, _) in enumerate(TABLE)]
)
def test_contexts(frame, key, contexts):
    accepted = {
        context for context in CONTEXTS if _accepts(frame.format(key.replace("EXPR", f"'${{{{ {context}.x }}}}'")))
    }
    assert accepted == set(contexts.split())


@pytest.mark.parametrize(
    ("frame", "key", "contexts"), TABLE, ids=[f"{key}-{number}" for number, (_, key, _) in enumerate(TABLE)]
)
def test_hash_files_is_for_steps(frame, key, contexts):
    if contexts:
        accepted = _accepts(frame.format(key.replace("EXPR", "\"${{ hashFiles('x') }}\"")))
        assert accepted is (frame is STEP_AT)


@pytest.mark.parametrize(
    ("frame", "key", "contexts"), TABLE, ids=[f"{key}-{number}" for number, (_, key, _) in enumerate(TABLE)]
)
def test_status_functions_are_for_conditions(frame, key, contexts):
    if contexts:
        accepted = _accepts(frame.format(key.replace("EXPR", "'${{ always() }}'")))
        assert accepted is ("if: EXPR" in key)
