"""Jobs that go on from where an attempt before was, on this machine and on others."""

from pathlib import Path

from testbed.machine import Machine

COUNT = """
on: push
jobs:
  train:
    runs-on: WHERE
    checkpoint: {path: out/kept, every: 1s}
    retry: {attempts: 3, on: [failure, lost]}
    steps:
      - run: |
          mkdir -p out/kept; n=$(cat out/kept/step 2>/dev/null || echo 0)
          echo "attempt $SKYFLOW_ATTEMPT begins at $n"
          MORE
          while test $n -lt 5; do n=$((n+1)); echo $n > out/kept/new; mv out/kept/new out/kept/step; done
          echo "at $n"; if test $SKYFLOW_ATTEMPT = 1; then END; fi
"""
WAIT = "while ! test -e ~/go; do sleep 0.05; done"


def workflow(where: str, *, end: str, more: str = "true") -> str:
    return COUNT.replace("WHERE", where).replace("END", end).replace("MORE", more)


def kept(folder: Path) -> list[Path]:
    return list(folder.glob(".skyflow/artifacts/checkpoints/*.json"))


def test_a_job_that_failed_goes_on_from_its_folder_here(project) -> None:
    project.write(workflow("local", end="exit 1"))
    out = project.skyflow("run", "w.yml").out
    assert "attempt 1 begins at 0" in out
    assert "'out/kept' is as attempt 1 left it on this machine" in out
    assert "attempt 2 begins at 5" in out


def test_what_was_removed_here_is_put_back_when_the_run_is_retried(project) -> None:
    project.write(workflow("local", end="touch ~/x; exit 1").replace("retry:", "#"))
    project.skyflow("run", "w.yml", code=1, HOME=str(project.folder))
    (project.folder / "out" / "kept" / "step").unlink()
    (project.folder / "out" / "kept").rmdir()
    out = project.skyflow("retry", HOME=str(project.folder)).out
    assert "'out/kept' is as attempt 1 kept it at " in out
    assert "attempt 2 begins at 5" in out


def test_when_its_machine_dies_a_job_goes_on_from_there_on_another_one(
    project, make_machine, machine: Machine, pool, wait_until
) -> None:
    other = make_machine("other")
    pool(machine, other)
    project.write(workflow("own", end=WAIT))
    run = project.start("run", "w.yml", SKYFLOW_HOST_PATIENCE="2s")
    wait_until(lambda: bool(kept(project.folder)))
    first = machine if any("step.sh" in line or "sleep" in line for line in machine.command_lines()) else other
    first.kill()
    out, err = run.communicate(timeout=60)
    assert run.returncode == 0, err
    assert b"attempt 1 begins at 0" in out
    assert b"'out/kept' is as attempt 1 kept it at " in out
    assert b"attempt 2 begins at 5" in out
    assert not (project.folder / "out").exists()
    attempts = project.skyflow("show", "--json").json["jobs"][0]["attempts"]
    assert [each["reason"] for each in attempts] == ["lost", None]


def test_a_job_that_failed_there_goes_on_from_its_folder_in_a_fresh_workspace(project, machine: Machine, pool) -> None:
    pool(machine)
    project.write(workflow("own", end="exit 1").replace("every: 1s", "every: 1h"))
    out = project.skyflow("run", "w.yml").out
    assert "attempt 2 begins at 5" in out


def test_all_machines_of_a_job_get_what_the_first_one_kept(project, make_machine, pool) -> None:
    pool(*(make_machine(name) for name in ("one", "two")))
    end = "test $SKYFLOW_NODE_RANK != 0 || exit 1"  # were it the other one, the first might not have come to its fifth
    text = workflow("own", end=end).replace("checkpoint:", "resources: {nodes: 2}\n    checkpoint:")
    project.write(text)
    out = project.skyflow("run", "w.yml").out
    assert "[0] attempt 2 begins at 5" in out
    assert "[1] attempt 2 begins at 5" in out


def test_a_folder_that_is_lost_in_the_store_fails_the_attempt_and_says_why(project, machine: Machine, pool) -> None:
    pool(machine)
    project.write(workflow("own", end="exit 1").replace("retry:", "#"))
    project.skyflow("run", "w.yml", code=1)
    for path in project.folder.glob(".skyflow/artifacts/blobs/*/*"):
        path.unlink()
    assert "'out/kept' cannot be put back as attempt 1 left it" in project.skyflow("retry", code=1).out
