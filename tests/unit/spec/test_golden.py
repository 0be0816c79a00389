"""Whole files and what is said about them: `data/ok` has files without findings, `data/err` pairs of file and output.

`UPDATE_GOLDEN=1` writes the outputs anew; look at the difference before you keep it.
"""

import os
from pathlib import Path

import pytest

from skyflow.errors import WorkflowInvalidError
from skyflow.spec import load_workflow, render_diagnostic, source_lines

DATA = Path(__file__).parent / "data"


def _read(path):
    file = DATA / "called" / path
    return file.read_bytes() if file.exists() else None


def _findings(path):
    text = path.read_text("utf-8")
    try:
        loaded = load_workflow(path.name, text=text, platform="linux", read=_read)
        found = (*loaded.findings, *loaded.refusals)
    except WorkflowInvalidError as error:
        found = error.diagnostics
    return "".join(f"{render_diagnostic(finding, source_lines(text))}\n" for finding in found)


def test_there_are_files():
    assert list((DATA / "ok").glob("*.yml"))
    assert list((DATA / "err").glob("*.yml"))


@pytest.mark.parametrize("path", sorted((DATA / "ok").glob("*.yml")), ids=lambda path: path.stem)
def test_nothing_is_said_about_a_right_file(path):
    assert _findings(path) == ""


@pytest.mark.parametrize("path", sorted((DATA / "err").glob("*.yml")), ids=lambda path: path.stem)
def test_what_is_said_about_a_wrong_file(path):
    found, golden = _findings(path), path.with_suffix(".out")
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(found, "utf-8")
    assert found
    assert found == golden.read_text("utf-8")


def test_every_output_belongs_to_a_file():
    assert {path.stem for path in (DATA / "err").glob("*.out")} == {path.stem for path in (DATA / "err").glob("*.yml")}
