"""Killed, interrupted, resumed: completed jobs are run once, whatever happens."""

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


def test_resuming_ends_what_the_dead_driver_left_running(project, wait_until) -> None:
    project.write("on: push\njobs:\n  a: {runs-on: local, steps: [{run: 'echo $$ >> pids; test -e go || sleep 60'}]}\n")
    process = project.start("run", "w.yml")
    wait_until(lambda: len(lines(project.folder / "pids")) == 1)
    process.kill()
    process.communicate()
    (project.folder / "go").touch()
    project.skyflow("resume")
    first = int(lines(project.folder / "pids")[0])
    stat = Path(f"/proc/{first}/stat")
    assert not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z"


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
    out, err = process.communicate(timeout=20)
    assert process.returncode == 130, err
    assert b"`skyflow resume 1` continues it." in out
    assert lines(project.folder / "log") == ["start", "clean"]
    assert "interrupted" in project.skyflow("runs").out
    (project.folder / "go").touch()
    project.skyflow("resume", "1")
    assert lines(project.folder / "log") == ["start", "clean", "start", "b"]


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
    out, _ = process.communicate(timeout=5)
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
    process.communicate(timeout=20)
    assert process.returncode == 130
