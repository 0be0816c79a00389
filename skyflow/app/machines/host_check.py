"""What a host, or the login node of a queue, answers when it is asked whether jobs can run there."""

from dataclasses import dataclass

__all__ = ["CHECK_SECONDS", "USABLE_MEMORY", "HostCheck"]

CHECK_SECONDS = 20.0
"""How long a host may take to answer."""
USABLE_MEMORY = 0.9
"""The share of its memory that a machine at least calls its own; firmware and kernel keep the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostCheck:
    """What became of asking one host: `answer` says what it is, or `problem` why no job can run there.

    `doubts` are ways in which it differs from what is said about the machines of its pool.
    """

    pool: str
    host: str
    answer: str = ""
    problem: str = ""
    doubts: tuple[str, ...] = ()
