"""Runs that go on by themselves: begun, looked at, waited for, cancelled and tried again from other processes."""

import os
import signal
import subprocess

import pytest

SLOW = "on: push\njobs:\n  a: {runs-on: local, steps: [{run: 'echo one; touch begun; while ! test -e go; do sleep 0.02; done; echo two'}]}\n"


@pytest.fixture
def detached(project, wait_until):
    project.write(SLOW)
    done = project.skyflow("run", "--detach", "w.yml")
    assert done.out == "Run 1 goes on in the background: `skyflow attach 1` shows it, `skyflow cancel 1` ends it\n"
    wait_until((project.folder / "begun").exists)
    yield project
    (project.folder / "go").touch()
    project.skyflow("wait", "1", code=None)


def test_a_detached_run_is_waited_for_and_looked_at(detached) -> None:
    assert "in progress" in detached.skyflow("runs").out
    assert "not ended within 0.1s" in detached.skyflow("wait", "--timeout", "0.1s", code=124).err
    watcher = detached.start("attach")
    assert b"[a]" in watcher.stdout.readline()
    assert b"one" in watcher.stdout.readline()
    (detached.folder / "go").touch()
    out, err = watcher.communicate(timeout=60)
    assert watcher.returncode == 0, err
    assert b"two" in out
    assert b"Run 1: success" in out
    assert detached.skyflow("wait").out == "Run 1: success\n"


@pytest.mark.parametrize(
    ("command", "said"), [(["attach"], b"the run goes on"), (["logs", "-f"], b"")], ids=["attach", "logs"]
)
def test_whoever_looks_on_can_leave_also_where_a_script_began_it(detached, command, said) -> None:
    watcher = subprocess.Popen(
        ["bash", "-c", "trap '' INT; exec \"$@\"", "as-with-&", *detached.command(*command)],
        cwd=detached.folder, env=detached.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    watcher.stdout.readline()
    watcher.send_signal(signal.SIGINT)
    _, err = watcher.communicate(timeout=60)
    assert watcher.returncode == 130
    assert said in err
    (detached.folder / "go").touch()
    detached.skyflow("wait")


def test_the_run_that_nobody_drives_is_the_one_to_resume(detached, wait_until) -> None:
    begun = detached.folder / "first"
    detached.write(SLOW.replace("begun", "first").replace("-e go", "-e go-first"), "first.yml")
    driver = detached.start("run", "first.yml")
    wait_until(begun.exists)
    driver.kill()
    driver.communicate(timeout=60)
    detached.write(SLOW.replace("begun", "newest"))
    detached.skyflow("run", "--detach", "w.yml")
    wait_until((detached.folder / "newest").exists)
    (detached.folder / "go-first").touch()
    assert "Run 2: success" in detached.skyflow("resume").out
    busy = detached.skyflow("resume", code=6)
    assert "run 3 is being driven by another skyflow" in busy.err
    assert "`skyflow attach 3` shows it" in busy.err
    (detached.folder / "go").touch()
    detached.skyflow("wait", "3")


def test_what_is_wrong_before_a_detached_run_begins_is_said_at_once(project) -> None:
    project.write("on: push\njobs:\n  a: {runs-on: local, steps: [{run: 'true'}], oops: 1}\n")
    assert "oops" in project.skyflow("run", "--detach", "w.yml", code=3).err
    project.write(SLOW)
    (project.folder / ".skyflow").mkdir()
    (project.folder / ".skyflow" / "state.db").write_text("no database, but long enough to be looked at" * 30)
    assert "not a usable skyflow state store" in project.skyflow("run", "--detach", "w.yml", code=6).err


CANCELLABLE = """
on: push
jobs:
  a: {runs-on: local, steps: [{run: 'echo a >> log; touch begun; sleep 60'}, {run: echo clean >> log, if: cancelled()}]}
  b: {runs-on: local, needs: a, steps: [{run: echo b >> log}]}
  c: {runs-on: local, needs: a, if: always(), steps: [{run: echo c >> log}]}
"""


def test_a_run_is_cancelled_while_it_is_driven(project, wait_until) -> None:
    project.write(CANCELLABLE)
    project.skyflow("run", "--detach", "w.yml")
    wait_until((project.folder / "begun").exists)
    assert project.skyflow("cancel").out == "Run 1: cancelled\n"
    check_cancelled(project)
    assert "has completed (cancelled)" in project.skyflow("cancel", code=2).err


def test_a_run_that_nobody_drives_is_cancelled(project, wait_until) -> None:
    project.write(CANCELLABLE)
    run = project.start("run", "w.yml")
    wait_until((project.folder / "begun").exists)
    run.kill()
    run.communicate()
    assert "Run 1: cancelled" in project.skyflow("cancel").out
    assert (project.folder / "log").read_text().split() == ["a", "clean", "c"]
    assert project.skyflow("show", "--json").json["state"] == "cancelled"


def test_a_driver_that_dies_while_it_cancels_leaves_a_run_that_stays_cancelled(project, wait_until) -> None:
    project.write(CANCELLABLE.replace("sleep 60", 'trap "" INT TERM; while :; do sleep 0.1; done'))
    run = project.start("run", "w.yml")
    wait_until((project.folder / "begun").exists)
    canceller = project.start("cancel")
    wait_until(lambda: _is_cancelled(project))
    os.kill(run.pid, signal.SIGKILL)
    run.communicate()
    canceller.communicate(timeout=60)
    assert project.skyflow("show", "--json").json["state"] == "cancelled"
    assert "b" not in (project.folder / "log").read_text().split()


def _is_cancelled(project) -> bool:
    import sqlite3

    connection = sqlite3.connect(project.folder / ".skyflow" / "state.db")
    [(is_cancelled,)] = connection.execute("SELECT is_cancelled FROM runs").fetchall()
    connection.close()
    return bool(is_cancelled)


def check_cancelled(project) -> None:
    history = project.skyflow("show", "--json").json
    assert history["state"] == "cancelled"
    assert {job["key"]: job["conclusion"] for job in history["jobs"]} == {
        "a": "cancelled",
        "b": "cancelled",
        "c": "success",
    }
    assert (project.folder / "log").read_text().split() == ["a", "clean", "c"]


RETRIED = """
on: push
jobs:
  one:
    runs-on: local
    outputs: {v: '${{ steps.s.outputs.v }}'}
    steps: [{id: s, run: 'echo one >> log; echo v=42 >> $GITHUB_OUTPUT'}]
  two:
    runs-on: local
    needs: one
    strategy: {matrix: {n: [1, 2]}}
    steps: [{run: 'echo two${{ matrix.n }}:${{ needs.one.outputs.v }}:${{ github.run_attempt }} >> log; test ${{ matrix.n }} = 1 || test -e ok'}]
  three: {runs-on: local, needs: two, steps: [{run: echo three >> log}]}
"""


@pytest.fixture
def failed(project):
    project.write(RETRIED)
    project.skyflow("run", "-k", "w.yml", "--jobs", "1", code=1)
    assert (project.folder / "log").read_text().split() == ["one", "two1:42:1", "two2:42:1"]
    (project.folder / "ok").touch()
    (project.folder / "log").unlink()
    return project


def test_only_what_failed_is_tried_again_and_what_needs_it(failed) -> None:
    out = failed.skyflow("retry", "--failed").out
    assert (failed.folder / "log").read_text().split() == ["two2:42:2", "three"]
    assert "taken over" in out
    [retried, first] = failed.skyflow("runs", "--json").json
    assert (retried["state"], first["state"]) == ("success", "failure")
    assert "every job of run 2" in failed.skyflow("retry", "--failed", code=2).err
    assert "is sound" in failed.skyflow("db", "check").out


def test_a_job_is_tried_again_and_what_needs_it(failed) -> None:
    failed.skyflow("retry", "1", "--job", "two (1)", "--jobs", "1", code=0)
    assert (failed.folder / "log").read_text().split() == ["two1:42:2", "two2:42:2", "three"]
    assert "has no job 'four'" in failed.skyflow("retry", "--job", "four", code=2).err


def test_a_whole_run_is_tried_again(failed) -> None:
    failed.skyflow("retry", "1", "--jobs", "1")
    assert (failed.folder / "log").read_text().split() == ["one", "two1:42:2", "two2:42:2", "three"]


def test_a_retry_finds_the_artifacts_of_the_first_try(project) -> None:
    project.write(
        "on: push\njobs:\n  a:\n    runs-on: local\n    steps:\n      - run: echo x > x\n"
        "      - uses: actions/upload-artifact@v4\n        with: {name: x, path: x}\n"
        "  b:\n    runs-on: local\n    needs: a\n    steps:\n"
        "      - uses: actions/download-artifact@v4\n        with: {name: x, path: got}\n      - run: test -e ok && cat got/x\n"
    )
    project.skyflow("run", "w.yml", code=1)
    (project.folder / "ok").touch()
    project.skyflow("retry", "--failed")
    project.skyflow("retry", "--job", "a")  # uploads the artifact again


def test_a_run_that_can_be_resumed_is_not_retried(project, wait_until) -> None:
    project.write(SLOW)
    run = project.start("run", "w.yml")
    wait_until((project.folder / "begun").exists)
    assert "wait for it, or cancel it" in project.skyflow("retry", code=2).err
    run.kill()
    run.communicate()
    assert "`skyflow resume 1` goes on" in project.skyflow("retry", code=2).err
    (project.folder / "go").touch()
