"""Where the actions of a project come from: its own folders, those that `skyflow.yml` names, and skyflow itself."""

from pathlib import Path

from skyflow.app.action_folders import action_folders
from skyflow.errors import WorkflowInvalidError
from skyflow.model.uses import BuiltInAction, LoadedAction, LocalAction
from skyflow.ports.action_source import ActionNotFoundError
from skyflow.spec import load_action
from skyflow.spec.uses import is_built_in
from skyflow.spec.workspace import ACTION_FILES

__all__ = ["ProjectActions"]


class ProjectActions:
    """Looks actions up for one project; see `skyflow.ports.action_source.ActionSource`."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        self._folder_of = action_folders(root)

    def load(self, uses: str) -> LoadedAction:
        """Return a built-in action, or one of a folder as it is now."""
        if uses.startswith(("./", "$/")):
            return self._local(uses)
        if not is_built_in(uses):
            folder = self._folder_of(uses)
            if folder is None:
                raise ActionNotFoundError(
                    f"{uses} is not built into skyflow, and it fetches no actions: keep a copy, and say where in "
                    f"skyflow.yml: `actions: {{{uses}: ./folder}}`"
                )
            return _in_folder(Path(folder), uses, shown=Path(folder))
        from skyflow.actions import BUILTINS  # noqa: PLC0415 -- most runs use none, and they take time to import

        action = BUILTINS[uses.partition("@")[0].lower()]
        return BuiltInAction(name=action.name, inputs=action.defaults, has_post=action.has_post, post_if=action.post_if)

    def _local(self, uses: str) -> LocalAction:
        folder = (self._root / uses[2:]).resolve()
        if not folder.is_relative_to(self._root):
            raise ActionNotFoundError(f"{uses} leads out of the project folder {self._root}")
        return _in_folder(folder, uses, shown=folder.relative_to(self._root))


def _in_folder(folder: Path, uses: str, *, shown: Path) -> LocalAction:
    """Return the action of a folder; `shown` is what findings call it."""
    for name in ACTION_FILES:
        file = folder / name
        if file.is_file():
            try:
                action = load_action(str(shown / name), file.read_bytes())
            except WorkflowInvalidError as error:
                raise ActionNotFoundError(str(error)) from error
            return LocalAction(action=action, folder=str(folder))
    where = uses if uses.startswith((".", "$")) else f"{folder}, which stands for {uses}"
    raise ActionNotFoundError(f"there is no action.yml in {where}")
