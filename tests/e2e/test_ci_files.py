"""What CI systems find in the repository: the composite action and the hook for pre-commit."""

import os
import re
import shutil
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
INNER = "name: inner\non: push\njobs:\n  a: {runs-on: local, steps: [{run: '%s'}]}\n"
OUTER = """\
on: push
jobs:
  ci:
    runs-on: local
    outputs: {conclusion: '${{ steps.sky.outputs.conclusion }}'}
    steps:
      - id: sky
        uses: ./action
        with: {workflow: inner.yml, arguments: --jobs 1, state: state/inner.db, install: 'false'}
"""


def tools() -> str:
    """Return a PATH on which `skyflow` is the one under test."""
    return os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))


@pytest.fixture
def calling(project):
    (project.folder / "action").mkdir()
    shutil.copy(ROOT / "action.yml", project.folder / "action" / "action.yml")
    project.write(OUTER)
    return project


@pytest.mark.skipif(shutil.which("skyflow", path=tools()) is None, reason="skyflow is not installed as a command")
def test_the_action_runs_a_workflow_and_keeps_its_report(calling) -> None:
    calling.write(INNER % "echo hello", "inner.yml")
    calling.skyflow("run", "-q", "w.yml", PATH=tools())
    assert "hello" in (calling.folder / "skyflow-report" / "report.html").read_text()
    assert "<testsuites" in (calling.folder / "skyflow-report" / "junit.xml").read_text()
    job = calling.skyflow("show", "--json").json["jobs"][0]
    assert job["outputs"] == {"conclusion": "success"}


@pytest.mark.skipif(shutil.which("skyflow", path=tools()) is None, reason="skyflow is not installed as a command")
def test_the_action_fails_with_the_workflow_and_still_keeps_its_report(calling) -> None:
    calling.write(INNER % "exit 3", "inner.yml")
    calling.skyflow("run", "-q", "w.yml", code=1, PATH=tools())
    assert "exit code 3" in (calling.folder / "skyflow-report" / "report.html").read_text()


def test_the_hook_runs_a_command_that_there_is_on_the_files_it_means(project) -> None:
    [hook] = YAML(typ="safe", pure=True).load((ROOT / ".pre-commit-hooks.yaml").read_text())
    files = re.compile(hook["files"])
    assert files.search(".github/workflows/ci.yml")
    assert files.search("workflows/build.yaml")
    assert files.search("tools/action.yml")
    assert not files.search("docs/notes.yml")
    project.write(INNER % "true", "good.yml")
    program, *arguments = hook["entry"].split()
    assert program == "skyflow"
    project.skyflow(*arguments, "good.yml")
