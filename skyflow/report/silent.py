"""No progress at all, for a library that has no terminal of its own."""

from datetime import datetime

from skyflow.model.execution import StepRef
from skyflow.model.run import Transition

__all__ = ["SilentReporter"]


class SilentReporter:
    """Tells nobody; everything is in the store and the logs all the same."""

    def moved(self, transition: Transition, at: datetime) -> None:
        """Say nothing of a move."""

    def output(self, step: StepRef, text: str) -> None:
        """Say nothing of what a step printed."""

    def waits(self, job_key: str | None, group: str) -> None:
        """Say nothing of waiting."""

    def asked_to_stop(self, *, force: bool) -> None:
        """Say nothing of a stop."""
