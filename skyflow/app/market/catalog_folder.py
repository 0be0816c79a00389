"""Which tables hold: those a project names, else those that `skyflow catalog refresh` has fetched, else those that ship."""

import os
from pathlib import Path

from skyflow._util.data_files import data_file
from skyflow.errors import UsageError
from skyflow.model.config import ProjectConfig

__all__ = ["CATALOG_VARIABLE", "catalog_folder", "refreshed_folder"]

CATALOG_VARIABLE = "SKYFLOW_CATALOG"


def refreshed_folder() -> Path:
    """Return where refreshed tables are kept, whether there are any or not."""
    home = os.environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share")  # noqa: PTH111 -- without a home, as it is
    return Path(home) / "skyflow" / "catalogs"


def catalog_folder(config: ProjectConfig | None = None) -> Path:
    """Return the folder of the tables to use.

    Raises:
        UsageError: a folder is named that does not exist.
    """
    for who, named in (
        (CATALOG_VARIABLE, os.environ.get(CATALOG_VARIABLE)),
        ("skyflow.yml", config and config.catalog),
    ):
        if named:
            folder = Path(named)
            if not folder.is_dir():
                raise UsageError(f"{who} names the catalog {folder}, which is no folder")
            return folder
    refreshed = refreshed_folder()
    return refreshed if (refreshed / "meta.csv").exists() else data_file("catalogs")
