"""`skyflow validate`, `skyflow schema` and `skyflow init`."""

import json

import pytest

GOOD = "on: push\njobs: {a: {runs-on: local, steps: [{run: make}]}}\n"
BAD = "on: push\njobs: {a: {runs-on: local, steps: [{run: make, shel: x}]}}\n"


def test_a_folder_is_searched_below(project):
    for name in ("a.yml", "deep/er/b.yaml"):
        (project.folder / "files" / name).parent.mkdir(parents=True, exist_ok=True)
        (project.folder / "files" / name).write_text(GOOD)
    (project.folder / "files/action.yml").write_text("no workflow")
    (project.folder / "files/other.txt").write_text("no workflow")
    assert project.skyflow("validate", "files").out == "2 files are valid\n"


def test_of_a_repository_the_workflows_are_looked_at(project):
    for name in (".github/workflows/ci.yml", "workflows/local.yml"):
        (project.folder / name).parent.mkdir(parents=True)
        (project.folder / name).write_text(GOOD)
    (project.folder / "compose.yml").write_text("services: {}")
    assert project.skyflow("validate", ".").out == "2 files are valid\n"


def test_a_folder_without_workflows(project):
    (project.folder / "empty").mkdir()
    assert "no workflow files" in project.skyflow("validate", "empty", code=3).err


def test_standard_input(project):
    assert project.skyflow("validate", "-", stdin=GOOD.encode()).out == "1 file is valid\n"
    done = project.skyflow("validate", "-", stdin=BAD.encode(), code=3)
    assert done.err.splitlines()[0].startswith("-:2:48: unknown key 'shel'")
    assert "shel: x" in done.err.splitlines()[1]


def test_json_in_both_spellings(project):
    project.write(BAD)
    first = project.skyflow("validate", "--json", "w.yml", code=3)
    assert project.skyflow("validate", "--format", "json", "w.yml", code=3).out == first.out
    (finding,) = first.json
    assert (finding["line"], finding["column"], finding["severity"]) == (2, 48, "error")


def test_the_place_within_a_value_is_told_apart(project):
    project.write("jobs:\n  a:\n    runs-on: local\n    steps:\n      - run: |\n          make ${{ nothing.x }}\n")
    (finding,) = project.skyflow("validate", "--format", "json", "w.yml", code=3).json
    assert (finding["line"], finding["column"]) == (5, 14)
    assert finding["within"] == {"line": 6, "column": 20, "end_line": 6, "end_column": 27}


def test_sarif_has_what_the_standard_requires(project):
    project.write(BAD.replace("runs-on: local", "runs-on: windows-latest"))
    log = project.skyflow("validate", "--format", "sarif", "w.yml", code=3).json
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "skyflow"
    assert run["results"]
    for result in run["results"]:
        rule = driver["rules"][result["ruleIndex"]]
        assert rule["id"] == result["ruleId"]
        assert rule["shortDescription"]["text"].endswith(".")
        assert result["level"] in {"error", "warning", "note"}
        assert result["message"]["text"]
        (location,) = result["locations"]
        assert location["physicalLocation"]["artifactLocation"]["uri"] == "w.yml"
        region = location["physicalLocation"]["region"]
        assert all(region[key] >= 1 for key in ("startLine", "startColumn", "endLine", "endColumn"))


def test_how_many_of_several_files_are_wrong(project):
    project.write(BAD)
    (project.folder / "x.yml").write_text(BAD)
    (project.folder / "y.yml").write_text("jobs:\n  a: {runs-on: local, steps: [{run: x}]}\n")
    done = project.skyflow("validate", ".", code=3)
    assert done.err.splitlines()[-1] == "2 of 3 files have errors"
    assert not done.out


def test_annotations_for_github(project):
    project.write(BAD)
    line = project.skyflow("validate", "--format", "github", "w.yml", code=3).out.splitlines()[0]
    assert line.startswith(
        "::error file=w.yml,line=2,endLine=2,col=48,endColumn=52,title=schema-unknown-key::unknown key"
    )
    assert "%0Ahint: " in line


def test_what_cannot_be_run_is_valid_all_the_same(project):
    project.write("jobs: {a: {runs-on: local, steps: [{uses: someone/something@v1}]}}\n")
    done = project.skyflow("validate", "w.yml")
    assert "[cannot-run]" in done.err
    refused = project.skyflow("run", "w.yml", code=3)
    assert "[cannot-run]" in refused.err
    assert "warning" not in refused.err
    assert "write the commands in a step with 'run'" in refused.err
    assert not (project.folder / ".skyflow").exists()


def test_an_action_can_be_checked(project):
    project.write("runs: {using: composite, steps: [{run: make}]}\n", "action.yml")
    assert "missing key 'shell'" in project.skyflow("validate", "action.yml", code=3).err


@pytest.mark.parametrize("name", ["workflow", "plan", "event", "run"])
def test_schemas_are_printed(project, name):
    assert json.loads(project.skyflow("schema", name).out)["title"] == f"skyflow {name}"
    assert project.skyflow("schema").out == project.skyflow("schema", "workflow").out


def test_a_starter_is_valid_runs_and_is_written_once(project):
    assert "Wrote workflows/main.yml" in project.skyflow("init").out
    done = project.skyflow("validate", "workflows/main.yml")
    assert (done.out, done.err) == ("1 file is valid\n", "")
    (project.folder / ".skyflow").mkdir()
    project.skyflow("run", "-q", "workflows/main.yml")
    before = (project.folder / "workflows/main.yml").read_text()
    assert "left as it is" in project.skyflow("init", code=2).err
    assert (project.folder / "workflows/main.yml").read_text() == before


def test_a_starter_cannot_be_written_below_a_file(project):
    project.write("x", "file")
    assert "cannot write" in project.skyflow("init", "file/w.yml", code=2).err


def test_without_a_name_the_workflows_of_the_folder_are_checked(project):
    assert "there is neither .github/workflows nor workflows" in project.skyflow("validate", code=2).err
    for name in (".github/workflows/ci.yml", "workflows/local.yml"):
        (project.folder / name).parent.mkdir(parents=True)
        project.write("on: push\njobs: {a: {runs-on: local, steps: [{run: 'true'}]}}\n", name)
    project.write("jobs: 1\n", "other.yml")
    (project.folder / "workflows/skyflow.yml").write_text("machines: {}\n")
    assert project.skyflow("validate").out == "2 files are valid\n"
