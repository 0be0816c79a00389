"""Concurrency groups: at most one holder runs at a time, in all processes that share a state store."""

from enum import StrEnum

__all__ = ["GroupMove"]


class GroupMove(StrEnum):
    """What can happen to somebody who asked for a group."""

    GRANTED = "granted"
    """The group is theirs until they give it back."""
    SUPERSEDED = "superseded"
    """Somebody newer waits in their place."""
    CANCELLED = "cancelled"
    """Somebody newer wants the group now (`cancel-in-progress`)."""
