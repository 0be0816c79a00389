"""The database looked after: checked, copied, made smaller, and used when it is damaged, full, locked or read-only."""

import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

JOB = "{runs-on: local, steps: [{run: echo hello}]}"


@pytest.fixture
def ran(project):
    project.write(f"on: push\njobs:\n  a: {JOB}\n  b: {JOB}\n")
    project.skyflow("run", "w.yml")
    return project


@pytest.fixture
def database(ran) -> Path:
    return ran.folder / ".skyflow" / "state.db"


def edit(database: Path, statement: str) -> None:
    connection = sqlite3.connect(database)
    with connection:
        assert connection.execute(statement).rowcount > 0
    connection.close()


def test_a_sound_store_is_said_to_be_sound(ran) -> None:
    assert "is sound" in ran.skyflow("db", "check").out


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("UPDATE jobs SET status = 'in_progress', conclusion = NULL WHERE job_key = 'a'", "job a is in_progress, its history ends at completed"),
        ("DELETE FROM events WHERE entity = 'step' AND new = 'in_progress' AND job_key = 'b'", "step b#1/1 was not in_progress"),
        ("UPDATE events SET old = 'completed', new = 'queued' WHERE entity = 'run' AND new = 'completed'", "cannot go from completed to queued"),
        ("DELETE FROM attempts WHERE job_key = 'b'", "a row of steps belongs to nothing"),
    ],
)  # fmt: skip
def test_rows_that_contradict_their_history_are_found(ran, database: Path, statement: str, problem: str) -> None:
    edit(database, statement)
    done = ran.skyflow("db", "check", code=6)
    assert problem in done.err


def test_a_lost_log_folder_is_found(ran) -> None:
    shutil.rmtree(next((ran.folder / ".skyflow" / "runs").iterdir()))
    assert "its folder is gone" in ran.skyflow("db", "check", code=6).err


def test_a_backup_is_a_whole_store(ran) -> None:
    ran.skyflow("db", "backup", "copy.db")
    assert "exists already" in ran.skyflow("db", "backup", "copy.db", code=2).err
    shutil.rmtree(ran.folder / ".skyflow")
    assert "success" in ran.skyflow("runs", "--state", "copy.db").out
    assert not list(ran.folder.glob("*.partial"))


def test_artifacts_stay_while_another_try_at_their_run_does(project) -> None:
    project.write(
        "on: push\njobs:\n"
        "  a: {runs-on: local, steps: [{run: echo hi > made}, "
        "{uses: actions/upload-artifact@v4, with: {name: made, path: made}}]}\n"
        "  b: {needs: a, runs-on: local, steps: [{run: test -e go}]}\n"
    )
    project.skyflow("run", "w.yml", code=1)
    (project.folder / "go").touch()
    project.skyflow("retry", "--failed")
    database = project.folder / ".skyflow" / "state.db"
    edit(database, "UPDATE runs SET completed_at = '2020-01-01T00:00:00.000Z' WHERE number = 1")
    assert "1 run was forgotten" in project.skyflow("prune", "--older-than", "30d").out
    project.skyflow("artifacts", "get", "made", "--to", "out")
    assert (project.folder / "out" / "made").read_text() == "hi\n"
    project.skyflow("prune", "--older-than", "0s")
    assert not list((project.folder / ".skyflow" / "artifacts" / "runs").glob("*/*"))


def test_vacuum_gives_back_what_pruned_runs_took(ran, database: Path) -> None:
    for _ in range(3):
        ran.skyflow("run", "-q", "w.yml")
    assert "4 runs would be forgotten" in ran.skyflow("prune", "--older-than", "0s", "--dry-run").out
    assert len(ran.skyflow("runs", "--json").json) == 4
    ran.skyflow("prune", "--older-than", "0s")
    before = database.stat().st_size
    ran.skyflow("db", "vacuum")
    assert database.stat().st_size < before
    assert ran.skyflow("runs", "--json").json == []
    assert list((ran.folder / ".skyflow" / "runs").iterdir()) == []
    assert "Run 5: success" in ran.skyflow("run", "-q", "w.yml").out  # no number is given twice
    assert "is sound" in ran.skyflow("db", "check").out


def test_pruning_keeps_young_runs_and_those_that_can_be_resumed(ran, wait_until) -> None:
    ran.write("on: push\njobs:\n  a: {runs-on: local, steps: [{run: touch begun; sleep 60}]}\n", "slow.yml")
    process = ran.start("run", "slow.yml")
    wait_until((ran.folder / "begun").exists)
    process.kill()
    process.communicate()
    assert "nothing to forget" in ran.skyflow("prune", "--older-than", "30d").out
    ran.skyflow("prune", "--older-than", "0s")
    [left] = ran.skyflow("runs", "--json").json
    assert left["state"] == "interrupted"


def test_pruning_takes_the_artifacts_of_a_run_along(project) -> None:
    project.write(
        "on: push\njobs:\n  a:\n    runs-on: local\n    steps:\n      - run: echo x > x\n"
        "      - uses: actions/upload-artifact@v4\n        with: {name: x, path: x}\n"
    )
    project.skyflow("run", "w.yml")
    artifacts = project.folder / ".skyflow" / "artifacts" / "runs"
    assert [path for path in artifacts.rglob("*") if path.is_file()]
    project.skyflow("prune", "--older-than", "0s")
    assert not [path for path in artifacts.rglob("*") if path.is_file()]


def test_an_age_that_is_none_is_refused(project) -> None:
    assert "is not a duration" in project.skyflow("prune", "--older-than", "soon", code=2).err


@pytest.mark.parametrize("damage", ["truncated", "wrong magic", "text"])
def test_a_corrupt_database_is_refused_and_left_as_it_is(ran, database: Path, damage: str) -> None:
    data = database.read_bytes()
    broken = {"truncated": data[: len(data) // 2], "wrong magic": b"X" + data[1:], "text": b"hello\n"}[damage]
    database.write_bytes(broken)
    for command in (("runs",), ("run", "w.yml"), ("db", "check")):
        done = ran.skyflow(*command, code=None)
        if damage != "truncated" or command == ("db", "check"):  # half a file may hold what a command asks for
            assert done.code == 6, (command, done)
            assert "state.db" in done.err
    if damage != "truncated":
        assert database.read_bytes() == broken


def test_a_database_that_another_program_keeps_locked_is_reported(ran, database: Path) -> None:
    script = (
        "import sys; from pathlib import Path; import skyflow.store.store as s; s._BUSY_SECONDS = 0.05\n"
        "from skyflow.cli import main; sys.argv = ['skyflow', 'run', '-q', 'w.yml']; main()"
    )
    blocker = sqlite3.connect(database, isolation_level=None)
    blocker.execute("BEGIN EXCLUSIVE")
    done = subprocess.run([sys.executable, "-c", script], cwd=ran.folder, capture_output=True, text=True, check=False)
    blocker.close()
    assert done.returncode == 6
    assert "stayed locked by another program" in done.stderr


def test_a_newer_schema_is_refused_and_left_alone(ran, database: Path) -> None:
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA user_version = 999")
    connection.close()
    assert "written by a newer skyflow" in ran.skyflow("run", "w.yml", code=6).err


LIMITED = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))
from skyflow.cli import main
sys.argv = ["skyflow", *sys.argv[2:]]
main()
"""
"""No file can grow beyond a size, which is what a full disk looks like to whoever writes."""


def test_a_log_that_cannot_grow_ends_the_run_in_good_order(project) -> None:
    project.write("on: push\njobs:\n  a: {runs-on: local, steps: [{run: 'seq 1000000; touch end'}]}\n")
    project.skyflow("run", "-q", "w.yml", code=0)
    (project.folder / "end").unlink()
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, "3000000", "run", "-q", "w.yml"],
        cwd=project.folder, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 6, done.stderr
    assert re.search(r"1\.(log cannot be written|out: the disk is full)", done.stderr)  # whichever is full first
    assert "is sound" in project.skyflow("db", "check").out
    assert "interrupted" in project.skyflow("runs").out
    project.skyflow("resume")
    assert (project.folder / "end").exists()


def test_a_database_that_cannot_grow_ends_the_run_in_good_order(project) -> None:
    project.write(f"on: push\njobs:\n  a: {JOB}\n")
    project.skyflow("run", "-q", "w.yml")  # so that the database is there
    jobs = "".join(f"  j{i}: {JOB}\n" for i in range(300))
    project.write(f"on: push\njobs:\n{jobs}")
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, "500000", "run", "-q", "w.yml"],
        cwd=project.folder, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 6, done.stderr
    assert "state.db cannot be used" in done.stderr
    assert "is sound" in project.skyflow("db", "check").out
    project.skyflow("resume", "-q")
    assert len(project.skyflow("show", "--json").json["jobs"]) == 300


@pytest.fixture
def mounted(project) -> Callable[..., str]:
    """Return what runs a script of its own mounts in the project, and returns all that it says; only root can."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("only root can mount")
    if subprocess.run(
        ["unshare", "-m", "mount", "-t", "tmpfs", "none", "."], cwd=project.folder, check=False
    ).returncode:
        pytest.skip("this container may not mount")

    def run(script: str) -> str:
        functions = f'skyflow() {{ {sys.executable} -m skyflow "$@"; echo "exit code $?"; }}\n'
        return subprocess.run(
            ["unshare", "-m", "bash", "-c", functions + script],
            cwd=project.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=300,
        ).stdout  # fmt: skip

    return run


def test_a_disk_that_is_full_of_logs_ends_the_run_in_good_order(project, mounted) -> None:
    project.write("on: push\njobs:\n  a: {runs-on: local, steps: [{run: 'seq 2000000; touch end'}]}\n")
    full, rest = mounted("""
        mkdir disk && mount -t tmpfs -o size=4m disk disk && cp w.yml disk && cd disk
        skyflow run -q w.yml; skyflow db check; skyflow resume -q
        echo ROOM; mount -o remount,size=200m .
        skyflow resume -q; skyflow db check; ls
    """).split("ROOM\n")
    assert re.search(r"(1\.(log cannot be written|out: the disk is full)|state\.db cannot be used)", full)
    assert "make room" in full
    assert [line for line in full.splitlines() if line.startswith("exit code")] == [f"exit code {n}" for n in (6, 0, 6)]
    assert "Run 1: success" in rest
    assert "is sound" in rest
    assert rest.splitlines()[-2:] == ["end", "w.yml"]


def test_a_disk_that_is_full_of_rows_ends_the_run_in_good_order(project, mounted) -> None:
    project.write("on: push\njobs:\n" + "".join(f"  j{i}: {JOB}\n" for i in range(200)))
    full, rest = mounted("""
        mkdir disk && mount -t tmpfs -o size=1m disk disk && cp w.yml disk && cd disk
        skyflow run -q w.yml; skyflow db check
        echo ROOM; mount -o remount,size=200m .
        skyflow resume -q; skyflow db check
    """).split("ROOM\n")
    assert "make room" in full
    assert [line for line in full.splitlines() if line.startswith("exit code")] == ["exit code 6", "exit code 0"]
    assert "Run 1: success" in rest
    assert "(200 success)" in rest
    assert "is sound" in rest


def test_a_read_only_file_system_can_be_looked_at(ran, mounted) -> None:
    said = mounted("""
        mount --bind . . && mount -o remount,bind,ro . && cd $PWD
        skyflow runs; skyflow show; skyflow logs; skyflow run w.yml
    """)
    codes = [line for line in said.splitlines() if line.startswith("exit code")]
    assert codes == ["exit code 0"] * 3 + ["exit code 6"], said
    assert "hello" in said
    assert "cannot be used" in said
