"""What goes wrong around a run: the clock is put back, a line has no end."""

import os
import re
import subprocess
import sys
from datetime import UTC, datetime

PUT_BACK = """
import datetime as dt, os, sys
import skyflow.app.clock as clock
def now(self):
    return dt.datetime.now(dt.UTC) - dt.timedelta(hours=2 if os.path.exists("back") else 0)
clock.SystemClock.now = now
from skyflow.cli import main
sys.argv[0] = "skyflow"
main()
"""


def test_a_clock_that_is_put_back_during_a_run_changes_neither_order_nor_durations(project) -> None:
    project.write(
        "on: push\njobs:\n"
        "  a: {runs-on: local, steps: [{run: echo one}, {run: touch back; sleep 0.3; echo two}]}\n"
        "  b:\n    runs-on: local\n    needs: a\n    retry: {attempts: 2, backoff: 1s}\n"
        "    steps: [{run: 'test -e tried || { touch tried; exit 75; }'}]\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", PUT_BACK, "run", "w.yml"],
        cwd=project.folder,
        env=project.environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    run = project.skyflow("show", "--json").json
    times = [run["created_at"], run["started_at"]]
    for job in run["jobs"]:
        times += [job["queued_at"], job["started_at"], job["completed_at"]]
    times.append(run["completed_at"])
    seconds = [datetime.fromisoformat(time).astimezone(UTC).timestamp() for time in times]
    a, b = run["jobs"]
    assert seconds[-1] == max(seconds)
    assert b["queued_at"] >= a["completed_at"] > a["started_at"]
    assert 0.3 <= seconds[4] - seconds[3] < 60
    assert len(b["attempts"]) == 2
    assert "is sound" in project.skyflow("db", "check").out
    project.skyflow("report", "-o", "r.html")
    assert not re.search(r">\(?-\d", (project.folder / "r.html").read_text()), "no negative duration"
    assert "two" in project.skyflow("logs", "latest", "a").out


_PEAK = """
import resource, subprocess, sys

subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
"""Tells the peak memory of a command: until it is executed, a process counts that of its parent, so this one is small."""


def test_a_line_of_a_gigabyte_is_kept_masked_and_memory_stays_flat(project) -> None:
    size = 1024**3
    project.write(
        "on: push\njobs:\n  a:\n    runs-on: local\n    steps:\n      - run: |\n"
        "          echo ::add-mask::hidden-text\n"
        f"          head -c {size} /dev/zero | tr '\\0' x; printf hidden-text\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", _PEAK, *project.command("run", "-q", "w.yml")],
        cwd=project.folder,
        env=project.environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    [log] = project.folder.glob(".skyflow/runs/*/a/1/1.log")
    assert log.stat().st_size == size + len("***\n")
    with log.open("rb") as file:
        file.seek(-10, os.SEEK_END)
        assert file.read() == b"xxxxxx***\n"
    assert int(done.stdout) / 1024 < 150, "MB"
    log.unlink()
