"""The shapes of skyflow's own keys, which its planner reads."""

from skyflow.spec.grammar.common import LABEL_LIST, NON_EMPTY, TEXT
from skyflow.spec.grammar.shapes import Key, Shape, items, one_of, table, text

__all__ = ["CACHE", "DATA", "ESTIMATE", "PLAN", "RESOURCES", "RETRY"]


def _quantity(expected: str) -> Shape:
    """Return the shape of a text or number that `model.units` reads; null, true and false are none."""
    return Shape(expected, text=text(non_empty=True).text, number=True, strict=True)


_ACCELERATORS = one_of(
    "accelerators such as A100:8",
    Shape("", text=TEXT.text, strict=True),
    table("", other=Shape("a whole number of accelerators, at least 1", "How many.", number=True)),
)
RESOURCES = table(
    "a map such as {cpus: 8+, memory: 32GiB+}",
    {
        "cpus": _quantity("an amount such as 8 or 8+").about(
            "Virtual CPUs: `8` for exactly eight, `8+` for at least eight."
        ),
        "memory": _quantity("an amount such as 16GiB or 32GiB+").about(
            "Main memory: `16GiB` for exactly that much, `32GiB+` for at least that much. A bare number counts GiB."
        ),
        "accelerators": _ACCELERATORS.about("Accelerators of one type and their number: `A100:8`, or `{A100: 8}`."),
        "market": text("'on-demand', 'spot' or 'any'", "on-demand", "spot", "any").about(
            "How the machine is bought: `on-demand` is kept until given back, `spot` is cheaper and may be taken away "
            "at any time, `any` is whichever the planner finds better."
        ),
    },
    name="resources",
).about("What the job asks of a machine.")

_DURATION = _quantity("a duration such as 10m")
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

DATA = table("a map from needed jobs to sizes", other=_quantity("a size such as 12GB")).about(
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
            "backoff": _quantity("a duration such as 10s").about(
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
