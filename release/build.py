"""Build a release: `python release/build.py [FOLDER]`, in an environment with skyflow and hatchling.

What is written to the folder (`dist` by default): the source archive; the wheel, built from that archive and not from the
checkout, so that whoever has the archive alone gets the same; a bill of materials in CycloneDX; and the SHA-256 of each.

The version stands in `skyflow/__init__.py` alone. A release is a commit with the tag `vVERSION` whose changelog has a section
for it; anything else is refused, unless `--untagged` says that this is a try.
"""

import argparse
import hashlib
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
BILL = "skyflow.cdx.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "dist")
    parser.add_argument("--untagged", action="store_true", help="a try: the commit need not be a release")
    given = parser.parse_args()
    version = version_of(ROOT)
    if not given.untagged:
        check_release(version)
    given.folder.mkdir(parents=True, exist_ok=True)
    folder = given.folder.resolve()
    archive = build("sdist", ROOT, folder)
    with tempfile.TemporaryDirectory() as place:
        with tarfile.open(archive) as opened:
            opened.extractall(place, filter="data")
        wheel = build("wheel", Path(place, f"skyflow-{version}"), folder)
    bill = folder / BILL
    bill.write_text(json.dumps(bill_of_materials("skyflow"), indent=2) + "\n", encoding="utf-8")
    sums = "".join(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in (archive, bill, wheel))
    (folder / "SHA256SUMS").write_text(sums, encoding="utf-8")
    print(sums, end="")


def version_of(source: Path) -> str:
    """Return the version that the source says it is."""
    found = re.search(
        r'^__version__ = "([^"]+)"$', (source / "skyflow" / "__init__.py").read_text("utf-8"), re.MULTILINE
    )
    if found is None:
        sys.exit("skyflow/__init__.py has no line `__version__ = ...`")
    return found[1]


def check_release(version: str) -> None:
    """End with a message unless this commit is the release of the version."""
    asked = ["git", "tag", "--points-at", "HEAD"]
    tags = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    if f"v{version}" not in tags:
        found = f"has the tags {', '.join(tags)}" if tags else "has no tag"
        sys.exit(f"this commit {found}, but the version is {version}: `git tag v{version}`, or --untagged for a try")
    changed = subprocess.run(
        ["git", "status", "--porcelain"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    if changed:
        sys.exit(f"files differ from the commit:\n{changed}")
    if f"## [{version}]" not in (ROOT / "CHANGELOG.md").read_text("utf-8"):
        sys.exit(f"CHANGELOG.md has no section [{version}]")


def build(kind: str, source: Path, folder: Path) -> Path:
    """Build an archive or a wheel from a source, and return the file."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", place]
        done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"the {kind} cannot be built:\n{done.stdout}{done.stderr}")
        [built] = Path(place).iterdir()
        return built.replace(folder / built.name)


def bill_of_materials(name: str) -> dict[str, object]:
    """Return what is installed here of the packages that one needs with all its extras, in CycloneDX 1.6."""
    needed: dict[str, list[str]] = {}
    waiting = [name]
    while waiting:
        package = waiting.pop()
        if package not in needed:
            needed[package] = sorted(_needs(package, with_extras=package == name))
            waiting += needed[package]
    main_part, *parts = [_component(package) for package in (name, *sorted(needed.keys() - {name}))]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {**main_part, "type": "application"}},
        "components": parts,
        "dependencies": [
            {"ref": _component(package)["bom-ref"], "dependsOn": [_component(each)["bom-ref"] for each in needs]}
            for package, needs in sorted(needed.items())
        ],
    }


def _needs(package: str, *, with_extras: bool) -> set[str]:
    """Return the installed packages that one requires here; `test` is no extra of those who use it."""
    found = metadata.metadata(package)
    extras = {*(found.get_all("Provides-Extra") or ()), ""} - {"test"} if with_extras else {""}
    needs = set()
    for line in metadata.requires(package) or ():
        requirement = Requirement(line)
        applies = requirement.marker is None or any(requirement.marker.evaluate({"extra": extra}) for extra in extras)
        if applies and (name := canonicalize_name(requirement.name)) != package and _is_installed(name):
            needs.add(name)
    return needs


def _is_installed(package: str) -> bool:
    try:
        metadata.distribution(package)
    except metadata.PackageNotFoundError:
        return False
    return True


def _component(package: str) -> dict[str, object]:
    about = metadata.metadata(package)
    address = f"pkg:pypi/{canonicalize_name(package)}@{about['Version']}"
    licence = about.get("License-Expression") or next(
        (line.rpartition(" :: ")[2] for line in about.get_all("Classifier") or () if line.startswith("License ::")), ""
    )
    known = {"licenses": [{"license": {"name": licence}}]} if licence else {}
    return {
        "type": "library",
        "bom-ref": address,
        "name": canonicalize_name(package),
        "version": about["Version"],
        "purl": address,
        **known,
    }


if __name__ == "__main__":
    main()
