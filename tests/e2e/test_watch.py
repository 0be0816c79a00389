"""`skyflow watch`: runs follow changes, and nothing ends the loop but its user."""

import os
import pty
import select
import signal
import subprocess
import termios
import time
from pathlib import Path

import pytest

WORKFLOW = """
on: push
jobs:
  a: {runs-on: local, cache: {inputs: "a/*"}, steps: [{run: echo a >> log}]}
  b: {runs-on: local, cache: {inputs: "b/*"}, steps: [{run: echo b >> log}]}
"""


class Watch:
    def __init__(self, project, *options: str) -> None:
        self.project = project
        self.log = project.folder / "log"
        self.errors = (project.folder.parent / "errors").open("wb+")
        self.output = (project.folder.parent / "output").open("wb+")
        self.process = subprocess.Popen(
            project.command("watch", "w.yml", *options), cwd=project.folder, env=project.environment(),
            stdout=self.output, stderr=self.errors, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def ran(self) -> list[str]:
        return sorted(self.log.read_text().split()) if self.log.exists() else []

    def said(self) -> str:
        return (self.project.folder.parent / "errors").read_text()

    def is_waiting(self, times: int) -> bool:
        return self.said().count("waiting for changes") == times


@pytest.fixture
def watching(project):
    started: list[Watch] = []
    (project.folder / ".skyflow").mkdir()
    subprocess.run(["git", "init", "-q"], cwd=project.folder, check=True)
    (project.folder / ".gitignore").write_text("log\nignored\n")
    for name in "ab":
        (project.folder / name).mkdir()
        (project.folder / name / "x").write_text("1")
    project.write(WORKFLOW)

    def watch(*options: str) -> Watch:
        started.append(Watch(project, *options))
        return started[-1]

    yield watch
    for each in started:
        each.process.send_signal(signal.SIGINT)
        assert each.process.wait(60) in {0, 130}
        each.output.close()
        each.errors.close()


def test_only_what_depends_on_a_change_runs_again(watching, project, wait_until) -> None:
    watch = watching()
    wait_until(lambda: watch.is_waiting(1))
    assert watch.ran() == ["a", "b"]
    (project.folder / "a" / "x").write_text("2")
    wait_until(lambda: watch.is_waiting(2))
    assert watch.ran() == ["a", "a", "b"]
    (project.folder / "ignored").write_text("2")
    time.sleep(0.4)
    assert watch.is_waiting(2), "what git ignores is no change"


def test_a_broken_workflow_does_not_end_the_loop(watching, project, wait_until) -> None:
    watch = watching()
    wait_until(lambda: watch.is_waiting(1))
    project.write(WORKFLOW + "    oops: 1\n")
    wait_until(lambda: watch.is_waiting(2))
    assert "w.yml:" in watch.said()
    project.write(WORKFLOW.replace("echo b", "echo new"))
    wait_until(lambda: watch.is_waiting(3))
    assert watch.ran() == ["a", "b", "new"]


@pytest.mark.parametrize("how", ["restart", "queue"])
def test_a_change_during_a_run_cancels_it_or_waits(watching, project, wait_until, how: str) -> None:
    project.write(
        "on: push\njobs:\n  a: {runs-on: local, steps: [{run: 'echo begun >> log; while ! test -e b/go; do sleep 0.02; done; echo done >> log'}]}\n"
    )
    watch = watching("--on-busy", how)
    wait_until(lambda: watch.ran() == ["begun"])
    (project.folder / "a" / "x").write_text("2")
    if how == "restart":
        wait_until(lambda: watch.ran() == ["begun", "begun"])
    (project.folder / "b" / "go").touch()
    wait_until(lambda: "done" in watch.ran() and "waiting for changes" in watch.said())
    states = [run["state"] for run in project.skyflow("runs", "--json").json]
    assert ("cancelled" in states) == (how == "restart")


def test_keys_run_again_what_is_asked_for_and_quit(project, watching, wait_until, request) -> None:
    project.write(
        "on: push\njobs:\n"
        "  a: {runs-on: local, cache: {inputs: a/*}, steps: [{run: echo a >> log}]}\n"
        "  b: {runs-on: local, steps: [{run: echo b >> log; exit 3}]}\n"
    )
    mine, theirs = pty.openpty()
    before = termios.tcgetattr(theirs)
    process = subprocess.Popen(
        project.command("watch", "w.yml"), cwd=project.folder, env=project.environment(TERM="xterm"),
        stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
    )  # fmt: skip
    request.addfinalizer(process.kill)
    shown = b""

    def has_waited(times: int) -> bool:
        nonlocal shown
        while select.select([mine], [], [], 0)[0]:
            shown += os.read(mine, 65536)
        return shown.count(b"waiting for changes") == times

    def ran() -> list[str]:
        return sorted((project.folder / "log").read_text().split())

    wait_until(lambda: has_waited(1))
    assert b"keys: r again, a all, f failed, q quit" in shown
    assert b"\a" in shown, "a bell for the failure"
    assert b"bug" not in shown
    assert ran() == ["a", "b"]
    os.write(mine, b"r")  # nothing has changed for a
    wait_until(lambda: has_waited(2))
    assert ran() == ["a", "b", "b"]
    os.write(mine, b"x")  # no key of ours
    os.write(mine, b"A")
    wait_until(lambda: has_waited(3))
    assert ran() == ["a", "a", "b", "b", "b"]
    os.write(mine, b"f")
    wait_until(lambda: has_waited(4))
    assert ran() == ["a", "a", "b", "b", "b", "b"]
    os.write(mine, b"q")
    assert process.wait(30) == 0
    assert termios.tcgetattr(theirs) == before, "the terminal is as it was"
    os.close(mine)
    os.close(theirs)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_loop_that_a_script_began_in_the_background_ends_with_all_it_started(project, wait_until, number) -> None:
    project.write("on: push\njobs:\n  a: {runs-on: local, steps: [{run: touch ../up; sleep 600}]}\n")
    # outside of what is watched, for a change would begin another run
    deaf = ["bash", "-c", "trap '' INT; exec \"$@\"", "as-with-&", *project.command("watch", "w.yml")]
    loop = subprocess.Popen(deaf, cwd=project.folder, env=project.environment(), stdin=subprocess.DEVNULL)
    wait_until((project.folder.parent / "up").exists)
    children = subprocess.run(["pgrep", "-P", str(loop.pid)], capture_output=True, text=True, check=True).stdout.split()
    assert len(children) == 2, "the looker and the worker"
    loop.send_signal(number)
    assert loop.wait(60) == 0
    assert not [pid for pid in children if Path("/proc", pid).exists()]
    assert [run["state"] for run in project.skyflow("runs", "--json").json] == ["interrupted"]


def test_a_wrong_option_is_refused(project) -> None:
    project.write(WORKFLOW)
    assert "restart or queue" in project.skyflow("watch", "w.yml", "--on-busy", "panic", code=2).err
    assert "there is no none.yml" in project.skyflow("watch", "none.yml", code=2).err
