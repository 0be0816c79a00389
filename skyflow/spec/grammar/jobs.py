"""The shapes of jobs."""

from skyflow.spec.availability import (
    CALL_SECRETS,
    ENVIRONMENT_URL,
    JOB,
    JOB_DEFAULTS,
    JOB_ENV,
    JOB_IF,
    JOB_OUTPUTS,
    JOB_STRATEGY,
)
from skyflow.spec.grammar.both_levels import PERMISSIONS, concurrency, defaults
from skyflow.spec.grammar.containers import container, service
from skyflow.spec.grammar.planning import ARTIFACTS, CACHE, CHECKPOINT, DATA, ESTIMATE, INPUTS, RECOVERY, RETRY
from skyflow.spec.grammar.resources import RESOURCES
from skyflow.spec.grammar.shapes import ANY, Key, Shape, flag, items, number, one_of, table, text
from skyflow.spec.grammar.steps import CONDITION, STEPS
from skyflow.spec.grammar.texts import LABEL_LIST, NON_EMPTY, TEXT, texts

__all__ = ["JOBS"]

_NAME = TEXT.at(JOB, "The name shown for the job. Default: its id.")
_NEEDS = one_of("the id of a job, or a list of ids", NON_EMPTY, LABEL_LIST).about(
    "The jobs that must have ended in success before this one starts: one id, or a list."
)
_IF = TEXT.at(JOB_IF, CONDITION.format("job"))
_LABELS = one_of("a label or a list of labels", NON_EMPTY, LABEL_LIST)
_RUNS_ON = one_of(
    "a label, a list of labels, or a map with 'group' and 'labels'",
    NON_EMPTY,
    LABEL_LIST,
    table(
        "",
        {
            "group": NON_EMPTY.about("A group of runners; on this machine it has no meaning."),
            "labels": _LABELS.about("One label, or a list of labels."),
        },
        plain_keys=True,
    ),
    where=JOB,
).about(
    "Where the job runs. `sky`: anywhere. `aws`, `gcp`, `azure`, or a list of them: in those clouds. `local`, "
    "`self-hosted` and GitHub's labels such as `ubuntu-latest`: on this machine. May be left out if `resources` is "
    "given; it is then `sky`."
)

_ENTRIES = items("a list of maps or an expression", table("a map from names to values", other=ANY))
_VALUES = items("a list of values or an expression", ANY)
_MATRIX = table(
    "a map from names to lists of values, or an expression",
    {
        "include": _ENTRIES.about("Values added to the combinations they fit, or combinations of their own."),
        "exclude": _ENTRIES.about("Combinations to leave out; naming some of the values is enough."),
    },
    other=_VALUES,
    name="matrix",
).about("Lists of values, by name; the job runs once for every combination of them.")
_STRATEGY = table(
    "a map with 'matrix'",
    {
        "matrix": _MATRIX,
        "fail-fast": Shape(
            "true, false or an expression",
            "Whether the other jobs of the matrix are cancelled when one fails. Default: true.",
            flag=True,
        ),
        "max-parallel": Shape(
            "a number or an expression", "How many jobs of the matrix may run at once. Default: all.", number=True
        ),
    },
    where=JOB_STRATEGY,
    name="strategy",
).about("How the job becomes several jobs.")

_ENVIRONMENT = one_of(
    "the name of an environment, or a map with 'name'",
    TEXT,
    table(
        "",
        {
            "name": Key(TEXT.about("The name of the environment."), required=True),
            "url": TEXT.at(ENVIRONMENT_URL, "Where the deployment can be looked at."),
            "deployment": flag().about("Whether a deployment is recorded. Default: true."),
        },
    ),
    where=JOB,
).about("GitHub's deployment environment. Accepted, has no effect.")
_SNAPSHOT = one_of(
    "the name of an image, or a map with 'image-name'",
    NON_EMPTY,
    table(
        "",
        {
            "image-name": Key(NON_EMPTY.about("The name of the image."), required=True),
            "if": TEXT.about("An expression; the image is made only if it is true."),
            "version": NON_EMPTY.about("The version of the image: `1.*`."),
        },
        plain_keys=True,
    ),
    where=JOB,
).about("An image of GitHub's machine, made when the job has ended. skyflow cannot run such a job.")

_CONCURRENCY = concurrency("Jobs of one group wait for each other, in all runs of the project.", NON_EMPTY, JOB)

_NORMAL: dict[str, Key | Shape] = {
    "name": _NAME,
    "needs": _NEEDS,
    "if": _IF,
    "runs-on": Key(_RUNS_ON, required=True, unless=("resources",)),
    "resources": RESOURCES,
    "estimate": ESTIMATE,
    "data": DATA,
    "cache": CACHE,
    "checkpoint": CHECKPOINT,
    "artifacts": ARTIFACTS,
    "inputs": INPUTS,
    "retry": RETRY.about("Whether a job that failed gets another attempt: a number of tries, or a map."),
    "recovery": RECOVERY,
    "strategy": _STRATEGY,
    "env": texts("Environment variables of every step of the job.", JOB_ENV),
    "defaults": defaults("Settings of every run step of the job that sets none itself.", JOB_DEFAULTS),
    "outputs": texts(
        "Values for the jobs that need this one: a map from names to expressions, evaluated when the job ends.",
        values=TEXT.at(JOB_OUTPUTS),
    ),
    "timeout-minutes": number(JOB).about("The job is cancelled when it has run this long. Default: 360."),
    "cancel-timeout-minutes": number(JOB).about("How many minutes a cancelled job may clean up. Default: 5."),
    "continue-on-error": flag(JOB).about("Whether the run may succeed although this job fails."),
    "concurrency": _CONCURRENCY,
    "container": container(),
    "services": table("a map from names to containers", other=service(), where=JOB).about(
        "Containers that run beside the job, by the name at which the others reach them. They need Docker or Podman."
    ),
    "environment": _ENVIRONMENT,
    "permissions": PERMISSIONS,
    "snapshot": _SNAPSHOT,
    "steps": STEPS,
}

_SCALAR = Shape("text, a number, true or false", text=TEXT.text, flag=True, number=True)
_SECRETS = one_of(
    "'inherit', or a map from names to values",
    text("", "inherit"),
    table("", other=_SCALAR.at(CALL_SECRETS)),
).about("The secrets that the called workflow gets: a map, or `inherit` for all of them.")
_CALLING: dict[str, Key | Shape] = {
    "name": _NAME,
    "needs": _NEEDS,
    "if": _IF,
    "uses": Key(NON_EMPTY.about("The workflow to call: `./path/to/file.yml` of the workspace."), required=True),
    "with": table("a map from inputs to values", other=_SCALAR.at(JOB)).about("The inputs of the called workflow."),
    "secrets": _SECRETS,
    "strategy": _STRATEGY,
    "concurrency": _CONCURRENCY,
    "permissions": PERMISSIONS,
}

_JOB = one_of(
    "a map with at least 'runs-on' and 'steps'", table("", _NORMAL, name="job"), table("", _CALLING, name="callingJob")
).about("What runs on one machine, steps one after the other; or, with `uses`, another workflow.")

JOBS = table("a map from job ids to jobs", other=_JOB).about(
    "The jobs, by id. They run at the same time, except where one needs another."
)
