"""What is released: the archive, the wheel made from it, as a user installs it, and what stands beside them."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from skyflow import __version__

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Release:
    """The folder of what was built, and an environment of its own in which the wheel is installed."""

    folder: Path
    environment: Path

    @property
    def package(self) -> Path:
        [found] = self.environment.glob("lib/python*/site-packages/skyflow")
        return found

    def call(self, *words: str, cwd: Path) -> str:
        environment = {"PATH": os.defpath, "HOME": str(cwd)}
        return subprocess.run(words, cwd=cwd, env=environment, capture_output=True, text=True, check=True).stdout


def built(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "release" / "build.py"), str(folder), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    """Build, and install the wheel as pip does; what it depends on is that of the tests, since there is no index."""
    folder = tmp_path_factory.mktemp("release")
    done = built(folder, "--untagged")
    assert done.returncode == 0, done.stderr
    environment = tmp_path_factory.mktemp("clean")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    [wheel] = folder.glob("*.whl")
    pip = [sys.executable, "-m", "pip", "--python", str(environment / "bin" / "python"), "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "-q", "--no-index", "--no-deps", str(wheel)], check=True, capture_output=True)
    [packages] = environment.glob("lib/python*/site-packages")
    # a folder that a .pth names is searched, but not for .pth files: the skyflow of the checkout is not in it
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return Release(folder, environment)


def test_the_wheel_holds_every_schema_catalog_and_template(release: Release) -> None:
    for name in ("schemas", "catalogs"):
        ours = {file.name for file in (ROOT / name).iterdir() if file.suffix in {".json", ".csv", ".md"}}
        assert ours
        assert ours <= {file.name for file in (release.package / "_data" / name).iterdir()}
    assert (release.package / "py.typed").exists()
    templates = Path("report") / "page" / "templates"
    assert {file.name for file in (release.package / templates).iterdir()} == {
        file.name for file in (ROOT / "skyflow" / templates).iterdir()
    }


def test_the_wheel_has_a_manual_page_that_can_be_read(release: Release) -> None:
    page = release.environment / "share" / "man" / "man1" / "skyflow.1"
    assert page.is_file()
    if shutil.which("groff") is None:
        pytest.skip("groff is not installed")
    command = ["groff", "-man", "-Tutf8", "-P-cbou", "-ww", "-rLL=100n", str(page)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    for text in ("skyflow run", "--objective", "EXIT STATUS", ".skyflow/state.db"):
        assert text in done.stdout


def test_what_is_installed_plans_and_runs(release: Release, tmp_path: Path) -> None:
    (tmp_path / "w.yml").write_text("on: push\njobs:\n  a: {runs-on: local, steps: [{run: echo it runs}]}\n")
    skyflow = str(release.environment / "bin" / "skyflow")
    assert release.call(skyflow, "--version", cwd=tmp_path) == f"skyflow {__version__}\n"
    assert "it runs" in release.call(skyflow, "run", "w.yml", cwd=tmp_path)
    (tmp_path / "p.yml").write_text("on: push\njobs:\n  a: {runs-on: sky, steps: [{run: x}]}\n")
    program = "import skyflow; print(skyflow.__file__, skyflow.plan('p.yml', providers=['aws']).placements[0].offering.provider)"
    shown = release.call(str(release.environment / "bin" / "python"), "-c", program, cwd=tmp_path)
    assert shown.split() == [str(release.package / "__init__.py"), "aws"]


def test_the_archive_has_what_the_tests_need(release: Release) -> None:
    with tarfile.open(release.folder / f"skyflow-{__version__}.tar.gz") as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {
        "README.md",
        "LICENSE",
        "pyproject.toml",
        "tests/conftest.py",
        "release/build.py",
        "workflows/quickstart.yml",
    } <= names
    assert not [name for name in names if ".skyflow/" in name or "__pycache__" in name or name.endswith(".pyc")]


def test_the_sums_are_those_of_the_files(release: Release) -> None:
    lines = (release.folder / "SHA256SUMS").read_text().splitlines()
    assert {file.name for file in release.folder.iterdir()} == {"SHA256SUMS", *(line.split()[1] for line in lines)}
    for line in lines:
        digest, name = line.split()
        assert hashlib.sha256((release.folder / name).read_bytes()).hexdigest() == digest


def test_the_bill_of_materials_names_every_dependency_with_its_version(release: Release) -> None:
    bill = json.loads((release.folder / "skyflow.cdx.json").read_text())
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert bill["metadata"]["component"]["purl"] == f"pkg:pypi/skyflow@{__version__}"
    names = {part["name"] for part in bill["components"]}
    assert {"ruamel-yaml", "numpy", "rich", "boto3", "asyncssh", "starlette", "jmespath"} <= names
    assert not names & {"pytest", "hypothesis", "mypy"}, "what only tests need is not shipped"
    known = {part["bom-ref"] for part in bill["components"]} | {bill["metadata"]["component"]["bom-ref"]}
    assert {entry["ref"] for entry in bill["dependencies"]} == known
    assert {each for entry in bill["dependencies"] for each in entry["dependsOn"]} <= known


def test_what_is_no_release_is_not_built_as_one(tmp_path: Path) -> None:
    if subprocess.run(["git", "rev-parse"], cwd=ROOT, capture_output=True, check=False).returncode:
        pytest.skip("this is no checkout")
    tags = subprocess.run(["git", "tag", "--points-at", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True)
    if f"v{__version__}" in tags.stdout.split():
        pytest.skip("this commit is the release")
    done = built(tmp_path)
    assert done.returncode == 1
    assert f"but the version is {__version__}" in done.stderr
    assert not list(tmp_path.iterdir())


def test_what_the_ci_installs_has_hashes_and_fits() -> None:
    file = ROOT / ".ci" / "requirements.txt"
    if not file.exists():
        pytest.skip("the archive has no .ci")
    pinned = {}
    for line in file.read_text().splitlines():
        if not line.startswith("#"):
            requirement, _, digest = line.partition(" --hash=sha256:")
            assert len(digest) == 64, line
            name, _, version = requirement.partition("==")
            pinned[canonicalize_name(name)] = version
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for line in [*project["dependencies"], *project["optional-dependencies"]["test"]]:
        wanted = Requirement(line)
        version = pinned.get(
            canonicalize_name(wanted.name)
        )  # what is new is installed without a pin until somebody looks
        assert version is None or wanted.specifier.contains(version), f"run .ci/pin.py: {line} is not {version}"
    assert len(pinned) > 100
