"""The shapes of `resources`: what a job asks of a machine, and of the place where it stands."""

from skyflow.model.resources import CAPABILITIES, PROVIDERS
from skyflow.spec.grammar.shapes import Shape, TextShape, items, one_of, quantity, table, text

__all__ = ["ACCELERATORS", "RESOURCES", "names"]


def names(expected: str, *constants: str) -> Shape:
    """Return the shape of one name or a list of them."""
    one = Shape(expected, text=TextShape(constants, non_empty=True), strict=True)
    return one_of(expected, one, items("", one))


_DEVICE = Shape("an accelerator such as A100:8", text=TextShape(non_empty=True), strict=True)
ACCELERATORS = one_of(
    "accelerators such as A100:8",
    _DEVICE,
    table("", other=Shape("a number of accelerators, for example 8", "How many.", number=True)),
    items("", _DEVICE),
)

RESOURCES = table(
    "a map such as {cpus: 8+, memory: 32GiB+}",
    {
        "cpus": quantity("an amount such as 8 or 8+").about(
            "Virtual CPUs: `8` for exactly eight, `8+` for at least eight."
        ),
        "memory": quantity("an amount such as 16GiB or 32GiB+").about(
            "Main memory: `16GiB` for exactly that much, `32GiB+` for at least that much. A bare number counts GiB."
        ),
        "accelerators": ACCELERATORS.about(
            "Accelerators of one type and their number in one machine: `A100:8`, or `{A100: 8}`; `A10:0.5` is half a "
            "device, `tpu-v5e-8` eight chips. A map of several is a choice, `{A100: 8, H100: 4}`: the plan decides. A "
            "list is an order, `[H100:8, A100:8]`: the first that can be had."
        ),
        "instance-type": names("the name of an instance type, or a list of names").about(
            "Only these types, by the provider's name: `p5.48xlarge`. It is taken whatever its architecture is."
        ),
        "market": text("'on-demand', 'spot' or 'any'", "on-demand", "spot", "any").about(
            "How the machine is bought: `on-demand` is kept until given back, `spot` is cheaper and may be taken away "
            "at any time, `any` is whichever the planner finds better."
        ),
        "clouds": names(f"one of {', '.join(PROVIDERS)}, or a list of them", *PROVIDERS).about(
            "Only these, of those that `runs-on` allows; `own` are the machines of the project's `skyflow.yml`."
        ),
        "regions": names("a region such as eu-west-1, or a list of regions").about("Only these regions."),
        "zones": names("a zone such as us-central1-a, or a list of zones").about("Only these zones."),
        "jurisdictions": names("a jurisdiction such as EU, or a list of them").about(
            "Only places under these laws: a country's code, `EU`, `EEA`, or `EU-adequate` for the EEA and the countries "
            "whose data protection the European Commission has found adequate. This is not legal advice."
        ),
        "countries": names("a country's code such as DE, or a list of them").about("Only places in these countries."),
        "partitions": names("a partition such as aws-us-gov, or a list of them").about(
            "Closed parts of a cloud, `aws-us-gov`, `aws-cn` or `aws-eusc`; without this no job runs there."
        ),
        "arch": text("'x86_64', 'arm64' or 'any'", "x86_64", "arm64", "any").about(
            "The processor architecture. Without it rented machines are `x86_64`, and this one is what it is."
        ),
        "capabilities": names(f"one of {', '.join(CAPABILITIES)}, or a list of them", *CAPABILITIES).about(
            "What else the machine must have. `burstable` machines, whose CPUs are not there all the time, are taken only "
            "where this names them."
        ),
        "nodes": Shape("a whole number of machines, at least 1", number=True).about(
            "So many machines of the same kind, together at one place. Prices and power count all of them. Each step runs on "
            "all of them at once, with `SKYFLOW_NODE_RANK`, `SKYFLOW_NUM_NODES` and `SKYFLOW_NODE_IPS` set."
        ),
        "min-on-demand": quantity("a number of machines such as 1, or a share such as 25%").about(
            "Of several spot machines, at least so many are bought on demand, which nobody takes away: the first ones, number 0 "
            "among them. `1`, or `25%` of `nodes`, rounded up. Prices count both kinds. Without spot machines all are "
            "on demand anyway."
        ),
        "disk": quantity("a size such as 200GB or 200GB+").about(
            "Disk to attach to a rented machine; of your own ones, those whose `disk` is smaller are left out. It costs what "
            "`disks` in `skyflow.yml` says."
        ),
        "ports": items(
            "a list of ports",
            Shape("a port such as 8080, or a range such as 8000-8010", text=TextShape(non_empty=True)),
        ).about("Ports to open on a rented machine."),
        "image": Shape("the name of a machine image", text=TextShape(non_empty=True), strict=True).about(
            "The machine image to start a rented machine from."
        ),
        "utilization": quantity("a share such as 50%").about(
            "How busy the job keeps the machine, for the reckoning of its power: `90%`. Half, unless said otherwise."
        ),
        "reuse": Shape("true or false", flag=True).about(
            "Whether the job may take over the machine of a job that it needs, when that ends and the plan has both on the "
            "same offering, and leave its own to another: it saves starting one, and moving data. Default: true."
        ),
    },
    name="resources",
).about("What the job asks of a machine, and of the place where it stands.")
