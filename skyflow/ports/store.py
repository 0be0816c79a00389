"""What a driver needs of the state store."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from skyflow.model.run import RunId, Transition

__all__ = ["TransitionStore"]


class TransitionStore(Protocol):
    """Remembers every move of a run."""

    def record(self, run_id: RunId, transitions: Sequence[Transition], at: datetime) -> None:
        """Store the moves, in order, in one transaction; all of them or none.

        Raises:
            StaleWriteError: an entity is not where the move starts from.
            StoreError: the database cannot be written.
        """
        ...
