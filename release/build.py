"""Build a release: `python release/build.py [FOLDER]`, in an environment with what skyflow and its build need.

What is written to the folder (`dist` by default): the source archive; the wheel, built from that archive and not from the
checkout, so that whoever has the archive alone gets the same; a bill of materials in CycloneDX; and the SHA-256 of each.

The version comes from git's tags alone. A release is a commit with the tag `vVERSION` whose changelog has a section for it;
anything else is refused, unless `--untagged` says that this is a try.
"""

import argparse
import hashlib
import json
import re
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path
from urllib.parse import quote

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
BILL = "skyflow.cdx.json"
TAG = r"v\d+\.\d+\.\d+((a|b|rc)\d+)?"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "dist")
    parser.add_argument("--untagged", action="store_true", help="a try: the commit need not be a release")
    given = parser.parse_args()
    if not given.untagged:
        check_release()
    given.folder.mkdir(parents=True, exist_ok=True)
    folder = given.folder.resolve()
    archive = build("sdist", ROOT, folder)
    with tempfile.TemporaryDirectory() as place:
        subprocess.run(["tar", "-xf", archive, "-C", place], check=True)  # Debian 12's Python has no filter for tarfile
        wheel = build("wheel", Path(place, archive.name.removesuffix(".tar.gz")), folder)
    bill = folder / BILL
    bill.write_text(json.dumps(bill_of_materials(wheel), indent=2) + "\n", encoding="utf-8")
    sums = "".join(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in (archive, bill, wheel))
    (folder / "SHA256SUMS").write_text(sums, encoding="utf-8")
    print(sums, end="")


def check_release() -> None:
    """End with a message unless this commit is a release: nothing has changed since, and the changelog tells of it."""
    tags = [tag for tag in _git("tag", "--points-at", "HEAD").split() if re.fullmatch(TAG, tag)]
    if len(tags) != 1:
        found = f"has the tags {', '.join(tags)}" if tags else "has no tag of a version"
        sys.exit(f"this commit {found}: `git tag vX.Y.Z` makes it a release; --untagged is for a try")
    if changed := _git("status", "--porcelain"):
        sys.exit(f"files differ from the commit:\n{changed}")
    version = tags[0].removeprefix("v")
    if f"## [{version}]" not in (ROOT / "CHANGELOG.md").read_text("utf-8"):
        sys.exit(f"CHANGELOG.md has no section [{version}]")


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"a release is made in a clone of the repository: {done.stderr.strip()}")
    return done.stdout


def build(kind: str, source: Path, folder: Path) -> Path:
    """Build an archive or a wheel from a source, and return the file."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", place]
        done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"the {kind} cannot be built:\n{done.stdout}{done.stderr}")
        [built] = Path(place).iterdir()
        return built.replace(folder / built.name)


def bill_of_materials(wheel: Path) -> dict[str, object]:
    """Return a wheel, and what is installed here of the packages that it needs with all its extras, in CycloneDX 1.6."""
    [ours] = metadata.distributions(path=[str(wheel)])
    here = {canonicalize_name(found.name): found for found in (*metadata.distributions(), ours)}
    extras = {*(ours.metadata.get_all("Provides-Extra") or ()), ""} - {"test"}  # no extra of those who use it
    needs = {ours.name: _needs(ours, here, extras)}
    waiting = [*needs[ours.name]]
    while waiting:
        name = waiting.pop()
        if name not in needs:
            needs[name] = _needs(here[name], here, {""})
            waiting += needs[name]
    main_part, *parts = [_component(here[name]) for name in (ours.name, *sorted(needs.keys() - {ours.name}))]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {**main_part, "type": "application"}},
        "components": parts,
        "dependencies": [
            {"ref": _address(here[name]), "dependsOn": [_address(here[each]) for each in needs[name]]}
            for name in sorted(needs)
        ],
    }


def _needs(package: metadata.Distribution, here: dict[str, metadata.Distribution], extras: set[str]) -> list[str]:
    """Return the names of those packages here that one requires, for itself and for its extras."""
    names = {
        canonicalize_name(requirement.name)
        for requirement in map(Requirement, package.requires or ())
        if requirement.marker is None or any(requirement.marker.evaluate({"extra": extra}) for extra in extras)
    }
    return sorted(names & here.keys() - {canonicalize_name(package.name)})


def _component(package: metadata.Distribution) -> dict[str, object]:
    about = package.metadata
    licence = about.get("License-Expression") or next(
        (line.rpartition(" :: ")[2] for line in about.get_all("Classifier") or () if line.startswith("License ::")), ""
    )
    known = {"licenses": [{"license": {"name": licence}}]} if licence else {}
    return {
        "type": "library",
        "bom-ref": _address(package),
        "name": canonicalize_name(package.name),
        "version": package.version,
        "purl": _address(package),
        **known,
    }


def _address(package: metadata.Distribution) -> str:
    """Return what a package is called everywhere: https://github.com/package-url/purl-spec, which escapes the +."""
    return f"pkg:pypi/{canonicalize_name(package.name)}@{quote(package.version)}"


if __name__ == "__main__":
    main()
