"""The shapes of steps."""

from skyflow.spec.availability import STEP, STEP_IF
from skyflow.spec.grammar.planning import RETRY
from skyflow.spec.grammar.shapes import Key, Shape, flag, items, number, one_of, table
from skyflow.spec.grammar.texts import LABEL_LIST, NON_EMPTY, SHELL, TEXT, texts

__all__ = ["CONDITION", "STEPS"]

CONDITION = (
    "An expression; the {} runs only if it is true. `success() &&` is put before it unless it asks for success(), "
    "failure(), always() or cancelled() itself."
)

_NAME = TEXT.at(STEP, "The name shown for the step. Default: the first line of its script.")
_ID = NON_EMPTY.about("The name by which later steps refer to this one: `steps.<id>.outputs`.")
_IF = TEXT.at(STEP_IF, CONDITION.format("step"))
_FORGIVE = flag(STEP).about("Whether the job goes on as if the step had succeeded when it fails.")
_LIMIT = number(STEP).about("The step is stopped when it has run this many minutes.")
_ENV = texts("Environment variables of the step.", STEP)
_BACKGROUND = flag().about("Whether the next step starts while this one runs.")

_RUN: dict[str, Key | Shape] = {
    "id": _ID,
    "name": _NAME,
    "if": _IF,
    "run": Key(TEXT.at(STEP, "The script."), required=True),
    "shell": SHELL,
    "working-directory": TEXT.at(STEP, "Where the script runs; relative to the workspace."),
    "retry": RETRY.about("Whether a script that failed is run again: a number of tries, or a map."),
    "env": _ENV,
    "continue-on-error": _FORGIVE,
    "timeout-minutes": _LIMIT,
    "background": _BACKGROUND,
}
_USES: dict[str, Key | Shape] = {
    "id": _ID,
    "name": _NAME,
    "if": _IF,
    "uses": Key(
        NON_EMPTY.about("The action: `owner/repository@ref`, `./folder` of the workspace, or `docker://image`."),
        required=True,
    ),
    "with": texts("The inputs of the action.", STEP),
    "env": _ENV,
    "continue-on-error": _FORGIVE,
    "timeout-minutes": _LIMIT,
    "background": _BACKGROUND,
}
_BRIEF: dict[str, Key | Shape] = {"id": _ID, "name": _NAME, "continue-on-error": _FORGIVE}
_TARGETS = one_of("the id of a step, or a list of ids", NON_EMPTY, LABEL_LIST)
_ALL = Shape("true or nothing", null=True, flag=True)

_RUN_OR_USES = one_of("a map with 'run' or 'uses'", table("", _RUN, name="runStep"), table("", _USES, name="usesStep"))
_PARALLEL: dict[str, Key | Shape] = {
    **_BRIEF,
    "if": _IF,
    "parallel": Key(items("a list of steps", _RUN_OR_USES).about("Steps that run at once."), required=True),
}

_STEP = one_of(
    "a map with 'run' or 'uses'",
    table("", _RUN, name="runStep"),
    table("", _USES, name="usesStep"),
    table(
        "", {**_BRIEF, "wait": Key(_TARGETS.about("The background steps to wait for."), required=True)}, name="waitStep"
    ),
    table(
        "", {**_BRIEF, "wait-all": Key(_ALL.about("Wait for all background steps."), required=True)}, name="waitAllStep"
    ),
    table(
        "", {**_BRIEF, "cancel": Key(NON_EMPTY.about("The background step to stop."), required=True)}, name="cancelStep"
    ),
    table("", _PARALLEL, name="parallelStep"),
).about("One thing that a job does: a script (`run`), an action (`uses`), or one about background steps.")

STEPS = items("a list of steps", _STEP).about("What the job does, one step after the other.")
