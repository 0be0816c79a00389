"""`skyflow run --rehearse`: a workflow of the clouds, on this machine."""

import json

WORKFLOW = """\
name: training
on: workflow_dispatch
plan: {residency: [EU], deadline: 2h, objective: makespan}
jobs:
  train:
    runs-on: gcp
    resources: {accelerators: "H100:8", nodes: 2, market: spot}
    estimate: 1h
    data:
      's3://bucket/raw': {size: 40GB, region: aws/us-east-1}
    steps:
      - run: echo "rehearsal $SKYFLOW_REHEARSAL" >> said.txt
      - run: test ! -e once || exit 0; touch once; kill -9 "$(cat .skyflow/runs/$GITHUB_RUN_ID/lock)"; sleep 1
      - run: echo "still $SKYFLOW_REHEARSAL" >> said.txt
  check:
    needs: train
    uses: ./called.yml
"""
CALLED = """\
on: workflow_call
jobs:
  inner:
    runs-on: azure
    steps: [{run: 'echo "inner $SKYFLOW_REHEARSAL" >> said.txt'}]
"""


def test_all_jobs_run_here_and_know_it_after_a_resume_too(project) -> None:
    project.write(WORKFLOW)
    (project.folder / "called.yml").write_text(CALLED)
    project.skyflow("run", "--rehearse", "w.yml", code=-9)
    done = project.skyflow("resume")
    assert "training; a rehearsal; 2 jobs planned on this machine" in done.out
    assert (project.folder / "said.txt").read_text().split() == ["rehearsal", "true", "still", "true", "inner", "true"]
    shown = json.loads(project.skyflow("show", "--json").out)
    assert {job["conclusion"] for job in shown["jobs"]} == {"success"}


def test_without_it_the_variable_is_not_there(project) -> None:
    project.write("on: push\njobs: {a: {runs-on: local, steps: [{run: 'test -z \"${SKYFLOW_REHEARSAL+x}\"'}]}}\n")
    project.skyflow("run", "w.yml")
