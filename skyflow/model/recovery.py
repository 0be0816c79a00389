"""What is done when a spot machine is taken away from a job: go elsewhere, wait for another one, or keep pace with a deadline."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from skyflow.model.catalog import Offering
from skyflow.model.pace import Pace

__all__ = ["Recovery", "RecoverySpec", "RecoveryStrategy", "Resumption", "parse_strategy"]

LONGEST_WAIT_SECONDS = 900.0
"""As long as a lack of capacity is taken to last where nobody says otherwise."""


class RecoveryStrategy(StrEnum):
    """Where the next machine is asked for."""

    EAGER = "eager"
    """Elsewhere, at once."""
    WAIT = "wait"
    """In the same place, again and again for a while; after that elsewhere."""
    DEADLINE = "deadline"
    """In the same place, on the spot while there is time enough until the deadline, else on demand: see `Pace`."""


def parse_strategy(text: str) -> RecoveryStrategy:
    """Read `eager`, `wait` or `deadline`.

    Raises:
        ValueError: the text is none of them.
    """
    return RecoveryStrategy(text.strip())


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoverySpec:
    """`recovery` of a job; without a strategy the plan decides. `wait_seconds` is how long to wait at most."""

    strategy: RecoveryStrategy | None = None
    wait_seconds: float = LONGEST_WAIT_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumption:
    """What it is expected to cost and take from the loss of a machine until the job has ended."""

    usd: float
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What a plan says of the loss of a job's spot machine.

    `wait_seconds` is how long the same machine is waited for at most, 0 where it is not, `chance` how likely it is there
    again by then. `wait` and `move` are what both ways are expected to come to. The job moves to `elsewhere`, where all of its
    work takes `elsewhere_seconds`; with neither that nor `move` there is no other place. What was done up to the last checkpoint,
    each `checkpoint_seconds` after the one before, is not done again; 0 for none. `pace` is what the strategy `deadline`
    goes by, None where there is no deadline, or not the same machine on demand. `is_asked` tells that the workflow says so.
    """

    strategy: RecoveryStrategy
    wait_seconds: float
    chance: float
    wait: Resumption
    move: Resumption | None = None
    elsewhere: Offering | None = None
    elsewhere_seconds: float = 0.0
    checkpoint_seconds: float = 0.0
    pace: Pace | None = None
    is_asked: bool = False

    @property
    def kept_pace(self) -> Pace | None:
        """The pace that the job has to keep; None where its strategy knows no deadline."""
        return self.pace if self.strategy is RecoveryStrategy.DEADLINE else None

    def by(self, strategy: RecoveryStrategy) -> "Recovery":
        """Return the same with another strategy.

        Raises:
            ValueError: it is `deadline`, and there is no pace to keep.
        """
        if strategy is RecoveryStrategy.DEADLINE and self.pace is None:
            raise ValueError("there is no pace to keep")
        seconds = self.wait_seconds or LONGEST_WAIT_SECONDS
        is_waiting = strategy is RecoveryStrategy.WAIT
        return replace(self, strategy=strategy, wait_seconds=seconds if is_waiting else 0.0)

    def to_json(self) -> dict[str, object]:
        """Return the machine-readable form, as in `schemas/plan.schema.json`."""
        return {
            "strategy": self.strategy.value,
            "is_asked": self.is_asked,
            "wait_seconds": self.wait_seconds,
            "chance": self.chance,
            "wait": {"usd": self.wait.usd, "seconds": self.wait.seconds},
            "move": {"usd": self.move.usd, "seconds": self.move.seconds} if self.move else None,
            "elsewhere": self.elsewhere.to_json() if self.elsewhere else None,
            "elsewhere_seconds": self.elsewhere_seconds,
            "checkpoint_seconds": self.checkpoint_seconds or None,
            "pace": self.pace.to_json() if self.pace else None,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Recovery":
        """Read what `to_json` wrote.

        Raises:
            KeyError: a field is missing.
            TypeError: a field has another type.
            ValueError: a field has a value that is not one of its own.
        """
        move, elsewhere, pace = data["move"], data["elsewhere"], data.get("pace")
        return cls(
            strategy=RecoveryStrategy(data["strategy"]),
            is_asked=data["is_asked"],
            wait_seconds=data["wait_seconds"],
            chance=data["chance"],
            wait=Resumption(**data["wait"]),
            move=Resumption(**move) if move else None,
            elsewhere=Offering.from_json(elsewhere) if elsewhere else None,
            elsewhere_seconds=data["elsewhere_seconds"],
            checkpoint_seconds=data["checkpoint_seconds"] or 0.0,
            pace=Pace.from_json(pace) if pace else None,
        )
