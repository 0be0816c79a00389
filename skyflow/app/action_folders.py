"""The folders of this machine that stand for actions of other repositories, as a project's `skyflow.yml` says."""

from functools import cache
from pathlib import Path

from skyflow.app.market.config import project_config
from skyflow.model.config import ProjectConfig
from skyflow.spec import FolderOf

__all__ = ["action_folders"]


def action_folders(root: Path) -> FolderOf:
    """Return what knows the folders of a project; its `skyflow.yml` is read when the first one is asked for.

    Asking raises what `project_config` raises.
    """

    @cache
    def config() -> ProjectConfig:
        return project_config(root)

    return lambda uses: config().action_folder(uses)
