"""Folders that jobs declare as artifacts, and get as inputs, here and on other machines."""

import pytest
from testbed.machine import Machine

WORKFLOW = """
on: push
jobs:
  make:
    runs-on: WHERE
    artifacts: {model: build/model, notes: {path: ./notes, size: 2GB}}
    steps:
      - run: mkdir -p build/model/.deep notes; head -c 3000000 /dev/zero > build/model/big; echo hi > build/model/.deep/x
      - run: echo note > notes/n
  use:
    needs: make
    runs-on: WHERE
    inputs: [model, notes]
    steps: [{run: 'wc -c < build/model/big; cat build/model/.deep/x notes/n'}]
"""


def test_a_folder_goes_from_one_machine_to_another(project, make_machine, machine: Machine, pool) -> None:
    pool(machine, make_machine("other"))
    project.write(WORKFLOW.replace("WHERE", "own"))
    out = project.skyflow("run", "w.yml").out
    for expected in ("Keep model", "Get model", "3000000", "hi", "note"):
        assert expected in out
    assert not (project.folder / "build").exists()
    assert [each["name"] for each in project.skyflow("artifacts", "list", "--json").json] == ["model", "notes"]


def test_it_goes_from_this_machine_to_another(project, machine: Machine, pool) -> None:
    pool(machine)
    project.write(WORKFLOW.replace("WHERE", "local", 1).replace("WHERE", "own"))
    assert "3000000" in project.skyflow("run", "w.yml").out


def test_the_plan_counts_declared_sizes_and_those_of_the_last_run(project, machine: Machine, pool) -> None:
    pool(machine)
    project.write(WORKFLOW.replace("WHERE", "local", 1).replace("WHERE", "own"))

    def gigabytes() -> float:
        plan = project.skyflow("plan", "--json", "w.yml").json
        return sum(transfer["gigabytes"] for job in plan["jobs"] for transfer in job["inputs"])

    assert gigabytes() == 2.0
    project.skyflow("run", "w.yml")
    assert gigabytes() == pytest.approx(2.003, abs=1e-4)


def test_what_a_job_did_not_make_fails_it(project) -> None:
    project.write(
        "on: push\njobs:\n  a: {runs-on: local, artifacts: {x: nowhere}, steps: [{run: 'true'}]}\n"
        "  b: {needs: a, runs-on: local, inputs: x, steps: [{run: 'true'}]}\n"
    )
    assert "No files were found" in project.skyflow("run", "w.yml", code=1).out


def test_a_job_that_fails_keeps_nothing(project) -> None:
    project.write("on: push\njobs:\n  a: {runs-on: local, artifacts: {x: out}, steps: [{run: mkdir out; exit 1}]}\n")
    project.skyflow("run", "w.yml", code=1)
    assert project.skyflow("artifacts", "list", "--json").json == []


MAKER = "  a: {runs-on: local, artifacts: {x: out}, steps: [{run: x}]}\n"


@pytest.mark.parametrize(
    ("jobs", "message"),
    [
        (f"{MAKER}  b: {{needs: a, runs-on: local, inputs: y, steps: [{{run: x}}]}}\n", "declares an artifact 'y'"),
        (f"{MAKER}  b: {{runs-on: local, inputs: x, steps: [{{run: x}}]}}\n", "add 'a' to 'needs'"),
        (f"{MAKER}{MAKER.replace('a:', 'b:', 1)}", "job 'a' makes an artifact 'x' already"),
        (MAKER.replace("artifacts", "strategy: {matrix: {n: [1]}}, artifacts"), "every job of the matrix of 'a'"),
        (MAKER.replace("out", "/out"), "'/out' is no path inside of the workspace"),
        (MAKER.replace("{x: out}", "{x: {path: out, size: big}}"), "'big' is not a size"),
        (MAKER.replace("{x: out}", "{'a/b': out}"), "cannot contain '/'"),
    ],
)
def test_what_is_wrong_is_said_before_anything_runs(project, jobs: str, message: str) -> None:
    project.write(f"on: push\njobs:\n{jobs}")
    assert message in project.skyflow("validate", "w.yml", code=3).err
