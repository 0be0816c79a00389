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
from functools import partial
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
VERSION = "7.8.9"


@dataclass(frozen=True)
class Release:
    """A repository with a tag, the folder of what was built there, and an environment in which that wheel is installed."""

    source: Path
    folder: Path
    environment: Path

    @property
    def package(self) -> Path:
        [found] = self.environment.glob("lib/python*/site-packages/skyflow")
        return found

    def call(self, *words: str, cwd: Path) -> str:
        environment = {"PATH": os.defpath, "HOME": str(cwd)}
        return subprocess.run(words, cwd=cwd, env=environment, capture_output=True, text=True, check=True).stdout


def git(repository: Path, *words: str) -> str:
    identity = {f"GIT_{who}_{what}": "a@b.c" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = {**os.environ, **identity, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    command = ["git", "-C", str(repository), *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def built(source: Path, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(source / "release" / "build.py"), str(folder), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def an_environment(place: Path) -> Path:
    """Make an environment in which nothing is installed; what skyflow depends on is that of the tests."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place], check=True)
    [packages] = place.glob("lib/python*/site-packages")
    # a folder that a .pth names is searched, but not for .pth files: the skyflow of the checkout is not in it
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return place


def install(environment: Path, *words: str) -> None:
    """Install as pip does, without an index."""
    python = str(environment / "bin" / "python")
    command = [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check", "install", "-q"]
    done = subprocess.run([*command, "--no-index", "--no-deps", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def a_version_of(source: Path) -> str:
    command = [sys.executable, "-m", "hatchling", "version"]
    return subprocess.run(command, cwd=source, capture_output=True, text=True, check=True).stdout.strip()


def a_repository(place: Path) -> Path:
    """Return a repository with the files of this checkout as its only commit, whose changelog tells of a release."""
    git(place, "init", "-q")
    git(place, f"--work-tree={ROOT}", "add", "--all", "--", ":!PKG-INFO")
    git(place, "checkout-index", "-a")
    changelog = place / "CHANGELOG.md"
    changelog.write_text(changelog.read_text().replace("## [Unreleased]", f"## [{VERSION}]"))
    git(place, "add", "--update")
    git(place, "commit", "-qm", "Release")
    git(place, "tag", f"v{VERSION}")
    return place


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    """Build a release, and install the wheel of it."""
    source = a_repository(tmp_path_factory.mktemp("source"))
    folder = tmp_path_factory.mktemp("release")
    done = built(source, folder)
    assert done.returncode == 0, done.stderr
    environment = an_environment(tmp_path_factory.mktemp("clean"))
    [wheel] = folder.glob("*.whl")
    install(environment, str(wheel))
    return Release(source, folder, environment)


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
    assert release.call(skyflow, "--version", cwd=tmp_path) == f"skyflow {VERSION}\n"
    assert "it runs" in release.call(skyflow, "run", "w.yml", cwd=tmp_path)
    (tmp_path / "p.yml").write_text("on: push\njobs:\n  a: {runs-on: sky, steps: [{run: x}]}\n")
    program = "import skyflow; print(skyflow.__file__, skyflow.plan('p.yml', providers=['aws']).placements[0].offering.provider)"
    shown = release.call(str(release.environment / "bin" / "python"), "-c", program, cwd=tmp_path)
    assert shown.split() == [str(release.package / "__init__.py"), "aws"]


def test_the_archive_has_what_the_tests_need(release: Release) -> None:
    with tarfile.open(release.folder / f"skyflow-{VERSION}.tar.gz") as archive:
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
    assert bill["metadata"]["component"]["purl"] == f"pkg:pypi/skyflow@{VERSION}"
    names = {part["name"] for part in bill["components"]}
    assert {"ruamel-yaml", "numpy", "rich", "boto3", "asyncssh", "starlette", "jmespath"} <= names
    assert not names & {"pytest", "hypothesis", "mypy"}, "what only tests need is not shipped"
    known = {part["bom-ref"] for part in bill["components"]} | {bill["metadata"]["component"]["bom-ref"]}
    assert {entry["ref"] for entry in bill["dependencies"]} == known
    assert {each for entry in bill["dependencies"] for each in entry["dependsOn"]} <= known


def test_the_bill_of_materials_follows_its_schema(release: Release) -> None:
    found = JsonStrictValidator(SchemaVersion.V1_6).validate_str((release.folder / "skyflow.cdx.json").read_text())
    assert found is None, found


def test_what_is_no_release_is_not_built_as_one(release: Release, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", "--shared", "--no-tags", str(release.source), str(clone))
    refused = partial(built, clone, tmp_path / "dist")
    assert "this commit has no tag of a version: `git tag vX.Y.Z`" in refused().stderr
    git(clone, "tag", "v9.9.9")
    assert "CHANGELOG.md has no section [9.9.9]" in refused().stderr
    git(clone, "tag", f"v{VERSION}")
    assert f"this commit has the tags v{VERSION}, v9.9.9:" in refused().stderr
    git(clone, "tag", "-d", "v9.9.9")
    (clone / "README.md").write_text("other")
    assert "files differ from the commit:\n M README.md\n" in refused().stderr
    shutil.rmtree(clone / ".git")
    assert "a release is made in a clone of the repository" in refused().stderr
    assert not (tmp_path / "dist").exists()


def test_the_version_is_that_of_the_last_tag(release: Release, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", "--shared", str(release.source), str(clone))
    git(clone, "commit", "-q", "--allow-empty", "-m", "After the release")
    assert a_version_of(clone) == f"7.8.10.dev1+g{git(clone, 'rev-parse', '--short=9', 'HEAD').strip()}"
    git(clone, "tag", "-d", f"v{VERSION}")
    assert a_version_of(clone).startswith("0.0.1.dev2+g")
    archive, unpacked = tmp_path / "archive.tar", tmp_path / "unpacked"
    git(release.source, "archive", f"--output={archive}", "HEAD")
    unpacked.mkdir()
    subprocess.run(["tar", "-xf", archive, "-C", unpacked], check=True)
    assert a_version_of(unpacked) == VERSION, "an archive as GitHub makes it"
    (unpacked / ".git_archival.txt").unlink()
    assert a_version_of(unpacked) == "0.0.0", "nobody can know"


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
