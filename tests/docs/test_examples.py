"""Every example validates and plans; those of this machine run to the conclusion they name."""

import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from skyflow import load_workflow
from skyflow.app.planning.callees import callees_in
from skyflow.app.planning.plan import PlanOptions, prepare_planning
from skyflow.app.project import find_project
from skyflow.model.objective import Objective
from skyflow.model.placement import PlanStatus

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "workflows").glob("*.yml"))
NAMES = [path.name for path in EXAMPLES]
CONCLUSIONS = {
    path.name: match[1]
    for path in EXAMPLES
    if (match := re.search(r"^# Ends in: (\w+)", path.read_text(), re.MULTILINE))
}


HEAVY = (
    *("aws", "gcloud", "azcopy", "torchrun", "neuronx-cc", "spark-submit", "bwa-mem2", "samtools", "gatk", "bcftools"),
    *("anonymise-dicom", "tokenise", "evaluate-model", "choose-best", "quantise", "forecast", "pseudonymise", "score"),
)
"""The programs that the examples call and that are not here."""


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder of programs that play the heavy ones."""
    folder = tmp_path / "programs"
    folder.mkdir()
    player = (Path(__file__).parent / "stand_in.py").read_text()
    for program in HEAVY:
        (folder / program).write_text(f"#!{sys.executable}\n{player}")
        (folder / program).chmod(0o755)
    return folder


def test_there_are_examples_of_both_kinds() -> None:
    assert set(CONCLUSIONS) >= {"quickstart.yml", "matrix.yml", "conditions.yml"}
    assert "intercloud-training.yml" in set(NAMES) - set(CONCLUSIONS)


def test_they_validate_without_a_finding_and_say_what_they_are(folder) -> None:
    assert json.loads(folder.skyflow("validate", "--json", *(f"workflows/{name}" for name in NAMES))) == []
    for path in EXAMPLES:
        assert path.read_text().startswith("# yaml-language-server: $schema=../schemas/workflow.schema.json\n#\n# "), (
            path.name
        )


def test_those_of_the_evaluation_validate_without_a_finding(folder) -> None:
    assert (
        json.loads(folder.skyflow("validate", "--json", *map(str, (ROOT / "workflows/evaluation").glob("*.yml")))) == []
    )


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("objective", [Objective.COST, Objective.MAKESPAN])
def test_it_plans(folder, name: str, objective: Objective) -> None:
    workflow = load_workflow(folder.path / "workflows" / name)
    patient = PlanOptions(
        objective=objective, time_limit_seconds=300
    )  # a busy machine says nothing about what is proven
    callees = callees_in(workflow, folder.path)
    project = find_project(start=folder.path, state=folder.path / ".skyflow" / "state.db")
    plan = prepare_planning(workflow, callees=callees, options=patient, project=project).plan()
    assert plan.objective is objective
    # with few slots the bound on the makespan is not met
    assert plan.status is PlanStatus.OPTIMAL or name in CONCLUSIONS
    assert not any(placement.is_duration_assumed for placement in plan.placements)
    if name in CONCLUSIONS:
        assert {placement.offering.provider for placement in plan.placements} == {"local"}


def test_the_machines_of_the_laboratory_come_first(folder) -> None:
    text = (ROOT / "workflows" / "spill-over.yml").read_text()
    config = re.search(r"skyflow\.yml:\n#\n((?:#   .*\n)+)", text)
    assert config is not None
    (folder.path / "skyflow.yml").write_text(config[1].replace("#   ", ""))
    plan = json.loads(folder.skyflow("plan", "--json", "workflows/spill-over.yml"))
    spilled = {job["job"]: job["spilled"] for job in plan["jobs"] if job["offering"]["provider"] != "own"}
    assert list(spilled) == ["fit.8", "fit.9", "fit.10", "fit.11"]
    assert all(why == {"reason": "pool-full", "seconds": pytest.approx(7200)} for why in spilled.values())
    assert plan["status"] == "optimal"


@pytest.mark.parametrize(("name", "conclusion"), CONCLUSIONS.items())
def test_it_runs_to_the_conclusion_it_names(folder, name: str, conclusion: str) -> None:
    folder.skyflow("run", f"workflows/{name}", code=0 if conclusion == "success" else 1)
    assert json.loads(folder.skyflow("show", "--json"))["conclusion"] == conclusion
    written = {path.name for path in folder.path.iterdir()} - {"workflows", ".skyflow"}
    assert written <= {"build"}, "examples write below build/ only"


@pytest.mark.parametrize("name", [name for name in NAMES if "--rehearse" in (ROOT / "workflows" / name).read_text()])
def test_it_can_be_rehearsed_with_programs_that_play_the_heavy_ones(folder, programs: Path, name: str) -> None:
    out = replace(folder, programs=programs).skyflow("run", "--rehearse", f"workflows/{name}")
    assert "a rehearsal" in out
    run = json.loads(folder.skyflow("show", "--json"))
    assert {job["conclusion"] for job in run["jobs"]} == {"success"}


def test_a_rehearsal_fails_where_a_program_does_not_find_what_it_reads(folder, programs: Path) -> None:
    path = folder.path / "workflows" / "eu-residency.yml"
    path.write_text(
        path.read_text().replace("--in features.parquet --out model.pt", "--in other.parquet --out model.pt")
    )
    replace(folder, programs=programs).skyflow("run", "--rehearse", "workflows/eu-residency.yml", code=1)
    jobs = {job["id"]: job["conclusion"] for job in json.loads(folder.skyflow("show", "--json"))["jobs"]}
    assert jobs == {"pseudonymise": "success", "features": "success", "model": "failure", "score": "skipped"}


def test_quickstart_draws_a_symmetric_picture_and_measures_it(folder) -> None:
    out = folder.skyflow("run", "workflows/quickstart.yml")
    picture = (folder.path / "build" / "quickstart" / "mandelbrot.txt").read_text().splitlines()
    assert len(picture) == 25
    assert picture == picture[::-1]
    assert all(line.strip() in out for line in picture)
    area = re.search(r"an area of about (\d\.\d\d)", out)
    assert area
    assert abs(float(area[1]) - 1.51) < 0.1
    run = json.loads(folder.skyflow("show", "--json"))
    assert [job["key"] for job in run["jobs"] if job["id"] == "strip"] == [f"strip.{index}" for index in range(4)]


def test_quickstart_can_be_run_again(folder) -> None:
    for _ in range(2):
        folder.skyflow("run", "--quiet", "workflows/quickstart.yml")


def test_matrix_counts_what_it_found(folder) -> None:
    folder.skyflow("run", "workflows/matrix.yml")
    rows = (folder.path / "build" / "matrix" / "counts.md").read_text().splitlines()[2:]
    assert sorted(rows) == [
        "| hamlet | lines | 1 |",
        "| hamlet | words | 6 |",
        "| macbeth | words | 5 |",
        "| stage | lines | 2 |",
        "| stage | words | 14 |",
    ]


def test_conditions_shows_allowed_failures_and_skipped_jobs(folder) -> None:
    folder.skyflow("run", "workflows/conditions.yml")
    jobs = {job["key"]: job for job in json.loads(folder.skyflow("show", "--json"))["jobs"]}
    assert (jobs["experiment"]["outcome"], jobs["experiment"]["conclusion"]) == ("failure", "success")
    assert jobs["optional"]["conclusion"] == jobs["alarm"]["conclusion"] == "skipped"
    steps = jobs["steps"]["attempts"][0]["steps"]
    assert [step["outcome"] for step in steps] == ["failure", "failure", "success", "skipped"]
    assert steps[1]["reason"] == "timeout"


def test_the_alarm_of_conditions_goes_off_when_a_failure_counts(folder) -> None:
    path = folder.path / "workflows" / "conditions.yml"
    path.write_text(
        path.read_text().replace(
            "    continue-on-error: true\n    steps:\n      - run: exit 1", "    steps:\n      - run: exit 1"
        )
    )
    folder.skyflow("run", "workflows/conditions.yml", code=1)
    jobs = {job["key"]: job["conclusion"] for job in json.loads(folder.skyflow("show", "--json"))["jobs"]}
    assert jobs["experiment"] == "failure"
    assert jobs["next"] == "skipped"
    assert jobs["alarm"] == jobs["report"] == "success"


def test_training_stays_with_its_data_unless_there_is_little(folder) -> None:
    def provider_of_training(size: str) -> str:
        path = folder.path / "sized.yml"
        text = (ROOT / "workflows" / "intercloud-training.yml").read_text()
        assert text.count("prepare: 400GB") == 1
        path.write_text(text.replace("prepare: 400GB", f"prepare: {size}"))
        plan = json.loads(folder.skyflow("plan", "--json", "sized.yml"))
        return next(job["offering"]["provider"] for job in plan["jobs"] if job["job"] == "train")

    assert provider_of_training("400GB") == "aws"
    assert provider_of_training("100GB") != "aws"


def test_training_is_refused_where_it_cannot_run(folder) -> None:
    folder.skyflow("run", "workflows/intercloud-training.yml", code=5)
    assert not (folder.path / ".skyflow").exists()


def test_the_example_with_own_machines_plans_on_them_and_rehearses(folder) -> None:
    path = folder.path / "workflows" / "on-premises"
    rack = replace(folder, path=path)
    assert "skyflow.yml is valid: 4 machines" in rack.skyflow("config", "check", "--no-hosts")
    plan = json.loads(rack.skyflow("plan", "--json", "train.yml"))
    placed = {job["job"]: (job["offering"]["provider"], job["offering"]["nodes"]) for job in plan["jobs"]}
    assert placed == {"prepare": ("local", 1), "train": ("own", 4), "publish": ("local", 1)}
    assert "(3 success)" in rack.skyflow("run", "--rehearse", "train.yml")
