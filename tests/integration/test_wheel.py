"""What a user installs: the wheel, with its schemas and catalogs."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel and unpack it, as an installer does."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    [wheel] = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_the_wheel_holds_every_schema_and_catalog(installed: Path) -> None:
    for name in ("schemas", "catalogs"):
        ours = {file.name for file in (ROOT / name).iterdir() if file.suffix in {".json", ".csv", ".md"}}
        assert ours
        assert ours <= {file.name for file in (installed / "skyflow" / "_data" / name).iterdir()}
    assert (installed / "skyflow" / "py.typed").exists()
    templates = Path("report") / "page" / "templates"
    assert {file.name for file in (installed / "skyflow" / templates).iterdir()} == {
        file.name for file in (ROOT / "skyflow" / templates).iterdir()
    }


def test_the_wheel_has_a_manual_page_that_can_be_read(installed: Path) -> None:
    [page] = installed.glob("skyflow-*.data/data/share/man/man1/skyflow.1")
    if shutil.which("groff") is None:
        pytest.skip("groff is not installed")
    command = ["groff", "-man", "-Tutf8", "-P-cbou", "-ww", "-rLL=100n", str(page)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    for text in ("skyflow run", "--objective", "EXIT STATUS", ".skyflow/state.db"):
        assert text in done.stdout


def test_an_installed_skyflow_finds_them(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "w.yml").write_text("on: push\njobs:\n  a: {runs-on: sky, steps: [{run: x}]}\n")
    program = "import skyflow, sys; print(skyflow.__file__); print(skyflow.plan('w.yml', providers=['aws']).placements[0].offering.provider)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={"PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == [str(installed / "skyflow" / "__init__.py"), "aws"]
