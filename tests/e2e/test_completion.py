"""What shells offer after Tab, asked for as their scripts ask."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

WORKFLOW = """\
name: some work
on: push
jobs:
  build: {runs-on: local, strategy: {matrix: {x: [1, 2]}}, steps: [{run: 'true'}]}
  ship: {runs-on: local, steps: [{run: 'true'}]}
"""


@pytest.fixture
def ran(project):
    project.write(WORKFLOW)
    project.skyflow("run", "-q", "w.yml")
    return project


def asked(project, **env: str) -> str:
    """Return what the command answers that a shell knows as `skyflow`."""
    program = "import sys; sys.argv[0] = 'skyflow'; from skyflow.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=project.folder,
        env=project.environment(**env),
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def offered(project, words: str) -> list[str]:
    """Return what bash is offered for the last word."""
    number = str(len(words.split(" ")) - 1)
    return asked(project, _SKYFLOW_COMPLETE="complete_bash", COMP_WORDS=words, COMP_CWORD=number).split()


def test_runs_by_number_and_by_id(ran) -> None:
    run = ran.skyflow("show", "--json").json["id"]
    assert offered(ran, "skyflow show ") == ["1"]
    assert offered(ran, "skyflow report 2") == [run]
    assert offered(ran, "skyflow resume 9") == []


def test_jobs_of_the_run_that_was_named(ran) -> None:
    assert offered(ran, "skyflow logs 1 ") == ["build.0", "build.1", "ship"]
    assert offered(ran, "skyflow logs latest s") == ["ship"]
    assert offered(ran, "skyflow logs 7 s") == [], "there is no such run, and no error either"


def test_jobs_for_options_and_other_commands_too(ran) -> None:
    assert offered(ran, "skyflow retry 1 --job s") == ["ship"]
    assert offered(ran, "skyflow retry 7 --job s") == [], "there is no such run"
    assert offered(ran, "skyflow retry --job s") == ["ship"]
    assert offered(ran, "skyflow why s") == ["ship"]
    assert offered(ran, "skyflow plan w.yml b") == ["build"]
    assert offered(ran, "skyflow watch w.yml --job ") == ["build", "ship"]
    assert offered(ran, "skyflow plan missing.yml b") == []
    assert "w.yml" in offered(ran, "skyflow plan ")


def test_workflow_files(ran) -> None:
    (ran.folder / "workflows").mkdir()
    ran.write(WORKFLOW, "workflows/deep.yaml")
    ran.write("no workflow", "notes.txt")
    assert offered(ran, "skyflow run ") == ["w.yml", "workflows/", "workflows/deep.yaml"]
    assert offered(ran, "skyflow graph workflows/d") == ["workflows/deep.yaml"]
    assert offered(ran, "skyflow validate ./w") == ["./w.yml", "./workflows/"]


@pytest.mark.parametrize(
    ("shell", "extra"), [("zsh", {}), ("fish", {"_TYPER_COMPLETE_FISH_ACTION": "get-args"})], ids=["zsh", "fish"]
)
def test_other_shells_are_told_what_it_is_too(ran, shell: str, extra: dict[str, str]) -> None:
    answer = asked(ran, _SKYFLOW_COMPLETE=f"complete_{shell}", _TYPER_COMPLETE_ARGS="skyflow show ", **extra)
    assert "some work, success" in answer


def test_nothing_is_offered_and_nothing_breaks_where_nothing_ran(project) -> None:
    assert offered(project, "skyflow show ") == []
    assert offered(project, "skyflow logs latest ") == []
    assert not (project.folder / ".skyflow").exists()


@pytest.mark.skipif(
    shutil.which("skyflow", path=str(Path(sys.executable).parent)) is None,
    reason="skyflow is not installed as a command",
)
def test_the_script_for_bash_works_in_bash(ran) -> None:
    script = """
        eval "$(_SKYFLOW_COMPLETE=source_bash skyflow)"
        function=$(complete -p skyflow | sed -E 's/.* -F ([^ ]+).*/\\1/')
        COMP_WORDS=(skyflow logs 1 b); COMP_CWORD=3
        "$function" skyflow b 1
        echo "${COMPREPLY[@]}"
    """
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=ran.folder,
        env=ran.environment(PATH=path),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["build.0", "build.1"], done.stderr
