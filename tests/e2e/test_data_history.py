"""What runs have moved is remembered: its size and its speed for the next plan, its price for who asks."""

import json
import sqlite3
from pathlib import Path

import jsonschema
import pytest
from testbed.machine import Machine

SCHEMAS = Path(__file__).parents[2] / "schemas"
WORKFLOW = """
on: push
jobs:
  make:
    runs-on: {where}
    strategy: {{matrix: {{n: [1, 2]}}}}
    steps:
      - run: mkdir -p out${{{{ matrix.n }}}}; head -c ${{{{ matrix.n }}}}000000 /dev/urandom > out${{{{ matrix.n }}}}/big
      - {{uses: actions/upload-artifact@v4, with: {{name: 'made-${{{{ matrix.n }}}}', path: "out${{{{ matrix.n }}}}"}}}}
  use:
    needs: make
    runs-on: local
    steps: [{{uses: actions/download-artifact@v4}}]
"""


def incoming(project) -> dict[str, float]:
    placements = project.skyflow("plan", "w.yml", "--json").json["jobs"]
    [use] = [each for each in placements if each["job"] == "use"]
    return {each["from_job"]: each["gigabytes"] for each in use["inputs"] if each["gigabytes"]}


def test_a_plan_knows_what_jobs_had_from_each_other(project) -> None:
    project.write(WORKFLOW.format(where="local"))
    assert incoming(project) == {}
    project.skyflow("run", "w.yml")
    assert incoming(project) == {"make.0": 0.0015, "make.1": 0.0015}  # one figure for a matrix
    assert "1.5 MB from make.0 (as in the last run)" in project.skyflow("plan", "w.yml", "--explain", "use").out
    project.write(WORKFLOW.format(where="local").replace("}}000000", "}}200000"))
    project.skyflow("run", "w.yml")
    assert incoming(project) == pytest.approx({"make.0": 0.0016, "make.1": 0.0016})
    explained = project.skyflow("plan", "w.yml", "--explain", "use", "--json").json["jobs"][0]["data"]
    assert [each["size_source"] for each in explained] == ["median of 2 runs"] * 2
    given = WORKFLOW.format(where="local").replace("needs: make\n", "needs: make\n    data: {make: 4GB}\n")
    project.write(given)
    assert incoming(project) == {"make.0": 2.0, "make.1": 2.0}
    project.skyflow("prune", "--older-than", "0s")
    project.write(WORKFLOW.format(where="local"))
    assert incoming(project) == {}


def test_a_plan_knows_how_fast_data_was(project, machine: Machine, pool) -> None:
    pool(machine)
    project.write(WORKFLOW.format(where="own"))
    [before] = {each["seconds"] for each in planned_inputs(project)}
    project.skyflow("run", "w.yml")
    explained = project.skyflow("plan", "w.yml", "--explain", "use", "--json").json["jobs"][0]["data"]
    assert {each["time_source"].partition(" MB/s ")[2] for each in explained} == {"measured in 2 transfers"}
    [row] = sqlite3.connect(project.folder / ".skyflow" / "state.db").execute(
        "SELECT sum(seconds) / sum(bytes), count(*) FROM transfers WHERE way = 'to here'"
    )
    assert row[1] == 2
    for each in planned_inputs(project):
        assert abs(each["seconds"] - each["gigabytes"] * 1e9 * row[0]) < 1e-6 + before


def planned_inputs(project) -> list[dict[str, float]]:
    placements = project.skyflow("plan", "w.yml", "--json").json["jobs"]
    [use] = [each for each in placements if each["job"] == "use"]
    return use["inputs"]


def test_data_is_among_the_costs(project, machine: Machine, pool) -> None:
    pool(machine)
    project.write(WORKFLOW.format(where="own"))
    project.skyflow("run", "w.yml")
    shown = project.skyflow("show", "--json").json
    jsonschema.validate(shown, json.loads((SCHEMAS / "run.schema.json").read_text()))
    moved = [each for job in shown["jobs"] for attempt in job["attempts"] for each in attempt["transfers"]]
    assert [(each["way"], each["bytes"]) for each in moved if each["way"] == "to here"] == [
        ("to here", 1_000_000),
        ("to here", 2_000_000),
    ]
    assert {(each["source"], each["target"], each["usd"]) for each in moved if each["way"] == "to here"} == {
        ("own/rack", "local/local", 0.0)
    }
    assert "Moved 3 MB of data between places: $0 (planned " in project.skyflow("show").out
    lines = project.skyflow("cost", "--by", "cloud", "--json").json
    assert [(line["cloud"], line["data_gb"], line["total_usd"]) for line in lines["lines"]] == [("own", 0.003, 0.0)]
    assert "data" in project.skyflow("cost", "--by", "job").out.splitlines()[0]


def test_data_that_leaves_a_cloud_costs_what_the_table_says(project) -> None:
    """The places of two transfers are changed, as if they had been elsewhere: no cloud is asked."""
    project.write(WORKFLOW.format(where="local"))
    project.skyflow("run", "w.yml")
    assert "No machine was rented, and no data left its place." in project.skyflow("cost").out
    database = sqlite3.connect(project.folder / ".skyflow" / "state.db")
    with database:
        change = "UPDATE transfers SET source = ?, bytes = 2000000000, usd = ? WHERE way = 'from store' AND what = ?"
        database.execute(change, ('["aws", "us-east-1", ""]', 0.18, "made-1"))
        database.execute(change, (None, None, "made-2"))
    out = project.skyflow("cost", "--by", "region").out
    assert "aws/us-east-1" in out
    assert "2 GB" in out
    assert "$0.18" in out
    assert "unknown" in out
    assert "4 GB of data between places: $0.18 + ?" in out
