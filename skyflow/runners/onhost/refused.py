"""What is raised when something cannot be done."""

__all__ = ["RefusedError"]


class RefusedError(Exception):
    """A request cannot be done; the message says why."""
