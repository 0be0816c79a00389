"""How the folders of running jobs are kept, and found again by the next attempt."""

from collections.abc import Callable
from typing import Protocol

from skyflow.model.execution import StepRef, StepResult

__all__ = ["Checkpoints"]


class Checkpoints(Protocol):
    """The checkpoints of one run. Nothing is raised: a job whose folder cannot be kept goes on without."""

    async def save(self, step: StepRef, path: str, output: Callable[[str], None]) -> None:
        """Keep a folder of the workspace of an attempt as it is now; `output` takes what there is to say."""
        ...

    async def restore(self, step: StepRef, path: str, output: Callable[[str], None]) -> StepResult:
        """Put a folder into the workspace of an attempt as it was last kept; a job that kept none goes on as it is."""
        ...
