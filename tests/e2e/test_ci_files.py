"""What CI systems find in the repository: the composite action and the hook for pre-commit."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from testbed.declarative_pipeline import mistakes, read

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "site" / "docs" / "how-to" / "use-in-ci.md").read_text()
PIPELINE = re.search(r"^```groovy\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)[1]
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
        path = tmp_path / "example.yml"
        path.write_text(re.search(rf"^{heading}$.*?^```yaml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)[1])
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(("form", "schema"), [("bug", "forms"), ("idea", "forms"), ("config", "config")])
def test_github_would_take_the_forms_for_issues(form: str, schema: str) -> None:
    path = ROOT / ".github" / "ISSUE_TEMPLATE" / f"{form}.yml"
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.github-issue-{schema}", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_jenkins_would_take_what_is_written_for_it() -> None:
    assert list(mistakes(read(PIPELINE))) == []


@pytest.mark.parametrize(
    ("right", "wrong", "mistake"),
    [
        ("agent any\n", "\n", "pipeline lacks agent"),
        ("agent any", "agent some", "an agent is any, none, or a block"),
        ("stage('build')", "stage", "a stage has a name in brackets"),
        ("      steps {", "      step {", "stage may not hold step"),
        ("post {", "finally {", "pipeline may not hold finally"),
        ("always {", "ever {", "post may not hold ever"),
        ("junit 'junit.xml'", "junit", "junit is no call"),
        ("agent any", "agent any\n  agent none", "pipeline has agent twice"),
    ],
)
def test_a_pipeline_that_jenkins_would_refuse_is_noticed(right: str, wrong: str, mistake: str) -> None:
    assert mistake in mistakes(read(PIPELINE.replace(right, wrong, 1)))


def test_a_pipeline_with_a_brace_too_many_or_too_few_is_none() -> None:
    for text in (PIPELINE + "}\n", PIPELINE.rstrip()[:-1]):
        with pytest.raises(ValueError, match="a brace is"):
            read(text)


def test_the_commands_in_the_examples_do_what_the_examples_keep(project) -> None:
    (project.folder / "workflows").mkdir()
    project.write(INNER % "true", "workflows/build.yml")
    blocks = re.findall(r"^```(?:yaml|groovy)\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    commands = re.findall(
        r"(?:^ +- (?:run: )?|\.venv/bin/)(skyflow (?:run|report) [^'\n]+)", "".join(blocks), re.MULTILINE
    )
    assert len(commands) == 6, "to run and to report, in each of three systems"
    for command in dict.fromkeys(commands):
        project.skyflow(*command.split()[1:])
    assert "<testsuites" in (project.folder / "junit.xml").read_text()
    assert "</html>" in (project.folder / "report.html").read_text()


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
