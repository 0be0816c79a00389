"""The shapes below `on`: as lenient as GitHub's service, which looks closely at `workflow_call` alone."""

from skyflow.spec.availability import CALL_DEFAULT, CALL_OUTPUT
from skyflow.spec.grammar.shapes import ANY, Key, Shape, flag, items, one_of, table, text
from skyflow.spec.grammar.texts import TEXT

__all__ = ["ON"]

_NULL = Shape("nothing", null=True)
_SCALAR = Shape("text, a number, true or false", text=TEXT.text, flag=True, number=True)

_CALL_INPUT = table(
    "a map with 'type'",
    {
        "description": TEXT.about("What the input is for."),
        "type": Key(
            text("'string', 'boolean' or 'number'", "string", "boolean", "number").about("The kind of value."),
            required=True,
        ),
        "required": flag().about("Whether a caller must set it."),
        "default": _SCALAR.at(CALL_DEFAULT, "The value where the caller sets none: else empty, false or 0."),
    },
    name="callInput",
)
_CALL_SECRET = one_of(
    "a map, or nothing",
    _NULL,
    table(
        "",
        {
            "description": TEXT.about("What the secret is for."),
            "required": flag().about("Whether a caller must pass it."),
        },
    ),
)
_CALL_OUTPUT = table(
    "a map with 'value'",
    {
        "description": TEXT.about("What the output is."),
        "value": Key(TEXT.at(CALL_OUTPUT, "Its value: `jobs.<id>.outputs.<name>`."), required=True),
    },
)
_CALL = one_of(
    "a map with 'inputs', 'secrets' and 'outputs', or nothing",
    _NULL,
    table(
        "",
        {
            "inputs": table("a map from names to inputs", other=_CALL_INPUT).about("What a caller may set in `with`."),
            "secrets": table("a map from names to secrets", other=_CALL_SECRET).about("The secrets a caller may pass."),
            "outputs": table("a map from names to outputs", other=_CALL_OUTPUT).about("What a caller gets back."),
        },
        name="workflowCall",
    ),
).about("The workflow can be called by a job of another one, with `uses`.")

_NAMES = {
    "push": "Commits or tags were pushed.",
    "pull_request": "Something happened to a pull request.",
    "schedule": "A list of times, as `cron` expressions.",
    "workflow_dispatch": "Somebody starts the workflow; `inputs` are asked for.",
}
_EVENTS: dict[str, Key | Shape] = {
    **{name: ANY.about(what) for name, what in _NAMES.items()},
    "workflow_call": _CALL,
}

ON = one_of(
    "the name of an event, a list of names, or a map",
    TEXT,
    items("", ANY),
    table("", _EVENTS, other=ANY),
).about(
    "The events that start the workflow: one name, a list of names, or a map from names to filters. `skyflow run` "
    "starts it whatever is listed here."
)
