"""The grammar of a project's `skyflow.yml`."""

from skyflow.model.resources import CAPABILITIES, PROVIDERS, RENTED
from skyflow.spec.grammar.resources import ACCELERATORS, names
from skyflow.spec.grammar.shapes import Key, Shape, TextShape, items, one_of, quantity, table, text

__all__ = ["CONFIG"]


def _word(expected: str) -> Shape:
    return Shape(expected, text=TextShape(non_empty=True), strict=True)


_PRICE = quantity("US dollars per hour, for example 1.25")
_PLACE = table(
    "a map such as {country: DE, uplink: 1}",
    {
        "country": _word("a country's code such as DE").about(
            "Where the machines stand; decides their jurisdictions, and the carbon of their power."
        ),
        "jurisdictions": names("a jurisdiction such as EU, or a list of them").about(
            "The laws that hold there, where the country does not say it."
        ),
        "pue": quantity("a number such as 1.4").about(
            "Power usage effectiveness of the room: all power over that of the computers. 1.58 unless said otherwise."
        ),
        "carbon": quantity("grams per kWh, for example 120").about(
            "Grams of CO2-equivalent per kWh; by default the mean of the country's cloud regions."
        ),
        "uplink": quantity("Gbit/s, for example 1").about("The speed of the line to everywhere else. 0.1 by default."),
        "egress": quantity("US dollars per GB, for example 0").about(
            "What data costs that leaves. Nothing by default."
        ),
    },
    name="place",
)
_POWER = table(
    "a map such as {idle: 200, max: 900}",
    {
        "idle": Key(quantity("watts, for example 200").about("Of one machine, accelerators included."), required=True),
        "max": Key(quantity("watts, for example 900").about("At full load."), required=True),
    },
    name="power",
)
_SSH = {
    "user": _word("a user").about("Who to log in as."),
    "port": quantity("a port such as 22").about("Where the SSH server listens."),
    "identity": _word("a file such as ~/.ssh/id_ed25519").about(
        "The file of a private key; without it, those that SSH finds by itself are tried."
    ),
    "python": _word("a program such as python3").about("What runs skyflow's supervisor there. `python3` by default."),
    "folder": _word("a folder such as /scratch/skyflow").about(
        "Where skyflow keeps its files there, below the home folder unless it begins with `/`. `.skyflow` by default."
    ),
}
_HOST_NAME = _word("a host such as node1, me@node1 or ssh://me@10.0.0.5:2222")
_HOST = one_of(
    "a host such as node1, or a map with 'host'",
    _HOST_NAME,
    table(
        "",
        {
            "host": Key(
                _HOST_NAME.about(
                    "The machine, as `skyflow run --host` takes it: a name for `ssh`, or an `ssh://` URL."
                ),
                required=True,
            ),
            "host-key": _word("a public key such as ssh-ed25519 AAAA...").about(
                "The key that the machine has to show. Without it, the machine has to be in `~/.ssh/known_hosts`."
            ),
            **_SSH,
        },
        name="host",
    ),
)
_SLURM = table(
    "a map such as {login: me@login.example.org, partition: gpu}",
    {
        "login": _HOST.about(
            "The login node of the cluster. Without it, this machine is one: it has `sbatch` and `squeue`."
        ),
        "partition": _word("a partition such as gpu").about("Where jobs go; the cluster's default without it."),
        "account": _word("an account").about("Who pays."),
        "qos": _word("a quality of service").about("What jobs are allowed, and how urgent they are."),
        "gres": Shape("a text such as gpu:{name}:{count}", text=TextShape(), strict=True).about(
            "What accelerators are called there, with `{name}` and `{count}` of those that a job asks for. Nothing "
            "asks for none. `gpu:{name}:{count}` by default."
        ),
        "options": names("an option of sbatch such as --constraint=ib, or a list of them").about(
            "More options of `sbatch`, passed on as they are."
        ),
        "folder": _word("a folder such as /scratch/me/skyflow").about(
            "Where skyflow keeps its files, on a file system that login and compute nodes share; below the home folder "
            "unless it begins with `/`. `.skyflow` by default."
        ),
        "python": _word("a program such as python3").about(
            "What runs skyflow's supervisor on login and compute nodes. `python3` by default."
        ),
        "array-from": quantity("a whole number of jobs").about(
            "From so many jobs on that are ready together and ask for the same, they are submitted as an array. 8 by "
            "default."
        ),
        "most-queued": quantity("a whole number of jobs").about(
            "How many jobs of a run are in the queue at once. 1000 by default."
        ),
    },
    name="slurm",
)
_MACHINES = table(
    "a map such as {cpus: 64, memory: 512GiB}",
    {
        "kind": text("'machine', 'ssh' or 'slurm'", "machine", "ssh", "slurm").about(
            "What they are: servers, machines of an SSH pool, or a Slurm partition."
        ),
        "count": quantity("a whole number of machines").about(
            "How many there are of the kind. As many as there are `hosts` by default, or one."
        ),
        "hosts": items("a list of hosts", _HOST).about(
            "How the machines are reached over SSH. Without it, jobs can be planned there, and not run."
        ),
        "ssh": table("a map such as {user: ci, identity: ~/.ssh/rack}", _SSH, name="ssh").about(
            "What holds for all `hosts` that do not say it themselves."
        ),
        "slurm": _SLURM.about("How a Slurm cluster is reached, and what is asked of it."),
        "slots": quantity("a whole number of jobs").about(
            "How many jobs one machine runs at once, each for its share of `price` and `power`. One by default."
        ),
        "cpus": Key(quantity("a number of CPUs").about("Of one machine."), required=True),
        "memory": Key(quantity("a size such as 512GiB").about("Of one machine."), required=True),
        "disk": quantity("a size such as 2TB").about(
            "Of one machine; jobs that ask for a larger `disk` do not run there. Without it, any will do."
        ),
        "accelerators": ACCELERATORS.about("Of one machine: `A100:4`."),
        "arch": text("'x86_64' or 'arm64'", "x86_64", "arm64").about(
            "The processor architecture. `x86_64` by default."
        ),
        "capabilities": names(f"one of {', '.join(CAPABILITIES)}, or a list of them", *CAPABILITIES).about(
            "What else they have."
        ),
        "price": _PRICE.about("What using one machine for an hour costs you, 0 if nothing more. 0 by default."),
        "place": _PLACE.about("Where they stand."),
        "power": _POWER.about("What one machine draws; without it, nothing is said about its carbon."),
    },
    name="machines",
)
_RULE = table(
    "a map such as {cloud: aws, discount: 15%}",
    {
        "cloud": text(f"one of {', '.join(PROVIDERS)}", *PROVIDERS).about("Of this cloud; of all by default."),
        "region": _word("a region such as us-east-1 or us-*").about("In these regions; `*` stands for any letters."),
        "instance-type": _word("an instance type such as m6i.large or p5.*").about("Of these types; `*` as above."),
        "market": text("'on-demand' or 'spot'", "on-demand", "spot").about("In this market; in both by default."),
        "discount": quantity("a share such as 15%").about(
            "So much less than the list says: committed use, an agreement."
        ),
        "price": _PRICE.about("This, whatever the list says."),
        "agreement": _word("a name").about("What to call it in plans: the name of the agreement."),
    },
    name="price",
)
_LINE = table(
    "a map such as {between: [aws, gcp], price: 0}",
    {
        "between": Key(
            items("two clouds", text(f"one of {', '.join(PROVIDERS)}", *PROVIDERS)).about("The two ends."),
            required=True,
        ),
        "price": quantity("US dollars per GB, for example 0").about("What a gigabyte costs. Nothing by default."),
        "gbps": quantity("Gbit/s, for example 10").about("How fast it is; by default as measured over the internet."),
    },
    name="line",
)
_STORE = table(
    "a map such as {url: s3://my-bucket/my-project, region: aws/us-east-1}",
    {
        "url": Key(
            _word("a folder or the URL of a bucket, such as s3://my-bucket/my-project").about(
                "A folder of this machine, relative to this file, or `s3://BUCKET/PREFIX`, `gs://BUCKET/PREFIX`, "
                "`az://ACCOUNT/CONTAINER/PREFIX`."
            ),
            required=True,
        ),
        "region": _word("a cloud and a region such as aws/us-east-1, or own/ and a name of machines").about(
            "Where a bucket is, as tables and plans know it; one that stands beside machines of your own is at `own/NAME`."
        ),
        "endpoint": _word("a URL such as https://minio.example.org:9000").about(
            "How a service is reached that speaks like one of these and is not the cloud's own."
        ),
        "serves": names("a cloud, a region such as aws/us-east-1 or aws/us-*, or a list of these").about(
            "It is for the jobs there alone, and they use it. Without it, jobs use the store of their region, else the one to "
            "which data costs least."
        ),
    },
    name="store",
)

CONFIG = table(
    "a map with 'machines', 'prices', 'peering', 'stores', 'disks', 'catalog', 'idle-minutes', 'log-limit' or 'actions'",
    {
        "machines": table("a map from names to machines", other=_MACHINES).about(
            "Machines of your own, each kind under a name; jobs get them with `runs-on: sky` or `own`."
        ),
        "prices": items("a list of prices and discounts", _RULE).about(
            "What you pay other than the public list says. The first rule that fits an offering holds."
        ),
        "peering": items("a list of lines between clouds", _LINE).about(
            "Lines between two clouds on terms of your own."
        ),
        "stores": table("a map from names to stores", other=_STORE).about(
            "Where artifacts and checkpoints are kept, each store under a name. A job leaves them in the one that is nearest; "
            "`here`, the project's own folder, is always among them. `SKYFLOW_ARTIFACTS` names one that stands for all."
        ),
        "disks": table(
            "a map such as {aws: 0.08}",
            {
                cloud: quantity("US dollars per GB and month, for example 0.08").about(f"At {cloud}.")
                for cloud in RENTED
            },
            name="disks",
        ).about(
            "What a gigabyte of disk costs in a month, by cloud; the `disk` of a job then counts in its cost. No table has such "
            "prices: without this, disks are not priced."
        ),
        "catalog": _word("a folder of tables").about(
            "Use these tables instead of those that ship; relative to this file."
        ),
        "idle-minutes": quantity("minutes, for example 10").about(
            "So long a rented machine is kept without a job, for one that is planned to take it over. 10 by default; with 0 every "
            "attempt has a machine of its own."
        ),
        "log-limit": quantity("a size, for example 500MB").about(
            "So much of what one step prints is kept; what comes after is left out, and the log says so. 4GB by default."
        ),
        "actions": table(
            "a map such as {astral-sh/setup-uv@v6: ../setup-uv}",
            other=_word("a folder such as ../setup-uv, relative to this file"),
            name="actions",
        ).about(
            "Folders that stand for actions of other repositories, which skyflow does not fetch: under `OWNER/REPOSITORY@REF`, or "
            "without `@REF` for all versions, the folder of a copy, relative to this file. `OWNER/REPOSITORY/PATH` stands for one "
            "action of several."
        ),
    },
).about("What skyflow knows about a project: its own machines, and what it pays.")
