"""What a driver needs of concurrency groups."""

from collections.abc import Mapping
from typing import Protocol

from skyflow.model.concurrency import GroupMove
from skyflow.model.run import RunId

__all__ = ["ConcurrencyGroups"]


class ConcurrencyGroups(Protocol):
    """Hands out concurrency groups. Names ignore case; what a dead process held or waited for is free."""

    def request_group(
        self, run_id: RunId, holder: str, group: str, *, cancel_in_progress: bool, keep_pending: bool
    ) -> None:
        """Ask for a group; whether it is there, `group_moves` will tell.

        Whoever waits for it is superseded, unless `keep_pending`; whoever has it is told to give it up if
        `cancel_in_progress`.
        """
        ...

    def group_moves(self, run_id: RunId) -> Mapping[str, GroupMove]:
        """Return how those holders of a run stand that do not just wait; to be asked again and again."""
        ...

    def leave_lines(self, run_id: RunId) -> None:
        """Stop waiting for everything that a run waits for: a driver that follows a dead one asks anew."""
        ...

    def release_group(self, run_id: RunId, holder: str | None) -> None:
        """Give a group back, or stop waiting; None for everything the run has asked for."""
        ...
