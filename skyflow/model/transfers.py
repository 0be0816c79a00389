"""Data that has moved, for a run: between machines and stores, how much, how long it took, what it cost."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from skyflow.model.catalog import Place

__all__ = ["Handover", "Leg", "TransferRecord", "Way", "crossings", "with_reading"]


class Way(StrEnum):
    """From where to where, as seen from the machine that drives the run."""

    TO_HERE = "to here"
    """From the machine of a job."""
    FROM_HERE = "from here"
    """To the machine of a job."""
    DIRECT = "direct"
    """From one machine of a pool to another."""
    TO_STORE = "to store"
    """From here to a store."""
    FROM_STORE = "from store"
    """From a store to here."""
    UPLOAD = "machine to store"
    DOWNLOAD = "store to machine"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One part of the way that data has taken: bytes, and the seconds that they took."""

    way: Way
    size: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferRecord:
    """One leg that an attempt caused. A place that nobody knows is None, and so is then the price, in US dollars."""

    run: str
    job: str
    attempt: int
    what: str
    way: Way
    source: Place | None
    target: Place | None
    size: int
    seconds: float
    usd: float | None
    at: datetime

    @property
    def crosses(self) -> bool:
        """Whether the data has left the place where it was; copies on the spot concern nobody."""
        return self.source is None or self.target is None or self.source != self.target


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """What a job has had from another one: an artifact of so many bytes."""

    from_job: str
    to_job: str
    artifact: str
    size: int


def with_reading(legs: Sequence[Leg]) -> list[Leg]:
    """Return the legs of a delivery with what was read from the store for it, which took the same time."""
    read = [Leg(way=Way.FROM_STORE, size=leg.size, seconds=leg.seconds) for leg in legs if leg.way is Way.FROM_HERE]
    return [*read, *legs]


def crossings(records: Iterable[TransferRecord]) -> list[TransferRecord]:
    """Return the transfers between places."""
    return [record for record in records if record.crosses]
