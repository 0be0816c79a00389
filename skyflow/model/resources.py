"""What a job asks of a machine, and how long it is expected to take there."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from skyflow.model.units import parse_size_gib

__all__ = [
    "LOCAL",
    "PROVIDERS",
    "Accelerators",
    "Amount",
    "Estimate",
    "Market",
    "Requirements",
    "Work",
    "parse_accelerators",
    "parse_amount",
    "parse_memory",
]

LOCAL = "local"
"""The provider name of the machine skyflow itself runs on."""

PROVIDERS = (LOCAL, "aws", "gcp", "azure")
"""Every provider there is."""


class Market(StrEnum):
    """How a machine is bought."""

    ON_DEMAND = "on-demand"
    """Kept until given back."""
    SPOT = "spot"
    """Cheaper, and may be taken away at any time."""
    ANY = "any"
    """Whichever the planner finds better."""


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
    """`count` devices of the canonical type `name`."""

    name: str
    count: int

    def __str__(self) -> str:
        """Return the authored form, `A100:8`."""
        return f"{self.name}:{self.count}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirements:
    """What a job asks for; None means that anything will do.

    `providers` limits where the job may run (`local`, `aws`, `gcp`, `azure`). `memory_gib` is in GiB.
    """

    cpus: Amount | None = None
    memory_gib: Amount | None = None
    accelerators: Accelerators | None = None
    market: Market = Market.ON_DEMAND
    providers: frozenset[str] | None = None


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
    """Read `A100` or `A100:8`.

    Raises:
        ValueError: the text is not a name with an optional positive count.
    """
    name, colon, count = text.strip().partition(":")
    if not name or (colon and not (count.strip().isascii() and count.strip().isdigit() and int(count) > 0)):
        raise ValueError(f"'{text}' is not an accelerator; write a name and a count, for example A100:8")
    return Accelerators(name=name.strip(), count=int(count) if colon else 1)


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
