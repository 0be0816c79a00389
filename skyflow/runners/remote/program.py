"""The program that runs on other machines (`skyflow.runners.onhost`), as one file to copy there."""

import hashlib
import io
import zipfile
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

__all__ = ["Program", "onhost_program"]

_PACKAGE = "skyflow/runners/onhost"
_PARENTS = ("skyflow/__init__.py", "skyflow/runners/__init__.py")
_START = "from skyflow.runners.onhost.session import main\nmain()\n"
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Program:
    """A zip archive that Python runs; the digest of its content names it."""

    content: bytes
    digest: str


@cache
def onhost_program() -> Program:
    """Make the archive; the same sources give the same bytes."""
    modules = sorted(
        (each.name, each.read_bytes()) for each in files("skyflow.runners.onhost").iterdir() if _is_module(each.name)
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo("__main__.py", _EPOCH), _START)
        for parent in _PARENTS:
            archive.writestr(zipfile.ZipInfo(parent, _EPOCH), "")
        for name, source in modules:
            archive.writestr(zipfile.ZipInfo(f"{_PACKAGE}/{name}", _EPOCH), source)
    content = buffer.getvalue()
    return Program(content, hashlib.sha256(content).hexdigest())


def _is_module(name: str) -> bool:
    return name.endswith(".py") and name != "__main__.py"
