"""Who is told what happens while it happens."""

from datetime import datetime
from typing import Protocol

from skyflow.model.execution import StepRef
from skyflow.model.run import Transition

__all__ = ["Reporter"]


class Reporter(Protocol):
    """Tells a person or a program how a run is going.

    Every method is called from the driver's event loop and must return at once.
    """

    def moved(self, transition: Transition, at: datetime) -> None:
        """An entity moved; called after the move was stored."""
        ...

    def output(self, step: StepRef, text: str) -> None:
        """A step printed whole lines (masked, each ended by a newline)."""
        ...

    def waits(self, job_key: str | None, group: str) -> None:
        """A job, or with None the whole run, waits for a concurrency group that somebody else has."""
        ...

    def asked_to_stop(self, *, force: bool) -> None:
        """The user or the system asked to stop; `force` when it was asked again."""
        ...
