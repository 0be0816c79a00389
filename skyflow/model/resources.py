"""What a job asks of a machine, and how long it is expected to take there."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

from skyflow.model.market import Market
from skyflow.model.units import parse_size_gb, parse_size_gib

__all__ = [
    "CAPABILITIES",
    "DEFAULT_ARCH",
    "LOCAL",
    "OWN",
    "PROVIDERS",
    "RENTED",
    "Accelerators",
    "Alternatives",
    "Amount",
    "Estimate",
    "Limits",
    "Market",
    "Requirements",
    "Setup",
    "Work",
    "parse_accelerators",
    "parse_amount",
    "parse_count",
    "parse_disk",
    "parse_memory",
    "parse_money",
    "parse_nodes",
    "parse_part_of",
    "parse_rate",
    "parse_share",
]

_TPU_SLICE = re.compile(r"(tpu-v\d+[a-z]?)-(\d+)", re.IGNORECASE)
_GIB_PER_GB = 10**9 / 2**30
_PER_CENT = 100
_ROUNDING = 1e-9
"""Of a third of three machines, one is meant, whatever the arithmetic leaves over."""
_COUNT = re.compile(r"\d+(?:\.\d+)?", re.ASCII)

LOCAL = "local"
"""The provider name of the machine skyflow itself runs on."""

OWN = "own"
"""The provider name of the machines that a project declares in its `skyflow.yml`."""

RENTED = ("aws", "gcp", "azure")
"""The clouds: providers whose machines are there only while somebody pays for them."""

PROVIDERS = (LOCAL, OWN, *RENTED)
"""Every provider there is."""

DEFAULT_ARCH = "x86_64"
"""The processor architecture of rented machines unless a job asks for another one."""

CAPABILITIES = ("bare-metal", "burstable", "confidential", "fpga", "gpu", "inferentia", "local-ssd", "tpu", "trainium")
"""What a machine can have beside its sizes."""


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount asked for: exactly `minimum`, or at least that much."""

    minimum: float
    or_more: bool

    def accepts(self, offered: float) -> bool:
        """Tell whether an offered amount satisfies this one."""
        return offered >= self.minimum if self.or_more else offered == self.minimum

    def __str__(self) -> str:
        """Return the authored form, `8` or `8+`."""
        return f"{self.minimum:g}{'+' if self.or_more else ''}"


@dataclass(frozen=True, slots=True)
class Accelerators:
    """`count` devices of the canonical type `name`; less than one is a slice of a device."""

    name: str
    count: float

    def __str__(self) -> str:
        """Return the authored form, `A100:8`."""
        return f"{self.name}:{self.count:g}"


@dataclass(frozen=True, slots=True)
class Alternatives:
    """Several kinds of accelerators of which one will do.

    With `in_order`, a later one is looked at only where none of the earlier ones can be had; else all are equally good
    and the plan decides.
    """

    options: tuple[Accelerators, ...]
    in_order: bool

    def __str__(self) -> str:
        """Return all options: `A100:8 or H100:4`."""
        return " or ".join(map(str, self.options))


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Where a job may run; None sets no limit.

    A jurisdiction is a country, or a union that it belongs to: `EU`, `EEA`, `EU-adequate`. `partitions` are closed parts
    of a cloud, such as `aws-us-gov`, which no job gets that does not name them.
    """

    regions: frozenset[str] | None = None
    zones: frozenset[str] | None = None
    jurisdictions: frozenset[str] | None = None
    countries: frozenset[str] | None = None
    partitions: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """How a rented machine is to be set up: its disk in GiB, the ports that are open, the image that it starts from."""

    disk_gib: float | None = None
    ports: tuple[str, ...] = ()
    image: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirements:
    """What a job asks for; None means that anything will do.

    `providers` limits where the job may run (`local`, `own`, `aws`, `gcp`, `azure`). `memory_gib` is in GiB, `disk_gib`
    likewise. `utilization` is the share of the machine's power range that the job keeps busy. `ports` and `image` say
    how a rented machine is to be set up; they do not limit which machine it is. `disk_gib` limits the project's own ones.
    Of `nodes` spot machines, at least `min_on_demand` are to be bought on demand.
    `reuse` tells whether it may be the machine of a job that this one needs, and go on to one that needs it.
    `only_here` says why the job can run on this machine only, as in "has containers"; empty if it can run elsewhere.
    """

    cpus: Amount | None = None
    memory_gib: Amount | None = None
    accelerators: Accelerators | Alternatives | None = None
    market: Market = Market.ON_DEMAND
    providers: frozenset[str] | None = None
    instance_types: frozenset[str] | None = None
    arch: str | None = None
    capabilities: frozenset[str] = frozenset()
    limits: Limits = Limits()
    nodes: int = 1
    min_on_demand: int = 0
    disk_gib: Amount | None = None
    ports: tuple[str, ...] = ()
    image: str | None = None
    utilization: float | None = None
    reuse: bool = True
    only_here: str = ""

    @property
    def setup(self) -> Setup | None:
        """How a rented machine is to be set up; None where nothing is asked."""
        disk = None if self.disk_gib is None else self.disk_gib.minimum
        setup = Setup(disk_gib=disk, ports=self.ports, image=self.image)
        return None if setup == Setup() else setup


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """How much a job has to do: floating-point operations, or hours of one core.

    `utilization` is the share of a machine's peak that the job reaches; `parallel_fraction` the share of the work that
    more cores make faster.
    """

    flops: float | None = None
    utilization: float = 0.4
    core_hours: float | None = None
    parallel_fraction: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """How long a job is expected to take, in seconds; None where that is said in another way, or not at all.

    `on` refines `seconds` for particular machines: its keys are an instance type, a family of these (`m6i`), an
    accelerator or a provider; the most specific key that fits an offering wins, in this order. `function` is
    `module:function`, called with an offering. `from_history` takes what earlier runs took. Where a spot machine is taken
    away, the job goes on from its last checkpoint, `checkpoint_seconds` apart, after `recovery_seconds`.
    """

    seconds: float | None = None
    on: tuple[tuple[str, float], ...] = ()
    work: Work | None = None
    function: str | None = None
    from_history: bool = False
    checkpoint_seconds: float | None = None
    recovery_seconds: float | None = None


def parse_amount(text: str) -> Amount:
    """Read `8` or `8+`.

    Raises:
        ValueError: the text is not an amount.
    """
    return _parse_with_plus(text, _positive_number)


def parse_memory(text: str) -> Amount:
    """Read `16GiB`, `16+`, `32GiB+`, `64 GB+`; a bare number counts GiB.

    Raises:
        ValueError: the text is not an amount of memory.
    """
    return _parse_with_plus(text, parse_size_gib)


def parse_accelerators(text: str) -> Accelerators:
    """Read `A100`, `A100:8`, or `A10:0.5` for half a device; `tpu-v5e-8` is `tpu-v5e:8`.

    Raises:
        ValueError: the text is not a name with an optional positive count.
    """
    if slice_ := _TPU_SLICE.fullmatch(text.strip()):
        return Accelerators(name=slice_[1].lower(), count=int(slice_[2]))
    name, colon, count = text.strip().partition(":")
    if not name or (colon and not (_COUNT.fullmatch(count.strip()) and float(count) > 0)):
        raise ValueError(f"'{text}' is not an accelerator; write a name and a count, for example A100:8")
    return Accelerators(name=name.strip(), count=_whole(float(count)) if colon else 1)


def _whole(number: float) -> float:
    """Return the number as an int where it is one, so that it reads as it was written."""
    return int(number) if number.is_integer() else number


def parse_disk(text: str) -> Amount:
    """Read `200GB`, `200GB+`, `1TiB`; a bare number counts GB. The amount is in GiB.

    Raises:
        ValueError: the text is not a size.
    """
    return _parse_with_plus(text, lambda size: parse_size_gb(size) * _GIB_PER_GB)


def parse_nodes(text: str) -> int:
    """Read a whole number of machines.

    Raises:
        ValueError: the text is not one, or the number is not above zero.
    """
    return _whole_from_one(text, "a number of machines")


def parse_part_of(nodes: int) -> Callable[[str], int]:
    """Return what reads how many of so many machines are meant: a number of them, or a share, rounded up."""

    def parse(text: str) -> int:
        try:
            is_share = text.strip().endswith("%")
            number = parse_share(text) * nodes if is_share else float(_whole_from_one(text, "a number of machines"))
        except ValueError:
            raise ValueError(
                f"'{text}' is no part of the machines; write a number such as 1, or a share such as 25%"
            ) from None
        if number > nodes:
            raise ValueError(
                f"'{text}' are more than the {nodes} machines that the job has; raise `nodes`, or lower this"
            )
        return math.ceil(number - _ROUNDING)

    return parse


def parse_count(text: str) -> int:
    """Read how many there are of something.

    Raises:
        ValueError: the text is not a whole number, or the number is not above zero.
    """
    return _whole_from_one(text, "a whole number")


def _whole_from_one(text: str, what: str) -> int:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not number.is_integer() or number < 1:
        raise ValueError(f"'{text}' is not {what}; write a whole number, at least 1")
    return int(number)


def parse_money(text: str) -> float:
    """Read `1.25` or `$1.25`; nothing is an amount too.

    Raises:
        ValueError: the text is not a number from zero.
    """
    try:
        number = float(text.strip().removeprefix("$"))
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise ValueError(f"'{text}' is not a number from zero; write for example 1.25")
    return number


def parse_rate(text: str) -> float:
    """Read a number above zero.

    Raises:
        ValueError: the text is not one.
    """
    number = parse_money(text)
    if number == 0:
        raise ValueError(f"'{text}' is not above zero; leave the key away if there is none")
    return number


def parse_share(text: str) -> float:
    """Read `50%` or `0.5` as one half.

    Raises:
        ValueError: the text is not a share of one.
    """
    stripped = text.strip()
    try:
        share = float(stripped.removesuffix("%")) / (_PER_CENT if stripped.endswith("%") else 1)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise ValueError(f"'{text}' is not a share; write for example 50%")
    return share


def _positive_number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise ValueError(f"'{text}' is not an amount; write for example 8, or 8+ for 'at least 8'")
    return number


def _parse_with_plus(text: str, parse_number: Callable[[str], float]) -> Amount:
    stripped = text.strip()
    or_more = stripped.endswith("+")
    return Amount(minimum=parse_number(stripped.removesuffix("+")), or_more=or_more)
