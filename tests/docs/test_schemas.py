"""What `--json` prints is what the schemas say."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, FormatChecker

ROOT = Path(__file__).parents[2]


def validator(name: str) -> Draft202012Validator:
    schema = json.loads((ROOT / "schemas" / f"{name}.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=FormatChecker())


@pytest.mark.parametrize("name", [path.name.removesuffix(".schema.json") for path in (ROOT / "schemas").glob("*.json")])
def test_every_schema_is_one_and_describes_itself(name: str) -> None:
    schema = validator(name).schema
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["title"].startswith("skyflow ")
    assert schema["description"].endswith(".")


@pytest.mark.parametrize("workflow", ["quickstart", "conditions"])
def test_events_and_runs(folder, workflow: str) -> None:
    lines = folder.skyflow("run", "--json", f"workflows/{workflow}.yml").splitlines()
    events = [json.loads(line) for line in lines]
    for event in events:
        validator("event").validate(event)
    assert {event["event"] for event in events} >= {"run", "job", "attempt", "step"}
    assert events[-1]["event"] == "run"
    assert events[-1]["to"] == "completed"
    run = json.loads(folder.skyflow("show", "--json"))
    validator("run").validate(run)
    validator("plan").validate(run["plan"])
    assert {job["key"] for job in run["jobs"]} == {event["job"] for event in events if event["event"] == "job"}
    for overview in json.loads(folder.skyflow("runs", "--json")):
        validator("run").validate(overview)


def test_an_interrupted_and_a_failed_run(folder) -> None:
    (folder.path / "w.yml").write_text(
        "on: push\njobs:\n  a:\n    strategy: {matrix: {n: [1, 2]}}\n    runs-on: local\n"
        "    steps: [{run: 'touch started; test -e go || sleep 60'}, {run: exit 3}]\n"
        "  b: {runs-on: local, needs: a, steps: [{run: 'true'}]}\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "skyflow", "run", "--json", "--jobs", "1", "w.yml"],
        cwd=folder.path,
        stdout=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not (folder.path / "started").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    events = [json.loads(line) for line in out.splitlines()]
    for event in events:
        validator("event").validate(event)
    assert "stopping" in {event["event"] for event in events}
    run = json.loads(folder.skyflow("show", "--json"))
    validator("run").validate(run)
    assert run["state"] == run["status"] == "interrupted"

    (folder.path / "go").touch()
    for line in folder.skyflow("resume", "--json", code=1).splitlines():
        validator("event").validate(json.loads(line))
    run = json.loads(folder.skyflow("show", "--json"))
    validator("run").validate(run)
    jobs = {job["key"]: job for job in run["jobs"]}
    assert [attempt["number"] for attempt in jobs["a.0"]["attempts"]] == [1, 2]
    assert jobs["a.1"]["conclusion"] == "cancelled"
    assert jobs["b"]["conclusion"] == "skipped"


@pytest.mark.parametrize(
    "broken",
    [
        {"event": "output"},
        {"event": "job", "run": "20260101-000000-0000"},
        {"event": "stopping", "run": "20260101-000000-0000", "force": "yes"},
    ],
)
def test_the_event_schema_refuses_what_is_no_event(broken: dict) -> None:
    assert list(validator("event").iter_errors(broken))
