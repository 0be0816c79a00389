"""The documentation and the examples, as a new user meets them."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Folder:
    """An empty project folder with the examples in it."""

    path: Path
    programs: Path | None = None
    """What comes first in PATH."""

    def skyflow(self, *arguments: str, code: int | None = 0) -> str:
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("SKYFLOW_", "GITHUB_", "RUNNER_"))
        }
        if self.programs is not None:
            environment["PATH"] = os.pathsep.join((str(self.programs), environment["PATH"]))
        done = subprocess.run(
            [sys.executable, "-m", "skyflow", *arguments],
            cwd=self.path,
            env={**environment, "LC_ALL": "C.UTF-8"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert code is None or done.returncode == code, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    path = tmp_path / "project"
    path.mkdir()
    shutil.copytree(ROOT / "workflows", path / "workflows")
    return Folder(path)
