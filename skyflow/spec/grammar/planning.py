"""The shapes of skyflow's own keys, which its planner reads."""

from skyflow.spec.grammar.shapes import Key, one_of, quantity, table, text

__all__ = ["DATA", "ESTIMATE", "PLAN"]


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
