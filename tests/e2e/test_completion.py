"""What shells offer after Tab, asked for as their scripts ask."""

import fcntl
import os
import pty
import select
import shutil
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import Self

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


SHELLS = {"zsh": ["-d", "-i"], "fish": ["-i"]}
"""What begins each as it begins for a person, but for what the whole machine sets up."""


@pytest.mark.parametrize("shell", SHELLS)
def test_the_tab_key_offers_runs_and_jobs_after_installation(ran, tmp_path, shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    home = tmp_path / "home"
    home.mkdir()
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    env = ran.environment(PATH=path, HOME=str(home), TERM="xterm", SHELL=shutil.which(shell))
    install = [shell, "-c", "skyflow --install-completion; true"]  # a shell of its own, which Typer asks for its name
    done = subprocess.run(install, cwd=ran.folder, env=env, capture_output=True, text=True, check=True)
    assert f"{shell} completion installed" in done.stdout
    with Typed([shell, *SHELLS[shell]], ran.folder, env) as typed:
        typed.until_idle()
        typed.types("echo re''ady\r")
        typed.sees("ready")
        typed.until_idle()
        typed.types("skyflow show 2\t")
        typed.sees(ran.skyflow("show", "--json").json["id"][-9:])
        typed.types("\x15skyflow logs 1 b\t")
        typed.sees("build.")
        typed.until_idle()
        typed.types("\t")
        typed.sees("build (2)")


class Typed:
    """A program on a pseudo-terminal, and somebody who types."""

    def __init__(self, command: list[str], folder: Path, env: dict[str, str]) -> None:
        self._written = ""
        self._mine, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        owning = ["setsid", "--ctty", "--wait", *command]  # shells want the terminal to be theirs
        self._process = subprocess.Popen(owning, cwd=folder, env=env, stdin=theirs, stdout=theirs, stderr=theirs)
        os.close(theirs)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait(60)
        os.close(self._mine)

    def types(self, text: str) -> None:
        self._written = ""
        os.write(self._mine, text.encode())

    def sees(self, text: str) -> None:
        """Wait until something was written since the last time something was typed."""
        deadline = time.monotonic() + 60
        while text not in self._written:
            assert time.monotonic() < deadline, self._written
            self._read(0.1)

    def until_idle(self) -> None:
        """Wait until nothing was written for a while: a shell drops what is typed before it has set up the terminal."""
        deadline = time.monotonic() + 60
        while not self._written or self._read(1.0):
            assert time.monotonic() < deadline, self._written
            self._read(0.1)

    def _read(self, seconds: float) -> bool:
        if not select.select([self._mine], [], [], seconds)[0]:
            return False
        self._written += os.read(self._mine, 65536).decode(errors="replace")
        return True
