"""When something that failed is tried again, and how long to wait before."""

import re
from dataclasses import dataclass

from skyflow.model.status import Reason

__all__ = ["RetryPolicy", "parse_retry_cause"]

LONGEST_BACKOFF_SECONDS = 3600.0
"""Waiting doubles from try to try up to this."""

_EXIT_CODE = re.compile(r"exit-code\s+(\d{1,3})")
_CAUSES = {
    "failure": Reason.EXIT_CODE,
    "timeout": Reason.TIMEOUT,
    "preempted": Reason.PREEMPTED,
    "lost": Reason.LOST,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """`retry` of a job or step.

    `attempts` counts all tries, the first included. `causes` are the reasons that count, `exit_codes` those of processes;
    without any of both, every failure and time limit counts.
    """

    attempts: int
    backoff_seconds: float = 0.0
    causes: frozenset[Reason] = frozenset()
    exit_codes: frozenset[int] = frozenset()

    def delay_after(self, tries: int, reason: Reason | None, exit_code: int | None) -> float | None:
        """Return how many seconds to wait before the next try, or None if there is none.

        Args:
            tries: how many there were.
            reason: why the last one failed.
            exit_code: how its process ended, if that was why.
        """
        if tries >= self.attempts or not self._counts(reason, exit_code):
            return None
        return min(self.backoff_seconds * 2.0 ** min(tries - 1, 30), LONGEST_BACKOFF_SECONDS)

    def _counts(self, reason: Reason | None, exit_code: int | None) -> bool:
        if not self.causes and not self.exit_codes:
            return reason in {Reason.EXIT_CODE, Reason.TIMEOUT, Reason.PREEMPTED, Reason.LOST, Reason.STEP_FAILED}
        return exit_code in self.exit_codes or reason in self.causes


def parse_retry_cause(text: str) -> Reason | int:
    """Read an entry of `retry.on`: `failure`, `timeout`, `preempted`, `lost`, or `exit-code 75`.

    Raises:
        ValueError: it is none.
    """
    wanted = text.strip().lower()
    if wanted in _CAUSES:
        return _CAUSES[wanted]
    code = _EXIT_CODE.fullmatch(wanted)
    if code is None or int(code[1]) > 255:  # noqa: PLR2004 -- the largest exit code
        raise ValueError(f"'{text}' is no reason to try again; write failure, timeout, preempted, lost or exit-code 75")
    return int(code[1])
