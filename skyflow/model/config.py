"""What a project says in its `skyflow.yml`: its own machines, and what it pays."""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from skyflow.model.execution import LOG_LIMIT_BYTES
from skyflow.model.hosts import SshHost
from skyflow.model.resources import Accelerators, Market
from skyflow.model.slurm import SlurmQueue
from skyflow.model.stores import DeclaredStore

__all__ = ["ActionFolder", "OwnPool", "Peering", "PriceRule", "ProjectConfig", "rule_for"]

_GB_PER_GIB = 2**30 / 10**9
_HOURS_PER_MONTH = 730.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionFolder:
    """A folder that stands for a repository of actions, or for one of its folders.

    `name` is `OWNER/REPOSITORY`, or that and a path in it; `ref` is what a `uses` has to say behind its `@`, empty for
    whatever it says.
    """

    name: str
    ref: str
    folder: str

    def below(self, uses: str) -> str | None:
        """Return the path below the folder that `uses` names, None where it names something else."""
        path, _, ref = uses.partition("@")
        inner = path[len(self.name) :]
        is_ours = path.lower().startswith(self.name.lower()) and inner[:1] in {"", "/"}
        return inner.strip("/") if is_ours and self.ref in {"", ref} else None


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnPool:
    """Machines of one kind that a project has already: servers, an SSH pool, a Slurm partition.

    `count` of them stand at one place. `price_usd_per_hour` is of one machine. `uplink_gbps` is the speed of the line to
    everywhere else, `egress_usd_per_gb` what data costs that leaves. `pue` and `gco2_per_kwh` are None where nobody
    says; the latter is then the country's, if there is a table of it. `hosts` are the machines themselves, each of which
    runs `slots` jobs at once; without them jobs can be planned there, and not run. `slurm` is the queue that stands for
    them instead.
    """

    name: str
    kind: str
    count: int = 1
    hosts: tuple[SshHost, ...] = ()
    slurm: SlurmQueue | None = None
    slots: int = 1
    vcpus: int
    memory_gib: float
    disk_gib: float | None = None
    accelerators: Accelerators | None = None
    arch: str = "x86_64"
    capabilities: frozenset[str] = frozenset()
    price_usd_per_hour: float = 0.0
    country: str = ""
    jurisdictions: tuple[str, ...] = ()
    idle_watts: float | None = None
    max_watts: float | None = None
    pue: float | None = None
    gco2_per_kwh: float | None = None
    uplink_gbps: float = 0.1
    egress_usd_per_gb: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRule:
    """What a project pays other than the list says: a price of its own, or so much per cent less.

    Empty patterns fit everything; `*` stands for any letters. `why` is the name of the agreement.
    """

    provider: str = ""
    region: str = ""
    instance_type: str = ""
    market: Market | None = None
    usd_per_hour: float | None = None
    percent_less: float = 0.0
    why: str = ""

    def fits(self, provider: str, region: str, instance_type: str, market: Market) -> bool:
        """Tell whether the rule is about an offering."""
        return (
            self.market in (None, market)
            and _fits(self.provider, provider)
            and _fits(self.region, region)
            and _fits(self.instance_type, instance_type)
        )

    def price(self, listed: float) -> float:
        """Return what is paid where the list says `listed`."""
        return self.usd_per_hour if self.usd_per_hour is not None else listed * (1 - self.percent_less / 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Peering:
    """A line between two providers, in both directions: what a gigabyte costs on it, and how fast it is if known."""

    between: tuple[str, str]
    usd_per_gb: float = 0.0
    gbps: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectConfig:
    """Everything in a `skyflow.yml`; of the price rules, the first one that fits an offering holds.

    `catalog` is a folder of tables to use instead of those that ship, as written in the file. `disk_prices` are US dollars
    per decimal gigabyte and month, by cloud. `idle_minutes` is how long a rented machine is kept for a job that is to take it
    over. `log_limit_bytes` is how much of what a step prints is kept. `stores` are for artifacts, in the order of the file, with folders as written in it. `actions` are what stands for
    actions of other repositories.
    """

    pools: tuple[OwnPool, ...] = ()
    prices: tuple[PriceRule, ...] = ()
    peerings: tuple[Peering, ...] = ()
    catalog: str | None = None
    disk_prices: tuple[tuple[str, float], ...] = ()
    idle_minutes: float = 10.0
    log_limit_bytes: int = LOG_LIMIT_BYTES
    stores: tuple[DeclaredStore, ...] = ()
    actions: tuple[ActionFolder, ...] = ()

    def action_folder(self, uses: str) -> str | None:
        """Return the folder of an action of another repository; what is said of its version and path most closely holds."""
        by_closeness = sorted(self.actions, key=lambda each: (len(each.name), bool(each.ref)), reverse=True)
        for each in by_closeness:
            inner = each.below(uses)
            if inner is not None:
                return f"{each.folder}/{inner}" if inner else each.folder
        return None

    def disk_usd_per_hour(self, provider: str, gib: float) -> float | None:
        """Return what a disk costs beside the machine, None where nobody says; a month has 730 hours."""
        found = dict(self.disk_prices).get(provider)
        return None if found is None else found * gib * _GB_PER_GIB / _HOURS_PER_MONTH


def rule_for(
    rules: Sequence[PriceRule], provider: str, region: str, instance_type: str, market: Market
) -> PriceRule | None:
    """Return the first rule about an offering, if any."""
    return next((rule for rule in rules if rule.fits(provider, region, instance_type, market)), None)


def _fits(pattern: str, name: str) -> bool:
    return not pattern or fnmatchcase(name.lower(), pattern.lower())
