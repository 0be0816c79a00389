"""What a look at something that skyflow depends on has found: at a cloud account, or at this machine."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from skyflow.errors import SkyflowError

__all__ = ["CheckResult", "Verdict"]


class Verdict(StrEnum):
    """How good a finding is."""

    OK = "ok"
    ABSENT = "absent"
    """It is not there, and nothing is wrong with that; what needs it is said."""
    WARNING = "warning"
    """It can be used, but something will be missing."""
    FAILED = "failed"
    """It cannot be used."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One finding: what was looked at, what was seen, and what to do about it if it is not good."""

    subject: str
    verdict: Verdict
    found: str
    fix: str | None = None

    @classmethod
    def failed(cls, subject: str, error: SkyflowError) -> Self:
        """Return the finding that something cannot be used, because of an error."""
        return cls(subject, Verdict.FAILED, error.message, error.hint)
