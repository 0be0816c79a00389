"""What a driver needs of the memory of earlier results."""

from collections.abc import Sequence
from typing import Protocol

from skyflow.model.execution import Pairs
from skyflow.model.job_cache import CacheQuestion, KnownJob

__all__ = ["JobCache"]


class JobCache(Protocol):
    """Remembers jobs that have succeeded, by everything that they depend on."""

    def look_up(self, questions: Sequence[CacheQuestion], *, may_reuse: bool) -> tuple[KnownJob, ...]:
        """Return what is known of some jobs, in their order; the files that a known one makes are there afterwards.

        Without `may_reuse` nothing counts as known. A result whose files cannot be put back is not known either.

        Raises:
            StoreError: the database cannot be read, or an input file.
        """
        ...

    def remember(self, question: CacheQuestion, fingerprint: str, outputs: Pairs) -> None:
        """Keep the result of a job that has just succeeded, and the files that it made.

        Raises:
            StoreError: they cannot be stored.
        """
        ...
