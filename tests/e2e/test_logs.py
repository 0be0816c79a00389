"""Looking into logs: by job, line, time and pattern, afterwards and while they grow."""

import json
import re
import shutil
import subprocess

import pytest

WORKFLOW = """
on: push
jobs:
  a:
    runs-on: local
    steps:
      - {name: Count, run: 'seq 1 5; echo ::group::G; echo inside; echo ::endgroup::'}
      - {name: Silent, run: 'true'}
  b: {runs-on: local, steps: [{name: Late, run: 'echo first; sleep 0.3; echo second'}]}
"""


@pytest.fixture
def ran(project):
    project.write(WORKFLOW)
    project.skyflow("run", "-q", "w.yml")
    return project


def test_every_step_that_ran_has_its_title(ran) -> None:
    out = ran.skyflow("logs").out
    assert [line for line in out.splitlines() if not line.startswith(" ")] == ["a: Count", "a: Silent", "b: Late"]


def test_grep_shows_matching_lines_with_their_numbers(ran) -> None:
    assert ran.skyflow("logs", "--grep", "^[24]$|second").out == "a: Count\n  2: 2\n  4: 4\nb: Late\n  2: second\n"
    assert "not a regular expression" in ran.skyflow("logs", "--grep", "(", code=2).err


def test_tail_shows_the_last_lines(ran) -> None:
    assert ran.skyflow("logs", "latest", "b", "--tail", "1").out == "b: Late\n  second\n"
    assert ran.skyflow("logs", "latest", "b", "-n", "0").out == "b: Late\n"


def test_since_takes_an_age_or_a_time(ran) -> None:
    assert "second" in ran.skyflow("logs", "--since", "10m").out
    assert ran.skyflow("logs", "--since", "2099-01-01").out == ""
    assert "neither an age nor a time" in ran.skyflow("logs", "--since", "later", code=2).err
    timed = ran.skyflow("logs", "latest", "b", "-t").out.splitlines()[1:]
    first, second = (re.match(r"  (\d\d:\d\d:\d\d\.\d\d\d) ", line)[1] for line in timed)
    assert first < second
    day = ran.skyflow("show", "--json").json["created_at"][:10]
    local = ran.skyflow("logs", "latest", "b", "--since", f"{day}T{second}", TZ="UTC").out
    assert local == "b: Late\n  second\n"


def test_a_terminal_obeys_nothing_but_colours_and_raw_is_what_was_printed(project) -> None:
    """In a file neither: somebody may look at it in a terminal."""
    printed = b"\x1b[31mred\x1b[0m \x1b]0;t\x07\xff \xc2\x9b \xe2\x80\xa8 "
    (project.folder / "printed").write_bytes(printed + b"hunter2\n")
    project.write("on: push\njobs:\n  a: {runs-on: local, steps: [{run: cat printed}]}\n")
    events = project.skyflow("run", "w.yml", "--json", "--secret", "KEY=hunter2").out.rstrip("\n").split("\n")
    assert all(line.isprintable() for line in events)
    said = "".join(each["text"] for each in map(json.loads, events) if each["event"] == "output")
    assert said.encode(errors="replace") == printed.replace(b"\xff", "\ufffd".encode()) + b"***\n"
    shown = project.skyflow("logs").out.split("\n")[1]
    assert "red" in shown
    assert not [each for each in ("\x07", "\x1b]", "\x9b") if each in shown]
    done = subprocess.run(
        project.command("logs", "latest", "a", "--raw"), cwd=project.folder, capture_output=True, check=True
    )
    assert done.stdout == printed + b"***\n"
    assert "leave --follow" in project.skyflow("logs", "--raw", "--tail", "1", code=2).err


def test_what_is_printed_beyond_the_limit_of_the_project_is_left_out(project) -> None:
    (project.folder / "skyflow.yml").write_text("log-limit: 1kB\n")
    project.write("on: push\njobs:\n  a: {runs-on: local, steps: [{run: 'yes | head -n 100000'}]}\n")
    done = project.skyflow("run", "w.yml", code=0)
    assert "printed more than 1 kB: what came after is left out" in done.out + done.err
    assert len(project.skyflow("logs").out.splitlines()) == 1 + 500 + 1


def test_following_shows_output_as_it_comes_until_the_run_ends(project, wait_until) -> None:
    project.write(
        "on: push\njobs:\n  a: {runs-on: local, steps: [{run: 'echo one; while ! test -e go; do sleep 0.02; done; echo two'}]}\n"
    )
    run = project.start("run", "w.yml")
    wait_until(lambda: any(project.folder.glob(".skyflow/runs/*/a/1/1.log")))
    follower = project.start("logs", "-f")
    assert b"one" in follower.stdout.readline()
    (project.folder / "go").touch()
    assert b"two" in follower.stdout.readline()
    assert follower.wait(60) == 0
    follower.communicate()
    run.communicate()


def test_a_log_folder_that_is_deleted_under_a_run_does_not_end_it(project, wait_until) -> None:
    project.write(
        "on: push\njobs:\n  a:\n    runs-on: local\n    steps:\n"
        "      - run: echo one; touch begun; while ! test -e go; do sleep 0.02; done; echo two\n      - run: echo three\n"
    )
    run = project.start("run", "w.yml")
    wait_until((project.folder / "begun").exists)
    # what a step says is written a moment later: the folder first, then the log and its index, and "one" at the end
    wait_until(lambda: any(log.stat().st_size for log in project.folder.glob(".skyflow/runs/*/a/1/1.log")))
    [folder] = project.folder.glob(".skyflow/runs/*/a")
    shutil.rmtree(folder)
    (project.folder / "go").touch()
    out, err = run.communicate(timeout=60)
    assert run.returncode == 0, err
    assert b"two" in out
    assert b"three" in out
    assert "three" in project.skyflow("logs").out, "the log of the next step is kept"
    assert "completed" in str(project.skyflow("show", "--json").json)
