"""Jobs that run on several machines at once."""

import signal
from pathlib import Path

import pytest
from testbed.machine import Machine

JOB = """
on: push
jobs:
  train:
    runs-on: own
    resources: {{nodes: {nodes}}}
    outputs: {{of: '${{{{ steps.s.outputs.of }}}}'}}
    steps:
{steps}
  after:
    needs: train
    runs-on: local
    steps: [{{run: 'echo "after node ${{{{ needs.train.outputs.of }}}}"'}}]
"""
HELLO = """
      - id: s
        run: |
          echo "node $SKYFLOW_NODE_RANK of $SKYFLOW_NUM_NODES on $(cat ~/name), $(echo "$SKYFLOW_NODE_IPS" | wc -l) addresses"
          echo "of=$SKYFLOW_NODE_RANK" >> "$GITHUB_OUTPUT"; echo "MARK=set-by-$SKYFLOW_NODE_RANK" >> "$GITHUB_ENV"
          echo "::add-mask::hidden$SKYFLOW_NODE_RANK"; echo "# of $SKYFLOW_NODE_RANK" >> "$GITHUB_STEP_SUMMARY"
      - run: echo "$MARK seen by $SKYFLOW_NODE_RANK; hidden0 hidden1; temp $(ls -d "$RUNNER_TEMP")"
"""
WAIT = """
      - run: echo once >> ~/count; echo MARK=set >> $GITHUB_ENV
      - run: echo "begun $MARK"; while ! test -e ~/go; do sleep 0.05; done; echo "ended on $SKYFLOW_NODE_RANK"
"""


@pytest.fixture
def gang(make_machine) -> list[Machine]:
    return [make_machine(name) for name in ("one", "two", "three")]


def workflow(steps: str, nodes: int = 2) -> str:
    return JOB.format(nodes=nodes, steps=steps)


def logs_of(folder: Path, name: str = "*.log") -> str:
    return "".join(path.read_text() for path in sorted(folder.glob(f".skyflow/runs/*/train/1/{name}")))


def test_a_step_runs_on_all_machines_and_the_first_speaks_for_all(project, gang: list[Machine], pool) -> None:
    pool(*gang)
    project.write(workflow(HELLO))
    out = project.skyflow("run", "w.yml").out
    for rank in (0, 1):
        assert f"[{rank}] node {rank} of 2 on " in out
        assert f"[{rank}] set-by-0 seen by {rank}; *** ***; temp /root/.skyflow/runs/" in out
    assert "2 addresses" in out
    assert "after node 0" in out
    assert "of 0" in project.skyflow("show", "--summary").out
    merged = project.skyflow("logs", "1", "train").out
    assert "[0] node 0 of 2" in merged
    assert "[1] node 1 of 2" in merged
    assert "node 1 of 2" in logs_of(project.folder, "nodes/1/1.log")
    assert not [path for each in gang for path in each.home.glob(".skyflow/runs/*/*/*")]


def test_one_that_fails_ends_the_job_on_all(project, gang: list[Machine], pool) -> None:
    pool(*gang)
    project.write(workflow("      - run: if test $SKYFLOW_NODE_RANK = 1; then exit 3; fi; sleep 600\n", nodes=3))
    done = project.skyflow("run", "w.yml", code=1)
    assert "exit code 3" in done.out
    assert "failed on node 1 (" in logs_of(project.folder, "1.log")
    assert not [line for each in gang for line in each.command_lines() if "sleep 600" in line]


def test_cancelling_reaches_all(project, gang: list[Machine], pool, wait_until) -> None:
    pool(*gang)
    project.write(workflow(WAIT, nodes=3))
    run = project.start("run", "w.yml")
    wait_until(lambda: logs_of(project.folder, "2.log").count("begun set") == 3)
    run.send_signal(signal.SIGINT)
    run.communicate(timeout=30)
    assert run.returncode == 130
    assert not [line for each in gang for line in each.command_lines() if "step.sh" in line or "sleep" in line]


def test_when_one_machine_dies_the_job_moves_and_takes_another_one(
    project, gang: list[Machine], pool, wait_until
) -> None:
    pool(*gang)
    project.write(workflow(WAIT))
    run = project.start("run", "w.yml", SKYFLOW_HOST_PATIENCE="2s")
    wait_until(lambda: logs_of(project.folder, "2.log").count("begun set") == 2)
    names = [each.split()[0] for each in (_host_file(project.folder, 1)).read_text().splitlines()]
    by_name = {f"127.0.0.1:{each.relay.port}": each for each in gang}
    by_name[names[1]].kill()
    for each in gang:
        (each.home / "go").touch()
    out, err = run.communicate(timeout=60)
    assert run.returncode == 0, err
    attempts = project.skyflow("show", "--json").json["jobs"][0]["attempts"]
    assert [each["reason"] for each in attempts] == ["lost", None]
    second = [each.split()[0] for each in _host_file(project.folder, 2).read_text().splitlines()]
    assert len(set(second)) == 2
    assert names[1] not in second
    assert out.count(b"ended on") >= 2


def test_a_run_whose_driver_was_killed_goes_on_on_all(project, gang: list[Machine], pool, wait_until) -> None:
    pool(*gang)
    project.write(workflow(WAIT))
    run = project.start("run", "w.yml")
    wait_until(lambda: logs_of(project.folder, "2.log").count("begun set") == 2)
    run.kill()
    run.communicate()
    for each in gang:
        (each.home / "go").touch()
    out = project.skyflow("resume").out
    assert "[0] ended on 0" in out
    assert "[1] ended on 1" in out
    assert sum((each.home / "count").exists() for each in gang) == 2
    assert project.skyflow("show", "--json").json["jobs"][0]["attempts"][-1]["number"] == 1
    assert logs_of(project.folder, "2.log").count("begun set") == 2


def test_all_or_none_begin(project, gang: list[Machine], pool, wait_until) -> None:
    """A gang waits for all its machines, and jobs behind it in the queue do not take them away one by one."""
    pool(*gang[:2])
    project.write(
        "on: push\njobs:\n"
        "  a: {runs-on: own, steps: [{run: 'while ! test -e ~/go; do sleep 0.05; done; echo a >> ~/order'}]}\n"
        "  b: {runs-on: own, resources: {nodes: 2}, steps: [{run: echo b >> ~/order}]}\n"
        "  c: {runs-on: own, steps: [{run: echo c >> ~/order}]}\n"
    )
    run = project.start("run", "w.yml")
    wait_until(lambda: bool(list(project.folder.glob(".skyflow/runs/*/a/1/host"))))
    for each in gang:
        (each.home / "go").touch()
    _, err = run.communicate(timeout=60)
    assert run.returncode == 0, err
    orders = [(each.home / "order").read_text().split() for each in gang[:2]]
    assert all("b" in order and "c" not in order[: order.index("b")] for order in orders)


def _host_file(folder: Path, attempt: int) -> Path:
    return next(folder.glob(f".skyflow/runs/*/train/{attempt}/host"))


def test_the_example_runs_on_a_rack(project, make_machine, pool) -> None:
    """A pool of four, a folder that travels to all of them, a checkpoint, and one that comes back."""
    example = Path(__file__).parents[2] / "workflows" / "on-premises" / "train.yml"
    pool(*(make_machine(f"rack{number}") for number in range(4)), slots=2, accelerators="A100-80GB:4")
    project.write(example.read_text())
    out = project.skyflow("run", "w.yml").out
    for rank in range(4):
        assert f"[{rank}] machine {rank} of 4; the first is at 127.0.0.1" in out
    assert out.splitlines()[-1].endswith("(3 success)")
    assert "20200" in out
