"""`skyflow doctor`: what a run would stumble over."""

import os
import sys
from pathlib import Path

import pytest


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """A home without credentials; the index of the catalog stays where it is, for making it takes seconds."""
    kept = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return {"HOME": str(tmp_path), "XDG_CACHE_HOME": kept}


def verdicts(answer: dict[str, object]) -> dict[str, str]:
    return {each["subject"]: each["verdict"] for section in answer["sections"] for each in section["results"]}


def test_a_healthy_project_is_said_to_be_so_and_nothing_is_made(project, home) -> None:
    answer = project.skyflow("doctor", "--json", **home).json
    found = verdicts(answer)
    assert [section["title"] for section in answer["sections"]][:2] == ["This machine", "This project"]
    assert "failed" not in found.values()
    assert {name: found[name] for name in ("Python", "shells", "folder", "disk", "solver")} == dict.fromkeys(
        ("Python", "shells", "folder", "disk", "solver"), "ok"
    )
    assert {found[name] for name in ("state store", "skyflow.yml", "aws", "gcp", "azure")} == {"absent"}
    assert list(project.folder.iterdir()) == []


def test_what_is_broken_is_named_with_what_to_do_about_it(project, home) -> None:
    (project.folder / ".skyflow").mkdir(mode=0o700)
    (project.folder / ".skyflow" / "state.db").write_bytes(b"this is no database" * 100)
    project.write("machines: {rack: {cpus: none}}\n", name="skyflow.yml")
    empty = project.folder / "bin"
    empty.mkdir()
    (empty / "git").symlink_to("/bin/false")
    done = project.skyflow("doctor", code=1, PATH=str(empty), **home)
    assert Path(sys.executable).is_absolute(), "it is started without a PATH"
    for said in (
        "failed shells",
        "fix: put bash or sh on PATH",
        "absent node",
        "if needed: install Node.js",
        "absent container engine",
        "failed state store",
        "failed skyflow.yml",
        "`skyflow config check` says where",
        "of this are broken",
    ):
        assert said in done.out, f"{said}\n{done.out}"
