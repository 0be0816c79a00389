"""The shapes of skyflow's own keys, which its planner reads."""

from skyflow.model.planning import SpillReason
from skyflow.model.resources import RENTED
from skyflow.spec.availability import JOB
from skyflow.spec.grammar.shapes import Key, Shape, TextShape, items, one_of, quantity, table, text
from skyflow.spec.grammar.texts import LABEL_LIST, NON_EMPTY

__all__ = ["ARTIFACTS", "CACHE", "CHECKPOINT", "DATA", "ESTIMATE", "INPUTS", "PLAN", "RECOVERY", "RETRY"]


_DURATION = quantity("a duration such as 10m")
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

_SIZE = quantity("a size such as 12GB")
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
            name="data-place",
        ),
    ),
).about(
    "How much data each needed job hands to this one, for example `{prepare: 12GB}`; and what comes from or goes to "
    "elsewhere: `{'s3://bucket/raw': {size: 40GB, region: aws/us-east-1}, 'file:report': {size: 1GB, output: true}}`. The "
    "planner counts the time and the price of moving it."
)

_PATTERNS = one_of("a pattern or a list of patterns", NON_EMPTY, LABEL_LIST, where=JOB)
CACHE = table(
    "a map with 'inputs', 'env' or 'outputs'",
    {
        "inputs": _PATTERNS.about(
            "Patterns of the files that the job depends on, as for hashFiles; `src/${{ matrix.part }}/**` differs by job."
        ),
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

ARTIFACTS = table(
    "a map from names to folders",
    other=one_of(
        "a folder such as build/model, or a map with 'path'",
        text("", non_empty=True),
        table(
            "",
            {
                "path": Key(
                    Shape("a folder of the workspace", text=TextShape(non_empty=True), strict=True).about(
                        "The folder that the job makes."
                    ),
                    required=True,
                ),
                "size": _SIZE.about(
                    "About how much it is, for the plan. By default what it was in the last run of the workflow."
                ),
            },
            name="declaredArtifact",
        ),
    ),
).about(
    "Folders that the job makes, by the name of an artifact: kept when its steps have succeeded, and brought to the jobs "
    "that have the name among their `inputs`."
)
INPUTS = one_of("the name of an artifact, or a list of names", NON_EMPTY, LABEL_LIST).about(
    "Artifacts that needed jobs declare: their folders are there, at the same paths, before the first step."
)

CHECKPOINT = table(
    "a map such as {path: checkpoints, every: 10m}",
    {
        "path": Key(
            Shape("a folder of the workspace", text=TextShape(non_empty=True), strict=True).about(
                "The folder in which the job keeps what it goes on from."
            ),
            required=True,
        ),
        "every": _DURATION.about("How often the folder is kept. Default: 10m."),
    },
    name="checkpoint",
).about(
    "Keeps a folder of the job while it runs, and when an attempt fails; the next attempt finds it as it was, on whatever "
    "machine it is."
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

_STRATEGY = text("'eager', 'wait' or 'deadline'", "eager", "wait", "deadline")
RECOVERY = one_of(
    "'eager', 'wait', 'deadline', or a map with 'for'",
    _STRATEGY,
    table(
        "",
        {
            "strategy": _STRATEGY.about(
                "`eager`, `wait` or `deadline`. Without it the plan decides between the first two."
            ),
            "for": _DURATION.about("How long to wait for the same machine at most; not with `deadline`. Default: 15m."),
        },
        name="recovery",
    ),
).about(
    "Where the job goes on when its spot machine is taken away: `eager` asks for another one elsewhere at once, `wait` for the "
    "same one where it was, for a while, and then elsewhere. By default the plan decides which is expected to be better. `deadline` "
    "waits for as long as `plan.deadline` leaves time, goes over to the same machine on demand when it is late, and back when it is ahead; it "
    "needs `market: any`."
)

_WEIGHTS = table(
    "",
    {
        "cost": Shape("a number", number=True).about("What a dollar counts. Default: 1."),
        "carbon": quantity("a price such as 100 USD/t").about("The price of CO2 equivalents: `100 USD/t`."),
        "time": quantity("a price such as 5 USD/h").about("The price of the run's time from start to end: `5 USD/h`."),
    },
    name="weights",
)
_PLACES = text("a place such as EU, DE, aws or aws/eu-west-1", non_empty=True)
_REASON = text("'pool-full' or 'deadline-at-risk'", *(reason.value for reason in SpillReason))
_CLOUD = text(f"one of {', '.join(RENTED)}", *RENTED)
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
        "wait": _DURATION.about(
            "Jobs may wait for cleaner power, until so long after the run begins, where the objective is or a limit counts "
            "carbon and time has no price. Default: as long as the deadline allows; without a deadline they do not wait. "
            "`0s` is never."
        ),
        "budget": quantity("an amount of money such as 50 USD").about("The run costs no more than this."),
        "carbon-cap": quantity("an amount of CO2 such as 2kg").about(
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
        "spill": table(
            "a map such as {after: 10m, to: [aws]}",
            {
                "after": _DURATION.about("How long a job waits for a machine that is there. Default: not at all."),
                "when": one_of("a reason, or a list of reasons", _REASON, items("", _REASON)).about(
                    "Which reasons count: `pool-full`, it would wait longer than `after`; `deadline-at-risk`, the run "
                    "would be later than `deadline`. Default: both."
                ),
                "to": one_of("a cloud, or a list of clouds", _CLOUD, items("", _CLOUD)).about(
                    "Where machines are rented then. Default: all clouds. Never one that `runs-on` does not allow."
                ),
            },
            name="spill",
        ).about(
            "Machines that are there first, those of `skyflow.yml` and this one; a job gets a rented one only when it "
            "would wait too long, or the run would be late."
        ),
        "max-machines": Shape("a whole number, at least 1", number=True).about(
            "No more machines than this at one time."
        ),
    },
    name="plan",
).about("What skyflow's planner makes small when it chooses a machine for each job, and within which limits.")
