"""What a `uses:` turned out to be, once it was looked up."""

from dataclasses import dataclass

from skyflow.model.action import Action
from skyflow.model.execution import Pairs

__all__ = ["BuiltInAction", "LoadedAction", "LocalAction"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltInAction:
    """An action that skyflow has itself. `inputs` are its defaults; `post_if` is the condition of its post phase."""

    name: str
    inputs: Pairs = ()
    has_post: bool = False
    post_if: str = "always()"


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalAction:
    """An action of the workspace; `folder` is the absolute path of where its `action.yml` lies."""

    action: Action
    folder: str


LoadedAction = BuiltInAction | LocalAction
