"""Where the actions of a project come from: its own folders, and those that skyflow has built in."""

from pathlib import Path

from skyflow.errors import WorkflowInvalidError
from skyflow.model.uses import BuiltInAction, LoadedAction, LocalAction
from skyflow.ports.action_source import ActionNotFoundError
from skyflow.spec import load_action

__all__ = ["ProjectActions"]

_NAMES = ("action.yml", "action.yaml")


class ProjectActions:
    """Looks actions up for one project; see `skyflow.ports.action_source.ActionSource`."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()

    def load(self, uses: str) -> LoadedAction:
        """Return a built-in action, or one of the project folder as it is now."""
        if uses.startswith(("./", "$/")):
            return self._local(uses)
        from skyflow.actions import BUILTINS  # noqa: PLC0415 -- most runs use none, and they take time to import

        action = BUILTINS.get(uses.partition("@")[0].lower())
        if action is None:
            raise ActionNotFoundError(f"{uses} is not built into skyflow, and it fetches no actions")
        return BuiltInAction(name=action.name, inputs=action.defaults, has_post=action.has_post, post_if=action.post_if)

    def _local(self, uses: str) -> LocalAction:
        folder = (self._root / uses[2:]).resolve()
        if not folder.is_relative_to(self._root):
            raise ActionNotFoundError(f"{uses} leads out of the project folder {self._root}")
        for name in _NAMES:
            file = folder / name
            if file.is_file():
                try:
                    action = load_action(str(file.relative_to(self._root)), file.read_bytes())
                except WorkflowInvalidError as error:
                    raise ActionNotFoundError(str(error)) from error
                return LocalAction(action=action, folder=str(folder))
        raise ActionNotFoundError(f"there is no action.yml in {uses}")
