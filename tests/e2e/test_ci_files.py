"""What CI systems find in the repository: the composite action and the hook for pre-commit."""

import os
import re
import shutil
import subprocess
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


@pytest.mark.parametrize(
    ("schema", "heading"),
    [("github-actions", None), ("github-workflows", "## GitHub Actions"), ("gitlab-ci", "## GitLab CI")],
    ids=["action", "github", "gitlab"],
)
def test_ci_systems_would_take_what_is_written_for_them(tmp_path, schema: str, heading: str | None) -> None:
    path = ROOT / "action.yml"
    if heading is not None:
        page = (ROOT / "site" / "docs" / "how-to" / "use-in-ci.md").read_text()
        path = tmp_path / "example.yml"
        path.write_text(re.search(rf"^{heading}$.*?^```yaml\n(.*?)^```", page, re.DOTALL | re.MULTILINE)[1])
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


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
