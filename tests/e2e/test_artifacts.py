"""Artifacts of runs, kept in the project's folder or in a bucket, as a person handles them."""

import pytest
from testbed.ports import free_port

WORKFLOW = """
on: push
jobs:
  make:
    runs-on: local
    steps:
      - run: mkdir -p out/sub && echo one > out/a.txt && echo two > out/sub/b.txt
      - uses: actions/upload-artifact@v4
        with: {name: results, path: out}
      - uses: actions/upload-artifact@v4
        with: {name: log, path: out/a.txt}
  use:
    runs-on: local
    needs: make
    steps:
      - uses: actions/download-artifact@v4
        with: {name: results, path: got}
      - run: cat got/a.txt got/sub/b.txt
"""


@pytest.fixture(params=["folder", "bucket"])
def where(request: pytest.FixtureRequest) -> dict[str, str]:
    if request.param == "folder":
        return {}
    return {"SKYFLOW_ARTIFACTS": request.getfixturevalue("bucket")}


def test_artifacts_are_listed_fetched_and_removed(project, where) -> None:
    project.write(WORKFLOW)
    out = project.skyflow("run", "w.yml", **where).out
    assert "one" in out
    assert (project.folder / ".skyflow" / "artifacts").exists() == (not where)
    lines = project.skyflow("artifacts", "list", **where).out.splitlines()
    assert [line.split()[0] for line in lines] == ["log", "results"]
    assert "from job 'make', kept until" in lines[0]
    [log, results] = project.skyflow("artifacts", "list", "1", "--json", **where).json
    assert (results["name"], results["size"], results["job"]) == ("results", 8, "make")

    assert "to results" in project.skyflow("artifacts", "get", "results", **where).out
    assert (project.folder / "results" / "sub" / "b.txt").read_text() == "two\n"
    project.skyflow("artifacts", "get", "log", "--run", "1", "--to", "elsewhere", **where)
    assert (project.folder / "elsewhere" / "a.txt").read_text() == "one\n"

    assert project.skyflow("artifacts", "rm", "log", **where).out == "Removed 'log'\n"
    assert [each["name"] for each in project.skyflow("artifacts", "list", "--json", **where).json] == ["results"]
    project.skyflow("artifacts", "rm", "results", **where)
    assert project.skyflow("artifacts", "list", **where).out == "No artifacts\n"
    assert log["run"] == results["run"]


def test_what_is_not_there_is_said(project) -> None:
    project.write(WORKFLOW)
    project.skyflow("run", "w.yml")
    assert "did you mean 'results'" in project.skyflow("artifacts", "get", "result", code=2).err
    assert "no run '7'" in project.skyflow("artifacts", "list", "7", code=2).err.replace("There is", "")
    assert "names no store" in project.skyflow("artifacts", "list", code=2, SKYFLOW_ARTIFACTS="ftp://x").err


def test_a_bucket_that_is_not_there_fails_the_step_and_says_why(project, bucket) -> None:
    project.write(WORKFLOW)
    done = project.skyflow("run", "w.yml", code=1, SKYFLOW_ARTIFACTS=bucket.replace("s3://", "s3://no-such-"))
    assert "does not do what it is asked" in done.out


def test_a_store_that_does_not_answer_hides_nothing_that_others_have(project) -> None:
    project.write(WORKFLOW)
    project.skyflow("run", "-q", "w.yml")
    store = f"{{url: 's3://nothing/x', region: aws/us-east-1, endpoint: 'http://127.0.0.1:{free_port()}'}}"
    project.write(f"stores: {{far: {store}}}", "skyflow.yml")
    keys = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y"}
    listed = project.skyflow("artifacts", "list", "--json", code=6, **keys)
    assert [each["name"] for each in listed.json] == ["log", "results"]
    assert listed.err.startswith("error: the store 'far' cannot be read: s3://nothing/x ")
    assert "to log" in project.skyflow("artifacts", "get", "log", **keys).out
    pruned = project.skyflow("prune", "--older-than", "0s", code=6, **keys)
    assert pruned.out.splitlines()[-1].startswith("1 run was forgotten")
    assert pruned.err.startswith("error: the store 'far' keeps what it has of them: s3://nothing/x ")
