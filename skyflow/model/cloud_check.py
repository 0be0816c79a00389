"""What a look at a cloud account found."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["CheckResult", "Verdict"]


class Verdict(StrEnum):
    """How good a finding is."""

    OK = "ok"
    WARNING = "warning"
    """Machines can be made, but something will be missing."""
    FAILED = "failed"
    """No machine can be made."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One finding: what was looked at, what was seen, and what to do about it if it is not good."""

    subject: str
    verdict: Verdict
    found: str
    fix: str | None = None
