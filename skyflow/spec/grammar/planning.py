"""The shapes of skyflow's own keys, which its planner reads."""

from skyflow.spec.grammar.common import TEXT
from skyflow.spec.grammar.shapes import Key, Shape, items, one_of, table, text

__all__ = ["DATA", "ESTIMATE", "PLAN", "RESOURCES"]


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
_SHARE = Shape("a number from 0 to 1", number=True)
_WORK = table(
    "a map with 'flops' or 'core-hours'",
    {
        "flops": Shape("a number such as 3e18", number=True, text=text(non_empty=True).text, strict=True).about(
            "Floating-point operations. Divided by the peak of the machine's accelerators, or CPUs, times `utilization`."
        ),
        "utilization": _SHARE.about("The share of the peak that the job reaches. Default: 0.4."),
        "core-hours": Shape("a number", number=True).about("Hours of one core."),
        "parallel-fraction": _SHARE.about("The share of the work that more cores make faster. Default: 1."),
    },
    name="work",
)
ESTIMATE = one_of(
    "a duration such as 10m, 'history', or a map",
    Shape("", text=text(non_empty=True).text, number=True, strict=True),
    table(
        "",
        {
            "duration": _DURATION.about("How long it takes on any machine for which nothing else here has an answer."),
            "on": table("a map from machines to durations", other=_DURATION).about(
                "How long it takes on particular machines, by instance type, family, accelerator or provider."
            ),
            "work": _WORK.about("How much there is to do; the planner works out how long that takes on each machine."),
            "function": text("a name such as module:function", non_empty=True).about(
                "A Python function of the project, `module:function`: called with an offering, it returns seconds."
            ),
            "history": Shape("true or false", flag=True).about(
                "Take the median of earlier successful runs of the job."
            ),
            "checkpoint": _DURATION.about(
                "How often the job saves its work. On a spot machine that is taken away, it repeats no more than that."
            ),
            "recovery": _DURATION.about("From losing a spot machine to working on the next one. Default: two minutes."),
        },
        name="estimate",
    ),
).about(
    "How long the job is expected to take: a duration such as `10m`, `history`, or a map such as "
    "`{duration: 2h, on: {A100: 40m, aws: 1h}}` or `{work: {core-hours: 64, parallel-fraction: 0.95}}`."
)

_SIZE = _quantity("a size such as 12GB")
DATA = table(
    "a map from needed jobs, or places, to sizes",
    other=one_of(
        "a size such as 12GB, or a map with 'size'",
        _SIZE,
        table(
            "",
            {
                "size": Key(_SIZE.about("How much data it is."), required=True),
                "region": text("a region such as aws/us-east-1", non_empty=True).about("Where the data is."),
                "output": Shape("true or false", flag=True).about(
                    "The job leaves the data there. Default: it reads it."
                ),
            },
            name="data place",
        ),
    ),
).about(
    "How much data each needed job hands to this one, for example `{prepare: 12GB}`; and what comes from or goes to "
    "elsewhere: `{'s3://bucket/raw': {size: 40GB, region: aws/us-east-1}, 'file:report': {size: 1GB, output: true}}`. The "
    "planner counts the time and the price of moving it."
)

_WEIGHTS = table(
    "",
    {
        "cost": Shape("a number", number=True).about("What a dollar counts. Default: 1."),
        "carbon": _quantity("a price such as 100 USD/t").about("The price of CO2 equivalents: `100 USD/t`."),
        "time": _quantity("a price such as 5 USD/h").about("The price of the run's time from start to end: `5 USD/h`."),
    },
    name="weights",
)
_PLACES = text("a place such as EU, DE, aws or aws/eu-west-1", non_empty=True)
PLAN = table(
    "a map such as {objective: cost}",
    {
        "objective": one_of(
            "'cost', 'makespan', 'carbon', or a map of weights",
            text("", "cost", "makespan", "carbon"),
            _WEIGHTS,
        ).about(
            "`cost`: US dollars for machines and data transfer. `makespan`: the time from start to end. `carbon`: grams of "
            "CO2 equivalents. Or a weighting in dollars: `{cost: 1, carbon: 100 USD/t, time: 5 USD/h}`. Ties are broken by "
            "the others, in this order."
        ),
        "deadline": _DURATION.about("The run takes no longer than this."),
        "budget": _quantity("an amount of money such as 50 USD").about("The run costs no more than this."),
        "carbon-cap": _quantity("an amount of CO2 such as 2kg").about(
            "The run emits no more CO2 equivalents than this."
        ),
        "residency": one_of("a place, or a list of places", _PLACES, items("", _PLACES)).about(
            "Where jobs may run: jurisdictions (`EU`), countries (`DE`), providers (`aws`), regions (`aws/eu-west-1`), "
            "`local`. Every job runs in one of them."
        ),
        "quotas": table(
            "a map from places to quotas",
            other=table(
                "a map such as {vcpus: 64}", other=Shape("a number of vcpus, machines or accelerators", number=True)
            ),
        ).about(
            "How much may be in use at one time, by provider, region or machine: "
            "`{aws/us-east-1: {vcpus: 64, A100: 8}, local: {machines: 2}}`."
        ),
        "max-machines": Shape("a whole number, at least 1", number=True).about(
            "No more machines than this at one time."
        ),
    },
    name="plan",
).about("What skyflow's planner makes small when it chooses a machine for each job, and within which limits.")
