"""Where actions come from."""

from typing import Protocol

from skyflow.model.uses import LoadedAction

__all__ = ["ActionNotFoundError", "ActionSource"]


class ActionNotFoundError(Exception):
    """There is no such action, or it cannot be read; the message is for the user."""


class ActionSource(Protocol):
    """Looks up what a step `uses`, at the moment the step is reached: an earlier step may have made it."""

    def load(self, uses: str) -> LoadedAction:
        """Return the action.

        Raises:
            ActionNotFoundError: there is none, or its description has errors.
        """
        ...
