"""The shapes of skyflow's own keys, which its planner reads."""

from skyflow.spec.grammar.common import LABEL_LIST, NON_EMPTY
from skyflow.spec.grammar.shapes import Key, Shape, items, one_of, quantity, table, text

__all__ = ["CACHE", "DATA", "ESTIMATE", "PLAN", "RETRY"]


_DURATION = quantity("a duration such as 10m")
ESTIMATE = one_of(
    "a duration such as 10m, or a map with 'duration'",
    _DURATION,
    table(
        "",
        {
            "duration": Key(
                _DURATION.about("How long it takes on any machine that `on` does not name."), required=True
            ),
            "on": table("a map from machines to durations", other=_DURATION).about(
                "How long it takes on particular machines, by instance type, accelerator or provider."
            ),
        },
        name="estimate",
    ),
).about(
    "How long the job is expected to take: a duration such as `10m`, or `{duration: 2h, on: {A100: 40m, aws: 1h}}`."
)

DATA = table("a map from needed jobs to sizes", other=quantity("a size such as 12GB")).about(
    "How much data each needed job hands to this one, for example `{prepare: 12GB}`. The planner counts the time and "
    "the price of moving it."
)

_PATTERNS = one_of("a pattern or a list of patterns", NON_EMPTY, LABEL_LIST)
CACHE = table(
    "a map with 'inputs', 'env' or 'outputs'",
    {
        "inputs": _PATTERNS.about("Patterns of the files that the job depends on, as for hashFiles."),
        "env": one_of("a name or a list of names", NON_EMPTY, LABEL_LIST).about(
            "Names of variables of skyflow's own environment that the job depends on."
        ),
        "outputs": _PATTERNS.about("Patterns of the files that the job makes; they are put back when it is not run."),
    },
    name="cache",
).about(
    "Makes the job be taken over from an earlier run in which it succeeded, if its steps, its matrix values, the results and "
    "outputs of what it needs, and what is named here are the same."
)

_TRIES = Shape("a whole number of tries, at least 1", number=True, strict=True)
RETRY = one_of(
    "a number of tries, or a map with 'attempts'",
    _TRIES,
    table(
        "",
        {
            "attempts": Key(_TRIES.about("How many tries there are in all, the first included."), required=True),
            "backoff": quantity("a duration such as 10s").about(
                "How long to wait before the second try; twice as long before each further one, an hour at most. Default: 0."
            ),
            "on": items("a list of reasons", text("a reason such as timeout")).about(
                "What is tried again: `failure` (any exit code), `exit-code 75`, `timeout`, `preempted`, `lost`. "
                "Default: all of them."
            ),
        },
        name="retry",
    ),
)

PLAN = table(
    "a map with 'objective'",
    {
        "objective": text("'cost' or 'makespan'", "cost", "makespan").about(
            "`cost`: US dollars for machines and data transfer. `makespan`: the time from start to end. Ties are broken "
            "by the other one."
        )
    },
    name="plan",
).about("What skyflow's planner makes small when it chooses a machine for each job.")
