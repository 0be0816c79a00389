"""Files that ship beside the code: `schemas/` and `catalogs/`.

A wheel holds them in `skyflow/_data/`, where `pyproject.toml` puts them; in a checkout, and in an editable install of
one, they stand beside the package.
"""

from pathlib import Path

__all__ = ["data_file"]

_PACKAGE = Path(__file__).resolve().parent.parent


def data_file(directory: str, name: str = "") -> Path:
    """Return the path of a shipped file, or of a shipped directory when `name` is empty.

    Raises:
        FileNotFoundError: this installation does not have it.
    """
    for root in (_PACKAGE / "_data", _PACKAGE.parent):
        path = root / directory / name
        if path.exists():
            return path
    raise FileNotFoundError(f"this installation of skyflow lacks {directory}/{name}".removesuffix("/"))
