"""Killed, interrupted, resumed: completed jobs are run once, whatever happens."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

TWENTY = "on: push\njobs:\n" + "".join(
    f"  j{i}:\n    runs-on: local\n{'' if i < 2 else f'    needs: [j{i - 2}]{chr(10)}'}"
    f"    outputs: {{n: '${{{{ steps.s.outputs.n }}}}'}}\n    steps:\n"
    f"      - id: s\n        run: |\n          echo j{i} >> begun; sleep 0.05; echo n={i} >> $GITHUB_OUTPUT; echo j{i} >> done\n"
    for i in range(20)
)


def lines(path: Path) -> list[str]:
    return path.read_text().split() if path.exists() else []


@pytest.mark.parametrize("after", [1, 6, 14])
def test_a_killed_run_of_twenty_jobs_is_finished_with_every_completed_job_run_once(project, wait_until, after) -> None:
    project.write(TWENTY)
    process = project.start("run", "--jobs", "2", "w.yml")
    wait_until(lambda: len(lines(project.folder / "done")) >= after)
    process.kill()
    process.communicate()
    history = project.skyflow("show", "--json").json
    completed = [job["key"] for job in history["jobs"] if job["status"] == "completed"]
    assert len(completed) >= after - 2
    assert history["state"] == "interrupted"

    (project.folder / "w.yml").write_text("on: push\njobs: {}\n")  # the run keeps the workflow it began with
    out = project.skyflow("resume").out

    assert "Resuming run 1" in out
    begun = lines(project.folder / "begun")
    assert sorted(set(begun)) == sorted(f"j{i}" for i in range(20))
    assert all(begun.count(key) == 1 for key in completed)
    history = project.skyflow("show", "--json").json
    assert history["state"] == "success"
    assert [job["outputs"] for job in history["jobs"]] == [{"n": job["key"][1:]} for job in history["jobs"]]
    repeated = [job for job in history["jobs"] if len(job["attempts"]) > 1]
    assert all(job["attempts"][0]["reason"] == "lost" for job in repeated)
    assert not {job["key"] for job in repeated} & set(completed)


ADOPTABLE = """
on: push
jobs:
  a:
    runs-on: local
    outputs: {v: '${{ steps.s.outputs.v }}'}
    steps:
      - run: echo first >> begun; echo SEEN=yes >> $GITHUB_ENV; echo ::add-mask::hidden-text
      - id: s
        run: |
          echo second >> begun; echo "before $SEEN hidden-text"; printf 'no newline yet'
          touch running; while ! test -e go; do sleep 0.02; done
          echo; echo "after hidden-text"; echo v=7 >> $GITHUB_OUTPUT; echo "### Summary" >> $GITHUB_STEP_SUMMARY
      - run: echo third >> begun; echo "and $SEEN"
  b: {runs-on: local, needs: a, steps: [{run: 'echo got ${{ needs.a.outputs.v }}'}]}
"""


def processes(project) -> tuple[int, int]:
    """Return the process of the step that was started last, and its keeper."""
    [journal] = project.folder.glob(".skyflow/runs/*/keeper.jsonl")
    line = [json.loads(line) for line in journal.read_text().splitlines() if '"started"' in line][-1]
    return line["pid"], line["keeper"]


def is_alive(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def left_alone(project, wait_until):
    """A run whose driver was killed in the middle of a step, which lives on."""
    project.write(ADOPTABLE)
    process = project.start("run", "w.yml")
    wait_until((project.folder / "running").exists)
    process.kill()
    process.communicate()
    return project


@pytest.fixture
def left_alone_in_a_group(project, wait_until):
    """The same, with a job that holds a concurrency group."""
    project.write(ADOPTABLE.replace("    outputs", "    concurrency: deploy\n    outputs"))
    process = project.start("run", "w.yml")
    wait_until((project.folder / "running").exists)
    process.kill()
    process.communicate()
    return project


@pytest.mark.parametrize("ends", ["after the resume", "before the resume"])
def test_a_step_that_lives_on_is_seen_through(left_alone, wait_until, ends) -> None:
    step, keeper = processes(left_alone)
    assert is_alive(step)
    if ends == "before the resume":
        (left_alone.folder / "go").touch()
        wait_until(lambda: not is_alive(step) and not is_alive(keeper))
        left_alone.skyflow("resume")
    else:
        resumed = left_alone.start("resume")
        wait_until(lambda: left_alone.skyflow("runs", "--json").json[0]["state"] == "in_progress")
        (left_alone.folder / "go").touch()
        out, err = resumed.communicate(timeout=60)
        assert resumed.returncode == 0, out + err
    assert lines(left_alone.folder / "begun") == ["first", "second", "third"]
    printed = left_alone.skyflow("logs", "latest", "a").out.splitlines()
    assert [line for line in printed if line.startswith(" ")] == [
        "  before yes ***",
        "  no newline yet",
        "  after ***",
        "  and yes",
    ]
    assert "got 7" in left_alone.skyflow("logs", "latest", "b").out
    assert "Summary" in left_alone.skyflow("show", "--summary").out
    [job, _] = left_alone.skyflow("show", "--json").json["jobs"]
    assert len(job["attempts"]) == 1
    assert "is sound" in left_alone.skyflow("db", "check").out
    assert not list(left_alone.folder.glob(".skyflow/runs/*/temp/*"))


def test_a_step_whose_keeper_died_as_well_is_ended_and_gets_another_attempt(left_alone, wait_until) -> None:
    step, keeper = processes(left_alone)
    os.kill(keeper, signal.SIGKILL)
    wait_until(lambda: not is_alive(keeper))
    (left_alone.folder / "go").touch()
    left_alone.skyflow("resume")
    assert lines(left_alone.folder / "begun") == ["first", "second", "first", "second", "third"]
    assert not is_alive(step)
    [job, _] = left_alone.skyflow("show", "--json").json["jobs"]
    assert [attempt["reason"] for attempt in job["attempts"]] == ["lost", None]


def test_a_driver_goes_on_when_only_the_keeper_is_killed(project, wait_until) -> None:
    project.write(ADOPTABLE)
    process = project.start("run", "w.yml")
    wait_until((project.folder / "running").exists)
    step, keeper = processes(project)
    os.kill(keeper, signal.SIGKILL)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert b"exit code 137" in out
    assert not is_alive(step)


def test_a_driver_that_is_killed_again_and_again_loses_nothing(left_alone, wait_until) -> None:
    for _ in range(3):
        resumed = left_alone.start("resume")
        wait_until(lambda: left_alone.skyflow("runs", "--json").json[0]["state"] == "in_progress")
        resumed.kill()
        resumed.communicate()
    (left_alone.folder / "go").touch()
    left_alone.skyflow("resume")
    assert lines(left_alone.folder / "begun") == ["first", "second", "third"]
    assert left_alone.skyflow("logs", "latest", "a").out.count("before yes ***") == 1


@pytest.mark.parametrize("whose", ["run", "job"])
def test_a_step_that_lives_on_keeps_the_concurrency_group(project, wait_until, whose) -> None:
    grouped = {
        "run": ADOPTABLE.replace("jobs:", "concurrency: deploy\njobs:"),
        "job": ADOPTABLE.replace("    outputs", "    concurrency: deploy\n    outputs"),
    }
    project.write(grouped[whose])
    process = project.start("run", "w.yml")
    wait_until((project.folder / "running").exists)
    process.kill()
    process.communicate()
    other = "on: push\nconcurrency: deploy\njobs: {c: {runs-on: local, steps: [{run: echo other >> begun}]}}\n"
    project.write(other, name="other.yml")
    second = project.start("run", "other.yml")
    wait_until(lambda: len(project.skyflow("runs", "--json").json) == 2)
    resumed = project.start("resume", "1")
    wait_until(lambda: project.skyflow("show", "1", "--json").json["state"] == "in_progress")
    assert lines(project.folder / "begun") == ["first", "second"]
    (project.folder / "go").touch()
    out, err = resumed.communicate(timeout=60)
    assert resumed.returncode == 0, out + err
    second.communicate(timeout=60)
    assert second.returncode == 0
    assert lines(project.folder / "begun") == ["first", "second", "third", "other"]
    [job, _] = project.skyflow("show", "1", "--json").json["jobs"]
    assert len(job["attempts"]) == 1


def test_a_built_in_action_is_done_again_but_not_what_came_before_it(project, wait_until) -> None:
    project.write(
        "on: push\njobs:\n  a:\n    runs-on: local\n    steps:\n"
        "      - run: echo first >> begun; truncate -s 50G kept.txt\n"
        "      - {uses: actions/upload-artifact@v4, with: {name: kept, path: kept.txt}}\n"
        "      - run: echo last >> begun\n"
    )
    process = project.start("run", "w.yml")

    def is_uploading() -> bool:
        notes = [file.read_text() for file in project.folder.glob(".skyflow/runs/*/temp/a@1/results.jsonl")]
        return any("repeatable" in note for note in notes)

    wait_until(is_uploading)
    process.kill()
    process.communicate()
    (project.folder / "kept.txt").write_text("small")
    project.skyflow("resume")
    assert lines(project.folder / "begun") == ["first", "last"]
    [job] = project.skyflow("show", "--json").json["jobs"]
    assert len(job["attempts"]) == 1
    assert "kept" in project.skyflow("artifacts", "list").out
    assert "is sound" in project.skyflow("db", "check").out


def test_a_job_whose_group_others_have_had_starts_over(left_alone_in_a_group, wait_until) -> None:
    project = left_alone_in_a_group
    step, keeper = processes(project)
    (project.folder / "go").touch()
    wait_until(lambda: not is_alive(step) and not is_alive(keeper))
    project.write("on: push\nconcurrency: deploy\njobs: {c: {runs-on: local, steps: [{run: 'true'}]}}\n", name="o.yml")
    project.skyflow("run", "o.yml")
    project.skyflow("resume", "1")
    [job, _] = project.skyflow("show", "1", "--json").json["jobs"]
    assert [attempt["reason"] for attempt in job["attempts"]] == ["lost", None]


def test_an_adopted_step_can_be_cancelled(project, wait_until) -> None:
    project.write(ADOPTABLE.replace("touch running;", "trap 'echo trapped >> begun; exit 1' INT; touch running;"))
    process = project.start("run", "w.yml")
    wait_until((project.folder / "running").exists)
    process.kill()
    process.communicate()
    step, _ = processes(project)
    assert "cancelled" in project.skyflow("cancel").out
    assert not is_alive(step)
    assert lines(project.folder / "begun") == ["first", "second", "trapped"], "it could clean up"
    [job, *_] = project.skyflow("show", "--json").json["jobs"]
    assert [step["status"] for step in job["attempts"][0]["steps"]] == ["completed"] * 3


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_run_cleans_up_and_can_be_resumed(project, wait_until, number) -> None:
    project.write(
        "on: push\njobs:\n  a:\n    runs-on: local\n    steps:\n"
        "      - run: echo start >> log; test -e go || sleep 60\n      - {run: echo clean >> log, if: cancelled()}\n"
        "  b: {runs-on: local, needs: a, steps: [{run: echo b >> log}]}\n"
    )
    process = project.start("run", "w.yml")
    wait_until(lambda: lines(project.folder / "log") == ["start"])
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert b"Waiting for what they need: b\nInterrupted. `skyflow resume 1` continues it." in out
    assert lines(project.folder / "log") == ["start", "clean"]
    assert "interrupted" in project.skyflow("runs").out
    (project.folder / "go").touch()
    project.skyflow("resume", "1")
    assert lines(project.folder / "log") == ["start", "clean", "start", "b"]


def test_nohup_keeps_a_run_from_ending_with_its_terminal(project, wait_until) -> None:
    project.write(
        "on: push\njobs:\n  a: {runs-on: local, steps: [{run: 'touch up; until test -e go; do sleep 0.05; done'}]}\n"
    )
    process = subprocess.Popen(
        ["nohup", *project.command("run", "w.yml")], cwd=project.folder, env=project.environment(),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    wait_until((project.folder / "up").exists)
    process.send_signal(signal.SIGHUP)
    (project.folder / "go").touch()
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, out


def test_a_second_interrupt_kills_what_does_not_heed_the_first(project, wait_until) -> None:
    project.write(
        "on: push\njobs:\n  a: {runs-on: local, steps: [{run: 'trap \"\" INT TERM; echo start >> log; while :; do sleep 0.1; done'}]}\n"
    )
    process = project.start("run", "w.yml")
    wait_until(lambda: lines(project.folder / "log") == ["start"])
    process.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.3)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"interrupt again to kill" in out


def test_a_run_that_is_being_driven_is_not_driven_twice(project, wait_until) -> None:
    project.write("on: push\njobs:\n  a: {runs-on: local, steps: [{run: 'touch started; test -e go || sleep 60'}]}\n")
    process = project.start("run", "w.yml")
    wait_until((project.folder / "started").exists)
    refused = project.skyflow("resume", code=6)
    assert f"process {process.pid}" in refused.err
    assert "in progress" in project.skyflow("runs").out
    os.kill(process.pid, signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
