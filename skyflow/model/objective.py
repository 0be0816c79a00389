"""What a plan is asked to make small. A module of its own, so that the command line can name it at no cost."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Goal", "Objective", "objective_meant"]

_GRAMS_PER_TONNE = 1e6
_SECONDS_PER_HOUR = 3600.0


class Objective(StrEnum):
    """What a plan makes small; ties are broken by the others, in this order."""

    COST = "cost"
    """US dollars for machines and data transfer."""
    MAKESPAN = "makespan"
    """Seconds from the start of the run to its end."""
    CARBON = "carbon"
    """Grams of CO2 equivalents for machines and data transfer."""
    WEIGHTED = "weighted"
    """US dollars, with a price on carbon and on time."""


_OTHER_WORDS = {
    Objective.COST: ("price", "money", "usd", "cheap", "cheapest"),
    Objective.MAKESPAN: ("time", "duration", "speed", "fast", "fastest"),
    Objective.CARBON: ("co2", "co2e", "emissions", "green", "cleanest"),
}


def objective_meant(word: str) -> Objective | None:
    """Return the objective for which a word stands that is the name of none, such as `price`."""
    return next((objective for objective, words in _OTHER_WORDS.items() if word.lower() in words), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """An objective with what a dollar, a gram and a second count in it.

    The value of a plan is the sum. For a single objective one of them is 1 and the others are 0; for a weighting all
    three are in dollars.
    """

    objective: Objective
    usd: float = 0.0
    grams: float = 0.0
    seconds: float = 0.0

    @classmethod
    def of(cls, objective: Objective) -> "Goal":
        """Return a goal that is one objective alone.

        Raises:
            ValueError: `weighted` says nothing without weights.
        """
        match objective:
            case Objective.COST:
                return cls(objective=objective, usd=1.0)
            case Objective.MAKESPAN:
                return cls(objective=objective, seconds=1.0)
            case Objective.CARBON:
                return cls(objective=objective, grams=1.0)
            case Objective.WEIGHTED:
                raise ValueError("a weighting needs weights: {cost: 1, carbon: 100 USD/t, time: 5 USD/h}")

    @classmethod
    def weighted(cls, *, cost: float, usd_per_tonne: float, usd_per_hour: float) -> "Goal":
        """Return a weighting: dollars times `cost`, a price for a tonne of CO2, and one for an hour of the run."""
        return cls(
            objective=Objective.WEIGHTED,
            usd=cost,
            grams=usd_per_tonne / _GRAMS_PER_TONNE,
            seconds=usd_per_hour / _SECONDS_PER_HOUR,
        )

    def value(self, *, usd: float, grams: float, seconds: float) -> float:
        """Return what a plan with these figures is worth; smaller is better."""
        return self.usd * usd + self.grams * grams + self.seconds * seconds

    @property
    def tie_breaks(self) -> "tuple[Goal, ...]":
        """The goals that decide between plans of the same value."""
        singles = (Objective.COST, Objective.MAKESPAN, Objective.CARBON)
        return tuple(Goal.of(single) for single in singles if single is not self.objective)
