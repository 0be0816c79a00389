"""The grammar of an `action.yml`."""

from skyflow.spec.availability import ACTION_DEFAULT, ACTION_OUTPUT, ACTION_STEP, ACTION_STEP_IF
from skyflow.spec.grammar.shapes import ANY, Key, Shape, flag, items, one_of, table
from skyflow.spec.grammar.texts import NON_EMPTY, TEXT, texts

__all__ = ["ACTION"]

_NULL = Shape("nothing", null=True)
_INPUT = one_of(
    "a map, or nothing",
    _NULL,
    table(
        "",
        {
            "description": TEXT.about("What the input is for."),
            "required": TEXT.about("`true` if it should be set."),
            "default": TEXT.at(ACTION_DEFAULT, "The value where the caller sets none."),
            "deprecationMessage": TEXT.about("What to tell those who still set it."),
        },
        other=ANY,
    ),
)
_OUTPUT = one_of(
    "a map, or nothing",
    _NULL,
    table(
        "",
        {
            "description": TEXT.about("What the output is."),
            "value": TEXT.at(ACTION_OUTPUT, "Its value; composite actions only."),
        },
        other=ANY,
    ),
)

_COMMON: dict[str, Key | Shape] = {
    "id": NON_EMPTY.about("The name by which later steps refer to this one."),
    "name": TEXT.at(ACTION_STEP, "The name shown for the step."),
    "if": TEXT.at(ACTION_STEP_IF, "An expression; the step runs only if it is true."),
    "env": texts("Environment variables of the step.", ACTION_STEP),
    "continue-on-error": flag(ACTION_STEP).about("Whether the action goes on when the step fails."),
}
_STEPS = items(
    "a list of steps",
    one_of(
        "a map with 'run' or 'uses'",
        table(
            "",
            {
                **_COMMON,
                "run": Key(TEXT.at(ACTION_STEP, "The script."), required=True),
                "shell": Key(
                    NON_EMPTY.at(ACTION_STEP, "The program that runs the script; required here."), required=True
                ),
                "working-directory": TEXT.at(ACTION_STEP, "Where the script runs."),
            },
        ),
        table(
            "",
            {
                **_COMMON,
                "uses": Key(NON_EMPTY.about("The action."), required=True),
                "with": texts("The inputs of the action.", ACTION_STEP),
            },
        ),
    ),
)
_USING = Key(NON_EMPTY.about("The kind of action: `composite`, `node20`, `node24`, `docker`."), required=True)
_RUNS = one_of(
    "a map with 'using'",
    table("", {"using": _USING, "steps": Key(_STEPS.about("The steps of a composite action."), required=True)}),
    table(
        "",
        {
            "using": _USING,
            "main": Key(NON_EMPTY.about("The JavaScript file to run."), required=True),
            "pre": NON_EMPTY.about("A file for when the job starts; not run, as on GitHub for local actions."),
            "pre-if": NON_EMPTY.about("Whether `pre` would run."),
            "post": NON_EMPTY.about("A file to run when the job ends."),
            "post-if": NON_EMPTY.about("Whether `post` runs; `always()` by default."),
        },
    ),
    table(
        "",
        {
            "using": _USING,
            "image": Key(NON_EMPTY.about("The image, or `Dockerfile`."), required=True),
            "args": items("a list of texts", TEXT.at(ACTION_OUTPUT)).about("Arguments of the entry point."),
            "env": texts("Environment variables.", values=TEXT.at(ACTION_OUTPUT)),
            "entrypoint": NON_EMPTY.about("What runs in place of the image's own entry point."),
            "pre-entrypoint": NON_EMPTY.about("A script to run before."),
            "pre-if": NON_EMPTY.about("Whether `pre-entrypoint` runs."),
            "post-entrypoint": NON_EMPTY.about("A script to run afterwards."),
            "post-if": NON_EMPTY.about("Whether `post-entrypoint` runs."),
        },
    ),
)

ACTION = table(
    "a map with 'runs'",
    {
        "name": TEXT.about("The name of the action."),
        "author": TEXT.about("Who wrote it."),
        "description": TEXT.about("What it does."),
        "inputs": table("a map from names to inputs", other=_INPUT).about("What the caller may set in `with`."),
        "outputs": table("a map from names to outputs", other=_OUTPUT).about("What later steps can read."),
        "runs": Key(_RUNS.about("How the action is run."), required=True),
    },
    other=ANY,
)
