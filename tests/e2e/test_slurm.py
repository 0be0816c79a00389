"""Runs in the queue of a Slurm cluster, as a person begins, breaks and resumes them."""

import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from testbed.slurm import SlurmCluster

ARRAY = """
on: push
jobs:
  first:
    runs-on: local
    outputs: {value: '${{ steps.s.outputs.v }}'}
    steps: [{id: s, run: 'echo v=42 >> $GITHUB_OUTPUT'}]
  many:
    runs-on: own
    needs: first
    timeout-minutes: 5
    resources: {cpus: 1+, memory: 64MiB+}
    strategy: {matrix: {n: [1, 2, 3, 4, 5, 6, 7, 8, 9]}}
    steps:
      - run: echo "n=${{ matrix.n }} got ${{ needs.first.outputs.value }} as $SLURM_ARRAY_TASK_ID" > out.txt; cat out.txt
      - uses: actions/upload-artifact@v4
        with: {name: "part-${{ matrix.n }}", path: out.txt}
  last:
    runs-on: local
    needs: many
    steps: [{run: 'echo ended'}]
"""
SLOW = """
on: push
jobs:
  a:
    runs-on: own
    steps:
      - run: echo once >> {0}/count; echo MARK=set >> $GITHUB_ENV
      - run: echo begun $MARK; while ! test -e {0}/go; do sleep 0.05; done; echo ended
      - run: echo after $MARK
"""


def eventually(holds: Callable[[], bool]) -> None:
    """Wait for what takes processes of Slurm, here and there."""
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def cluster(project, slurm: SlurmCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Declare the cluster in skyflow.yml."""
    for name, value in slurm.environment.items():
        monkeypatch.setenv(name, value)

    def declare(**said: object) -> None:
        queue = {"folder": str(tmp_path / "shared"), **said}
        pool = {"kind": "slurm", "count": 2, "cpus": 4, "memory": "1GiB", "slurm": queue}
        (project.folder / "skyflow.yml").write_text(json.dumps({"machines": {"cluster": pool}}))

    return declare


def test_a_matrix_is_an_array_of_the_queue(project, slurm: SlurmCluster, cluster, tmp_path: Path) -> None:
    cluster()
    project.write(ARRAY)
    out = project.skyflow("run", "w.yml", **slurm.environment).out
    assert "11 jobs planned on this machine and cluster" in out.splitlines()[0]
    for index in range(9):
        assert f"n={index + 1} got 42 as {index}" in out
    assert "is submitted to cluster" in out
    assert "ended" in out
    names = [each["name"] for each in project.skyflow("artifacts", "list", "--json").json]
    assert sorted(names) == [f"part-{n}" for n in range(1, 10)]
    assert not list((tmp_path / "shared" / "runs").glob("*"))


def test_a_run_whose_driver_was_killed_goes_on_where_it_is(
    project,
    slurm: SlurmCluster,
    cluster,
    tmp_path: Path,
) -> None:
    cluster()
    project.write(SLOW.replace("{0}", str(tmp_path)))
    run = project.start("run", "w.yml", **slurm.environment)
    eventually(
        lambda: any(b"begun set" in path.read_bytes() for path in project.folder.glob(".skyflow/runs/*/a/1/*.log"))
    )
    run.kill()
    run.communicate()
    (tmp_path / "go").touch()
    out = project.skyflow("resume", **slurm.environment).out
    assert "ended" in out
    assert "after set" in out
    assert "on n1 (Slurm job " in project.skyflow("show").out.replace("on n2", "on n1")
    assert (tmp_path / "count").read_text() == "once\n"
    assert project.skyflow("show", "--json").json["jobs"][0]["attempts"][-1]["number"] == 1


def test_a_time_limit_that_is_computed_reaches_the_queue(project, slurm: SlurmCluster, cluster) -> None:
    cluster()
    project.write(
        "on: push\njobs:\n  a:\n    runs-on: own\n    strategy: {matrix: {t: [7, 90]}}\n"
        "    timeout-minutes: ${{ matrix.t }}\n"
        "    steps: [{run: 'echo ${{ matrix.t }} is $(squeue -h -j $SLURM_JOB_ID -o %l)'}]\n"
    )
    out = project.skyflow("run", "w.yml", **slurm.environment).out
    assert "7 is 7:00" in out
    assert "90 is 1:30:00" in out


def test_a_partition_that_is_not_there_is_told_with_its_place(project, slurm: SlurmCluster, cluster) -> None:
    cluster(partition="nope")
    project.write(SLOW)
    out = " ".join(project.skyflow("run", "w.yml", code=1, **slurm.environment).out.split())
    assert "invalid partition specified: nope" in out
    assert "about 'partition', skyflow.yml:1:" in out


def test_config_check_asks_the_login_node(project, slurm: SlurmCluster, cluster) -> None:
    cluster(partition="short")
    out = project.skyflow("config", "check", **slurm.environment).out
    assert "cluster: this machine answers: Slurm with low, main, short, spare, urgent" in out
    cluster(partition="shrot")
    err = " ".join(project.skyflow("config", "check", code=5, **slurm.environment).err.split())
    assert "machines 'cluster': this machine has no partition 'shrot' (skyflow.yml:1:" in err
    assert "did you mean 'short'?" in err
    cluster(python="python9")
    assert "has no program 'python9'" in project.skyflow("config", "check", code=5, **slurm.environment).err


@pytest.mark.parametrize("is_driven", [True, False])
def test_cancel_ends_what_runs_in_the_queue(
    project, slurm: SlurmCluster, cluster, tmp_path: Path, is_driven: bool
) -> None:
    cluster(options=[f"--comment=to-cancel-{is_driven}"])
    project.write(SLOW.replace("{0}", str(tmp_path)))
    run = project.start("run", "w.yml", **slurm.environment)
    logs = project.folder.glob
    eventually(lambda: any(b"begun set" in path.read_bytes() for path in logs(".skyflow/runs/*/a/1/*.log")))
    if not is_driven:
        run.kill()
        run.communicate()
    assert "Run 1: cancelled" in project.skyflow("cancel", "1", **slurm.environment).out
    run.communicate(timeout=120)
    shown = project.skyflow("show", "--json").json
    assert (shown["conclusion"], shown["jobs"][0]["conclusion"]) == ("cancelled", "cancelled")
    queued = ["squeue", "-h", "-t", "pending,running,suspended", "-o", "%k"]
    eventually(lambda: f"to-cancel-{is_driven}" not in slurm.ask(*queued))


def test_an_interrupted_run_leaves_nothing_in_the_queue(project, slurm: SlurmCluster, cluster, tmp_path: Path) -> None:
    """Not even what it has submitted and not yet heard the number of."""
    cluster(options=["--begin=now+1hour", "--comment=interrupted"])
    project.write(SLOW)
    sbatch = tmp_path / "bin" / "sbatch"
    sbatch.parent.mkdir()
    sbatch.write_text(f'#!/bin/sh\nanswer=$({shutil.which("sbatch")} "$@")\nsleep 1\necho "$answer"\n')
    sbatch.chmod(0o755)
    run = project.start("run", "w.yml", PATH=f"{sbatch.parent}:{os.environ['PATH']}", **slurm.environment)
    eventually(lambda: "interrupted" in slurm.ask("squeue", "-h", "-t", "pending", "-o", "%k"))
    run.terminate()
    run.communicate(timeout=60)
    eventually(lambda: "interrupted" not in slurm.ask("squeue", "-h", "-t", "pending", "-o", "%k"))
