"""Stores in two regions: what a job hands on lies where it ran, and goes from there to where it is needed, as planned."""

import hashlib
import json
from pathlib import Path

import pytest
from testbed.object_server import Fault, FaultProxy, ObjectServer

BYTES = 5_000_000
WORKFLOW = f"""
on: push
jobs:
  make:
    runs-on: own
    resources: {{arch: x86_64}}
    artifacts: {{model: {{path: out, size: 5MB}}}}
    steps:
      - run: mkdir -p out/deep; head -c {BYTES} /dev/urandom > out/deep/big; echo small > out/small; chmod +x out/small
      - run: sha256sum out/deep/big | cut -c1-64
  use:
    needs: make
    runs-on: own
    resources: {{arch: arm64}}
    inputs: [model]
    steps:
      - run: sha256sum out/deep/big | cut -c1-64; test -x out/small
      - {{uses: actions/upload-artifact@v4, with: {{name: report, path: out/small}}}}
  end:
    needs: use
    runs-on: local
    steps:
      - {{uses: actions/download-artifact@v4, with: {{name: report, path: in}}}}
      - run: cat in/small
"""


@pytest.fixture
def regions(project, make_machine, pool, bucket: str, object_server: ObjectServer) -> dict[str, str]:
    """Two pools with a bucket beside each; return the buckets by their names."""
    pool(make_machine(), name="east", arch="x86_64", place={"egress": "0.05"})
    pool(make_machine("other"), name="west", arch="arm64", place={"egress": "0.07"})
    path = project.folder / "skyflow.yml"
    config = json.loads(path.read_text())
    found = {}
    for name in ("east", "west"):
        found[name] = hashlib.sha256(f"{bucket} {name}".encode()).hexdigest()[:20]
        object_server.make_bucket(found[name])
    config["stores"] = {name: {"url": f"s3://{where}/x", "region": f"own/{name}"} for name, where in found.items()}
    path.write_text(json.dumps(config))
    return found


def moved(project) -> list[dict[str, object]]:
    shown = project.skyflow("show", "--json").json
    return [each for job in shown["jobs"] for attempt in job["attempts"] for each in attempt["transfers"]]


def test_data_goes_over_the_store_of_the_region_as_planned(project, regions) -> None:
    project.write(WORKFLOW)
    planned = project.skyflow("plan", "w.yml", "--json").json
    [incoming] = [each for job in planned["jobs"] if job["job"] == "use" for each in job["inputs"]]
    assert incoming["usd"] == pytest.approx(0.005 * 0.05)
    assert "what 'make' hands on goes over the store 'east'" in planned["notes"]
    out = project.skyflow("run", "w.yml").out
    assert out.count("small") >= 1
    assert "through this machine" not in out
    assert "From this machine" not in out
    big = [each for each in moved(project) if each["bytes"] >= BYTES]
    assert [(each["way"], each["source"], each["target"]) for each in big] == [
        ("machine to store", "own/east", "own/east"),
        ("store to machine", "own/east", "own/west"),
    ]
    assert [each["usd"] for each in big] == [0.0, pytest.approx(BYTES / 1e9 * 0.05, rel=1e-3)]
    assert not list(project.folder.glob(".skyflow/artifacts/blobs/*/*"))

    listed = project.skyflow("artifacts", "list", "--json").json
    assert [(each["name"], each["store"]) for each in listed] == [("model", "east"), ("report", "west")]
    assert "in 'east'" in project.skyflow("artifacts", "list").out.splitlines()[0]
    project.skyflow("artifacts", "get", "model", "--to", "back")
    assert (project.folder / "back" / "deep" / "big").stat().st_size == BYTES
    project.skyflow("artifacts", "rm", "report")
    assert [each["name"] for each in project.skyflow("artifacts", "list", "--json").json] == ["model"]
    project.skyflow("prune", "--older-than", "0s")
    assert "can be written and read" in project.skyflow("config", "check", "--no-hosts").out


def test_what_a_machine_cannot_send_goes_through_this_one(project, regions, fault_proxy: FaultProxy) -> None:
    """The store refuses whoever comes with a signed request, so machines, and not us."""
    project.write(WORKFLOW)
    fault_proxy.faults.append(Fault("refuse", lambda _, path: "X-Amz-Signature" in path, times=1000))
    out = project.skyflow("run", "w.yml").out
    assert out.count("cannot send to the store itself goes through this machine: the store answers 403") == 2
    assert out.count("cannot fetch from the store itself goes through this machine: the store answers 403") == 1
    ways = [each["way"] for each in moved(project) if each["bytes"] >= BYTES]
    assert ways == ["to here", "to store", "from store", "from here"]


def test_a_store_that_cannot_be_is_said(project, tmp_path: Path) -> None:
    def check(text: str) -> str:
        project.write(text, "skyflow.yml")
        return project.skyflow("config", "check", code=None).err

    assert "own/nowhere', which no table knows" in check("stores: {a: {url: 's3://b/x', region: own/nowhere}}")
    assert "did you mean 'aws/us-east-1'" in check("stores: {a: {url: 's3://b/x', region: aws/us-east-11}}")
    assert "nobody says where the bucket of 'a' is" in check("stores: {a: {url: 's3://b/x'}}")
    assert "'b' is the same store as 'a'" in check("stores: {a: {url: kept}, b: {url: kept/}}")
    assert "give this one another name" in check("stores: {here: {url: kept}}")
    assert "in no region" in check("stores: {a: {url: kept, region: aws/us-east-1}}")
    assert "names no region" in check("stores: {a: {url: 'gs://b', region: somewhere}}")
    assert "names no store" in check("stores: {a: {url: 'ftp://b'}}")
    (tmp_path / "file").write_text("")
    assert "store 'a': " in check(f"stores: {{a: {{url: {tmp_path}/file/x}}}}")
    assert check("stores: {a: {url: kept}}") == ""
